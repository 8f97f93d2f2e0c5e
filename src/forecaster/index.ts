/** Forecasts of regular time series with honest bands: pure, deterministic, without dependencies. */
export { forecast } from "./forecast.ts";
export { findSeasons } from "./seasons.ts";
export type {
  ForecastMethod,
  ForecastOptions,
  SeriesForecast,
  Span,
  TimeSeries,
  TrainedOn,
} from "./types.ts";
