/**
 * A training's way through the bucket, in parts that a function can deal with: rows in, DeepAR's channels out; a part's predictions
 * in, its judgement out; all judgements in, the version in use out. Each action may be tried again: it writes the same once more.
 */
import { gzipSync } from "node:zlib";
import { Fault } from "../../src/core/fault.ts";
import { type ForecastVersion, versionName } from "../../src/core/forecast.ts";
import type { Exclusion } from "../../src/core/labels.ts";
import {
  Appearances,
  listedGroups,
  type PreparedRow,
  type PreparedSeries,
  SeriesGrid,
} from "../../src/core/prepare.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { checkCapacity, partSize, staysInUse } from "../workflow/capacity.ts";
import { decodeCurrent, encodeCurrent, type InUse, packVersion, unpackVersion } from "./forecasts.ts";
import { type DeepArForecast, type Judgement, judge, merge, parsePredictions } from "./judging.ts";
import { linesOf, unzipped } from "./lines.ts";
import type { Objects } from "./ports.ts";
import { type TrainedShape, trainedShape } from "./shapes.ts";
import {
  decodeSeries,
  encodeSeries,
  familiesToLearn,
  familyFiles,
  leaveOut,
  rowParser,
  trainingSpan,
} from "./staging.ts";

export interface StageRequest {
  readonly action: "stage";
  readonly runId: string;
  /** Start of the first window to forecast, epoch ms. */
  readonly origin: number;
}

/** What the workflow goes on with; small, because Step Functions carries 256 KiB from state to state. */
export interface Staged {
  readonly families: readonly { readonly family: string; readonly series: number }[];
  readonly series: number;
  /** Parts that the series are laid out in, counted from 1. */
  readonly parts: number;
}

/** A family whose predictions could not be read for a part's series. */
export interface Unread {
  readonly family: string;
  readonly cause: string;
}

/** A family that was trained, or was to be. */
export interface Trained {
  readonly family: string;
  readonly failed?: boolean;
  readonly cause?: string;
}

export interface JudgeRequest {
  readonly action: "judge";
  readonly runId: string;
  readonly origin: number;
  readonly part: number;
  readonly families: readonly Trained[];
}

export interface PublishRequest {
  readonly action: "publish";
  readonly runId: string;
  readonly origin: number;
  readonly requestedBy: "schedule" | "person";
  readonly families: readonly Trained[];
  /** Of all parts. */
  readonly unread?: readonly Unread[];
  readonly parts: number;
}

export interface PublisherOptions {
  readonly spec: PipelineSpec;
  readonly objects: Objects;
  readonly training: string;
  readonly forecasts: string;
  /** Key of the file that names the forecasts in use. */
  readonly current: string;
  readonly exclusions: readonly Exclusion[];
  /** Series a part; unset: as many as a function judges in some two minutes. */
  readonly partSize?: number;
}

export class Publisher {
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Lays out the run's rows for DeepAR; a family with too little to learn from is left out, and the ensemble serves it. No series:
   * the lake holds no windows of this span yet.
   * @throws Fault `target.unsupported` when there are more series than one training takes. */
  async stage({ runId, origin }: StageRequest): Promise<Staged> {
    const { spec, objects, exclusions } = this.#options;
    const series = await this.#series(runId, origin);
    leaveOut(series, exclusions);
    const families = familiesToLearn(spec, series);
    const size = this.#options.partSize ?? partSize(spec);
    const parts = Math.ceil(series.length / size);
    for (let part = 1; part <= parts; part++) {
      const own = series.slice((part - 1) * size, part * size);
      const at = placesOf(this.#run(runId), part);
      for (const learned of families) {
        const { ids, train, test, predict } = familyFiles(spec, learned, own);
        const places = at.family(learned.family);
        await objects.put(places.index, JSON.stringify(ids), "application/json");
        if (ids.length === 0) continue;
        await objects.put(places.train, zip(train), "application/gzip");
        await objects.put(places.test, zip(test), "application/gzip");
        await objects.put(places.predict, predict, "application/jsonlines");
      }
      await objects.put(at.series, zip(encodeSeries(own)), "application/gzip");
    }
    // The pipeline file may change before the run is published.
    await objects.put(shapeOf(this.#run(runId)), JSON.stringify(trainedShape(spec)), "application/json");
    return {
      families: families.map(({ family, ids }) => ({ family, series: ids.size })),
      series: series.length,
      parts,
    };
  }

  /** Judges what was trained for one part's series. Where a family's predictions cannot be read, the ensemble serves its series. */
  async judge({ runId, origin, part, families }: JudgeRequest): Promise<{
    part: number;
    series: number;
    unread: Unread[];
  }> {
    const { spec, objects } = this.#options;
    const at = placesOf(this.#run(runId), part);
    const series: PreparedSeries[] = [];
    for await (const lines of linesOf(await this.#body(at.series)))
      series.push(...lines.map((l) => decodeSeries(spec, l)));
    const predictions = new Map<string, DeepArForecast>();
    const unread: Unread[] = [];
    for (const { family, failed } of families) {
      if (failed) continue;
      try {
        for (const [id, p] of await this.#predictions(at.family(family))) predictions.set(id, p);
      } catch (error) {
        // What is not there, or is not what was asked for. A bucket that does not answer is tried again.
        if (!(error instanceof Fault || error instanceof RangeError || error instanceof SyntaxError)) throw error;
        unread.push({ family, cause: error.message.slice(0, 200) });
      }
    }
    const judged = judge(spec, origin, series, predictions);
    // Read back before it is put anywhere: in use, one that cannot be read would stop every comparison.
    unpackVersion(packVersion({ version: judged.version, shape: trainedShape(spec) }));
    await objects.put(at.judged, zip(JSON.stringify(judged)), "application/gzip");
    return { part, series: series.length, unread };
  }

  /** Makes one version of all parts' judgements, writes it and its report, and puts it to use. */
  async publish({ runId, origin, requestedBy, families, unread = [], parts }: PublishRequest): Promise<{
    version: string;
    series: number;
    byMethod: Record<string, number>;
    failures: number;
  }> {
    const { objects, forecasts } = this.#options;
    const read = async (part: number) => (await this.#json(placesOf(this.#run(runId), part).judged)) as Judgement;
    const judged: [Judgement, ...Judgement[]] = [await read(1)];
    for (let part = 2; part <= parts; part++) judged.push(await read(part));
    const { version: unnamed, choices, failures } = merge(judged);
    if (choices.length === 0) {
      throw new Fault("forecast.failed", "No series could be forecast.", {
        cause: failures[0],
        next: "See the training's log.",
      });
    }
    const name = await this.#claim(runId, origin, { runId, requestedBy, families, unread, choices, failures });
    const version: ForecastVersion = { ...unnamed, version: name };
    const key = `${forecasts}versions/${fileName(name)}.forecast`;
    const shape = (await this.#json(shapeOf(this.#run(runId)))) as TrainedShape;
    await objects.put(key, packVersion({ version, shape }), "application/octet-stream");
    // Last: until here the old forecasts are in use, and from here the new one, never half of it.
    await this.#putToUse({ version: name, origin, key });
    const byMethod: Record<string, number> = {};
    for (const { chosen } of choices) byMethod[chosen] = (byMethod[chosen] ?? 0) + 1;
    return { version: name, series: choices.length, byMethod, failures: failures.length };
  }

  async #predictions({ index, predicted }: { readonly index: string; readonly predicted: string }) {
    const ids = (await this.#json(index)) as string[];
    const lines: string[] = [];
    if (ids.length > 0) for await (const some of linesOf(await this.#body(predicted))) lines.push(...some);
    return parsePredictions(this.#options.spec, ids, lines);
  }

  /** The series of a run's rows, by id. Rows may be more than memory holds, so they are read twice where groups are discovered. */
  async #series(runId: string, origin: number): Promise<PreparedSeries[]> {
    const { spec } = this.#options;
    const span = trainingSpan(spec, origin);
    let groups = listedGroups(spec);
    if (!groups) {
      const appearances = new Appearances(spec, span);
      await this.#eachRow(runId, (row) => appearances.add(row));
      groups = appearances.first();
    }
    checkCapacity(spec, groups.length * spec.series.measures.length);
    const grid = new SeriesGrid(spec, span, groups);
    await this.#eachRow(runId, (row) => grid.add(row));
    return grid.take();
  }

  async #eachRow(runId: string, take: (row: PreparedRow) => void): Promise<void> {
    const parse = rowParser(this.#options.spec);
    for (const key of await this.#options.objects.list(`${this.#run(runId)}rows/`)) {
      for await (const lines of linesOf(await this.#body(key))) for (const line of lines) take(parse(line));
    }
  }

  /**
   * The name of the run's version, which its report claims: the first of its origin that no other run has. A run that is tried
   * again finds its own.
   */
  async #claim(runId: string, origin: number, report: object): Promise<string> {
    const { objects, forecasts } = this.#options;
    const place = `${forecasts}reports/`;
    const stamp = `${place}${fileName(versionName(origin))}`;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      let run = 0;
      for (const key of await objects.list(stamp)) {
        const claimed = (await this.#json(key)) as { readonly version: string; readonly runId: string };
        if (claimed.runId === runId) return claimed.version;
        run = Math.max(run, 1 + Number(/^(?:-(\d+))?\.json$/.exec(key.slice(stamp.length))?.[1] ?? 0));
      }
      const version = versionName(origin, run);
      const text = JSON.stringify({ version, ...report });
      if (await objects.replace(`${place}${fileName(version)}.json`, text, "application/json", undefined))
        return version;
    }
    throw crowded();
  }

  /** Adds the version to those in use; what another training adds at the same time stays. */
  async #putToUse(version: InUse): Promise<void> {
    const { spec, objects, current } = this.#options;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const found = await objects.get(current);
      if (found === "unchanged") continue;
      const before = found === undefined ? [] : decodeCurrent(new TextDecoder().decode(found.body));
      const text = encodeCurrent(inUse(spec, before, version));
      if (await objects.replace(current, text, "application/json", found?.etag)) return;
    }
    throw crowded();
  }

  async #body(key: string): Promise<Uint8Array> {
    const found = await this.#options.objects.get(key);
    if (found === undefined || found === "unchanged") {
      throw new Fault("forecast.failed", `The training's file ${key} is missing.`, { next: "Train again." });
    }
    return found.body;
  }

  async #json(key: string): Promise<unknown> {
    return JSON.parse(new TextDecoder().decode(unzipped(await this.#body(key))));
  }

  #run(runId: string): string {
    return `${this.#options.training}${runId}/`;
  }
}

/** Where a part's files lie in its run's folder; the transform names its output after its input, with .out behind. */
function placesOf(run: string, part: number) {
  const name = `part-${String(part).padStart(5, "0")}`;
  return {
    series: `${run}series/${name}.jsonl.gz`,
    judged: `${run}judged/${name}.json.gz`,
    family: (family: string) => ({
      index: `${run}${family}/index/${name}.json`,
      train: `${run}${family}/train/${name}.json.gz`,
      test: `${run}${family}/test/${name}.json.gz`,
      predict: `${run}${family}/predict/${name}.jsonl`,
      predicted: `${run}${family}/predicted/${name}.jsonl.out`,
    }),
  };
}

/** Where it is kept what a run's forecasts are of. */
function shapeOf(run: string): string {
  return `${run}shape.json`;
}

/** Quickly: the time of a function is dearer than a month of a tenth more bytes. */
function zip(text: string): Uint8Array {
  return gzipSync(text, { level: 1 });
}

/** How often a name, or the file in use, is tried for when other trainings come first. */
const TRIES = 10;

function crowded(): Fault {
  return new Fault("forecast.failed", "Other trainings kept publishing at the same moment.", { next: "Train again." });
}

/** A version's name in a key: colons are awkward in paths and URLs. */
function fileName(version: string): string {
  return version.replaceAll(":", "-");
}

/**
 * What is in use once `version` has come, newest first: the newest training of each origin that is needed. A training of the past
 * takes its place among them, and none from a later one.
 */
function inUse(spec: PipelineSpec, before: readonly InUse[], version: InUse): InUse[] {
  const byRun = [...before, version].sort((a, b) => a.version.localeCompare(b.version, "en", { numeric: true }));
  const byOrigin = new Map(byRun.map((v) => [v.origin, v]));
  return staysInUse(
    spec,
    [...byOrigin.values()].sort((a, b) => b.origin - a.origin),
  );
}
