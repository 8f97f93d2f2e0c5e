/** What the relay makes of a batch of records: events for the analysis, packed, and put in their order. */
import { Analyzer } from "../../src/core/analyze.ts";
import { countRejected, type Event } from "../../src/core/collect.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { type CheckAll, PATIENCE, sharing, stopping } from "./deadline.ts";
import { unpack } from "./kpl.ts";
import { type EventLine, wellFormed } from "./names.ts";
import type { Sink, StreamRecord } from "./ports.ts";
import { lineShape } from "./shapes.ts";

export interface IncomingRecord {
  readonly sequence: string;
  /** Such as `shardId-000000000000`. */
  readonly shard: string;
  readonly data: Uint8Array;
  /** Epoch ms. */
  readonly arrival: number;
}

/** A record for the events stream, and the first incoming record that went into it. */
export interface PackedRecord extends StreamRecord {
  readonly firstSequence: string;
}

/** What came of one record or of several. */
export interface Tally {
  readonly counts: { readonly events: number; readonly rejected: number; readonly dropped: number };
  /** Newest event time, epoch ms; undefined when there was no event. */
  readonly newest: number | undefined;
  /** Newest arrival of an event that was on time, epoch ms: the clock of the stream stands by it. Undefined when there was none. */
  readonly onTime: number | undefined;
}

export interface Relayed extends Tally {
  readonly records: readonly PackedRecord[];
  /** The sequence number of the first record that there was no time for; undefined when all were dealt with. */
  readonly left: string | undefined;
  /** The tally of each incoming record that was dealt with, in their order. */
  readonly each: readonly (Tally & { readonly sequence: string })[];
}

/** Kinesis bills by 25 KB: four of them waste little, and a shard that is fed one record after another takes all it can. */
const PACK_BYTES = 4 * 25_000 - 300;
/** A record of a stream holds a megabyte (Kinesis API reference, PutRecord); some is left so that a shard need not be quite idle. */
const RECORD_BYTES = 1_000_000;

/**
 * A function from a batch to what goes on of it. `millis` is how long its records may take: the first is dealt with whatever it holds,
 * so that each call gets on; those that there is no time for come again, and all that came of them with them.
 */
export function relay(
  spec: PipelineSpec,
  checkAll: CheckAll,
): (incoming: readonly IncomingRecord[], millis?: number) => Promise<Relayed> {
  const toLine = eventLine(spec);
  const clocks = new Clocks();
  return async (incoming, millis = Number.POSITIVE_INFINITY) => {
    const packer = new Packer(spec.source.shards);
    const each: (Tally & { readonly sequence: string })[] = [];
    const end = (left?: string): Relayed => ({ ...total(each), records: packer.finish(), left, each });
    clocks.begin();
    const rest = stopping(millis);
    const unpacked = incoming.map((record) => unpack(record.data).map((data) => ({ data, arrival: record.arrival })));
    const first = await checkAll(unpacked[0] ?? [], sharing(Math.max(millis / 2, PATIENCE)));
    const delivered = [...first, ...(await checkAll(unpacked.slice(1).flat(), rest))];
    let done = 0;
    for (const [i, { shard, sequence, arrival }] of incoming.entries()) {
      const parts = delivered.slice(done, done + unpacked[i]!.length);
      // A record of several is not torn: half of it would be counted twice.
      if (parts.length < unpacked[i]!.length) return end(sequence);
      const events = parts.flatMap((part) => part.events);
      const isOnTime = clocks.of(shard, sequence).pass(events, spec.source.lateness);
      each.push({
        sequence,
        counts: {
          events: events.length,
          rejected: parts.reduce((sum, part) => sum + countRejected(part.rejections), 0),
          dropped: parts.reduce((sum, part) => sum + part.dropped, 0),
        },
        newest: events.reduce<number | undefined>((newest, { time }) => later(newest, time), undefined),
        onTime: isOnTime ? arrival : undefined,
      });
      packer.add(events.map(toLine), shard, sequence);
      done += parts.length;
    }
    return end();
  };
}

/** What came of all. */
function total(tallies: readonly Tally[]): Tally {
  const counts = { events: 0, rejected: 0, dropped: 0 };
  let newest: number | undefined;
  let onTime: number | undefined;
  for (const tally of tallies) {
    counts.events += tally.counts.events;
    counts.rejected += tally.counts.rejected;
    counts.dropped += tally.counts.dropped;
    newest = later(newest, tally.newest);
    onTime = later(onTime, tally.onTime);
  }
  return { counts, newest, onTime };
}

function later(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

/** A function from an event to what the analysis needs of it. */
export function eventLine(spec: PipelineSpec): (event: Event) => EventLine {
  const names = Object.keys(spec.source.fields);
  // The engine's own word on which group an event belongs to; nothing is folded here.
  const groups = new Analyzer(spec);
  const shape = lineShape(spec);
  const fields = [...new Set(spec.series.measures.map((m) => m.field))]
    .filter((f) => f !== "*")
    .map((name) => ({ name, at: names.indexOf(name) }));
  return (event) => {
    const values: Record<string, number> = {};
    for (const { name, at } of fields) {
      const value = event.values[at];
      if (value !== null && value !== undefined) values[name] = typeof value === "number" ? value : 0;
    }
    const key = groups.keyOf(event.values);
    return { time: event.time, key: key === undefined ? null : wellFormed(key), shape, fields: values };
  };
}

/**
 * The newest event of each shard since this container began, which serves now one, now another. What is on time by it is so, or the
 * clock of the stream waits longer than it had to. Records that come again find it as it was before them.
 */
class Clocks {
  readonly #last = new Map<string, ShardClock>();
  readonly #now = new Map<string, ShardClock>();

  /** With each batch. */
  begin(): void {
    for (const [shard, clock] of this.#now) this.#last.set(shard, clock);
    this.#now.clear();
  }

  /** A shard's, before one of its records. */
  of(shard: string, sequence: string): ShardClock {
    const clock = this.#now.get(shard) ?? new ShardClock(this.#last.get(shard)?.before(sequence));
    this.#now.set(shard, clock);
    clock.mark(sequence);
    return clock;
  }
}

class ShardClock {
  #newest: number;
  /** What it was before each record of the batch. */
  readonly #marks = new Map<string, number>();

  constructor(newest = Number.NEGATIVE_INFINITY) {
    this.#newest = newest;
  }

  mark(sequence: string): void {
    this.#marks.set(sequence, this.#newest);
  }

  before(sequence: string): number {
    return this.#marks.get(sequence) ?? this.#newest;
  }

  /** Goes on with events; whether any of them was on time. */
  pass(events: readonly Event[], lateness: number): boolean {
    let onTime = false;
    for (const { time } of events) {
      this.#newest = Math.max(this.#newest, time);
      onTime ||= time >= this.#newest - lateness;
    }
    return onTime;
  }
}

/**
 * Events packed into records in the order of their shard, which is what the watermark lives on. A record is a JSON array, of which
 * Flink takes each element as an event of its own; of several lines it would take the first and lose the others. What was one
 * shard stays one shard. What came in one record goes on in one, as long as that holds it: where the stream stops taking, the batch
 * comes again from an incoming record on, and of one that had gone on in part, that part would be counted twice.
 */
class Packer {
  readonly #shards: number;
  readonly #open = new Map<string, { events: string[]; bytes: number; firstSequence: string }>();
  readonly #done: PackedRecord[] = [];

  constructor(shards: number) {
    this.#shards = shards;
  }

  /** @param events those of one incoming record. */
  add(events: readonly EventLine[], shard: string, sequence: string): void {
    const lines = events.map((event) => JSON.stringify(event));
    const sizes = lines.map((line) => Buffer.byteLength(line) + 1);
    const whole = sizes.reduce((sum, size) => sum + size, 0);
    if ((this.#open.get(shard)?.bytes ?? 0) + whole > PACK_BYTES) this.#close(shard);
    for (const [i, line] of lines.entries()) {
      if ((this.#open.get(shard)?.bytes ?? 0) + sizes[i]! > RECORD_BYTES) this.#close(shard);
      const pack = this.#open.get(shard) ?? { events: [], bytes: 1, firstSequence: sequence };
      this.#open.set(shard, pack);
      pack.events.push(line);
      pack.bytes += sizes[i]!;
    }
  }

  finish(): PackedRecord[] {
    for (const shard of [...this.#open.keys()]) this.#close(shard);
    return this.#done;
  }

  #close(shard: string): void {
    const pack = this.#open.get(shard);
    if (!pack) return;
    this.#open.delete(shard);
    const hashKey = hashKeyOf(shard, this.#shards);
    this.#done.push({
      data: `[${pack.events.join(",")}]`,
      partitionKey: shard,
      firstSequence: pack.firstSequence,
      ...(hashKey !== undefined && { hashKey }),
    });
  }
}

/** The beginning of the hash range of the shard of the same number, among `shards` of equal size. */
function hashKeyOf(shard: string, shards: number): string | undefined {
  const number = /-(\d+)$/.exec(shard)?.[1];
  return number === undefined
    ? undefined
    : ((2n ** 128n / BigInt(shards)) * (BigInt(number) % BigInt(shards))).toString();
}

/** What came of a batch that was put: of what comes again, nothing is told yet. */
export interface Passed extends Tally {
  /** The sequence number from which on the batch must be brought again; undefined when all of it is done. */
  readonly again: string | undefined;
  /** How many of the packed records the stream is not known to have. */
  readonly refused: number;
}

/** Puts what the relay made of a batch; `millis` is how long that may take. Throws what the sink throws: nothing is done then. */
export async function pass(relayed: Relayed, events: Sink, millis: number): Promise<Passed> {
  const refused = await events.put(relayed.records, millis);
  const again = checkpoint(relayed, refused);
  const done = relayed.each.findIndex(({ sequence }) => sequence === again);
  return { ...total(done < 0 ? relayed.each : relayed.each.slice(0, done)), again, refused: refused.length };
}

/**
 * From where on a batch must be brought again: from the first record that went into any that the stream did not take, or that there
 * was no time for. What comes after it is brought again too; as the sink puts none behind one that was not taken, nothing of it is in
 * the stream yet, unless a request ended without an answer or one incoming record filled several.
 * @param refused positions in `records`. @returns undefined when all of it is done.
 */
export function checkpoint(
  { records, left }: Pick<Relayed, "records" | "left">,
  refused: readonly number[],
): string | undefined {
  const again = refused.map((i) => records[i]!.firstSequence);
  if (left !== undefined) again.push(left);
  return again.length === 0 ? undefined : again.reduce(lowerSequence);
}

/** The lower of two Kinesis sequence numbers, which are decimal and longer than a double holds. */
export function lowerSequence(a: string, b: string): string {
  return a.length !== b.length ? (a.length < b.length ? a : b) : a < b ? a : b;
}
