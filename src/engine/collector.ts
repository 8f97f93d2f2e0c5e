/**
 * Steps 1 and 2 for the pump: batches of records go to a worker and come back as events and rejections. The watchdog ends
 * a worker whose enrich function does not come back; the record it was at is rejected, the rest of the batch goes on.
 */
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { Rejection, Value } from "../core/collect.ts";
import { Fault } from "../core/fault.ts";
import type { PipelineSpec } from "../core/spec.ts";

/** A batch for the worker: the records' bytes one after another, and where each ends. */
export interface CollectRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** What the batch became; `record` is the index in the batch. */
export interface CollectReply {
  readonly id: number;
  readonly events: { record: number; time: number; values: readonly Value[] }[];
  readonly rejections: (Rejection & { record: number })[];
  dropped: number;
}

export type Collected = Omit<CollectReply, "id">;

/** How long the enrich function may take for one record, ms: so many looks of the watchdog without any progress. */
const PATIENCE = 2_000;
const WATCH_EVERY = 200;

export class Collector {
  readonly #spec: PipelineSpec;
  readonly #enrich: string | null;
  readonly #workerFile: URL;
  #worker: Promise<Worker> | undefined;
  readonly #progress = new SharedArrayBuffer(4);
  #calls = 0;

  /** @param enrich path of the enrich module, null for none. */
  constructor(spec: PipelineSpec, enrich: string | null, workerFile: URL) {
    this.#spec = spec;
    this.#enrich = enrich;
    this.#workerFile = workerFile;
  }

  /** Starts the worker; fails with `enrich.failed` when the module cannot be loaded. */
  async start(): Promise<void> {
    await this.#running();
  }

  async collect(records: readonly { readonly data: Uint8Array }[]): Promise<Collected> {
    const merged: Collected = { events: [], rejections: [], dropped: 0 };
    await this.#collectFrom(records, 0, merged);
    return merged;
  }

  async close(): Promise<void> {
    const worker = await this.#worker?.catch(() => undefined);
    this.#worker = undefined;
    await worker?.terminate();
  }

  async #collectFrom(records: readonly { readonly data: Uint8Array }[], from: number, into: Collected): Promise<void> {
    const part = records.slice(from);
    if (part.length === 0) return;
    const outcome = await this.#ask(part);
    if (typeof outcome !== "number") {
      for (const e of outcome.events) into.events.push(from === 0 ? e : { ...e, record: e.record + from });
      for (const r of outcome.rejections) into.rejections.push(from === 0 ? r : { ...r, record: r.record + from });
      into.dropped += outcome.dropped;
      return;
    }
    // The worker hung at record `outcome`: what came before it is done again, itself is rejected, the rest goes on.
    await this.#collectFrom(records.slice(0, from + outcome), from, into);
    const stuck = from + outcome;
    into.rejections.push({
      record: stuck,
      reason: "enrich-timeout",
      detail: `enrich did not return within ${PATIENCE} ms`,
      data: records[stuck]!.data.slice(),
    });
    await this.#collectFrom(records, stuck + 1, into);
  }

  /** The worker's reply, or the index of the record at which it hung. */
  async #ask(records: readonly { readonly data: Uint8Array }[]): Promise<CollectReply | number> {
    const worker = await this.#running();
    const ends = new Uint32Array(records.length);
    let total = 0;
    records.forEach((r, i) => {
      total += r.data.length;
      ends[i] = total;
    });
    const bytes = new Uint8Array(total);
    records.forEach((r, i) => {
      bytes.set(r.data, i === 0 ? 0 : ends[i - 1]!);
    });
    const id = ++this.#calls;
    const working = new Int32Array(this.#progress);
    Atomics.store(working, 0, 0);
    return new Promise((resolve, reject) => {
      let seen = 0;
      // Looks are counted, not time: after the machine slept, the clock has jumped but the worker had no chance.
      let looks = 0;
      const watch = setInterval(() => {
        const at = Atomics.load(working, 0);
        if (at !== seen) [seen, looks] = [at, 0];
        // -1: all records are done and the reply is on its way, however long that takes.
        else if (at >= 0 && ++looks * WATCH_EVERY > PATIENCE)
          settle(() => this.#hung(worker, at).then(resolve, reject));
      }, WATCH_EVERY);
      const onMessage = (reply: CollectReply) => {
        if (reply.id === id) settle(() => resolve(reply));
      };
      const onExit = () => {
        this.#worker = undefined;
        settle(() =>
          reject(
            new Fault("enrich.failed", "The enrich module ended its worker.", { next: "Remove process.exit from it." }),
          ),
        );
      };
      const onError = (error: Error) => {
        this.#worker = undefined;
        settle(() =>
          reject(
            new Fault("enrich.failed", `The enrich module failed outside its function: ${error.message}`, {
              cause: error,
            }),
          ),
        );
      };
      const settle = (end: () => void) => {
        clearInterval(watch);
        worker.off("message", onMessage).off("exit", onExit).off("error", onError);
        end();
      };
      worker.on("message", onMessage).on("exit", onExit).on("error", onError);
      worker.postMessage({ id, bytes, ends } satisfies CollectRequest, [bytes.buffer, ends.buffer]);
    });
  }

  async #hung(worker: Worker, at: number): Promise<number> {
    this.#worker = undefined;
    await worker.terminate();
    return at;
  }

  #running(): Promise<Worker> {
    this.#worker ??= this.#spawn().catch((error: unknown) => {
      this.#worker = undefined;
      throw error;
    });
    return this.#worker;
  }

  #spawn(): Promise<Worker> {
    const enrichUrl = this.#enrich === null ? null : `${pathToFileURL(this.#enrich).href}?t=${Date.now()}`;
    const worker = new Worker(this.#workerFile, {
      workerData: { spec: this.#spec, enrichUrl, progress: this.#progress },
    });
    return new Promise((resolve, reject) => {
      const fail = (cause: string) => {
        void worker.terminate();
        reject(
          new Fault("enrich.failed", `The enrich module ${this.#enrich ?? ""} cannot be loaded: ${cause}`, {
            next: "Correct it and deploy again.",
          }),
        );
      };
      const slow = setTimeout(() => fail("it does not finish loading"), 15_000);
      worker.once("error", (error) => {
        clearTimeout(slow);
        fail(error.message);
      });
      worker.once("message", (m: { ready: boolean; failure?: string }) => {
        clearTimeout(slow);
        worker.removeAllListeners("error");
        if (m.ready) resolve(worker);
        else fail(m.failure ?? "for an unknown reason");
      });
    });
  }
}
