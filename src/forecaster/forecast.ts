import { Fault } from "../core/fault.ts";
import { toHistory } from "./history.ts";
import { settle } from "./options.ts";
import { train } from "./train.ts";
import type { ForecastOptions, SeriesForecast, TimeSeries } from "./types.ts";

/**
 * Forecasts a series for the `horizon` windows that follow its last one.
 *
 * The point forecast (level 0.5) is the median of five members; the other levels come from split-conformal calibration on the
 * latest part of the history, so a band from 0.01 to 0.99 has held 98% of the values that the models had not seen. A history that
 * is too short or never changes gets a simpler method, which the result names with its reason. Deterministic and synchronous.
 *
 * Throws Fault "forecast.invalid" when the options or the grid cannot be, and Fault "forecast.failed" when no window of the
 * history has a value that may be used, for then there is nothing to learn from.
 */
export function forecast(series: TimeSeries, options: ForecastOptions): SeriesForecast {
  const settings = settle(series, options);
  const history = toHistory(series, settings.exclude);
  const { values, every } = history;
  const windows = series.values.length;
  if (values.length === 0) {
    throw new Fault("forecast.failed", `None of the ${windows} windows of the history has a value to learn from.`, {
      next: "Wait until values have arrived, or exclude less of the history.",
    });
  }
  const end = values.length;
  const trained = train(values, end, every, settings);
  const { method, reason, seasons } = trained.plan;
  const start = series.start + windows * every;
  return {
    start,
    every,
    horizon: settings.horizon,
    levels: settings.levels,
    quantiles: trained.forecast([end])[0]!,
    method,
    ...(reason !== undefined && { reason }),
    ...(trained.holdout && { holdout: trained.holdout }),
    seasons,
    trainedOn: {
      from: series.start,
      to: start,
      windows,
      missing: history.trimmed + values.reduce((n, v) => n + (Number.isNaN(v) ? 1 : 0), 0),
    },
  };
}
