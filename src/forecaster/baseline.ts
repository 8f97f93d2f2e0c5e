import { observed } from "./history.ts";
import type { Member } from "./member.ts";
import { seasonalScale } from "./metrics.ts";

/** Repeats the last season: the forecast for a window is the latest observed value at its phase. */
export class SeasonalNaive implements Member {
  readonly #values: Float64Array;
  readonly #season: number;

  constructor(values: Float64Array, season: number) {
    this.#values = values;
    this.#season = season;
  }

  learn(): void {
    // There is nothing to learn.
  }

  forecast(origins: readonly number[], horizon: number): Float64Array[] {
    return origins.map((origin) => {
      const cycle = new Float64Array(this.#season).fill(Number.NaN);
      let fallback = 0;
      for (let t = 0; t < origin; t++) {
        const v = this.#values[t]!;
        if (Number.isNaN(v)) continue;
        cycle[t % this.#season] = v;
        fallback = v;
      }
      return Float64Array.from({ length: horizon }, (_, h) => {
        const v = cycle[(origin + h) % this.#season]!;
        return Number.isNaN(v) ? fallback : v;
      });
    });
  }
}

/** Forecasts the median of the history for every window. */
export class RobustMean implements Member {
  readonly #values: Float64Array;

  constructor(values: Float64Array) {
    this.#values = values;
  }

  learn(): void {
    // The median is taken at each origin.
  }

  forecast(origins: readonly number[], horizon: number): Float64Array[] {
    return origins.map((origin) => {
      const sorted = observed(this.#values, 0, origin).sort();
      const middle = sorted.length === 0 ? 0 : (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
      return new Float64Array(horizon).fill(middle);
    });
  }
}

/** Of some seasons the one whose repetition errs least within `values[0, end)`; 1 when there is none. */
export function betterSeason(values: Float64Array, end: number, seasons: readonly number[]): number {
  let best = 1;
  let least = Number.POSITIVE_INFINITY;
  for (const season of seasons) {
    const error = seasonalScale(values, end, season);
    if (error < least) [best, least] = [season, error];
  }
  return best;
}
