/**
 * A series' chart as columns: what crosses to a page. A hundred thousand windows are then a few typed arrays, which VS Code
 * passes on as buffers, instead of as many objects as JSON.
 */
import type { ChartPoint, SeriesChart } from "../backend.ts";

/** One entry a window in each column; NaN where there is no value. `start` is ascending. */
export interface ChartColumns extends Omit<SeriesChart, "points"> {
  readonly start: Float64Array;
  readonly actual: Float64Array;
  readonly lower: Float64Array;
  readonly median: Float64Array;
  readonly upper: Float64Array;
  readonly deviation: Float64Array;
  readonly late: Float64Array;
}

const VALUES = ["actual", "lower", "median", "upper", "deviation"] as const;

/** The chart with its points as columns. */
export function packChart(chart: SeriesChart): ChartColumns {
  const { points, ...head } = chart;
  const column = (of: (point: ChartPoint) => number | null) =>
    Float64Array.from(points, (point) => of(point) ?? Number.NaN);
  const values = Object.fromEntries(VALUES.map((name) => [name, column((p) => p[name])]));
  return {
    ...head,
    start: column((p) => p.start),
    late: column((p) => p.late),
    ...(values as Record<(typeof VALUES)[number], Float64Array>),
  };
}

/** The points again: `unpackChart(packChart(chart))` equals `chart`. */
export function unpackChart(columns: ChartColumns): SeriesChart {
  const { start, actual, lower, median, upper, deviation, late, ...head } = columns;
  const cell = (column: Float64Array, i: number) => {
    const value = column[i] ?? Number.NaN;
    return Number.isNaN(value) ? null : value;
  };
  const points = Array.from(start, (at, i) => ({
    start: at,
    actual: cell(actual, i),
    lower: cell(lower, i),
    median: cell(median, i),
    upper: cell(upper, i),
    deviation: cell(deviation, i),
    late: late[i] ?? 0,
  }));
  return { ...head, points };
}
