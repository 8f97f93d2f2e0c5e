/**
 * One way of forecasting a series, learned from a prefix of it. Members work on a standardized scale and on a history without
 * gaps that they were built with; they read nothing of it from `end` (in `learn`) or from an origin (in `forecast`) on.
 */
export interface Member {
  /** Learns, or learns again, from windows [0, end). `end` only grows. */
  learn(end: number): void;
  /** A path of `horizon` values for each origin (ascending): the first is the forecast for window `origin` itself. */
  forecast(origins: readonly number[], horizon: number): Float64Array[];
}
