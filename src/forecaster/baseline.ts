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
    const [values, season] = [this.#values, this.#season];
    return origins.map((origin) => {
      let newest = origin - 1;
      while (newest >= 0 && Number.isNaN(values[newest]!)) newest--;
      const fallback = newest >= 0 ? values[newest]! : 0;
      const path = new Float64Array(horizon);
      for (let h = 0; h < horizon; h++) {
        if (h >= season) path[h] = path[h - season]!;
        else {
          let t = origin + h - season;
          while (t >= 0 && Number.isNaN(values[t]!)) t -= season;
          path[h] = t >= 0 ? values[t]! : fallback;
        }
      }
      return path;
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
