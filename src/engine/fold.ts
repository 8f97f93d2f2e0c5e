/**
 * Steps 2 and 5 for the pump: a batch's records are taken in the stream's order, their events into the lake and into
 * windows. What it keeps from batch to batch, open windows and held events, goes into the checkpoint.
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import { Admission, type Taker } from "../core/admit.ts";
import { Analyzer } from "../core/analyze.ts";
import type { Value } from "../core/collect.ts";
import { groupKey, windowStart } from "../core/series.ts";
import type { PipelineSpec } from "../core/spec.ts";
import { formatDuration, formatInstant } from "../core/time.ts";
import {
  type Checkpoint,
  type Clock,
  decodeAdmission,
  encodeAdmission,
  type PendingWindow,
  type RecordPlace,
} from "./checkpoint.ts";
import type { Collected } from "./collector.ts";
import { eventAt } from "./columns.ts";
import { toPending } from "./comparer.ts";
import { type Lake, timestamp } from "./lake.ts";
import type { LogRecord } from "./log/log.ts";
import { trainingDue } from "./schedule.ts";
import { tableName } from "./store.ts";

/** Records, what the worker made of them, and how far they are folded. */
export interface Batch {
  readonly records: readonly LogRecord[];
  readonly collected: Collected;
  readonly at: { record: number; event: number; rejection: number };
}

/** Events that came after their windows had closed, of one group and window. */
interface LateEvents {
  readonly key: string;
  readonly start: number;
  events: number;
}

export class Fold {
  readonly #spec: PipelineSpec;
  readonly #lake: Lake;
  readonly analyzer: Analyzer;
  readonly #admission: Admission<RecordPlace>;

  /** Continues from `checkpoint`. */
  constructor(spec: PipelineSpec, lake: Lake, checkpoint: Checkpoint) {
    this.#spec = spec;
    this.#lake = lake;
    this.analyzer = new Analyzer(spec, checkpoint.analyzer ?? undefined);
    this.#admission = new Admission(this.analyzer, decodeAdmission(checkpoint.admission));
  }

  /** What the checkpoint keeps of it. */
  state(): Pick<Checkpoint, "analyzer" | "admission"> {
    return { analyzer: this.analyzer.state(), admission: encodeAdmission(this.#admission.state()) };
  }

  /** When the newest event came that is held for others to speak for it, epoch ms; undefined when none is. */
  get heldSince(): number | undefined {
    return this.#admission.heldSince;
  }

  /** `pending` and the windows that have closed since. */
  closed(pending: readonly PendingWindow[]): PendingWindow[] {
    return [...pending, ...Array.from(this.analyzer.close(), toPending)];
  }

  /** Folds records until the batch ends or a training's origin is reached; returns the state after them. */
  async records(
    writer: DuckDBConnection,
    state: Checkpoint,
    { records, collected, at }: Batch,
    replaying: boolean,
  ): Promise<Checkpoint> {
    const { events } = collected;
    const first = at.record;
    const counts = { ...state.counts };
    const late = new Map<string, LateEvents>();
    let { pending, clock } = state;
    const take: Taker<RecordPlace> = (event, place, verdict) => {
      if (verdict === "ahead" || verdict === "behind") {
        this.#reject(event.time, place, verdict);
        counts.rejected++;
        return;
      }
      this.#lake.addEvent(event.values, place.sequence, place.arrival, verdict === "late");
      counts.events++;
      if (verdict === "late") {
        counts.late++;
        this.#countLate(late, event.values, event.time);
      }
    };
    for (; at.record < records.length; at.record++) {
      const record = records[at.record]!;
      const { sequence, arrival } = record;
      if (clock.mode === "held" && !replaying && arrival > clock.since) clock = { mode: "wall" };
      for (; collected.rejections[at.rejection]?.record === at.record; at.rejection++) {
        const rejection = collected.rejections[at.rejection]!;
        this.#lake.addRejected(rejection, sequence, arrival);
        counts.rejected += rejection.count ?? 1;
      }
      for (; at.event < events.count && events.record[at.event] === at.record; at.event++)
        this.#admission.admit(eventAt(events, at.event), record, speedOf(clock), take);
      if (this.analyzer.closable) {
        pending = this.closed(pending);
        if (trainingDue({ ...state, pending }, this.#spec, this.analyzer.watermark) !== undefined) {
          at.record++;
          break;
        }
      }
    }
    await this.#lake.write(writer);
    // Dropped events are told for the whole batch: they count where it ends.
    if (at.record === records.length) counts.dropped += collected.dropped;
    counts.records += at.record - first;
    for (const { key, start, events } of late.values()) {
      await writer.run(`INSERT INTO ${tableName(this.#spec.name, "late_window")} VALUES ($1, $2, $3)`, [
        key,
        timestamp(start),
        BigInt(events),
      ]);
    }
    return { ...state, sequence: records[at.record - 1]!.sequence + 1, counts, pending, clock };
  }

  /** Rejects the events that are held: no others came that would speak for them. */
  async giveUpHeld(writer: DuckDBConnection, state: Checkpoint): Promise<Checkpoint> {
    let { rejected } = state.counts;
    this.#admission.giveUp((event, place) => {
      this.#reject(event.time, place, "ahead");
      rejected++;
    });
    await this.#lake.write(writer);
    return { ...state, counts: { ...state.counts, rejected } };
  }

  #reject(time: number, { sequence, arrival, data }: RecordPlace, side: "ahead" | "behind"): void {
    const limit = formatDuration(this.#spec.source[side]);
    const clock = this.analyzer.newest === null ? "" : `, ${formatInstant(this.analyzer.newest)}`;
    const detail = `${formatInstant(time)} is more than ${limit} ${side} of the stream's clock${clock}`;
    this.#lake.addRejected({ reason: `time-${side}`, detail, data }, sequence, arrival);
  }

  #countLate(late: Map<string, LateEvents>, values: readonly Value[], time: number): void {
    const key = this.analyzer.keyOf(values);
    if (key === undefined) return;
    const start = windowStart(time, this.#spec.series.every);
    const id = groupKey([key, String(start)]);
    const entry = late.get(id);
    if (entry) entry.events++;
    else late.set(id, { key, start, events: 1 });
  }
}

function speedOf(clock: Clock): number {
  return clock.mode === "replay" ? clock.speed : 1;
}
