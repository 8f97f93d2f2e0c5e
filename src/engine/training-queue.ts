/**
 * The trainings of one pipeline that are not through: they run one at a time, oldest origin first, beside the pump, and are
 * entered between two of its batches. What an engine leaves unfinished, the next one finishes.
 */
import type { CallOptions, TrainingJob } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { type ForecastVersion, versionName } from "../core/forecast.ts";
import type { Exclusion } from "../core/labels.ts";
import type { Store } from "./store.ts";
import type { Training, TrainingRecord } from "./training.ts";

/** Pause before a training that a full store broke off begins again, ms. */
const TRAIN_AGAIN = 5_000;
/** How often a training by hand tells how far it is, ms. */
const TELL_EVERY = 50;

export interface QueueParts {
  readonly pipeline: string;
  readonly store: Store;
  readonly training: Training;
  /** The spans that training leaves out, as known when windows up to `origin` are compared. */
  readonly exclusions: (origin: number) => Promise<readonly Exclusion[]>;
  /** Runs work between two batches of the pump. */
  readonly ask: <T>(work: () => Promise<T>) => Promise<T>;
  /** Takes a new forecast into use. Called between two batches. */
  readonly adopt: (version: ForecastVersion) => void;
  /** A training has ended: another may begin, and windows that waited for it can be compared. */
  readonly ended: () => void;
  readonly trained: (job: TrainingJob) => void;
  readonly warn: (message: string) => void;
}

export class TrainingQueue {
  readonly #parts: QueueParts;
  /** Oldest origin first. */
  #waiting: TrainingRecord[] = [];
  #running:
    | { readonly record: TrainingRecord; readonly abort: AbortController; readonly done: Promise<void> }
    | undefined;
  /** After a training that could not be entered as ended, trainings pause until then. */
  #pausedUntil = 0;
  #stopping = false;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** Takes up what the engine before this one left unfinished. */
  async load(): Promise<void> {
    this.#waiting = await this.#parts.training.unfinished();
  }

  /** The trainings that wait or run. */
  get records(): readonly TrainingRecord[] {
    return this.#waiting;
  }

  /** Windows from here on wait for a forecast that is being made. */
  get blockedFrom(): number {
    const scheduled = this.#waiting.filter((r) => r.job.requestedBy === "schedule").map((r) => r.job.origin);
    return Math.min(Number.POSITIVE_INFINITY, ...scheduled);
  }

  /** Adds a training that has been planned. */
  add(record: TrainingRecord): void {
    this.#waiting.push(record);
  }

  /**
   * Starts the oldest training, once all windows before its origin are compared: incidents in them are then known.
   * @param pending start of the oldest window that is not compared; undefined when there is none.
   */
  startNext(pending: number | undefined): void {
    if (this.#running || this.#stopping || Date.now() < this.#pausedUntil) return;
    const record = this.#waiting[0];
    if (!record || (pending !== undefined && pending < record.job.origin)) return;
    const abort = new AbortController();
    this.#running = { record, abort, done: this.#run(record, abort) };
  }

  /** Trains at `origin`, asked for between two batches, because a person wants it. Resolves with the job when it has ended. */
  async byHand(originOf: () => number, options: Required<CallOptions>): Promise<TrainingJob> {
    const { training, store, pipeline, ask } = this.#parts;
    const { id } = await ask(async () => {
      const origin = originOf();
      const runs = (await training.list(1_000)).filter((r) => r.job.origin === origin).length;
      const record = await store.transaction((writer) =>
        training.plan(writer, origin, versionName(origin, runs), "person", Date.now()),
      );
      this.#waiting.push(record);
      return record.job;
    });
    const cancel = () => this.cancel(id);
    options.signal.addEventListener("abort", cancel);
    try {
      for (;;) {
        const now = this.#waiting.find((r) => r.job.id === id);
        if (!now) break;
        options.onProgress({ message: `Training ${pipeline}`, done: now.job.seriesDone, total: now.job.seriesTotal });
        await new Promise((resolve) => setTimeout(resolve, TELL_EVERY));
      }
    } finally {
      options.signal.removeEventListener("abort", cancel);
    }
    return (await training.list(1_000)).find((r) => r.job.id === id)!.job;
  }

  /** Cancels a training; the forecast before it stays in use. Answers whether there was one. */
  cancel(job: string): boolean {
    if (this.#running?.record.job.id === job) {
      this.#running.abort.abort();
      return true;
    }
    const waiting = this.#waiting.find((r) => r.job.id === job);
    if (!waiting) return false;
    const { ask, warn } = this.#parts;
    ask(() => this.#end(waiting, { state: "cancelled" })).catch((error: unknown) =>
      warn(`The training could not be cancelled: ${Fault.from(error).message}`),
    );
    return true;
  }

  /** Breaks off what runs; it begins again with the next engine. */
  stop(): void {
    this.#stopping = true;
    this.#running?.abort.abort();
  }

  /** Resolves when nothing runs any more. */
  async stopped(): Promise<void> {
    await this.#running?.done;
  }

  async #run(record: TrainingRecord, abort: AbortController): Promise<void> {
    const { training, store, exclusions, ask, adopt, trained, warn } = this.#parts;
    try {
      this.#update(record, { state: "training", seriesDone: 0 });
      const outcome = await training.run(record, await exclusions(record.job.origin), {
        signal: abort.signal,
        onProgress: ({ done = 0, total = 0 }) => {
          this.#update(record, { seriesDone: done, seriesTotal: total });
          if (done % 25 === 0) trained(this.#current(record).job);
        },
      });
      for (const failure of outcome.failures) warn(`No forecast for ${failure}`);
      await ask(async () => {
        await store.transaction((writer) => training.keep(writer, outcome.version));
        adopt(outcome.version);
        await this.#end(record, { state: "succeeded", accuracy: outcome.accuracy });
        await training.tidy(record.job.origin);
      });
    } catch (error) {
      if (this.#stopping) return;
      const fault = Fault.from(error);
      const state = fault.code === "cancelled" ? "cancelled" : "failed";
      if (state === "failed") warn(`Training failed: ${fault.message}`);
      // A full disk is no reason to go without a forecast: the training begins again when there is space.
      if (fault.code === "engine.disk-full") this.#pausedUntil = Date.now() + TRAIN_AGAIN;
      else await this.#endFailed(record, state, fault);
    } finally {
      this.#running = undefined;
      this.#parts.ended();
    }
  }

  /** Enters a training as ended without a forecast; what cannot be entered now is tried again, with the training. */
  async #endFailed(record: TrainingRecord, state: "cancelled" | "failed", fault: Fault): Promise<void> {
    const { ask, warn } = this.#parts;
    try {
      await ask(() => this.#end(record, { state, ...(state === "failed" && { fault: fault.toData() }) }));
    } catch (error) {
      this.#pausedUntil = Date.now() + TRAIN_AGAIN;
      warn(`The training's end could not be entered: ${Fault.from(error).message}`);
    }
  }

  async #end(record: TrainingRecord, change: Partial<TrainingJob>): Promise<void> {
    const { store, training, trained } = this.#parts;
    const ended = this.#update(record, { ...change, endedAt: Date.now() });
    await store.transaction((writer) => training.save(writer, ended));
    this.#waiting = this.#waiting.filter((r) => r.job.id !== record.job.id);
    trained(ended.job);
  }

  #current(record: TrainingRecord): TrainingRecord {
    return this.#waiting.find((r) => r.job.id === record.job.id) ?? record;
  }

  #update(record: TrainingRecord, change: Partial<TrainingJob>): TrainingRecord {
    const current = this.#current(record);
    const next = { ...current, job: { ...current.job, ...change } };
    this.#waiting = this.#waiting.map((r) => (r === current ? next : r));
    return next;
  }
}
