/** What the relay makes of a batch of records: events for the analysis, packed. Pure. */
import { Analyzer } from "../../src/core/analyze.ts";
import type { Event } from "../../src/core/collect.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { type Check, checkAll, PATIENCE, sharing, stopping } from "./deadline.ts";
import { unpack } from "./kpl.ts";
import type { EventLine } from "./names.ts";
import type { StreamRecord } from "./ports.ts";
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

export interface Relayed {
  readonly records: readonly PackedRecord[];
  readonly counts: { readonly events: number; readonly rejected: number; readonly dropped: number };
  /** The sequence number of the first record that there was no time for; undefined when all were dealt with. */
  readonly left: string | undefined;
  /** Newest event time, epoch ms; undefined when there was no event. */
  readonly newest: number | undefined;
  /** Newest arrival of an event that was on time, epoch ms: the clock of the stream stands by it. Undefined when there was none. */
  readonly onTime: number | undefined;
}

/** Kinesis bills by 25 KB; a record of this size wastes little and delays nothing. */
const PACK_BYTES = 25_000 - 300;

/**
 * A function from a batch to what goes on of it. `millis` is how long its records may take: the first is dealt with whatever it holds,
 * so that each call gets on; those that there is no time for come again, and all that came of them with them.
 */
export function relay(
  spec: PipelineSpec,
  check: Check,
): (incoming: readonly IncomingRecord[], millis?: number) => Relayed {
  const toLine = eventLine(spec);
  // Of this shard, since this container began: what it takes for on time is so, or the clock waits longer than it had to.
  let clock = Number.NEGATIVE_INFINITY;
  return (incoming, millis = Number.POSITIVE_INFINITY) => {
    const packer = new Packer(spec.source.shards);
    const counts = { events: 0, rejected: 0, dropped: 0 };
    let newest: number | undefined;
    let onTime: number | undefined;
    const rest = stopping(millis);
    const unpacked = incoming.map((record) => unpack(record.data).map((data) => ({ data, arrival: record.arrival })));
    const first = checkAll(check, unpacked[0] ?? [], sharing(Math.max(millis / 2, PATIENCE)));
    const delivered = [...first, ...checkAll(check, unpacked.slice(1).flat(), rest)];
    let done = 0;
    for (const [i, { shard, sequence, arrival }] of incoming.entries()) {
      const end = done + unpacked[i]!.length;
      // A record of several is not torn: half of it would be counted twice.
      if (end > delivered.length) return { records: packer.finish(), counts, left: sequence, newest, onTime };
      for (const { events, rejections, dropped } of delivered.slice(done, end)) {
        counts.events += events.length;
        counts.rejected += rejections.length;
        counts.dropped += dropped;
        for (const event of events) {
          if (newest === undefined || event.time > newest) newest = event.time;
          clock = Math.max(clock, event.time);
          if (event.time >= clock - spec.source.lateness) onTime = Math.max(onTime ?? arrival, arrival);
          packer.add(toLine(event), shard, sequence);
        }
      }
      done = end;
    }
    return { records: packer.finish(), counts, left: undefined, newest, onTime };
  };
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
    return { time: event.time, key: groups.keyOf(event.values) ?? null, shape, fields: values };
  };
}

/**
 * Events packed into records in the order of their shard, which is what the watermark lives on. A record is a JSON array, of which
 * Flink takes each element as an event of its own; of several lines it would take the first and lose the others. What was one
 * shard stays one shard.
 */
class Packer {
  readonly #shards: number;
  readonly #open = new Map<string, { events: string[]; bytes: number; firstSequence: string }>();
  readonly #done: PackedRecord[] = [];

  constructor(shards: number) {
    this.#shards = shards;
  }

  add(event: EventLine, shard: string, sequence: string): void {
    const text = JSON.stringify(event);
    const bytes = Buffer.byteLength(text) + 1;
    let pack = this.#open.get(shard);
    if (pack && pack.bytes + bytes > PACK_BYTES) {
      this.#close(shard);
      pack = undefined;
    }
    if (!pack) {
      pack = { events: [], bytes: 1, firstSequence: sequence };
      this.#open.set(shard, pack);
    }
    pack.events.push(text);
    pack.bytes += bytes;
  }

  finish(): PackedRecord[] {
    for (const shard of [...this.#open.keys()]) this.#close(shard);
    return this.#done;
  }

  #close(shard: string): void {
    const { events, firstSequence } = this.#open.get(shard)!;
    this.#open.delete(shard);
    const hashKey = hashKeyOf(shard, this.#shards);
    this.#done.push({
      data: `[${events.join(",")}]`,
      partitionKey: shard,
      firstSequence,
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

/**
 * From where on a batch must be brought again: from the first record that went into any that the stream kept refusing, or that there
 * was no time for. What comes after it is brought again too, and some of it counted twice; nothing is left out.
 * @param refused positions in `records`. @returns undefined when all of it is done.
 */
export function checkpoint({ records, left }: Relayed, refused: readonly number[]): string | undefined {
  const again = refused.map((i) => records[i]!.firstSequence);
  if (left !== undefined) again.push(left);
  return again.length === 0 ? undefined : again.reduce(lowerSequence);
}

/** The lower of two Kinesis sequence numbers, which are decimal and longer than a double holds. */
export function lowerSequence(a: string, b: string): string {
  return a.length !== b.length ? (a.length < b.length ? a : b) : a < b ? a : b;
}
