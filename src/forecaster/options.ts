import { Fault } from "../core/fault.ts";
import type { ForecastOptions, TimeSeries } from "./types.ts";

/** Options with their defaults filled in. */
export interface Settings {
  readonly horizon: number;
  readonly levels: readonly number[];
  readonly seasons: readonly number[] | "auto";
  readonly kind: "count" | "sum" | "real";
  readonly resolution: number;
  readonly exclude: readonly { readonly from: number; readonly to: number }[];
  readonly calibration: number | undefined;
}

export const DEFAULT_LEVELS: readonly number[] = [0.01, 0.5, 0.99];

/** Checks a series' grid and the options, and fills in the defaults; throws Fault "forecast.invalid" on what cannot be. */
export function settle(series: TimeSeries, options: ForecastOptions): Settings {
  const { horizon, levels = DEFAULT_LEVELS, seasons = "auto", kind = "sum", exclude = [], calibration } = options;
  const resolution = options.resolution ?? (kind === "count" ? 1 : 0);
  check(
    Number.isInteger(series.every) && series.every >= MINUTE && series.every <= DAY,
    `A window of ${series.every} ms cannot be forecast.`,
    "Choose windows of a minute to a day.",
  );
  check(
    Number.isFinite(series.start),
    "The series has no valid start.",
    "Give the first window's start in epoch milliseconds.",
  );
  check(
    Number.isInteger(horizon) && horizon >= 1 && horizon <= MOST_WINDOWS,
    `A horizon of ${horizon} windows cannot be forecast.`,
    `Choose a whole number of windows from 1 to ${MOST_WINDOWS.toLocaleString("en")}.`,
  );
  check(
    levels.length > 0 && levels.every((p, i) => p > 0 && p < 1 && p > (levels[i - 1] ?? 0)),
    `The quantile levels ${levels.join(", ")} are not ascending numbers between 0 and 1.`,
    "Give each level once, in ascending order, such as 0.01, 0.5, 0.99.",
  );
  check(
    seasons === "auto" ||
      (seasons.length <= 2 && seasons.every((m, i) => Number.isInteger(m) && m >= 2 && m > (seasons[i - 1] ?? 0))),
    `The seasons ${seasons === "auto" ? "" : seasons.join(", ")} are not at most two ascending lengths in whole windows.`,
    "Give up to two season lengths of 2 windows or more, the shorter first.",
  );
  check(
    Number.isFinite(resolution) && resolution >= 0,
    `A resolution of ${resolution} is not possible.`,
    "Give a number of 0 or more.",
  );
  check(
    exclude.every((span) => span.from <= span.to),
    "An excluded span ends before it starts.",
    "Give each span's from before its to, in epoch milliseconds.",
  );
  check(
    calibration === undefined || (Number.isInteger(calibration) && calibration >= 1),
    `${calibration} windows cannot calibrate a band.`,
    "Give a whole number of windows, 1 or more.",
  );
  return { horizon, levels, seasons, kind, resolution, exclude, calibration };
}

/** Throws Fault "forecast.invalid" unless `holds`. */
export function check(holds: boolean, message: string, next: string): void {
  if (!holds) throw new Fault("forecast.invalid", message, { next });
}

const MINUTE = 60_000;
const DAY = 86_400_000;
const MOST_WINDOWS = 100_000;
