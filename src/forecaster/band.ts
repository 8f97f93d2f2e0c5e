import type { Member } from "./member.ts";
import type { Scale } from "./scale.ts";

/** How a band is calibrated and bounded. */
export interface BandSetting {
  readonly levels: readonly number[];
  readonly horizon: number;
  /** The shortest season in windows, or 1. */
  readonly season: number;
  /** Errors are measured on this scale. */
  readonly scale: Scale;
  /** The least possible value: zero or minus infinity. */
  readonly floor: number;
  /** Half width below which the outermost levels never fall. */
  readonly resolution: number;
}

/** What calibration learned: how far each level lies from the median, at each step ahead, on the band's scale. */
export class Band {
  readonly #setting: BandSetting;
  readonly #offsets: readonly Float64Array[];

  constructor(setting: BandSetting, offsets: readonly Float64Array[]) {
    this.#setting = setting;
    this.#offsets = offsets;
  }

  /** The quantiles around a median path: an array for each level, non-decreasing across levels. */
  around(median: Float64Array): Float64Array[] {
    const { levels, scale, floor, resolution } = this.#setting;
    const outermost = Math.max(...levels.map((p) => Math.abs(p - 0.5)));
    return levels.map((level, l) => {
      const offsets = this.#offsets[l]!;
      const least = outermost > 0 ? (resolution * (level - 0.5)) / outermost : 0;
      return median.map((centre, h) => {
        const moved = scale.from(scale.to(centre) + offsets[Math.min(h, offsets.length - 1)]!) - centre;
        const shift = level < 0.5 ? Math.min(moved, least, 0) : level > 0.5 ? Math.max(moved, least, 0) : 0;
        return clampFinite(centre + shift, floor);
      });
    });
  }
}

/**
 * Split-conformal calibration (Papadopoulos et al. 2002; Lei et al. 2018): `model` forecasts from origins in
 * `values[from, end)`, which it had not learned when it did, and the quantiles of its errors, pooled over nearby horizons, become
 * the band. Errors keep their sign, so that skewed data get a skewed band. The model learns on: in `refits` steps while
 * calibrating, and at last from all of [0, end).
 */
export function calibrate(model: Member, values: Float64Array, from: number, end: number, setting: BandSetting): Band {
  const { horizon, scale, season, levels } = setting;
  const reach = Math.max(1, Math.min(Math.floor(season / 4), Math.floor(horizon / 2)));
  const stride = Math.max(1, Math.floor(reach / POOL_SAMPLES));
  const step = originStep(end - from, season);
  const errors: Float64Array[] = [];
  const cuts = Array.from({ length: REFITS + 1 }, (_, i) => Math.round(from + ((end - from) * i) / REFITS));
  let origin = from;
  for (let c = 0; c < REFITS; c++) {
    const origins: number[] = [];
    for (; origin < cuts[c + 1]!; origin += step) origins.push(origin);
    if (origins.length === 0) continue;
    model.learn(cuts[c]!);
    model.forecast(origins, horizon).forEach((path, k) => {
      const row = new Float64Array(Math.ceil(horizon / stride)).fill(Number.NaN);
      for (let i = 0, h = 0; h < horizon && origins[k]! + h < end; i++, h += stride) {
        const actual = values[origins[k]! + h]!;
        if (!Number.isNaN(actual)) row[i] = scale.to(actual) - scale.to(path[h]!);
      }
      errors.push(row);
    });
  }
  model.learn(end);
  const offsets = pooledQuantiles(errors, levels, horizon, stride, reach);
  return new Band(setting, offsets);
}

/** The quantile of sorted errors at a level, with the finite-sample correction of conformal prediction. */
export function conformalQuantile(sorted: Float64Array, level: number): number {
  const n = sorted.length;
  const rank = level < 0.5 ? Math.floor(level * (n + 1)) : Math.ceil(level * (n + 1));
  return sorted[Math.min(n, Math.max(1, rank)) - 1]!;
}

/** For each level the quantile at each step ahead: computed at knots from the errors within `reach`, linear in between. */
function pooledQuantiles(
  errors: readonly Float64Array[],
  levels: readonly number[],
  horizon: number,
  stride: number,
  reach: number,
): Float64Array[] {
  const knots: number[] = [];
  const gap = Math.max(1, reach >> 1);
  for (let h = 0; h < horizon - 1; h += gap) knots.push(h);
  knots.push(horizon - 1);
  const atKnots = levels.map(() => new Float64Array(knots.length));
  let previous: Float64Array | undefined;
  knots.forEach((knot, k) => {
    const first = Math.max(0, Math.ceil((knot - reach) / stride));
    const last = Math.floor((knot + reach) / stride);
    const pool: number[] = [];
    for (const row of errors)
      for (let i = first; i <= last && i < row.length; i++) {
        const e = row[i]!;
        if (!Number.isNaN(e)) pool.push(e);
      }
    // Steps too far ahead to have been tried take the errors of the farthest that were.
    const sorted = pool.length >= FEWEST_ERRORS || !previous ? Float64Array.from(pool).sort() : previous;
    previous = sorted;
    levels.forEach((level, l) => {
      atKnots[l]![k] = sorted.length === 0 ? 0 : conformalQuantile(sorted, level);
    });
  });
  return atKnots.map((at) => {
    const offsets = new Float64Array(horizon);
    for (let k = 0, h = 0; h < horizon; h++) {
      while (k < knots.length - 2 && h >= knots[k + 1]!) k++;
      const [left, right] = [knots[k]!, knots[Math.min(k + 1, knots.length - 1)]!];
      const share = right > left ? (h - left) / (right - left) : 0;
      offsets[h] = at[k]! + share * (at[Math.min(k + 1, at.length - 1)]! - at[k]!);
    }
    return offsets;
  });
}

const REFITS = 3;
const MOST_ORIGINS = 120;
const POOL_SAMPLES = 6;
const FEWEST_ERRORS = 50;

/** Windows from one calibration origin to the next: without a common factor with the season, so that all phases have their turn. */
function originStep(windows: number, season: number): number {
  let step = Math.max(1, Math.floor(windows / MOST_ORIGINS));
  while (step > 1 && greatestCommonDivisor(step, season) > 1) step--;
  return step;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function clampFinite(value: number, floor: number): number {
  return Math.min(Math.max(value, floor, -Number.MAX_VALUE), Number.MAX_VALUE);
}
