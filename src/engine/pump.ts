/**
 * The pump drives one pipeline's steps: it reads the stream in order, takes each batch through collect, deliver and
 * analyze, lets closed windows be compared, and writes all of it, with the place in the stream, in one transaction. So a
 * batch happens once or not at all, whenever the engine is ended. Only here the wall clock enters: through the idle clock.
 *
 * What comes out depends on the stream's order alone, not on where batches end: a training's history is frozen at the very
 * record that moved the watermark to its origin, and windows from there on wait for its forecast.
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { CallOptions, Counts, TrainingJob } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { ForecastTable, versionName } from "../core/forecast.ts";
import type { Exclusion } from "../core/labels.ts";
import { windowStart } from "../core/series.ts";
import type { PipelineSpec } from "../core/spec.ts";
import { type Checkpoint, type Clock, loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import type { Collected, Collector } from "./collector.ts";
import { type Compared, Comparer } from "./comparer.ts";
import { Fold } from "./fold.ts";
import type { IncidentBook } from "./incident-book.ts";
import type { Lake } from "./lake.ts";
import type { LogRecord, StreamLog } from "./log/log.ts";
import { trainingDue, withSchedule } from "./schedule.ts";
import { type Store, storeFault } from "./store.ts";
import type { Training, TrainingRecord } from "./training.ts";
import { TrainingQueue } from "./training-queue.ts";

/** What a batch may hold. */
const BATCH = { maxRecords: 16_384, maxBytes: 4 * 1024 * 1024 };
/**
 * While records stream in, batches begin this far apart, ms: a transaction costs the same for one record as for thousands.
 * Of a stream that brings this many in such a time, more are let gather: nobody watches single records of it.
 */
const GATHER = 100;
const FAST = { records: 1_000, gather: 400 };
/** How often the idle clock is looked at, ms. */
const LOOK_EVERY = 500;
/** How often old data is removed, ms. */
const RETAIN_EVERY = 60_000;
/** Pauses after a failure, ms. */
const PAUSES = [250, 1_000, 5_000, 15_000, 30_000];

export interface PumpParts {
  readonly spec: PipelineSpec;
  readonly liveFrom: number | null;
  readonly store: Store;
  readonly log: StreamLog;
  readonly lake: Lake;
  readonly collector: Collector;
  readonly training: Training;
  readonly book: IncidentBook;
  /** The spans that training leaves out, as known when windows up to `origin` are compared. */
  readonly exclusions: (origin: number) => Promise<readonly Exclusion[]>;
  readonly on: PumpListener;
}

/** What the pump tells. Called after the transaction that made it true. */
export interface PumpListener {
  moved(until: number | null): void;
  told(compared: Compared): void;
  trained(job: TrainingJob): void;
  failed(fault: Fault): void;
  recovered(): void;
  warn(message: string): void;
}

export class Pump {
  readonly #parts: PumpParts;
  readonly forecasts = new ForecastTable();
  readonly comparer: Comparer;
  readonly #abort = new AbortController();
  readonly #startedAt = Date.now();
  #state!: Checkpoint;
  #fold!: Fold;
  readonly #queue: TrainingQueue;
  /** Zero: old data goes right after the start, or an engine that never runs for long would keep it for good. */
  #retainedAt = 0;
  #wake = new AbortController();
  #alarmClock: NodeJS.Timeout | undefined;
  #loop: Promise<void> = Promise.resolve();
  /** A replay under way: the speed of its clock, or "max". */
  #replay: number | "max" | undefined;
  #reached: number | undefined;
  /** The batch after the one being written, on its way through the worker. */
  #ahead: Promise<{ records: readonly LogRecord[]; collected: Collected }> | undefined;
  /** Work that must not run beside a batch: what people ask for. */
  #asked: (() => Promise<void>)[] = [];

  constructor(parts: PumpParts) {
    this.#parts = parts;
    this.comparer = new Comparer(parts.spec, this.forecasts, parts.book, (key) => this.#sinceOf(key));
    const { spec, store, training, exclusions, on } = parts;
    this.#queue = new TrainingQueue({
      pipeline: spec.name,
      store,
      training,
      exclusions,
      ask: (work) => this.ask(work),
      adopt: (version) => {
        this.forecasts.add(version);
        this.forecasts.trim((this.#state.compared ?? version.origin) - spec.series.every);
      },
      ended: () => this.#wake.abort(),
      trained: (job) => on.trained(job),
      warn: (message) => on.warn(message),
    });
  }

  /** Continues from the checkpoint and starts pumping. */
  async start(): Promise<void> {
    await this.#restore();
    // The replay that drove the clock went with the engine before this one: nobody's silence is an outage until records come.
    if (this.#state.clock.mode !== "wall") await this.#setClock({ mode: "held", since: Date.now() });
    for (const version of await this.#parts.training.versions(this.#state.compared ?? 0)) this.forecasts.add(version);
    await this.#queue.load();
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#queue.stop();
    this.#wake.abort();
    await this.#loop;
    clearTimeout(this.#alarmClock);
    await this.#queue.stopped();
  }

  get watermark(): number | null {
    return this.#fold.analyzer.watermark;
  }

  get newestEvent(): number | null {
    return this.#fold.analyzer.newest;
  }

  get counts(): Counts {
    return this.#state.counts;
  }

  get checkpoint(): Checkpoint {
    return this.#state;
  }

  /** Records of the stream that are not pumped yet. */
  get behind(): number {
    return Math.max(0, this.#parts.log.nextSequence - this.#state.sequence);
  }

  /** Whether nothing is left to do: the stream is pumped dry, no window waits, no training runs. */
  get settled(): boolean {
    return this.behind === 0 && this.#state.pending.length === 0 && this.trainings.length === 0;
  }

  /** The trainings that wait or run. */
  get trainings(): readonly TrainingRecord[] {
    return this.#queue.records;
  }

  /** Whether the stream has more groups than are watched. */
  get crowded(): boolean {
    return this.#fold.analyzer.crowded;
  }

  groups(): { key: string; since: number }[] {
    return this.#fold.analyzer.groups();
  }

  /**
   * Says that a replay has sent everything before `time`. Its word is the idle clock meanwhile: at a thousand times real time,
   * the wall clock would take every hiccup of the machine for hours of silence.
   */
  replayReached(time: number): void {
    this.#reached = time;
  }

  /** Says that a replay feeds the stream now, or (undefined) no more; its speed drives the idle clock. */
  async setReplay(speed: number | "max" | undefined): Promise<void> {
    this.#replay = speed;
    this.#reached = undefined;
    const clock: Clock = typeof speed === "number" ? { mode: "replay", speed } : { mode: "held", since: Date.now() };
    await this.ask(() => this.#setClock(clock));
  }

  async #setClock(clock: Clock): Promise<void> {
    const next = { ...this.#state, clock };
    await this.#parts.store.transaction((writer) => saveCheckpoint(writer, this.#parts.spec.name, next));
    this.#state = next;
  }

  /** Trains by hand, on what is closed now. Resolves with the job when it has ended. */
  train(options: Required<CallOptions>): Promise<TrainingJob> {
    return this.#queue.byHand(() => {
      const { watermark } = this.#fold.analyzer;
      if (watermark !== null) return windowStart(watermark, this.#parts.spec.series.every);
      throw new Fault("forecast.failed", "There is nothing to learn from yet.", {
        next: "Send records first, then train.",
      });
    }, options);
  }

  /** Cancels a training; the forecast before it stays in use. */
  cancel(job: string): boolean {
    return this.#queue.cancel(job);
  }

  /** Runs `work` between two batches. */
  ask<T>(work: () => Promise<T>): Promise<T> {
    if (this.#abort.signal.aborted) return Promise.reject(new Fault("cancelled", "The engine is stopping."));
    return new Promise((resolve, reject) => {
      this.#asked.push(() => work().then(resolve, reject));
      this.#wake.abort();
    });
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#abort.signal.aborted) {
      try {
        for (const work of this.#asked.splice(0)) await work();
        const begun = Date.now();
        const records = await this.#once();
        if (failures > 0) this.#parts.on.recovered();
        failures = 0;
        if (records === 0) await this.#waitForWork();
        else if (records < BATCH.maxRecords)
          await this.#gather(begun + (records < FAST.records ? GATHER : FAST.gather) - Date.now());
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        this.#ahead = undefined;
        this.#parts.lake.abandon();
        this.#parts.on.failed(storeFault(error));
        await this.#sleep(PAUSES[Math.min(failures++, PAUSES.length - 1)]!);
        await this.#restore().catch((again: unknown) => this.#parts.on.warn(storeFault(again).message));
      }
    }
    for (const work of this.#asked.splice(0)) await work();
  }

  /** Does what there is to do; answers how many records it took from the stream. */
  async #once(): Promise<number> {
    this.#queue.startNext(this.#state.pending[0]?.start);
    const { log, lake } = this.#parts;
    // Taken before reading: what the replay had sent by then is in the stream by now.
    const reached = this.#reached;
    const batch = await (this.#ahead ?? this.#collect(this.#state.sequence));
    this.#ahead = undefined;
    if (batch.records.length > 0) {
      const next = batch.records.at(-1)!.sequence + 1;
      // The worker parses the next batch while this one is folded and written, if there is a whole one.
      if (log.nextSequence - next >= BATCH.maxRecords) {
        this.#ahead = this.#collect(next);
        this.#ahead.catch(() => {});
      }
      await this.#batch(batch.records, batch.collected);
    } else await this.#tick(reached);
    const now = Date.now();
    if (lake.due(now)) await lake.flush(this.#state.sequence, now);
    if (now - this.#retainedAt >= RETAIN_EVERY) await this.#retain(now);
    return batch.records.length;
  }

  /** The next records from `sequence` on, parsed. */
  async #collect(sequence: number): Promise<{ records: readonly LogRecord[]; collected: Collected }> {
    const records = await this.#parts.log.read(sequence, BATCH);
    return { records, collected: await this.#parts.collector.collect(records) };
  }

  async #batch(records: readonly LogRecord[], collected: Collected): Promise<void> {
    const batch = { records, collected, at: { record: 0, event: 0, rejection: 0 } };
    while (batch.at.record < records.length)
      await this.#commit((writer, state) => this.#fold.records(writer, state, batch, this.#replay !== undefined));
  }

  /** Lets the idle clock close windows, and compares what waited for a forecast. */
  async #tick(reached: number | undefined): Promise<void> {
    const { clock } = this.#state;
    const { analyzer, heldSince: since } = this.#fold;
    if (clock.mode === "wall") analyzer.tick(Date.now(), this.#startedAt);
    else if (clock.mode === "replay" && reached !== undefined) analyzer.advanceTo(reached);
    const waiting = this.#state.pending.some((w) => w.start < this.#queue.blockedFrom);
    const heldForLong =
      since !== undefined && Date.now() - Math.max(since, this.#startedAt) >= this.#parts.spec.source.idle;
    if (!analyzer.closable && !waiting && !heldForLong) return;
    await this.#commit(async (writer, state) => {
      const closed = { ...state, pending: this.#fold.closed(state.pending) };
      return heldForLong ? this.#fold.giveUpHeld(writer, closed) : closed;
    });
  }

  /** One transaction: what `fold` does, a training planned if one is due, windows compared, the checkpoint. */
  async #commit(fold: (writer: DuckDBConnection, state: Checkpoint) => Promise<Checkpoint>): Promise<void> {
    const { store, spec, training, on } = this.#parts;
    let planned: TrainingRecord | undefined;
    let told: Compared = { alarms: [], incidents: [] };
    const before = this.#state;
    const state = await store.transaction(async (writer) => {
      let next = withSchedule(await fold(writer, before), spec);
      const origin = trainingDue(next, spec, this.#fold.analyzer.watermark);
      if (origin !== undefined) {
        planned = await training.plan(writer, origin, versionName(origin), "schedule", Date.now());
        next = { ...next, nextTraining: origin + spec.forecast.retrain };
      }
      const drained = await this.comparer.drain(
        writer,
        next,
        Math.min(this.#queue.blockedFrom, planned?.job.origin ?? Number.POSITIVE_INFINITY),
      );
      told = drained.told;
      const closed = next.pending.length - before.pending.length;
      const perWindow = spec.series.measures.length;
      const groups = next.pending.slice(next.pending.length - closed).reduce((n, w) => n + w.groups.length, 0);
      const counts = {
        ...next.counts,
        windows: next.counts.windows + groups * perWindow,
        compared: next.counts.compared + drained.windows,
      };
      next = { ...next, ...drained.state, counts, ...this.#fold.state() };
      await saveCheckpoint(writer, spec.name, next);
      return next;
    });
    this.#state = state;
    if (planned) this.#queue.add(planned);
    this.#queue.startNext(this.#state.pending[0]?.start);
    on.moved(state.compared);
    on.told(told);
  }

  #sinceOf(key: string): number {
    return this.#fold.analyzer.groups().find((g) => g.key === key)?.since ?? Number.NEGATIVE_INFINITY;
  }

  async #retain(now: number): Promise<void> {
    this.#retainedAt = now;
    const { log, lake, spec } = this.#parts;
    await log.retain({ maxAgeMs: spec.retention.stream, keepFrom: this.#state.sequence });
    // Events age by the stream's clock, rejected records, like the stream's own, by the wall's.
    const { lake: kept } = spec.retention;
    await lake.expire({ raw: (this.#fold.analyzer.newest ?? 0) - kept, rejected: now - kept });
  }

  async #restore(): Promise<void> {
    const { store, spec, liveFrom, lake, book } = this.#parts;
    this.#state = await loadCheckpoint(store, spec.name, liveFrom);
    this.#fold = new Fold(spec, lake, this.#state);
    await book.load();
  }

  /** Lets records gather for a moment. */
  async #gather(ms: number): Promise<void> {
    if (ms > 0) await this.#sleep(ms);
  }

  /** Waits, but no longer than until somebody asks for something or the pump stops. */
  async #sleep(ms: number): Promise<void> {
    if (this.#asked.length > 0 || this.#abort.signal.aborted) return;
    const wake = this.#awaken(ms);
    if (!wake.aborted) await new Promise<void>((resolve) => wake.addEventListener("abort", () => resolve()));
  }

  /** A signal that fires after `ms`, or when `ask` or `stop` wakes the pump. One timer at a time. */
  #awaken(ms: number): AbortSignal {
    clearTimeout(this.#alarmClock);
    const wake = new AbortController();
    this.#wake = wake;
    this.#alarmClock = setTimeout(() => wake.abort(), ms);
    return wake.signal;
  }

  async #waitForWork(): Promise<void> {
    if (this.#asked.length > 0 || this.#abort.signal.aborted) return;
    const until = this.#awaken(LOOK_EVERY);
    await this.#parts.log.waitForMore(this.#state.sequence, until).catch((error: unknown) => {
      if (!until.aborted) throw error;
    });
  }
}
