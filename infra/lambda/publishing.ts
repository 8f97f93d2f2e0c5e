/** The training's files in the bucket: rows in, DeepAR's channels out; predictions in, the forecast in use out. */
import { gunzipSync, gzipSync } from "node:zlib";
import { Fault } from "../../src/core/fault.ts";
import { encodeForecast, type ForecastVersion, parseForecast, versionName } from "../../src/core/forecast.ts";
import type { Exclusion } from "../../src/core/labels.ts";
import type { PreparedSeries } from "../../src/core/prepare.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { checkCapacity } from "../workflow/capacity.ts";
import { decodeCurrent, encodeCurrent } from "./forecasts.ts";
import { type DeepArForecast, judge, parsePredictions } from "./judging.ts";
import type { Objects } from "./ports.ts";
import { parseRows, stage, trainingSeries } from "./staging.ts";

export interface StageRequest {
  readonly action: "stage";
  readonly runId: string;
  /** Start of the first window to forecast, epoch ms. */
  readonly origin: number;
}

export interface PublishRequest {
  readonly action: "publish";
  readonly runId: string;
  readonly origin: number;
  readonly requestedBy: "schedule" | "person";
  /** Families that were trained, or were to be. */
  readonly families: readonly { readonly family: string; readonly failed?: boolean; readonly cause?: string }[];
}

export interface PublisherOptions {
  readonly spec: PipelineSpec;
  readonly objects: Objects;
  readonly training: string;
  readonly forecasts: string;
  /** Key of the forecasts in use. */
  readonly current: string;
  readonly exclusions: readonly Exclusion[];
}

export class Publisher {
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Lays out the run's rows for DeepAR; a family with too little to learn from is left out, and the ensemble serves it. No series:
   * the lake holds no windows of this span yet.
   * @throws Fault `target.unsupported` when there are more series than one training can publish. */
  async stage({
    runId,
    origin,
  }: StageRequest): Promise<{ families: { family: string; series: number }[]; series: number }> {
    const { spec, objects } = this.#options;
    const series = await this.#series(runId, origin);
    checkCapacity(spec, series.length);
    const families = stage(spec, series);
    for (const { family, ids, train, test, predict } of families) {
      const place = this.#place(runId, family);
      await objects.put(`${place}train/series.json.gz`, gzipSync(train), "application/gzip");
      await objects.put(`${place}test/series.json.gz`, gzipSync(test), "application/gzip");
      await objects.put(`${place}predict/series.jsonl`, predict, "application/jsonlines");
      await objects.put(`${place}index.json`, JSON.stringify(ids), "application/json");
    }
    return { families: families.map(({ family, ids }) => ({ family, series: ids.length })), series: series.length };
  }

  /** Judges what was trained, writes the version and its report, and puts it to use. */
  async publish({ runId, origin, requestedBy, families }: PublishRequest): Promise<{
    version: string;
    series: number;
    byMethod: Record<string, number>;
    failures: number;
  }> {
    const { spec, objects, forecasts } = this.#options;
    const series = await this.#series(runId, origin);
    const predictions = new Map<string, DeepArForecast>();
    for (const { family, failed } of families) {
      if (!failed) for (const [id, p] of await this.#predictions(runId, family)) predictions.set(id, p);
    }
    const judged = judge(spec, origin, series, predictions);
    const { choices, failures } = judged;
    if (choices.length === 0) {
      throw new Fault("forecast.failed", "No series could be forecast.", {
        cause: failures[0],
        next: "See the training's log.",
      });
    }
    const version = await this.#keep(judged.version);
    await objects.put(
      `${forecasts}reports/${fileName(version.version)}.json`,
      JSON.stringify({ version: version.version, runId, requestedBy, families, choices, failures }),
      "application/json",
    );
    // Last: until here the old forecasts are in use, and from here the new one, never half of it.
    await this.#putToUse(version);
    const byMethod: Record<string, number> = {};
    for (const { method } of Object.values(version.series)) byMethod[method] = (byMethod[method] ?? 0) + 1;
    return { version: version.version, series: choices.length, byMethod, failures: failures.length };
  }

  async #series(runId: string, origin: number): Promise<PreparedSeries[]> {
    const { spec, objects, training, exclusions } = this.#options;
    const rows = [];
    for (const key of await objects.list(`${training}${runId}/rows/`)) {
      rows.push(...parseRows(spec, await this.#text(key)));
    }
    return trainingSeries(spec, rows, origin, exclusions);
  }

  async #predictions(runId: string, family: string): Promise<Map<string, DeepArForecast>> {
    const place = this.#place(runId, family);
    const ids = JSON.parse(await this.#text(`${place}index.json`)) as string[];
    // The transform names its output after its input, with .out behind.
    return parsePredictions(this.#options.spec, ids, await this.#text(`${place}predicted/series.jsonl.out`));
  }

  /** Writes the version under the first name of its origin that none has yet; returns it as it is called. */
  async #keep(judged: ForecastVersion): Promise<ForecastVersion> {
    const { objects, forecasts } = this.#options;
    const place = `${forecasts}versions/`;
    const stamp = `${place}${fileName(versionName(judged.origin))}`;
    const runs = (await objects.list(stamp)).map((key) =>
      Number(/^(?:-(\d+))?\.json$/.exec(key.slice(stamp.length))?.[1] ?? 0),
    );
    const first = runs.length === 0 ? 0 : Math.max(...runs) + 1;
    for (let run = first; run < first + TRIES; run++) {
      const version = { ...judged, version: versionName(judged.origin, run) };
      const text = encodeForecast(version);
      // Read back before it is put anywhere: in use, one that cannot be read would stop every comparison and every later publishing.
      parseForecast(text);
      const key = `${place}${fileName(version.version)}.json`;
      if (await objects.replace(key, text, "application/json", undefined)) return version;
    }
    throw crowded();
  }

  /** Adds the version to those in use; what another training adds at the same time stays. */
  async #putToUse(version: ForecastVersion): Promise<void> {
    const { objects, current } = this.#options;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const found = await objects.get(current);
      if (found === "unchanged") continue;
      const before = found === undefined ? [] : decodeCurrent(new TextDecoder().decode(found.body));
      const text = encodeCurrent(inUse(before, version));
      if (await objects.replace(current, text, "application/x-ndjson", found?.etag)) return;
    }
    throw crowded();
  }

  async #text(key: string): Promise<string> {
    const found = await this.#options.objects.get(key);
    if (found === undefined || found === "unchanged") {
      throw new Fault("forecast.failed", `The training's file ${key} is missing.`, { next: "Train again." });
    }
    const { body } = found;
    const zipped = body[0] === 0x1f && body[1] === 0x8b;
    return new TextDecoder().decode(zipped ? gunzipSync(body) : body);
  }

  #place(runId: string, family: string): string {
    return `${this.#options.training}${runId}/${family}/`;
  }
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

/** Origins in use: the newest, and two before it for windows that began earlier and are open still. */
const ORIGINS = 3;

/**
 * What is in use once `version` has come, newest first: the newest training of each of the newest origins. A training of the past
 * takes its place among them, and none from a later one.
 */
function inUse(before: readonly ForecastVersion[], version: ForecastVersion): ForecastVersion[] {
  const byRun = [...before, version].sort((a, b) => a.version.localeCompare(b.version, "en", { numeric: true }));
  const byOrigin = new Map(byRun.map((v) => [v.origin, v]));
  return [...byOrigin.values()].sort((a, b) => b.origin - a.origin).slice(0, ORIGINS);
}
