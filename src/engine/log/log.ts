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
import {
  type Block,
  encodeBlock,
  type LogRecord,
  MAX_BLOCK_BYTES,
  MAX_PAYLOAD_BYTES,
  type NewRecord,
  recordSize,
  stampBlock,
  visitRecords,
} from "./block.ts";
import { CursorStore, locate, locateTime, segmentOf } from "./reader.ts";
import {
  createSegment,
  ignoreMissing,
  listSegments,
  noteBlock,
  recoverSegment,
  SEGMENT_HEADER,
  type Segment,
  syncFolder,
} from "./segment.ts";
import { Tail } from "./tail.ts";

export type { LogRecord, NewRecord } from "./block.ts";

/** How much one read may return. At least one record is returned when there is one, however large. */
export interface ReadLimits {
  readonly maxRecords: number;
  /** Of data. */
  readonly maxBytes: number;
}

/** Where an appended record went. */
export interface Appended {
  readonly sequence: number;
  /** Epoch ms. */
  readonly arrival: number;
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
    return new SegmentedLog(dir, [segment], handle, 1, 0, options);
  }
  const { nextSequence, lastArrival, cut } = await recoverSegment(last);
  if (cut > 0) options.onWarning?.(`Removed ${cut} bytes of an unfinished write from the end of ${last.path}.`);
  const handle = await open(last.path, constants.O_RDWR);
  return new SegmentedLog(dir, segments, handle, nextSequence, lastArrival, options);
}

const SEGMENT_BYTES = 64 * 1024 * 1024;
const TAIL_BYTES = 16 * 1024 * 1024;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
const MAX_COMMIT_BLOCKS = 1024;
const MAX_SKIPPED_BYTES = 32 * 1024 * 1024;

/** An append that waits for the disk. */
interface Pending {
  readonly blocks: readonly Buffer[];
  readonly bytes: number;
  readonly count: number;
  readonly resolve: (appended: Appended[]) => void;
  readonly reject: (fault: Fault) => void;
}

interface Waiter {
  readonly after: number;
  readonly resolve: () => void;
  readonly reject: (fault: Fault) => void;
}

class SegmentedLog implements StreamLog {
  readonly #dir: string;
  readonly #segments: Segment[];
  readonly #segmentBytes: number;
  readonly #now: () => number;
  readonly #tail: Tail;
  readonly #cursors = new CursorStore();
  readonly #waiters = new Set<Waiter>();
  #handle: FileHandle;
  #next: number;
  #lastArrival: number;
  #queue: Pending[] = [];
  #queuedBytes = 0;
  /** Under way while appends wait. */
  #draining: Promise<void> | undefined;
  /** A failed write could not be rolled back yet: bytes behind the durable end must go before the next write. */
  #dirty = false;
  #closed = false;
  /** The end of the line of tasks that write. */
  #turn: Promise<void> = Promise.resolve();

  constructor(
    dir: string,
    segments: Segment[],
    handle: FileHandle,
    nextSequence: number,
    lastArrival: number,
    options: LogOptions,
  ) {
    this.#dir = dir;
    this.#segments = segments;
    this.#handle = handle;
    this.#next = nextSequence;
    this.#lastArrival = lastArrival;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#now = options.now ?? Date.now;
    this.#tail = new Tail(options.tailBytes ?? TAIL_BYTES);
  }

  get nextSequence(): number {
    return this.#next;
  }

  get firstSequence(): number {
    return this.#segments[0]!.firstSequence;
  }

  async append(records: readonly NewRecord[]): Promise<Appended[]> {
    if (this.#closed) throw closedFault();
    if (records.length === 0) return [];
    const blocks = encode(records);
    const bytes = blocks.reduce((sum, block) => sum + block.length, 0);
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > MAX_PENDING_BYTES) {
      throw new Fault("stream.busy", "More records arrive than the disk can take.", {
        next: "Send them again shortly.",
      });
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ blocks, bytes, count: records.length, resolve, reject });
      this.#queuedBytes += bytes;
      this.#draining ??= this.#drain();
    });
  }

  /** Commits until nothing waits; other tasks that write get their turn in between. */
  async #drain(): Promise<void> {
    do await this.#exclusive(() => this.#commit(this.#takeGroup()));
    while (this.#queue.length > 0);
    this.#draining = undefined;
  }

  #takeGroup(): Pending[] {
    let bytes = 0;
    let blocks = 0;
    let count = 0;
    for (const pending of this.#queue) {
      bytes += pending.bytes;
      blocks += pending.blocks.length;
      if (count > 0 && (bytes > MAX_BLOCK_BYTES || blocks > MAX_COMMIT_BLOCKS)) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #commit(group: readonly Pending[]): Promise<void> {
    const bytes = group.reduce((sum, pending) => sum + pending.bytes, 0);
    let blocks: Block[];
    let arrival: number;
    try {
      await this.#makeRoom(bytes);
      arrival = Math.max(this.#now(), this.#lastArrival);
      blocks = this.#stamp(group, arrival);
      await writeAll(
        this.#handle,
        blocks.map((block) => block.bytes),
        this.#active.size,
      );
      await this.#handle.datasync();
    } catch (error) {
      await this.#rollBack();
      const fault = writeFault(error);
      for (const pending of group) pending.reject(fault);
      return;
    } finally {
      this.#queuedBytes -= bytes;
    }
    this.#accept(blocks, arrival);
    let sequence = blocks[0]!.firstSequence;
    for (const { count, resolve } of group) {
      const first = sequence;
      sequence += count;
      resolve(Array.from({ length: count }, (_, i) => ({ sequence: first + i, arrival })));
    }
  }

  #stamp(group: readonly Pending[], arrival: number): Block[] {
    let firstSequence = this.#next;
    const durable = this.#active.size;
    return group
      .flatMap((pending) => pending.blocks)
      .map((bytes) => {
        const block = stampBlock(bytes, { firstSequence, arrival, durable });
        firstSequence += block.count;
        return block;
      });
  }

  /** Enters durable blocks into everything that readers look at. */
  #accept(blocks: readonly Block[], arrival: number): void {
    const active = this.#active;
    active.firstArrival ??= arrival;
    for (const block of blocks) {
      noteBlock(active.index ?? [], block, active.size);
      active.size += block.bytes.length;
      this.#next += block.count;
      this.#tail.push(block);
    }
    this.#lastArrival = arrival;
    for (const waiter of this.#waiters) {
      if (this.#next > waiter.after) waiter.resolve();
    }
  }

  get #active(): Segment {
    return this.#segments.at(-1)!;
  }

  async #makeRoom(bytes: number): Promise<void> {
    if (this.#dirty) {
      await this.#handle.truncate(this.#active.size);
      this.#dirty = false;
    }
    if (this.#active.size > SEGMENT_HEADER && this.#active.size + bytes > this.#segmentBytes) await this.#roll();
  }

  /** Begins the next segment. */
  async #roll(): Promise<void> {
    const { segment, handle } = await createSegment(this.#dir, this.#next, this.#lastArrival);
    const finished = this.#handle;
    this.#handle = handle;
    this.#segments.push(segment);
    await finished.close();
  }

  /** Cuts off what a failed write left. Should even that fail, the next append does it. */
  async #rollBack(): Promise<void> {
    this.#dirty = true;
    try {
      await this.#handle.truncate(this.#active.size);
      this.#dirty = false;
    } catch {
      // Stays dirty: the append that follows reports the disk's state in its own fault.
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
    const behind = nextFrom < this.#next ? Math.max(0, this.#now() - arrival) : 0;
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
    if (start >= this.#next) return;
    if (this.#tail.holds(start)) {
      this.#tail.visit(start, (block) => visit(block, start));
      return;
    }
    const cursor = this.#cursors.take(start) ?? (await locate(this.#segments, start));
    for (;;) {
      const block = cursor.ready() ?? (await cursor.load());
      if (block === undefined) break;
      if (block.firstSequence + block.count > start && !visit(block, start)) break;
      cursor.advance(block);
    }
    this.#cursors.put(nextFrom(), cursor);
  }

  async seekTime(time: number): Promise<number> {
    if (time > this.#lastArrival) return this.#next;
    const cursor = await locateTime(this.#segments, time);
    for (;;) {
      const block = cursor.ready() ?? (await cursor.load());
      if (block === undefined) return this.#next;
      if (block.arrival >= time) return block.firstSequence;
      cursor.advance(block);
    }
  }

  waitForMore(after: number, signal: AbortSignal): Promise<void> {
    if (this.#next > after) return Promise.resolve();
    if (this.#closed) return Promise.reject(closedFault());
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
    return this.#exclusive(() => this.#removeWhile((segment, end) => end <= before && segment.size > SEGMENT_HEADER));
  }

  retain({ maxAgeMs = Infinity, maxBytes = Infinity, keepFrom }: Retention): Promise<number> {
    const oldest = this.#now() - maxAgeMs;
    return this.#exclusive(() => {
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
      const [segment, following] = this.#segments;
      const end = following?.firstSequence ?? this.#next;
      if (!goes(segment!, end, following?.baseArrival ?? this.#lastArrival)) break;
      if (following === undefined) await this.#roll().catch(rethrowAsFault);
      this.#segments.shift();
      await unlink(segment!.path).catch(ignoreMissing);
    }
    if (this.firstSequence > first) {
      this.#cursors.clear();
      await syncFolder(this.#dir);
    }
    return this.firstSequence - first;
  }

  stats(): LogStats {
    const records = this.#next - this.firstSequence;
    return {
      records,
      bytes: this.#segments.reduce((sum, segment) => sum + segment.size, 0),
      segments: this.#segments.length,
      oldestArrival: records > 0 ? segmentOf(this.#segments, this.firstSequence).firstArrival : undefined,
      newestArrival: records > 0 ? this.#lastArrival : undefined,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return this.#turn;
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.reject(closedFault());
    await this.#draining;
    await this.#exclusive(() => this.#handle.close());
  }

  /** Runs a task that writes when those before it are done. */
  #exclusive<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(task);
    this.#turn = run.then(
      () => undefined,
      () => undefined,
    );
    return run;
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

function encode(records: readonly NewRecord[]): Buffer[] {
  const blocks: Buffer[] = [];
  let start = 0;
  let bytes = 0;
  records.forEach((record, i) => {
    const size = recordSize(record);
    if (size > MAX_PAYLOAD_BYTES || record.partitionKey.length > 16_000 || record.shard > 0xffff) {
      throw new Fault("input.invalid", `Record ${i + 1} is too large for a stream, or its shard does not exist.`, {
        next: "Send records of at most 64 MiB with short partition keys.",
      });
    }
    if (i > start && bytes + size > MAX_BLOCK_BYTES) {
      blocks.push(encodeBlock(records.slice(start, i)));
      start = i;
      bytes = 0;
    }
    bytes += size;
  });
  blocks.push(encodeBlock(start === 0 ? records : records.slice(start)));
  return blocks;
}

/** Writes buffers one behind the other; a short write is continued until the system says what is wrong. */
async function writeAll(handle: FileHandle, buffers: Buffer[], position: number): Promise<void> {
  const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  const { bytesWritten } = await handle.writev(buffers, position);
  if (bytesWritten === total) return;
  const rest = Buffer.concat(buffers).subarray(bytesWritten);
  for (let done = 0; done < rest.length; ) {
    done += (await handle.write(rest, done, rest.length - done, position + bytesWritten + done)).bytesWritten;
  }
}

function writeFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") {
    return new Fault("engine.disk-full", "There is no space left for the stream; the records were not accepted.", {
      next: "Free some space on the disk of the data folder, or shorten the stream's retention; then send them again.",
      cause: error,
    });
  }
  return new Fault("unexpected", "The records could not be written to the stream.", {
    next: "Check the disk of the data folder.",
    cause: error,
  });
}

function rethrowAsFault(error: unknown): never {
  throw writeFault(error);
}

function closedFault(): Fault {
  return new Fault("cancelled", "The stream is closed.");
}
