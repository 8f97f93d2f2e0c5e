/**
 * Steps 1 and 2 for the pump: batches of records go to a worker and come back as events and rejections. The watchdog ends
 * a worker whose enrich function does not come back. Whether it hung or ended its worker by itself: the record it was at is
 * rejected, the rest of the batch goes on in a new worker.
 */
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { Rejection } from "../core/collect.ts";
import { Fault } from "../core/fault.ts";
import type { PipelineSpec } from "../core/spec.ts";
import { ColumnsBuilder, type EventColumns } from "./columns.ts";

/** A batch for the worker: the records' bytes one after another, and where each ends. */
export interface CollectRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** What the batch became; `record` is the index in the batch. */
export interface CollectReply {
  readonly id: number;
  readonly events: EventColumns;
  readonly rejections: (Rejection & { record: number })[];
  readonly dropped: number;
}

export type Collected = Omit<CollectReply, "id">;

/** A batch that took several goes. */
interface Parts {
  readonly events: { readonly first: number; readonly columns: EventColumns }[];
  readonly rejections: (Rejection & { record: number })[];
  dropped: number;
}

/** A worker that did not come through its batch: the record it was at, and why that one is rejected. */
interface Stuck {
  readonly at: number;
  readonly reason: "enrich-timeout" | "enrich-failed";
  readonly detail: string;
}

/** How long the enrich function may take for one record, ms: so many looks of the watchdog without any progress. */
const PATIENCE = 2_000;
const WATCH_EVERY = 200;

/** What the progress cell says besides the index of a record: the batch is not begun, or done. */
const NOT_BEGUN = -2;
const DONE = -1;

export class Collector {
  readonly #spec: PipelineSpec;
  readonly #enrich: string | null;
  readonly #workerFile: URL;
  #worker: Promise<Worker> | undefined;
  readonly #progress = new SharedArrayBuffer(4);
  #calls = 0;
  #closed = false;

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
    const parts: Parts = { events: [], rejections: [], dropped: 0 };
    await this.#collectFrom(records, 0, parts);
    return { ...parts, events: this.#joined(parts.events) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = await this.#worker?.catch(() => undefined);
    this.#worker = undefined;
    await worker?.terminate();
  }

  #joined(parts: Parts["events"]): EventColumns {
    if (parts.length === 1 && parts[0]!.first === 0) return parts[0]!.columns;
    const builder = new ColumnsBuilder(this.#spec, 0);
    for (const { first, columns } of parts) builder.addAll(columns, first);
    return builder.done();
  }

  async #collectFrom(records: readonly { readonly data: Uint8Array }[], from: number, into: Parts): Promise<void> {
    const part = records.slice(from);
    if (part.length === 0) return;
    const outcome = await this.#ask(part);
    if (!("at" in outcome)) {
      into.events.push({ first: from, columns: outcome.events });
      for (const r of outcome.rejections) into.rejections.push({ ...r, record: r.record + from });
      into.dropped += outcome.dropped;
      return;
    }
    // What came before the record it was at is done again, that one is rejected, the rest goes on.
    const { at, reason, detail } = outcome;
    const stuck = from + at;
    await this.#collectFrom(records.slice(0, stuck), from, into);
    into.rejections.push({ record: stuck, reason, detail, data: records[stuck]!.data.slice() });
    await this.#collectFrom(records, stuck + 1, into);
  }

  /** The worker's reply, or where it got stuck. */
  async #ask(records: readonly { readonly data: Uint8Array }[]): Promise<CollectReply | Stuck> {
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
    Atomics.store(working, 0, NOT_BEGUN);
    return new Promise((resolve, reject) => {
      let seen = NOT_BEGUN;
      // Looks are counted, not time: after the machine slept, the clock has jumped but the worker had no chance.
      let looks = 0;
      const watch = setInterval(() => {
        const at = Atomics.load(working, 0);
        if (at !== seen) [seen, looks] = [at, 0];
        // Once all records are done the reply is on its way, however long that takes.
        else if (at !== DONE && ++looks * WATCH_EVERY > PATIENCE * (at === NOT_BEGUN ? 10 : 1))
          settle(() => this.#hung(worker, at).then(resolve, reject));
      }, WATCH_EVERY);
      const onMessage = (reply: CollectReply) => {
        if (reply.id === id) settle(() => resolve(reply));
      };
      // The worker is gone. At a record it is that record's fault; outside of them (a timer that enrich set) it is nobody's.
      const ended = (detail: string, fault: () => Fault) => {
        this.#worker = undefined;
        const at = Atomics.load(working, 0);
        settle(() => (at >= 0 && !this.#closed ? resolve({ at, reason: "enrich-failed", detail }) : reject(fault())));
      };
      const onExit = () =>
        ended(
          "enrich ended its worker",
          () =>
            new Fault("enrich.failed", "The enrich module ended its worker.", { next: "Remove process.exit from it." }),
        );
      const onError = (error: Error) =>
        ended(
          `enrich failed outside its function: ${error.message}`,
          () =>
            new Fault("enrich.failed", `The enrich module failed outside its function: ${error.message}`, {
              cause: error,
            }),
        );
      const settle = (end: () => void) => {
        clearInterval(watch);
        worker.off("message", onMessage).off("exit", onExit).off("error", onError);
        end();
      };
      worker.on("message", onMessage).on("exit", onExit).on("error", onError);
      worker.postMessage({ id, bytes, ends } satisfies CollectRequest, [bytes.buffer, ends.buffer]);
    });
  }

  async #hung(worker: Worker, at: number): Promise<Stuck> {
    this.#worker = undefined;
    await worker.terminate();
    if (at === NOT_BEGUN)
      throw new Fault("enrich.failed", "The enrich module keeps its worker busy outside its function.", {
        next: "Remove timers and other work of its own from it, and deploy again.",
      });
    return { at, reason: "enrich-timeout", detail: `enrich did not return within ${PATIENCE} ms` };
  }

  #running(): Promise<Worker> {
    if (this.#closed) return Promise.reject(new Fault("cancelled", "The pipeline is stopping."));
    if (!this.#worker) {
      const spawned = this.#spawn();
      const forget = () => {
        if (this.#worker === spawned) this.#worker = undefined;
      };
      // A worker that ends between two batches (a timer that enrich set, say) is replaced at the next one.
      spawned.then((worker) => worker.on("error", forget).on("exit", forget), forget);
      this.#worker = spawned;
    }
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
      worker.once("exit", () => {
        clearTimeout(slow);
        fail("it ends its worker");
      });
      worker.once("message", (m: { ready: boolean; failure?: string }) => {
        clearTimeout(slow);
        worker.removeAllListeners("error").removeAllListeners("exit");
        if (m.ready) resolve(worker);
        else fail(m.failure ?? "for an unknown reason");
      });
    });
  }
}
