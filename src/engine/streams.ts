/** The noun `streams`: what the endpoint serves, a look at the newest records, and sending a file's rows. */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type {
  CallOptions,
  Change,
  PeekedRecord,
  RejectedRecord,
  SendRequest,
  SendResult,
  StreamInfo,
  Streams as StreamsPort,
} from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { HOUR } from "../core/time.ts";
import type { StreamCatalogue, StreamEntry } from "./endpoint/endpoint.ts";
import { sequenceNumber, shardId, shardMap } from "./endpoint/shards.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Registry } from "./registry.ts";
import type { ReplayMessage, ReplayTask } from "./replay.ts";

const REGION = "us-east-1";
const ACCOUNT = "000000000000";

export class Streams implements StreamsPort {
  readonly #registry: Registry;
  readonly #replayFile: URL;
  readonly #emit: (change: Change) => void;
  readonly #sends = new Map<string, Promise<unknown>>();
  readonly #children = new Set<ChildProcess>();
  /** URL of the endpoint, once it listens. */
  endpoint = "";

  constructor(registry: Registry, replayFile: URL, emit: (change: Change) => void) {
    this.#registry = registry;
    this.#replayFile = replayFile;
    this.#emit = emit;
  }

  /** The streams as the endpoint serves them: one a pipeline, of its name. */
  readonly catalogue: StreamCatalogue = {
    list: () => this.#registry.list().map((p) => entryOf(p)),
    get: (name) => {
      const pipeline = this.#registry.find(name);
      return pipeline && entryOf(pipeline);
    },
  };

  async list(): Promise<StreamInfo[]> {
    return this.#registry.list().map((p) => {
      const stats = p.stream.stats();
      return {
        name: p.spec.name,
        pipeline: p.spec.name,
        arn: arnOf(p.spec.name),
        shards: p.spec.source.shards,
        records: stats.records,
        bytes: stats.bytes,
        rate: p.rate.get(),
        newestArrival: stats.newestArrival ?? null,
        endpoint: this.endpoint,
      };
    });
  }

  async peek(stream: string, { limit }: { readonly limit: number }): Promise<PeekedRecord[]> {
    const { stream: log } = this.#registry.get(stream);
    const most = Math.min(Math.max(1, Math.floor(limit)), 1_000);
    const records = await log.read(Math.max(log.firstSequence, log.nextSequence - most), {
      maxRecords: most,
      maxBytes: 8 * 1024 * 1024,
    });
    return records.reverse().map((r) => ({
      sequence: sequenceNumber(r.sequence, r.shard),
      shard: shardId(r.shard),
      partitionKey: r.partitionKey,
      arrival: r.arrival,
      ...asText(r.data),
    }));
  }

  async rejected(pipeline: string, { limit }: { readonly limit: number }): Promise<RejectedRecord[]> {
    const rows = await this.#registry.get(pipeline).rejected(Math.min(Math.max(1, Math.floor(limit)), 1_000));
    return rows.map((r) => ({
      sequence: String(r.sequence),
      arrival: Number(r.arrival),
      reason: String(r.reason),
      detail: String(r.detail),
      ...asText(r.data as Uint8Array),
    }));
  }

  async put(
    stream: string,
    records: readonly { readonly data: string; readonly partitionKey?: string }[],
  ): Promise<{ accepted: number }> {
    const pipeline = this.#registry.get(stream);
    const encoder = new TextEncoder();
    const { shards } = pipeline.spec.source;
    const taken = records.map((r, i) => {
      const partitionKey = r.partitionKey ?? String(i);
      return { shard: shardMap(shards).forKey(partitionKey), partitionKey, data: encoder.encode(r.data) };
    });
    for (let i = 0; i < taken.length; i += 500) await pipeline.stream.append(taken.slice(i, i + 500));
    this.#emit({ noun: "stream", pipeline: stream, kind: "changed" });
    return { accepted: taken.length };
  }

  /** One send at a time a stream: the order of event time would be lost between two. */
  send(stream: string, request: SendRequest, options: CallOptions = {}): Promise<SendResult> {
    const before = this.#sends.get(stream) ?? Promise.resolve();
    const next = before.then(
      () => this.#send(stream, request, options),
      () => this.#send(stream, request, options),
    );
    this.#sends.set(stream, next);
    return next;
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
  }

  async #send(stream: string, request: SendRequest, { signal, onProgress }: CallOptions): Promise<SendResult> {
    const pipeline = this.#registry.running(stream);
    if (!existsSync(request.file))
      throw new Fault("input.invalid", `There is no file ${request.file}.`, { next: "Choose another file." });
    if (signal?.aborted) throw new Fault("cancelled", "Sending was cancelled.");
    const task: ReplayTask = {
      endpoint: this.endpoint,
      stream,
      request,
      source: pipeline.spec.source,
      key: pipeline.spec.series.by[0]?.field ?? null,
    };
    await pipeline.pump.setReplay(request.speed);
    const child = fork(fileURLToPath(this.#replayFile), [], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      execArgv: [],
    });
    this.#children.add(child);
    const cancel = () => child.kill("SIGKILL");
    signal?.addEventListener("abort", cancel);
    try {
      return await new Promise<SendResult>((resolve, reject) => {
        child.on("message", (message: ReplayMessage) => {
          if (message.kind === "progress") {
            onProgress?.({
              message: message.at === null ? "Sending" : `Sending ${new Date(message.at).toISOString().slice(0, 10)}`,
              done: message.sent,
              total: message.total,
            });
          } else if (message.kind === "reached") pipeline.pump.replayReached(message.time);
          else if (message.kind === "done") resolve({ sent: message.sent, seconds: message.seconds });
          else reject(Fault.from(message.fault));
        });
        child.on("error", (error) => reject(new Fault("unexpected", "Sending could not begin.", { cause: error })));
        child.on("exit", () => {
          if (signal?.aborted) reject(new Fault("cancelled", "Sending was cancelled; what was sent stays."));
          else
            reject(
              new Fault("unexpected", "Sending ended before the file did.", {
                next: "Send again from where it stopped.",
              }),
            );
        });
        child.send(task);
      });
    } finally {
      signal?.removeEventListener("abort", cancel);
      this.#children.delete(child);
      child.kill();
      await pipeline.pump.setReplay(undefined).catch(() => {
        // The pipeline is being closed: its clock no longer matters.
      });
    }
  }
}

function entryOf(p: Pipeline): StreamEntry {
  return {
    name: p.spec.name,
    arn: arnOf(p.spec.name),
    shardCount: p.spec.source.shards,
    createdAt: p.deployment.deployedAt,
    retentionHours: Math.max(24, Math.ceil(p.spec.retention.stream / HOUR)),
    log: p.stream,
  };
}

function arnOf(name: string): string {
  return `arn:aws:kinesis:${REGION}:${ACCOUNT}:stream/${name}`;
}

function asText(data: Uint8Array): { data: string; encoding: "utf8" | "base64" } {
  try {
    return { data: new TextDecoder("utf-8", { fatal: true }).decode(data), encoding: "utf8" };
  } catch {
    // Not text: shown as it can be shown.
    return { data: Buffer.from(data).toString("base64"), encoding: "base64" };
  }
}
