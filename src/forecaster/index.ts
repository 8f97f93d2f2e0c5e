/** Forecasts of regular time series with honest bands: pure, deterministic, without dependencies. */

export type { BacktestOptions, BacktestOrigin, BacktestReport } from "./backtest.ts";
export { backtest } from "./backtest.ts";
export { forecast } from "./forecast.ts";
export type { Accuracy } from "./metrics.ts";
export { findSeasons } from "./seasons.ts";
export type {
  ForecastMethod,
  ForecastOptions,
  SeriesForecast,
  Span,
  TimeSeries,
  TrainedOn,
} from "./types.ts";
