import { observed } from "./history.ts";
import type { Settings } from "./options.ts";
import { findSeasonsIn } from "./seasons.ts";
import type { ForecastMethod } from "./types.ts";

/** How a history is to be forecast: the full method, or the fallback that it is long enough for. */
export interface Plan {
  readonly method: ForecastMethod;
  /** Why it is a fallback, or which season was left out. */
  readonly reason?: string;
  readonly seasons: readonly number[];
  /** The first window that calibrates the band; those before it train. */
  readonly calibrateFrom: number;
}

/** Chooses the method for `values[0, end)`, which begin with an observed value. */
export function choosePlan(values: Float64Array, end: number, every: number, settings: Settings): Plan {
  const known = observed(values, 0, end);
  const share = settings.calibration ?? Math.min(Math.floor(known.length / 2), Math.ceil(CALIBRATION_MS / every));
  const calibrateFrom = indexOfLast(values, end, share);
  if (known.every((v) => v === known[0]))
    return { method: "constant", reason: "Every observed value is the same.", seasons: [], calibrateFrom };

  const wanted = settings.seasons === "auto" ? findSeasonsIn(values.subarray(0, end), every) : settings.seasons;
  const usable = wanted.filter((m) => calibrateFrom >= TRAINING_CYCLES * m);
  const trained = observed(values, 0, calibrateFrom).length;
  const enough = Math.max(FEWEST_TRAINED, usable[0] ?? 0);
  if (trained >= enough && (usable.length > 0 || wanted.length === 0)) {
    const left = wanted.filter((m) => !usable.includes(m));
    const reason = `The history is too short for the season of ${left.join(" and ")} windows, which was left out.`;
    return { method: "ensemble", ...(left.length > 0 && { reason }), seasons: usable, calibrateFrom };
  }

  const season = wanted.find((m) => end >= NAIVE_CYCLES * m);
  const history = `${known.length} observed of ${end} windows`;
  if (season !== undefined && known.length >= season) {
    const reason = `The history (${history}) is too short to train on; the last season of ${season} windows is repeated.`;
    return { method: "seasonal-naive", reason, seasons: [season], calibrateFrom: Math.min(calibrateFrom, season) };
  }
  const reason = `The history (${history}) is too short for its seasons; its median is the forecast.`;
  return { method: "robust-mean", reason, seasons: [], calibrateFrom };
}

/** Cycles of a season that the training part must have, and the whole history for the naive fallback. */
const TRAINING_CYCLES = 2;
const NAIVE_CYCLES = 1.5;
const FEWEST_TRAINED = 40;
const CALIBRATION_MS = 28 * 86_400_000;

/** The window from which on there are `count` observed values before `end`. */
function indexOfLast(values: Float64Array, end: number, count: number): number {
  let left = count;
  for (let t = end - 1; t >= 0; t--) if (!Number.isNaN(values[t]!) && --left <= 0) return t;
  return 0;
}
