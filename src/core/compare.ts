/**
 * Step 6, compare: a closed window beside its forecast. The deviation says how far, in half widths of the band: 0 at the
 * median, beyond +-1 outside the band. What is compared becomes metrics of the same names on both targets.
 */
import type { Band } from "./forecast.ts";
import { type AlarmRule, GREATEST_DEVIATION } from "./spec/model.ts";

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
  return Math.max(-GREATEST_DEVIATION, Math.min(GREATEST_DEVIATION, away / half));
}

/** The metric that a rule watches; see `watchedValue`. */
export type WatchedMetric =
  | "Deviation"
  | "DeviationSize"
  | "DeviationBelowOrSilence"
  | "DeviationAboveOrSilence"
  | "DeviationSizeOrSilence";

/** One number for a metric store. */
export interface Metric {
  readonly name: "Actual" | "Lower" | "Median" | "Upper" | "ForecastMissing" | WatchedMetric;
  readonly value: number;
}

/**
 * Which metric a rule watches. A metric store knows no absolute values, and of a window that it has no datum for it cannot tell
 * whether the business was silent or the pipeline stood still: a rule to which silence is a breach has a metric of its own.
 */
export function watchedMetric({ direction, missing }: Pick<AlarmRule, "direction" | "missing">): WatchedMetric {
  if (missing !== "breaching") return direction === "both" ? "DeviationSize" : "Deviation";
  return `Deviation${({ below: "Below", above: "Above", both: "Size" } as const)[direction]}OrSilence`;
}

/**
 * What a rule sees of a compared window; NaN is missing data. A rule on both sides sees the size of the deviation. A window
 * without a value is silence: where the rule's missing data is breaching, a deviation as great as can be, on the rule's side. A
 * window that has no forecast says nothing about the business and is the business of `forecast-missing`: such a rule sees it on
 * the median.
 */
export function watchedValue({ direction, missing }: Pick<AlarmRule, "direction" | "missing">, c: Comparison): number {
  if (missing === "breaching") {
    if (c.version === undefined) return 0;
    if (Number.isNaN(c.actual)) return direction === "below" ? -GREATEST_DEVIATION : GREATEST_DEVIATION;
  }
  if (c.version === undefined) return Number.NaN;
  return direction === "both" ? Math.abs(c.deviation) : c.deviation;
}

/**
 * The metrics of a comparison; values that are not numbers have none, because no metric store takes NaN.
 * @param rules those that watch the series; what several of them watch is told once.
 */
export function metricsOf(c: Comparison, rules: readonly Pick<AlarmRule, "direction" | "missing">[] = []): Metric[] {
  const watched = new Map(rules.map((rule) => [watchedMetric(rule), watchedValue(rule, c)]));
  watched.delete("Deviation");
  const metrics: Metric[] = [
    { name: "Actual", value: c.actual },
    { name: "Lower", value: c.lower },
    { name: "Median", value: c.median },
    { name: "Upper", value: c.upper },
    { name: "Deviation", value: c.deviation },
    { name: "ForecastMissing", value: c.version === undefined ? 1 : 0 },
    ...Array.from(watched, ([name, value]) => ({ name, value })),
  ];
  return metrics.filter((m) => Number.isFinite(m.value));
}
