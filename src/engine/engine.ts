/**
 * The engine: the local target's Backend, made of the store, the deployed pipelines and their Kinesis-compatible endpoint.
 * It knows nothing of transports; `main.ts` serves it.
 */
import { EventEmitter } from "node:events";
import { join } from "node:path";
import type { Backend, Change } from "../backend.ts";
import type { Fault } from "../core/fault.ts";
import { type PipelineSpec, requireSpec } from "../core/spec.ts";
import { MACROS } from "../sql/index.ts";
import { alarmsOf } from "./alarms.ts";
import { ensureDataFolder, fromKept } from "./data-folder.ts";
import { type Endpoint, startEndpoint } from "./endpoint/endpoint.ts";
import { forecastsOf } from "./forecasts.ts";
import { incidentsOf } from "./incidents.ts";
import { type EngineParts, Pipeline } from "./pipeline.ts";
import { Queries } from "./queries.ts";
import { Registry } from "./registry.ts";
import { stackOf } from "./stack.ts";
import { Store } from "./store.ts";
import { Streams } from "./streams.ts";
import { TrainPool } from "./train-pool.ts";

export interface EngineOptions {
  /** The workspace folder; data lie in its `.forewatch/`. */
  readonly folder: string;
  readonly version: string;
  /** Port of the endpoint; 0 takes any free one. */
  readonly port: number;
  /** The bundled files of the workers and of the replay process. */
  readonly files: { readonly collect: URL; readonly train: URL; readonly replay: URL };
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
  /** Told when the engine cannot go on in this process: it must be ended and started again, and goes on where it was. */
  readonly onFatal?: (fault: Fault) => void;
}

export interface Engine extends Backend {
  readonly endpointPort: number;
}

/** Opens the engine on a folder: the store, every deployed pipeline, the endpoint. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const folder = await ensureDataFolder(options.folder);
  const store = await Store.open(join(folder, "store.duckdb"));
  store.onFatal = (fault) => options.onFatal?.(fault);
  await store.writer.run(MACROS);
  const changes = new EventEmitter<{ change: [Change] }>();
  changes.setMaxListeners(0);
  const parts: EngineParts = {
    store,
    folder,
    pool: new TrainPool(options.files.train),
    collectWorker: options.files.collect,
    emit: (change) => changes.emit("change", change),
    log: options.log,
  };
  const registry = new Registry();
  const closing: (() => Promise<void>)[] = [() => store.close(), () => parts.pool.close()];
  try {
    for (const row of await store.read("SELECT * FROM main.pipeline ORDER BY name")) {
      const deployment = {
        spec: JSON.parse(String(row.spec)) as PipelineSpec,
        file: fromKept(options.folder, String(row.file)),
        liveFrom: row.live_from === null ? null : Number(row.live_from),
        deployedAt: Number(row.deployed_at),
        trusted: row.trusted === true,
      };
      registry.put(await Pipeline.open(deployment, parts));
    }
    closing.push(async () => {
      await Promise.all(registry.list().map((p) => p.close()));
    });
    const streams = new Streams(registry, options.files.replay, parts.emit);
    const endpoint: Endpoint = await startEndpoint({ streams: streams.catalogue, port: options.port });
    streams.endpoint = `http://127.0.0.1:${endpoint.port}`;
    closing.push(
      () => endpoint.close(),
      () => streams.close(),
    );
    const queries = new Queries(store, registry, folder);
    closing.push(() => queries.close());
    return {
      target: { kind: "local", folder: options.folder, version: options.version, endpoint: streams.endpoint },
      endpointPort: endpoint.port,
      stack: stackOf(parts, registry, requireSpec),
      streams,
      queries,
      forecasts: forecastsOf(registry, store),
      alarms: alarmsOf(registry, store),
      incidents: incidentsOf(registry, parts.emit),
      onChange(listener) {
        changes.on("change", listener);
        return { dispose: () => void changes.off("change", listener) };
      },
      async close() {
        for (const step of closing.reverse()) await step();
      },
    };
  } catch (error) {
    for (const step of closing.reverse()) await step();
    throw error;
  }
}
