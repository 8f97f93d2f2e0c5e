import { observed } from "./history.ts";
import type { Member } from "./member.ts";

/** How a band is calibrated and bounded. */
export interface BandSetting {
  readonly levels: readonly number[];
  readonly horizon: number;
  /** The shortest season in windows, or 1. */
  readonly season: number;
  /** The least possible value: zero or minus infinity. */
  readonly floor: number;
  /** Half width below which the outermost levels never fall. */
  readonly resolution: number;
  /** Values are whole numbers, and so are the quantiles. */
  readonly whole: boolean;
}

/** What calibration learned: how far each level lies from the median, at each step ahead, and how that varies by phase. */
export class Band {
  readonly #setting: BandSetting;
  readonly #offsets: readonly Float64Array[];
  readonly #spread: Float64Array;
  /** Mean absolute error of the median on the windows that calibrated it; NaN when none did. */
  readonly error: number;

  /** `offsets` are in units of `spread`, which has a value for each phase of a cycle. */
  constructor(setting: BandSetting, offsets: readonly Float64Array[], spread: Float64Array, error = Number.NaN) {
    this.error = error;
    this.#setting = setting;
    this.#offsets = offsets;
    this.#spread = spread;
  }

  /** The quantiles around a median path from `origin` on: an array for each level, non-decreasing across levels. */
  around(median: Float64Array, origin: number): Float64Array[] {
    const spread = this.#spread;
    const { levels, floor, resolution, whole } = this.#setting;
    const outermost = Math.max(...levels.map((p) => Math.abs(p - 0.5)));
    return levels.map((level, l) => {
      const offsets = this.#offsets[l]!;
      const least = outermost > 0 ? (resolution * (level - 0.5)) / outermost : 0;
      return median.map((centre, h) => {
        const offset = offsets[Math.min(h, offsets.length - 1)]! * spread[(origin + h) % spread.length]!;
        const shift = level < 0.5 ? Math.min(offset, least, 0) : level > 0.5 ? Math.max(offset, least, 0) : 0;
        const value = clampFinite(centre + shift, floor);
        return whole ? Math.round(value) : value;
      });
    });
  }
}

/**
 * Split-conformal calibration (Papadopoulos et al. 2002; Lei et al. 2018): `model` forecasts from origins in
 * `values[from, end)`, which it had not learned when it did, and the quantiles of its errors, pooled over nearby horizons, become
 * the band. Errors keep their sign, so that skewed data get a skewed band. The model learns on in a few steps while
 * calibrating, and at last from all of [0, end).
 */
export function calibrate(model: Member, values: Float64Array, from: number, end: number, setting: BandSetting): Band {
  const { horizon, season, levels } = setting;
  const reach = Math.max(1, Math.min(Math.floor(season / 4), Math.floor(horizon / 2)));
  const stride = Math.max(1, Math.floor(reach / POOL_SAMPLES));
  const step = originStep(end - from, season);
  const errors: Float64Array[] = [];
  const tried: number[] = [];
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
        if (!Number.isNaN(actual)) row[i] = actual - path[h]!;
      }
      errors.push(row);
      tried.push(origins[k]!);
    });
  }
  model.learn(end);
  // A window is forecast from several origins: its errors are no independent evidence, and the prior must weigh as much.
  const repeats = Math.max(1, horizon / (step * stride));
  const spread = phaseSpread(errors, tried, stride, season, SPREAD_PRIOR * repeats);
  const error = meanAbsolute(errors);
  errors.forEach((row, k) => {
    for (let i = 0; i < row.length; i++) row[i]! /= spread[(tried[k]! + i * stride) % season]!;
  });
  const independent = observed(values, from, end).length / Math.max(1, season / PARTS_OF_SEASON);
  const offsets = pooledQuantiles(errors, levels, horizon, stride, reach, independent);
  return new Band(setting, offsets, spread, error);
}

function meanAbsolute(errors: readonly Float64Array[]): number {
  let total = 0;
  let count = 0;
  for (const row of errors) {
    for (const e of row) {
      if (Number.isNaN(e)) continue;
      total += Math.abs(e);
      count++;
    }
  }
  return total / count;
}

/**
 * The mean absolute error at each phase of the season, relative to that of all: a night with few events is more certain than a
 * day. Dividing errors by it before pooling makes the band wide only where it must be (normalized conformal prediction). Phases
 * with few errors are drawn towards 1.
 */
function phaseSpread(
  errors: readonly Float64Array[],
  origins: readonly number[],
  stride: number,
  season: number,
  prior: number,
): Float64Array {
  const sums = new Float64Array(season);
  const counts = new Float64Array(season);
  let total = 0;
  let count = 0;
  errors.forEach((row, k) => {
    row.forEach((e, i) => {
      if (Number.isNaN(e)) return;
      const phase = (origins[k]! + i * stride) % season;
      sums[phase]! += Math.abs(e);
      counts[phase]! += 1;
      total += Math.abs(e);
      count++;
    });
  });
  if (total === 0) return sums.fill(1);
  const mean = total / count;
  return sums.map((sum, phase) => (sum / mean + prior) / (counts[phase]! + prior));
}

/**
 * The quantile of sorted errors at a level, with the finite-sample correction of conformal prediction: with n errors the
 * upper level p is found at p (1 + 1/n). Errors of neighbouring windows go together, so n is the number of `independent` ones.
 */
export function conformalQuantile(sorted: Float64Array, level: number, independent = sorted.length): number {
  const n = sorted.length;
  const tail = Math.min(level, 1 - level);
  const corrected = Math.max(0, tail - (1 - tail) / independent);
  const rank = Math.floor(corrected * n);
  return sorted[Math.min(n - 1, level < 0.5 ? rank : n - 1 - rank)]!;
}

/** For each level the quantile at each step ahead: computed at knots from the errors within `reach`, linear in between. */
function pooledQuantiles(
  errors: readonly Float64Array[],
  levels: readonly number[],
  horizon: number,
  stride: number,
  reach: number,
  independent: number,
): Float64Array[] {
  const knots: number[] = [];
  const gap = Math.max(1, reach >> 1);
  for (let h = 0; h < horizon - 1; h += gap) knots.push(h);
  knots.push(horizon - 1);
  const atKnots = levels.map(() => new Float64Array(knots.length));
  const pool = new Float64Array(errors.length * (Math.floor((2 * reach) / stride) + 2));
  let previous: Float64Array | undefined;
  knots.forEach((knot, k) => {
    const first = Math.max(0, Math.ceil((knot - reach) / stride));
    const last = Math.floor((knot + reach) / stride);
    let size = 0;
    for (const row of errors)
      for (let i = first; i <= last && i < row.length; i++) {
        const e = row[i]!;
        if (!Number.isNaN(e)) pool[size++] = e;
      }
    // Steps too far ahead to have been tried take the errors of the farthest that were.
    const sorted =
      size >= FEWEST_ERRORS || size > (previous?.length ?? -1)
        ? pool.slice(0, size).sort()
        : (previous ?? pool.slice(0, size));
    previous = sorted;
    levels.forEach((level, l) => {
      atKnots[l]![k] = sorted.length === 0 ? 0 : conformalQuantile(sorted, level, independent);
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

/** How often the model learns anew while it calibrates. */
const REFITS = 3;
/** About so many origins are tried, */
const MOST_ORIGINS = 84;
/** and so many steps on each side of a knot are pooled. */
const POOL_SAMPLES = 6;
const FEWEST_ERRORS = 50;
/** How many windows of a phase the belief that all phases are alike is worth. */
const SPREAD_PRIOR = 20;
/** Errors nearer than this part of a season count as one. */
const PARTS_OF_SEASON = 6;

/** Windows from one calibration origin to the next: without a common factor with the season, so that all phases have their turn. */
function originStep(windows: number, season: number): number {
  let step = Math.max(1, Math.floor(windows / MOST_ORIGINS));
  while (step > 1 && greatestCommonDivisor(step, season) > 1) step++;
  return step;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function clampFinite(value: number, floor: number): number {
  return Math.min(Math.max(value, floor, -Number.MAX_VALUE), Number.MAX_VALUE);
}
