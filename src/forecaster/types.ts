/** What goes into a forecaster and what comes out of it. Times are epoch milliseconds, UTC; lengths are in windows. */

/** One series on its grid: a value for every window, from `start` on. */
export interface TimeSeries {
  /** Start of the first window, epoch ms. */
  readonly start: number;
  /** Length of a window in ms: a minute (60,000) to a day (86,400,000). */
  readonly every: number;
  /** A value for each window, in the measure's own unit; NaN is a missing value. */
  readonly values: Float64Array;
}

/** A span of time in epoch ms: `from` is in it, `to` is not. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What to forecast, and what is known about the measure. */
export interface ForecastOptions {
  /** How many windows ahead, at least 1. */
  readonly horizon: number;
  /** Quantile levels, ascending, each between 0 and 1 (both excluded). Default 0.01, 0.5, 0.99. */
  readonly levels?: readonly number[];
  /** Season lengths in windows: none, one, or two in ascending order; "auto" (the default) finds them. */
  readonly seasons?: readonly number[] | "auto";
  /**
   * What the values are. "count" is never negative, its quantiles are whole numbers, and its resolution is 1. "sum" (the
   * default, and right for any measure that may have a natural zero, such as a standard deviation) is bounded by zero when no value
   * of the history is negative. "real" is never bounded.
   */
  readonly kind?: "count" | "sum" | "real";
  /** The smallest half width of the band that means anything, in the measure's unit. Default 1 for a count, else 0. */
  readonly resolution?: number;
  /** Spans, such as past incidents, whose values are treated as missing in training and calibration. */
  readonly exclude?: readonly Span[];
  /** Windows at the end of the history that calibrate the band. Default: half of the history, four weeks at most. */
  readonly calibration?: number;
  /** There is no randomness to seed: equal input gives equal output. */
  readonly seed?: never;
}

/** How a forecast was made: "ensemble" is the full method, the others are fallbacks. */
export type ForecastMethod = "ensemble" | "seasonal-naive" | "robust-mean" | "constant";

/** The history a forecast was learned from. */
export interface TrainedOn extends Span {
  /** How many windows the history has. */
  readonly windows: number;
  /** How many of them had no value, or were excluded. */
  readonly missing: number;
}

/** A forecast: for every window ahead, a value at each quantile level. */
export interface SeriesForecast {
  /** Start of the first forecast window, epoch ms: the end of the history. */
  readonly start: number;
  readonly every: number;
  readonly horizon: number;
  readonly levels: readonly number[];
  /** One array of `horizon` values for each level; finite, and non-decreasing from level to level. */
  readonly quantiles: readonly Float64Array[];
  readonly method: ForecastMethod;
  /** Why it is a fallback, or which season had to be left out, in words. */
  readonly reason?: string;
  /** The season lengths that were used, in windows. */
  readonly seasons: readonly number[];
  readonly trainedOn: TrainedOn;
  /**
   * Mean absolute error on the windows held out for calibration, scaled as MASE is, beside that of repeating the last season;
   * unset for methods that hold none out.
   */
  readonly holdout?: { readonly mase: number; readonly baseline: number };
}
