/**
 * Step 6, compare: a closed window beside its forecast. The deviation says how far, in half widths of the band: 0 at the
 * median, beyond +-1 outside the band. What is compared becomes metrics of the same names on both targets.
 */
import type { Band } from "./forecast.ts";
import type { AlarmRule } from "./spec.ts";

/** A window of one series beside its forecast. NaN where there is no value. */
export interface Comparison {
  readonly series: string;
  readonly start: number;
  readonly end: number;
  readonly actual: number;
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
  readonly deviation: number;
  /** The forecast it was compared with; undefined when there is none, which is not health but `forecast-missing`. */
  readonly version: string | undefined;
}

/**
 * Compares one window.
 * @param actual the measure's value, NaN when the window has none.
 * @param band the window's forecast, undefined when there is none.
 * @param resolution the smallest half width of the band, in the measure's unit.
 */
export function compare(
  window: { readonly series: string; readonly start: number; readonly end: number },
  actual: number,
  band: Band | undefined,
  resolution: number,
): Comparison {
  const { series, start, end } = window;
  if (!band) {
    const none = Number.NaN;
    return { series, start, end, actual, lower: none, median: none, upper: none, deviation: none, version: undefined };
  }
  const { lower, median, upper, version } = band;
  return { series, start, end, actual, lower, median, upper, deviation: deviation(actual, band, resolution), version };
}

/** The greatest deviation that is told apart; CloudWatch takes values up to 2^360. */
const MOST = 1e6;

/** (actual - median) / half width, the half width being that of the actual's side and never below `resolution`. */
export function deviation(actual: number, band: Pick<Band, "lower" | "median" | "upper">, resolution: number): number {
  const { lower, median, upper } = band;
  const away = actual - median;
  if (Number.isNaN(away)) return Number.NaN;
  if (away === 0) return 0;
  const side = away > 0 ? upper - median : median - lower;
  // A band of no width and no resolution still has a scale: the rounding of the numbers themselves.
  const half = Math.max(side, resolution, Math.abs(median) * 1e-9);
  // Of no width about zero, any distance is boundless; metric stores and JSON want a number all the same.
  return Math.max(-MOST, Math.min(MOST, away / half));
}

/** The metric that a rule watches; see `watchedValue`. */
export type WatchedMetric = "Deviation" | "DeviationSize" | "DeviationOrZero" | "DeviationSizeOrZero";

/** One number for a metric store. */
export interface Metric {
  readonly name: "Actual" | "Lower" | "Median" | "Upper" | "ForecastMissing" | WatchedMetric;
  readonly value: number;
  /** End of the window, epoch ms. */
  readonly time: number;
  readonly series: string;
}

/** Which metric a rule watches: a metric store knows neither absolute values nor why a datum is missing. */
export function watchedMetric(rule: Pick<AlarmRule, "direction" | "missing">): WatchedMetric {
  const name = rule.direction === "both" ? "DeviationSize" : "Deviation";
  return rule.missing === "breaching" ? `${name}OrZero` : name;
}

/**
 * What a rule sees of a window; NaN is missing data. A rule on both sides sees the size of the deviation. Missing data is a
 * window without a value: silence. A window that has no forecast says nothing about the business and is the business of
 * `forecast-missing`; so that it never breaches, a rule whose missing data is breaching sees it as on the median.
 */
export function watchedValue(rule: Pick<AlarmRule, "direction" | "missing">, c: Comparison): number {
  if (c.version === undefined) return rule.missing === "breaching" ? 0 : Number.NaN;
  return rule.direction === "both" ? Math.abs(c.deviation) : c.deviation;
}

/**
 * The metrics of a comparison; values that are not numbers have none, because no metric store takes NaN.
 * @param rules those that watch the series.
 */
export function metricsOf(c: Comparison, rules: readonly Pick<AlarmRule, "direction" | "missing">[] = []): Metric[] {
  const metric = (name: Metric["name"], value: number): Metric => ({ name, value, time: c.end, series: c.series });
  const watched = new Map(rules.map((rule) => [watchedMetric(rule), watchedValue(rule, c)]));
  watched.delete("Deviation");
  return [
    metric("Actual", c.actual),
    metric("Lower", c.lower),
    metric("Median", c.median),
    metric("Upper", c.upper),
    metric("Deviation", c.deviation),
    metric("ForecastMissing", c.version === undefined ? 1 : 0),
    ...Array.from(watched, ([name, value]) => metric(name, value)),
  ].filter((m) => Number.isFinite(m.value));
}
