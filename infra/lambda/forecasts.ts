/**
 * The forecasts in use on AWS: a small file names the versions, and each version has one of its own, which is read once. A window
 * that began before the newest origin is compared with an older version, which did not know it yet, so several are in use.
 */
import { Fault } from "../../src/core/fault.ts";
import { encodeForecast, ForecastTable, type ForecastVersion, parseForecast } from "../../src/core/forecast.ts";
import { parseSeriesId } from "../../src/core/series.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import type { Objects } from "./ports.ts";
import { type TrainedShape, trainedShape } from "./shapes.ts";

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

/** A version, and what its forecasts are of. */
export interface Trained {
  readonly version: ForecastVersion;
  readonly shape: TrainedShape;
}

/**
 * The forecasts in use of the series that the pipeline file has now. A forecast from before the file changed is none: of windows of
 * another length or of other groups not at all, of a measure that counts something else not for that measure.
 */
export class CurrentForecast {
  readonly #objects: Objects;
  readonly #key: string;
  readonly #every: number;
  readonly #shape: TrainedShape;
  #table = new ForecastTable();
  #outgrown: readonly string[] = [];
  #versions = new Map<string, Trained>();
  #etag: string | undefined;
  #checked = Number.NEGATIVE_INFINITY;

  constructor(objects: Objects, key: string, spec: PipelineSpec) {
    this.#objects = objects;
    this.#key = key;
    this.#every = spec.series.every;
    this.#shape = trainedShape(spec);
  }

  /** What versions in use were trained for that the pipeline file has no more, in words; the next trainings mend it. */
  get outgrown(): readonly string[] {
    return this.#outgrown;
  }

  /** The forecasts as of `now` (epoch ms); an empty table before the first training. */
  async table(now: number): Promise<ForecastTable> {
    if (now - this.#checked < FRESH) return this.#table;
    const found = await this.#objects.get(this.#key, this.#etag);
    if (found === undefined) this.#use(new Map(), undefined);
    else if (found !== "unchanged") {
      const versions = new Map<string, Trained>();
      for (const { key } of decodeCurrent(new TextDecoder().decode(found.body))) {
        const trained = this.#versions.get(key) ?? (await this.#load(key));
        if (trained) versions.set(key, trained);
      }
      this.#use(versions, found.etag);
    }
    this.#checked = now;
    return this.#table;
  }

  #use(versions: Map<string, Trained>, etag: string | undefined): void {
    const table = new ForecastTable();
    const outgrown: string[] = [];
    for (const { version, shape } of versions.values()) {
      const measures = Object.keys(this.#shape.measures).filter(
        (m) => Object.hasOwn(shape.measures, m) && shape.measures[m] !== this.#shape.measures[m],
      );
      if (version.every !== this.#every) outgrown.push(`${version.version}: windows of another length`);
      else if (shape.by !== this.#shape.by) outgrown.push(`${version.version}: series split by other fields`);
      else {
        if (measures.length > 0) outgrown.push(`${version.version}: ${measures.join(", ")} of another definition`);
        table.add(measures.length === 0 ? version : without(version, new Set(measures)));
      }
    }
    this.#table = table;
    this.#outgrown = outgrown;
    this.#versions = versions;
    this.#etag = etag;
  }

  /** Undefined when the bucket has let go of the version, which then forecasts no window any more: its windows lack a forecast. */
  async #load(key: string): Promise<Trained | undefined> {
    const found = await this.#objects.get(key);
    return found === undefined || found === "unchanged" ? undefined : unpackVersion(found.body);
  }
}

/** The version without forecasts of these measures. Their series stay, with no window: their groups are expected all the same. */
function without(version: ForecastVersion, measures: ReadonlySet<string>): ForecastVersion {
  const quantiles = version.levels.map(() => []);
  const kept = Object.entries(version.series).map(
    ([id, one]) => [id, measures.has(parseSeriesId(id)?.measure ?? "") ? { ...one, quantiles } : one] as const,
  );
  return { ...version, series: Object.fromEntries(kept) };
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
 * A version's file: the forecast file without its numbers, a line with what it was trained for and how many windows each series
 * has, and the numbers as little-endian doubles, series by series and level by level. As JSON, ten thousand series of 288 windows are 159 MB and take a
 * processor 7 s to read and check, and three versions of 576 windows no longer fit a string; so they are 70 MB, and take 0.4 s.
 */
export function packVersion({ version, shape }: Trained): Uint8Array {
  const all = Object.values(version.series);
  const none = version.levels.map(() => []);
  const empty = Object.entries(version.series).map(([id, s]) => [id, { ...s, quantiles: none }] as const);
  const steps = all.map((s) => s.quantiles[0]?.length ?? 0);
  const head = `${encodeForecast({ ...version, series: Object.fromEntries(empty) })}\n${JSON.stringify({ shape, steps })}\n`;
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
export function unpackVersion(body: Uint8Array): Trained {
  try {
    return unpack(body);
  } catch (error) {
    throw error instanceof Fault ? error : invalid(UNREADABLE, error);
  }
}

function unpack(bytes: Uint8Array): Trained {
  const headEnd = bytes.indexOf(NEWLINE) + 1;
  const stepsEnd = bytes.indexOf(NEWLINE, headEnd) + 1;
  const text = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
  const version = parseForecast(text(0, headEnd));
  const { shape, steps } = JSON.parse(text(headEnd, stepsEnd)) as { shape: TrainedShape; steps: readonly number[] };
  if (typeof shape?.by !== "string" || typeof shape.measures !== "object" || shape.measures === null)
    throw invalid(UNREADABLE, "it does not tell what it was trained for");
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
  return { version: { ...version, series: Object.fromEntries(series) }, shape };
}

const NEWLINE = 10;
const UNREADABLE = "This forecast file cannot be read.";

function invalid(message: string, cause: unknown): Fault {
  return new Fault("forecast.invalid", message, { cause, next: "Train the forecast again." });
}
