/**
 * The forecasts in use on AWS: a small file names the versions, and each version has one of its own, which is read once. A window
 * that began before the newest origin is compared with an older version, which did not know it yet, so several are in use.
 */
import { Fault } from "../../src/core/fault.ts";
import { encodeForecast, ForecastTable, type ForecastVersion, parseForecast } from "../../src/core/forecast.ts";
import type { Objects } from "./ports.ts";

/** How long a loaded forecast is trusted without asking whether there is a newer one. */
const FRESH = 60_000;

/** A version that is in use. */
export interface InUse {
  readonly version: string;
  /** Epoch ms. */
  readonly origin: number;
  /** Where its file lies in the bucket. */
  readonly key: string;
}

export class CurrentForecast {
  readonly #objects: Objects;
  readonly #key: string;
  readonly #every: number;
  #table = new ForecastTable();
  #versions = new Map<string, ForecastVersion>();
  #etag: string | undefined;
  #checked = Number.NEGATIVE_INFINITY;

  /** @param every a window's length; a forecast of windows of another length, from before the pipeline file changed, is none. */
  constructor(objects: Objects, key: string, every: number) {
    this.#objects = objects;
    this.#key = key;
    this.#every = every;
  }

  /** The forecasts as of `now` (epoch ms); an empty table before the first training. */
  async table(now: number): Promise<ForecastTable> {
    if (now - this.#checked < FRESH) return this.#table;
    const found = await this.#objects.get(this.#key, this.#etag);
    if (found === undefined) this.#use(new Map(), undefined);
    else if (found !== "unchanged") {
      const versions = new Map<string, ForecastVersion>();
      for (const { key } of decodeCurrent(new TextDecoder().decode(found.body))) {
        const version = this.#versions.get(key) ?? (await this.#load(key));
        if (version) versions.set(key, version);
      }
      this.#use(versions, found.etag);
    }
    this.#checked = now;
    return this.#table;
  }

  #use(versions: Map<string, ForecastVersion>, etag: string | undefined): void {
    const table = new ForecastTable();
    for (const version of versions.values()) if (version.every === this.#every) table.add(version);
    this.#table = table;
    this.#versions = versions;
    this.#etag = etag;
  }

  /** Undefined when the bucket has let go of the version, which then forecasts no window any more: its windows lack a forecast. */
  async #load(key: string): Promise<ForecastVersion | undefined> {
    const found = await this.#objects.get(key);
    return found === undefined || found === "unchanged" ? undefined : unpackVersion(found.body);
  }
}

/** The file that names the versions in use, newest first. */
export function encodeCurrent(versions: readonly InUse[]): string {
  return JSON.stringify({ versions });
}

/** @throws Fault `forecast.invalid` when the text is no such file. */
export function decodeCurrent(text: string): InUse[] {
  const { versions } = JSON.parse(text) as { readonly versions?: readonly Partial<InUse>[] };
  const isEntry = (entry: Partial<InUse>): entry is InUse =>
    typeof entry.version === "string" && Number.isInteger(entry.origin) && typeof entry.key === "string";
  if (!versions?.every(isEntry)) throw invalid("The file of the forecasts in use cannot be read.", text.slice(0, 200));
  return [...versions];
}

/**
 * A version's file: the forecast file without its numbers, a line with how many windows each series has, and the numbers as
 * little-endian doubles, series by series and level by level. As JSON, ten thousand series of 288 windows are 159 MB and take a
 * processor 7 s to read and check, and three versions of 576 windows no longer fit a string; so they are 70 MB, and take 0.4 s.
 */
export function packVersion(version: ForecastVersion): Uint8Array {
  const all = Object.values(version.series);
  const none = version.levels.map(() => []);
  const empty = Object.entries(version.series).map(([id, s]) => [id, { ...s, quantiles: none }] as const);
  const steps = all.map((s) => s.quantiles[0]?.length ?? 0);
  const head = `${encodeForecast({ ...version, series: Object.fromEntries(empty) })}\n${JSON.stringify(steps)}\n`;
  const numbers = new Float64Array(steps.reduce((sum, n) => sum + n, 0) * version.levels.length);
  let at = 0;
  for (const { quantiles } of all) {
    for (const list of quantiles) {
      numbers.set(list, at);
      at += list.length;
    }
  }
  return Buffer.concat([Buffer.from(head), new Uint8Array(numbers.buffer)]);
}

/** The version of a file that `packVersion` made. @throws Fault `forecast.invalid` when it is none, or holds what is no number. */
export function unpackVersion(body: Uint8Array): ForecastVersion {
  try {
    return unpack(body);
  } catch (error) {
    throw error instanceof Fault ? error : invalid(UNREADABLE, error);
  }
}

function unpack(bytes: Uint8Array): ForecastVersion {
  const headEnd = bytes.indexOf(NEWLINE) + 1;
  const stepsEnd = bytes.indexOf(NEWLINE, headEnd) + 1;
  const text = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
  const version = parseForecast(text(0, headEnd));
  const steps = JSON.parse(text(headEnd, stepsEnd)) as readonly number[];
  // Copied, because doubles lie at multiples of eight.
  const rest = new Uint8Array(bytes.subarray(stepsEnd));
  const entries = Object.entries(version.series);
  const expected = steps.reduce((sum, n) => sum + n, 0) * version.levels.length;
  if (steps.length !== entries.length || rest.byteLength !== 8 * expected)
    throw invalid(UNREADABLE, `${rest.byteLength} bytes of numbers where ${8 * expected} are due`);
  const numbers = new Float64Array(rest.buffer);
  let at = 0;
  // By hand, because `Array.from` takes ten times as long, which a comparison would wait for.
  const next = (count: number) => {
    const list = new Array<number>(count);
    for (let i = 0; i < count; i++, at++) {
      const value = numbers[at]!;
      if (!Number.isFinite(value)) throw invalid(UNREADABLE, `number ${at} is none`);
      list[i] = value;
    }
    return list;
  };
  const series = entries.map(
    ([id, one], i) => [id, { ...one, quantiles: version.levels.map(() => next(steps[i]!)) }] as const,
  );
  return { ...version, series: Object.fromEntries(series) };
}

const NEWLINE = 10;
const UNREADABLE = "This forecast file cannot be read.";

function invalid(message: string, cause: unknown): Fault {
  return new Fault("forecast.invalid", message, { cause, next: "Train the forecast again." });
}
