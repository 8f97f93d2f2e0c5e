/**
 * One deployed pipeline, running: its stream, its lake, its pump, and what they are made from. Opened from the store's
 * list of pipelines at the engine's start, and by a deployment.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Change, PipelineState, PipelineStatus, PipelineSummary, SeriesChart } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import type { IncidentRecord } from "../core/incident.ts";
import { type Exclusion, parseLabels } from "../core/labels.ts";
import { quoteIdentifier } from "../core/prepare.ts";
import { mostGroups } from "../core/series.ts";
import { byFields, type PipelineSpec } from "../core/spec.ts";
import { DAY } from "../core/time.ts";
import { brokenStream } from "./broken-stream.ts";
import { createPipelineTables, nextSequence } from "./checkpoint.ts";
import { Collector } from "./collector.ts";
import { IncidentBook } from "./incident-book.ts";
import { Lake } from "./lake.ts";
import { openLog, type StreamLog } from "./log/log.ts";
import { createSegment } from "./log/segment.ts";
import { Pump } from "./pump.ts";
import { RateMeter } from "./rate.ts";
import { createSchemas, type Row, type Store, tableName } from "./store.ts";
import { incidentView } from "./tables.ts";
import type { TrainPool } from "./train-pool.ts";
import { Training } from "./training.ts";

/** A pipeline as the store lists it. */
export interface Deployment {
  readonly spec: PipelineSpec;
  /** The pipeline file's path. */
  readonly file: string;
  readonly liveFrom: number | null;
  readonly deployedAt: number;
  readonly trusted: boolean;
}

export interface EngineParts {
  readonly store: Store;
  /** The engine's data folder, `.forewatch/`. */
  readonly folder: string;
  readonly pool: TrainPool;
  readonly collectWorker: URL;
  readonly emit: (change: Change) => void;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

/** Windows of an incident are left out of training for this long; after it they are the new normal. */
const NEW_NORMAL = 7 * DAY;

export class Pipeline {
  readonly deployment: Deployment;
  readonly stream: StreamLog;
  readonly lake: Lake;
  readonly training: Training;
  readonly book: IncidentBook;
  readonly pump: Pump;
  readonly rate = new RateMeter();
  readonly #collector: Collector;
  readonly #store: Store;
  #state: PipelineState = "running";
  #fault: Fault | undefined;

  private constructor(deployment: Deployment, parts: EngineParts, stream: StreamLog, lake: Lake) {
    const { spec } = deployment;
    const { store, folder, emit } = parts;
    this.deployment = deployment;
    this.#store = store;
    this.stream = stream;
    this.lake = lake;
    const home = dataFolder(folder, spec.name);
    const enrich = spec.enrich === undefined ? null : join(dirname(deployment.file), spec.enrich);
    this.#collector = new Collector(spec, enrich, parts.collectWorker);
    this.training = new Training(store, spec, home, parts.pool);
    this.book = new IncidentBook(store, spec.name);
    const pipeline = spec.name;
    this.pump = new Pump({
      spec,
      liveFrom: deployment.liveFrom,
      store,
      log: stream,
      lake,
      collector: this.#collector,
      training: this.training,
      book: this.book,
      exclusions: (origin) => this.exclusions(origin),
      on: {
        moved: (until) => {
          this.rate.set(stream.nextSequence - 1);
          emit({ noun: "window", pipeline, kind: "changed", ...(until !== null && { until }) });
        },
        told: ({ alarms, incidents }) => {
          for (const id of alarms) emit({ noun: "alarm", pipeline, id, kind: "changed" });
          for (const { id, kind } of incidents) emit({ noun: "incident", pipeline, id, kind });
        },
        trained: (job) => emit({ noun: "forecast", pipeline, id: job.id, kind: "changed" }),
        failed: (fault) => {
          parts.log("error", `${pipeline}: ${fault.message}`);
          this.#become("degraded", fault);
          emit({ noun: "stack", pipeline, kind: "changed" });
        },
        recovered: () => {
          this.#become("running");
          emit({ noun: "stack", pipeline, kind: "changed" });
        },
        warn: (message) => parts.log("warn", `${pipeline}: ${message}`),
      },
    });
  }

  /**
   * Opens the pipeline's data and starts its pump. What is wrong with its own parts (a damaged stream, an enrich module that
   * does not load) leaves it failed, with its stream open where that is possible; the other pipelines run.
   */
  static async open(deployment: Deployment, parts: EngineParts): Promise<Pipeline> {
    const { spec } = deployment;
    const home = dataFolder(parts.folder, spec.name);
    await parts.store.transaction(async (writer) => {
      await createSchemas(writer, spec.name);
      await createPipelineTables(writer, spec.name, byFields(spec).map(quoteIdentifier));
      await writer.run(incidentView(spec.name));
    });
    const lake = new Lake(parts.store, spec, join(home, "lake"));
    let broken: Fault | undefined;
    const stream = await openStream(deployment, parts).catch((error: unknown) => {
      broken = Fault.from(error);
      return brokenStream(broken);
    });
    const pipeline = new Pipeline(deployment, parts, stream, lake);
    try {
      if (broken) throw broken;
      requireTrust(deployment);
      await lake.open();
      await pipeline.training.open();
      await pipeline.#collector.start();
      await pipeline.pump.start();
    } catch (error) {
      pipeline.#become("failed", Fault.from(error));
      parts.log("error", `${spec.name}: ${Fault.from(error).message}`);
    }
    return pipeline;
  }

  get spec(): PipelineSpec {
    return this.deployment.spec;
  }

  get started(): boolean {
    return this.#state !== "failed";
  }

  summary(): PipelineSummary {
    const crowded = this.#state === "running" && this.pump.crowded;
    const fault = crowded ? tooManyGroups(this.spec) : this.#fault;
    return {
      name: this.spec.name,
      state: crowded ? "degraded" : this.#state,
      file: this.deployment.file,
      ...(fault && { fault: fault.toData() }),
      openIncidents: this.book.openCount,
    };
  }

  status(): PipelineStatus {
    const { pump, spec } = this;
    const running = this.started;
    return {
      ...this.summary(),
      spec,
      liveFrom: running ? pump.checkpoint.liveFrom : this.deployment.liveFrom,
      watermark: running ? pump.watermark : null,
      newestEvent: running ? pump.newestEvent : null,
      behind: running ? pump.behind : 0,
      counts: running
        ? pump.counts
        : { records: 0, events: 0, rejected: 0, dropped: 0, late: 0, windows: 0, compared: 0 },
      series: running ? pump.groups().length * spec.series.measures.length : 0,
    };
  }

  /** The newest rejected records. */
  rejected(limit: number): Promise<Row[]> {
    return this.#store.read(
      `SELECT * FROM ${tableName(this.spec.name, "rejected")} ORDER BY sequence DESC LIMIT ${Math.floor(limit)}`,
    );
  }

  /** The charts of some series up to now, to be kept with an incident. */
  async frozenCharts(series: readonly string[]): Promise<SeriesChart[]> {
    return this.#store.transaction((writer) =>
      this.pump.comparer.freeze(writer, series, this.pump.checkpoint.compared ?? Date.now()),
    );
  }

  /** Adds an incident that a person declared. */
  async addIncident(record: IncidentRecord, frozen: readonly SeriesChart[]): Promise<void> {
    await this.#store.transaction((writer) => this.book.add(writer, record, frozen));
  }

  /** The spans that training leaves out: the labels file's, and the windows of incidents that are not long past. */
  async exclusions(origin: number): Promise<readonly Exclusion[]> {
    const labels = this.spec.forecast.exclude
      ? await readLabels(join(dirname(this.deployment.file), this.spec.forecast.exclude))
      : [];
    const incidents = (await this.book.list(1_000)).filter((r) => !r.notAnIncident && r.openedAt <= origin);
    const spans = incidents.flatMap((r) =>
      r.contributors.map((c) => ({
        series: c.series,
        from: c.from,
        to: Math.min(c.recoveredAt ?? r.resolvedAt ?? origin, origin, c.from + NEW_NORMAL),
      })),
    );
    return [...labels, ...spans.filter((s) => s.to > s.from)];
  }

  async close(): Promise<void> {
    if (this.started) await this.pump.stop();
    await this.#collector.close();
    await this.stream.close();
  }

  #become(state: PipelineState, fault?: Fault): void {
    this.#state = state;
    this.#fault = fault;
  }
}

function tooManyGroups({ series }: PipelineSpec): Fault {
  const by = series.by.map((b) => b.field).join(" and ");
  return new Fault(
    "series.too-many",
    `The stream has more groups by ${by} than are watched: ${mostGroups(series.measures.length)}, the first that appeared.`,
    {
      next: "List the values to watch in the pipeline file, or group by a field with fewer.",
    },
  );
}

/** Where a pipeline keeps its data. */
export function dataFolder(folder: string, pipeline: string): string {
  return join(folder, "pipelines", pipeline);
}

/** A pipeline that runs code of its own must be trusted. */
function requireTrust({ spec, trusted }: Deployment): void {
  if (spec.enrich === undefined || trusted) return;
  throw new Fault("enrich.failed", "This pipeline runs code (enrich), and the workspace is not trusted.", {
    next: "Trust the workspace, then deploy again.",
  });
}

/**
 * Opens the pipeline's stream. One that was moved away, or that lacks records at its end, begins anew where the pump stands:
 * all that it lacks was taken from it already, and no number may be given twice.
 */
async function openStream({ spec }: Deployment, parts: EngineParts): Promise<StreamLog> {
  const dir = join(dataFolder(parts.folder, spec.name), "stream");
  const onWarning = (message: string) => parts.log("warn", `${spec.name}: ${message}`);
  const next = await nextSequence(parts.store, spec.name);
  if (existsSync(dir)) {
    const log = await openLog(dir, { onWarning });
    if (log.nextSequence >= next) return log;
    await log.close();
    const aside = `${dir}-until-${next - 1}-${Date.now()}`;
    await rename(dir, aside);
    onWarning(`The stream lacked records that were taken already. It begins anew; its old files are in ${aside}.`);
  }
  await mkdir(dir, { recursive: true });
  const { handle } = await createSegment(dir, next, 0);
  await handle.close();
  return openLog(dir, { onWarning });
}

/** The spans of a labels file. One that is not there yet excludes nothing. */
export async function readLabels(path: string): Promise<Exclusion[]> {
  return existsSync(path) ? parseLabels(await readFile(path, "utf8"), path) : [];
}
