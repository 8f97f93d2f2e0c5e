/**
 * Step 4, forecast: the file format that a training leaves behind, the same on both targets, and the lookup of a window's
 * band in it. A version knows only windows that ended by its origin, and reaches `horizon` windows from there.
 */
import * as v from "valibot";
import { Fault } from "./fault.ts";

/** One training's forecasts, of every series. */
export interface ForecastVersion {
  readonly format: 1;
  readonly pipeline: string;
  /** Unique in the pipeline and ordered by origin: `2001-03-01T00:00:00Z`, with a suffix when trained again by hand. */
  readonly version: string;
  /** Start of the first forecast window, epoch ms. */
  readonly origin: number;
  /** Length of a window, ms. */
  readonly every: number;
  /** Quantile levels, ascending: the band's lower edge, 0.5, its upper edge. */
  readonly levels: readonly number[];
  /** By series id. */
  readonly series: Readonly<Record<string, SeriesForecast>>;
}

export interface SeriesForecast {
  /** How it was made: `ensemble`, `deepar`, or a named fallback. */
  readonly method: string;
  /** Why it is a fallback, in words. */
  readonly reason?: string;
  /** A list a level, a value a window. */
  readonly quantiles: readonly (readonly number[])[];
}

/** The band of one window, in the measure's unit. */
export interface Band {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
  readonly version: string;
}

/** The quantile levels of a band that holds the share `band` of outcomes: 0.98 gives 0.01, 0.5 and 0.99. */
export function bandLevels(band: number): readonly [number, number, number] {
  const tail = Number(((1 - band) / 2).toFixed(6));
  return [tail, 0.5, Number((1 - tail).toFixed(6))];
}

/** The version a training at `origin` makes; `run` counts trainings by hand at the same origin. */
export function versionName(origin: number, run = 0): string {
  const stamp = new Date(origin).toISOString().replace(".000Z", "Z");
  return run === 0 ? stamp : `${stamp}-${run}`;
}

const FORMAT = v.object({
  format: v.literal(1),
  pipeline: v.string(),
  version: v.string(),
  origin: v.pipe(v.number(), v.integer()),
  every: v.pipe(v.number(), v.integer(), v.minValue(1)),
  levels: v.pipe(
    v.array(v.number()),
    v.minLength(3),
    v.check((levels) => levels.includes(0.5), "the levels lack the median, 0.5"),
    v.check(
      (levels) => levels.every((l, i) => l > (levels[i - 1] ?? 0) && l < 1),
      "the levels do not ascend within 0 and 1",
    ),
  ),
  series: v.record(
    v.string(),
    v.object({
      method: v.string(),
      reason: v.optional(v.string()),
      quantiles: v.array(v.array(v.pipe(v.number(), v.finite()))),
    }),
  ),
});

/** A forecast file's text. */
export function encodeForecast(version: ForecastVersion): string {
  return JSON.stringify(version);
}

/** The version in a forecast file's text; `forecast.invalid` when it is none, or holds no numbers a level or step. */
export function parseForecast(text: string): ForecastVersion {
  const fail = (cause: unknown) =>
    new Fault("forecast.invalid", "This forecast file cannot be read.", { cause, next: "Train the forecast again." });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw fail(error);
  }
  const result = v.safeParse(FORMAT, parsed);
  if (!result.success) {
    const [issue] = result.issues;
    throw fail([v.getDotPath(issue), issue.message].filter(Boolean).join(": "));
  }
  const { origin, every } = result.output;
  if (origin % every !== 0) throw fail("the origin is not the start of a window");
  for (const [id, s] of Object.entries(result.output.series)) {
    const steps = s.quantiles[0]?.length ?? 0;
    if (s.quantiles.length !== result.output.levels.length || s.quantiles.some((q) => q.length !== steps)) {
      throw fail(`${id}: quantiles do not match the levels`);
    }
  }
  return result.output as ForecastVersion;
}

/** The versions in use, newest origin first; answers which band a window is compared with. */
export class ForecastTable {
  #versions: readonly ForecastVersion[] = [];

  /**
   * Puts a version to use: a later one of the same origin takes the place of the earlier for windows it covers, one of the
   * same name takes its place altogether.
   */
  add(version: ForecastVersion): void {
    const others = this.#versions.filter((o) => o.version !== version.version);
    const at = others.findIndex((o) => isBefore(o, version));
    others.splice(at < 0 ? others.length : at, 0, version);
    this.#versions = others;
  }

  get versions(): readonly ForecastVersion[] {
    return this.#versions;
  }

  get newest(): ForecastVersion | undefined {
    return this.#versions[0];
  }

  /** Forgets versions that no window from `time` on can be looked up in. */
  trim(time: number): void {
    this.#versions = this.#versions.filter((ver) => ver.origin + steps(ver) * ver.every > time);
  }

  /** The band of the window of `series` that starts at `start`, from the newest version whose origin is not after it. */
  at(series: string, start: number): Band | undefined {
    for (const version of this.#versions) {
      if (version.origin > start) continue;
      const band = bandOf(version, series, start);
      if (band) return band;
    }
    return undefined;
  }
}

/** The band that one version gives a window; undefined outside its reach or when the series is not in it. */
export function bandOf(version: ForecastVersion, series: string, start: number): Band | undefined {
  // Own properties only: a measure may be named like one that every object has.
  const forecast = Object.hasOwn(version.series, series) ? version.series[series] : undefined;
  const step = (start - version.origin) / version.every;
  if (!forecast || !Number.isInteger(step) || step < 0) return undefined;
  const last = version.levels.length - 1;
  const lower = forecast.quantiles[0]?.[step];
  const median = forecast.quantiles[version.levels.indexOf(0.5)]?.[step];
  const upper = forecast.quantiles[last]?.[step];
  if (lower === undefined || median === undefined || upper === undefined) return undefined;
  return { lower, median, upper, version: version.version };
}

/** Whether `a` was trained before `b`; the tenth training by hand (`-10`) comes after the ninth. */
function isBefore(a: ForecastVersion, b: ForecastVersion): boolean {
  if (a.origin !== b.origin) return a.origin < b.origin;
  return a.version.localeCompare(b.version, "en", { numeric: true }) < 0;
}

function steps(version: ForecastVersion): number {
  let most = 0;
  for (const s of Object.values(version.series)) most = Math.max(most, s.quantiles[0]?.length ?? 0);
  return most;
}
