/**
 * The durable log of a stream: what step 1 accepts and every later step reads.
 *
 * All shards of a stream share one log, in the order of arrival and under one counter. A consumer that reads in sequence
 * order therefore sees the same order each time, whatever crashes lie between. An append is acknowledged after fdatasync;
 * appends that wait at the same time share one write and one sync (group commit).
 */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { Fault } from "../../core/fault.ts";
import { type Block, type LogRecord, type NewRecord, visitRecords } from "./block.ts";
import { CursorStore, locate, locateTime, segmentOf } from "./reader.ts";
import {
  createSegment,
  ignoreMissing,
  listSegments,
  recoverSegment,
  SEGMENT_HEADER,
  type Segment,
  syncFolder,
} from "./segment.ts";
import { Tail } from "./tail.ts";
import { type Appended, type LogState, Writer, writeFault } from "./writer.ts";

export type { LogRecord, NewRecord } from "./block.ts";
export type { Appended } from "./writer.ts";

/** How much one read may return. At least one record is returned when there is one, however large. */
export interface ReadLimits {
  readonly maxRecords: number;
  /** Of data. */
  readonly maxBytes: number;
}

/** A shard's share of the log. */
export interface ShardRead {
  readonly records: LogRecord[];
  /** Where to go on: also when there were no records, for others' records have been passed over. */
  readonly nextFrom: number;
  /** How far `nextFrom` is behind the tip of the stream, ms; 0 at the tip. */
  readonly millisBehindLatest: number;
}

/** Which old segments may go. A segment goes when either limit says so, and `keepFrom` and what follows always stays. */
export interface Retention {
  readonly maxAgeMs?: number;
  readonly maxBytes?: number;
  /** The first sequence that some consumer still needs. */
  readonly keepFrom: number;
}

export interface LogStats {
  readonly records: number;
  /** On the disk. */
  readonly bytes: number;
  readonly segments: number;
  /** Epoch ms; undefined while the log is empty. */
  readonly oldestArrival: number | undefined;
  readonly newestArrival: number | undefined;
}

/** The durable log of one stream. Sequences are safe integers from 1 (at a million records a second, for 285 years). */
export interface StreamLog {
  /** The sequence that the next record will get; all below are durable. */
  readonly nextSequence: number;
  /** The oldest sequence still held; equal to `nextSequence` when there is none. */
  readonly firstSequence: number;
  /**
   * Appends all records or none and answers when they are durable. Calls are written in the order they are made.
   * @throws Fault engine.disk-full: nothing was kept, and the log works on once there is space. stream.busy: too many
   * bytes wait for the disk already (64 MiB); try again. input.invalid: a record that cannot be framed.
   */
  append(records: readonly NewRecord[]): Promise<Appended[]>;
  /**
   * The records from `from` on, or from the oldest that is held. Empty at the end; never waits for more.
   * @throws Fault stream.corrupt with the file and the offset.
   */
  read(from: number, limits: ReadLimits): Promise<LogRecord[]>;
  /** The same for one shard. Passes over at most 32 MiB of other shards' records a call. */
  readShard(shard: number, from: number, limits: ReadLimits): Promise<ShardRead>;
  /** The first sequence that arrived at or after `time` (epoch ms); `nextSequence` when there is none. */
  seekTime(time: number): Promise<number>;
  /** Answers as soon as `nextSequence` is above `after`. @throws Fault cancelled on abort or close. */
  waitForMore(after: number, signal: AbortSignal): Promise<void>;
  /** Removes whole segments that hold nothing from `before` on; answers how many records went. */
  trim(before: number): Promise<number>;
  /** Removes whole segments beyond the limits; answers how many records went. */
  retain(retention: Retention): Promise<number>;
  stats(): LogStats;
  /** Finishes the appends that were made, and closes the files. */
  close(): Promise<void>;
}

export interface LogOptions {
  /** A segment is closed before it would grow beyond this; 64 MiB. */
  readonly segmentBytes?: number;
  /** The newest blocks kept in memory; 16 MiB. */
  readonly tailBytes?: number;
  /** Told in one sentence what recovery did. */
  readonly onWarning?: (message: string) => void;
  /** The wall clock, epoch ms. */
  readonly now?: () => number;
}

/**
 * Opens the log in `dir`, creating it when there is none, and recovers it from a crash. One process at a time: the caller
 * holds the lock of the data folder.
 * @throws Fault stream.corrupt, engine.version, engine.disk-full
 */
export async function openLog(dir: string, options: LogOptions = {}): Promise<StreamLog> {
  await mkdir(dir, { recursive: true });
  await syncFolder(dirname(dir));
  const segments = await listSegments(dir);
  const last = segments.at(-1);
  if (last === undefined) {
    const { segment, handle } = await createSegment(dir, 1, 0).catch(rethrowAsFault);
    return new SegmentedLog({ dir, segments: [segment], nextSequence: 1, lastArrival: 0 }, handle, options);
  }
  const { nextSequence, lastArrival, cut } = await recoverSegment(last);
  if (cut > 0) options.onWarning?.(`Removed ${cut} bytes of an unfinished write from the end of ${last.path}.`);
  const handle = await open(last.path, constants.O_RDWR);
  return new SegmentedLog({ dir, segments, nextSequence, lastArrival }, handle, options);
}

const SEGMENT_BYTES = 64 * 1024 * 1024;
const TAIL_BYTES = 16 * 1024 * 1024;
const MAX_SKIPPED_BYTES = 32 * 1024 * 1024;

interface Waiter {
  readonly after: number;
  readonly resolve: () => void;
  readonly reject: (fault: Fault) => void;
}

class SegmentedLog implements StreamLog {
  readonly #state: LogState;
  readonly #writer: Writer;
  readonly #now: () => number;
  readonly #tail: Tail;
  readonly #cursors = new CursorStore();
  readonly #waiters = new Set<Waiter>();
  #closing: Promise<void> | undefined;

  constructor(state: LogState, handle: FileHandle, options: LogOptions) {
    this.#state = state;
    this.#now = options.now ?? Date.now;
    this.#tail = new Tail(options.tailBytes ?? TAIL_BYTES);
    this.#writer = new Writer(state, handle, {
      segmentBytes: options.segmentBytes ?? SEGMENT_BYTES,
      now: this.#now,
      onDurable: (blocks) => this.#publish(blocks),
    });
  }

  get nextSequence(): number {
    return this.#state.nextSequence;
  }

  get firstSequence(): number {
    return this.#state.segments[0]!.firstSequence;
  }

  async append(records: readonly NewRecord[]): Promise<Appended[]> {
    if (this.#closing) throw closedFault();
    return this.#writer.append(records);
  }

  #publish(blocks: readonly Block[]): void {
    for (const block of blocks) this.#tail.push(block);
    for (const waiter of this.#waiters) {
      if (this.nextSequence > waiter.after) waiter.resolve();
    }
  }

  async read(from: number, limits: ReadLimits): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    const take = taker(records, limits);
    await this.#visitBlocks(
      from,
      (block, start) => visitRecords(block, start, take),
      () => (records.at(-1)?.sequence ?? from - 1) + 1,
    );
    return records;
  }

  async readShard(shard: number, from: number, limits: ReadLimits): Promise<ShardRead> {
    const records: LogRecord[] = [];
    const take = taker(records, limits);
    let nextFrom = Math.max(from, this.firstSequence);
    let passed = 0;
    let arrival = 0;
    await this.#visitBlocks(
      from,
      (block, start) => {
        passed += block.bytes.length;
        const whole = visitRecords(block, start, (record) => {
          const goOn = record.shard !== shard || take(record);
          // A record that `take` left is the one to go on with; one that filled the limits has been taken.
          if (goOn || records.at(-1) === record) nextFrom = record.sequence + 1;
          return goOn;
        });
        arrival = block.arrival;
        return whole && passed < MAX_SKIPPED_BYTES;
      },
      () => nextFrom,
    );
    const behind = nextFrom < this.nextSequence ? Math.max(0, this.#now() - arrival) : 0;
    return { records, nextFrom, millisBehindLatest: behind };
  }

  /**
   * Calls `visit` with each durable block from the one that holds `from`, and with the sequence that counts in it, until it
   * answers false. `nextFrom` then tells where the consumer will go on.
   */
  async #visitBlocks(
    from: number,
    visit: (block: Block, start: number) => boolean,
    nextFrom: () => number,
  ): Promise<void> {
    const start = Math.max(from, this.firstSequence);
    if (start >= this.nextSequence) return;
    if (this.#tail.holds(start)) {
      this.#tail.visit(start, (block) => visit(block, start));
      return;
    }
    const cursor = this.#cursors.take(start) ?? (await locate(this.#state.segments, start));
    for (;;) {
      const block = cursor.ready() ?? (await cursor.load());
      if (block === undefined) break;
      if (block.firstSequence + block.count > start && !visit(block, start)) break;
      cursor.advance(block);
    }
    this.#cursors.put(nextFrom(), cursor);
  }

  async seekTime(time: number): Promise<number> {
    if (time > this.#state.lastArrival) return this.nextSequence;
    const cursor = await locateTime(this.#state.segments, time);
    for (;;) {
      const block = cursor.ready() ?? (await cursor.load());
      if (block === undefined) return this.nextSequence;
      if (block.arrival >= time) return block.firstSequence;
      cursor.advance(block);
    }
  }

  waitForMore(after: number, signal: AbortSignal): Promise<void> {
    if (this.nextSequence > after) return Promise.resolve();
    if (this.#closing) return Promise.reject(closedFault());
    if (signal.aborted) return Promise.reject(new Fault("cancelled", "Waiting for records was cancelled."));
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#waiters.delete(waiter);
        signal.removeEventListener("abort", onAbort);
      };
      const waiter: Waiter = {
        after,
        resolve: () => {
          settle();
          resolve();
        },
        reject: (fault) => {
          settle();
          reject(fault);
        },
      };
      const onAbort = () => waiter.reject(new Fault("cancelled", "Waiting for records was cancelled."));
      signal.addEventListener("abort", onAbort);
      this.#waiters.add(waiter);
    });
  }

  trim(before: number): Promise<number> {
    return this.#writer.exclusive(() =>
      this.#removeWhile((segment, end) => end <= before && segment.size > SEGMENT_HEADER),
    );
  }

  retain({ maxAgeMs = Infinity, maxBytes = Infinity, keepFrom }: Retention): Promise<number> {
    const oldest = this.#now() - maxAgeMs;
    return this.#writer.exclusive(() => {
      let bytes = this.stats().bytes;
      return this.#removeWhile((segment, end, newest) => {
        if (end > keepFrom || segment.size === SEGMENT_HEADER || (newest >= oldest && bytes <= maxBytes)) return false;
        bytes -= segment.size;
        return true;
      });
    });
  }

  /**
   * Removes segments from the oldest on, as long as `goes` says so of a segment, the sequence behind it, and its newest
   * arrival. The last one is replaced by an empty one: it carries the counter on.
   */
  async #removeWhile(goes: (segment: Segment, end: number, newest: number) => boolean): Promise<number> {
    const first = this.firstSequence;
    for (;;) {
      const [segment, following] = this.#state.segments;
      const end = following?.firstSequence ?? this.nextSequence;
      if (!goes(segment!, end, following?.baseArrival ?? this.#state.lastArrival)) break;
      if (following === undefined) await this.#writer.roll().catch(rethrowAsFault);
      this.#state.segments.shift();
      await unlink(segment!.path).catch(ignoreMissing);
    }
    if (this.firstSequence > first) {
      this.#cursors.clear();
      await syncFolder(this.#state.dir);
    }
    return this.firstSequence - first;
  }

  stats(): LogStats {
    const records = this.nextSequence - this.firstSequence;
    return {
      records,
      bytes: this.#state.segments.reduce((sum, segment) => sum + segment.size, 0),
      segments: this.#state.segments.length,
      oldestArrival: records > 0 ? segmentOf(this.#state.segments, this.firstSequence).firstArrival : undefined,
      newestArrival: records > 0 ? this.#state.lastArrival : undefined,
    };
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      for (const waiter of this.#waiters) waiter.reject(closedFault());
      this.#closing = this.#writer.close();
    }
    return this.#closing;
  }
}

/** Adds records to a list until the limits are reached. Answers whether there is room for more. */
function taker(records: LogRecord[], { maxRecords, maxBytes }: ReadLimits): (record: LogRecord) => boolean {
  let bytes = 0;
  return (record) => {
    bytes += record.data.length;
    if (records.length > 0 && bytes > maxBytes) return false;
    records.push(record);
    return records.length < maxRecords;
  };
}

function closedFault(): Fault {
  return new Fault("cancelled", "The stream is closed.");
}

function rethrowAsFault(error: unknown): never {
  throw writeFault(error);
}
