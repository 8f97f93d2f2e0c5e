/**
 * Accuracy of quantile forecasts against what came. All are sums over windows with an actual value, so that windows, origins and
 * series pool by adding up. Definitions follow the M4 competition (Makridakis et al. 2020) and, for WQL, GluonTS.
 */
export interface Accuracy {
  /** Mean absolute error of the median, divided by the in-sample mean absolute error of the seasonal naive forecast. */
  readonly mase: number;
  /** Symmetric mean absolute percentage error of the median, in percent, 0 to 200. A forecast of 0 for a 0 is no error. */
  readonly smape: number;
  /** Weighted quantile loss: twice the pinball loss over all levels and windows, per level, divided by the sum of |actual|. */
  readonly wql: number;
  /** The share of windows whose actual value lies within the outermost levels, 0 to 1. */
  readonly coverage: number;
  /** Mean scaled interval score of the outermost levels, scaled as MASE is. */
  readonly msis: number;
  /** Windows that were compared. */
  readonly windows: number;
}

/** Adds up forecasts and actual values, and tells the accuracy so far. */
export class AccuracyTally {
  readonly #levels: readonly number[];
  #absolute = 0;
  #symmetric = 0;
  #pinball = 0;
  #magnitude = 0;
  #within = 0;
  #interval = 0;
  #windows = 0;

  constructor(levels: readonly number[]) {
    this.#levels = levels;
  }

  /** Compares one window: `at(l)` is the forecast at level l, `median` the point forecast, `scale` what MASE divides by. */
  add(actual: number, median: number, at: (level: number) => number, scale: number): void {
    if (Number.isNaN(actual)) return;
    const levels = this.#levels;
    const miss = Math.abs(actual - median);
    const magnitude = Math.abs(actual) + Math.abs(median);
    const lower = at(0);
    const upper = at(levels.length - 1);
    const uncovered = 1 - (levels.at(-1)! - levels[0]!);
    const outside = Math.max(lower - actual, actual - upper, 0);
    this.#windows++;
    this.#absolute += miss / scale;
    this.#symmetric += magnitude > 0 ? (200 * miss) / magnitude : 0;
    this.#magnitude += Math.abs(actual);
    this.#within += outside === 0 ? 1 : 0;
    this.#interval += (upper - lower + (uncovered > 0 ? (2 / uncovered) * outside : 0)) / scale;
    levels.forEach((p, l) => {
      const error = actual - at(l);
      this.#pinball += (2 * Math.max(p * error, (p - 1) * error)) / levels.length;
    });
  }

  /** The accuracy over all windows added; NaN where none was, or where only zeros were (WQL). */
  get accuracy(): Accuracy {
    const n = this.#windows;
    return {
      mase: this.#absolute / n,
      smape: this.#symmetric / n,
      wql: this.#magnitude > 0 ? this.#pinball / this.#magnitude : Number.NaN,
      coverage: this.#within / n,
      msis: this.#interval / n,
      windows: n,
    };
  }
}

/** The mean absolute difference of `values[0, end)` a season apart: the scale of MASE and MSIS. 1 where it would be zero. */
export function seasonalScale(values: Float64Array, end: number, season: number): number {
  let sum = 0;
  let count = 0;
  for (let t = season; t < end; t++) {
    const change = Math.abs(values[t]! - values[t - season]!);
    if (Number.isNaN(change)) continue;
    sum += change;
    count++;
  }
  return sum > 0 ? sum / count : 1;
}
