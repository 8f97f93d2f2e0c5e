/**
 * How large a training may be, and how it is divided. The functions of a training have 3,008 MB, the most that a new account is
 * given, and fifteen minutes; what one of them cannot do in that is done in parts, and what no part helps with is refused
 * beforehand instead of failing every night. Measured in Node on one processor; Lambda's are about as fast.
 */
import { Fault } from "../../src/core/fault.ts";
import { MOST_SERIES } from "../../src/core/series.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { DAY } from "../../src/core/time.ts";
import { stepsToReach } from "./times.ts";

/** Memory of the function that stages, judges and publishes, MB. */
export const PUBLISH_MEMORY = 3_008;

/**
 * Seconds that the ensemble takes for a series, backtest and forecast: they grow with its history up to some eight weeks of hours,
 * beyond which its members look no further back, and with its horizon. Measured on histories of 364 to 8,064 windows (0.04 to
 * 0.5 s), within a third.
 */
const HISTORY_SECONDS = 0.25;
const HISTORY_WINDOWS = 1_344;
const STEP_SECONDS = 0.0005;

/** Of the function's 900 s: data differ, and processors do, and a part that fails costs no more than this to try again. */
export const PART_SECONDS = 120;
/** Values of a part, which its prediction file has twice, at up to 25 letters each: 100 MB of text. */
const PART_VALUES = 2_000_000;

/**
 * Seconds that a value, a window of a series, takes to be laid out: its row is read, and it is written several times. Measured on
 * ten thousand series of 336 and 1,344 windows, on a busy machine; the latter took 620 MB, of which the values are 108.
 */
const VALUE_SECONDS = 8e-6;
/** Values that are laid out in half of the function's 900 s, for the same reasons as those of `PART_SECONDS`. */
const VALUES = 50_000_000;
/** Windows forecast, of all series, three numbers each: what publishing and the comparison hold. */
const FORECAST_WINDOWS = 10_000_000;

/** Seconds that a function takes to judge one series. */
export function judgingSeconds(spec: PipelineSpec): number {
  const windows = spec.forecast.history / spec.series.every;
  return HISTORY_SECONDS * Math.min(1, windows / HISTORY_WINDOWS) + STEP_SECONDS * stepsToReach(spec);
}

/** Seconds that a function takes to lay out so many series. */
export function stagingSeconds({ series, forecast }: PipelineSpec, count: number): number {
  return VALUE_SECONDS * count * (forecast.history / series.every);
}

/** Series that one part of a training has. */
export function partSize(spec: PipelineSpec): number {
  const windows = spec.forecast.history / spec.series.every;
  return Math.max(1, Math.floor(Math.min(PART_SECONDS / judgingSeconds(spec), PART_VALUES / windows)));
}

/** The most series of a pipeline that a training takes. */
export function mostSeries(spec: PipelineSpec): number {
  const windows = spec.forecast.history / spec.series.every;
  return Math.floor(Math.min(MOST_SERIES, VALUES / windows, FORECAST_WINDOWS / stepsToReach(spec)));
}

/** What the function that compares windows has at least, MB: with less memory comes less of a processor. */
const COMPARE_MEMORY = 512;
/** What it needs besides forecasts, MB. */
const RUNTIME_MEMORY = 300;
/**
 * Bytes for each number of a version, and copies beside those in use: the one that comes to them before the oldest goes, its file,
 * and what is garbage by then. Measured with three in use, and a sixth more: 200 MB in all for ten thousand series of 48 windows,
 * 950 MB of 576.
 */
const NUMBER_MEMORY = (8 * 7) / 6;
const COPIES = 3;

/** Origins in use at least: the newest, and two before it for windows that began earlier and are open still. */
const ORIGINS = 3;

/**
 * How many origins' forecasts are in use at most, so that windows which a step that stood still catches up with find theirs: as far
 * back as the streams keep records, as far as the comparison's memory holds them. Of neighbours, the two around a forecast overlap.
 */
export function originsInUse(spec: PipelineSpec): number {
  const needed = ORIGINS + Math.ceil((2 * backInUse(spec)) / (stepsToReach(spec) * spec.series.every));
  const bytes = 3 * mostSeries(spec) * stepsToReach(spec) * NUMBER_MEMORY;
  const room = Math.floor(((PUBLISH_MEMORY - RUNTIME_MEMORY) * 2 ** 20) / bytes) - COPIES;
  return Math.max(ORIGINS, Math.min(needed, room));
}

/** How far before the newest origin windows may still come to be compared, ms. */
function backInUse({ retention, source }: PipelineSpec): number {
  return Math.max(DAY, retention.stream) + source.lateness;
}

/**
 * The versions that stay in use of `versions`, newest origin first: the newest ones, and of those before them as few as leave no
 * window without a forecast, as far back as windows may come.
 */
export function staysInUse<T extends { readonly origin: number }>(spec: PipelineSpec, versions: readonly T[]): T[] {
  const reach = stepsToReach(spec) * spec.series.every;
  const oldest = (versions[0]?.origin ?? 0) - backInUse(spec);
  const stay = versions.slice(0, ORIGINS);
  for (let i = ORIGINS; i < versions.length && stay.length < originsInUse(spec); i++) {
    const version = versions[i]!;
    if (version.origin + reach <= oldest) break;
    const before = versions[i + 1];
    if (before === undefined || before.origin + reach < stay.at(-1)!.origin) stay.push(version);
  }
  return stay;
}

/** Memory of the function that compares windows, MB; for as many series as there may be, unless it is known how many. */
export function compareMemory(spec: PipelineSpec, series = mostSeries(spec)): number {
  const numbers = 3 * series * stepsToReach(spec);
  const megabytes = RUNTIME_MEMORY + ((originsInUse(spec) + COPIES) * numbers * NUMBER_MEMORY) / 2 ** 20;
  return Math.max(COMPARE_MEMORY, 64 * Math.ceil(megabytes / 64));
}

/** @throws Fault `target.unsupported` when so many series are more than a training takes. */
export function checkCapacity(spec: PipelineSpec, count: number): void {
  const most = mostSeries(spec);
  if (count <= most) return;
  throw new Fault(
    "target.unsupported",
    most === MOST_SERIES
      ? `${count} series are more than a pipeline watches: ${most}.`
      : `${count} series are more than a training on AWS lays out and publishes at once: with this history and horizon, ${most}.`,
    { next: "Forecast fewer groups or measures, shorten the history or the horizon, or make several pipelines of it." },
  );
}
