/**
 * Writing a log: appends that wait at the same time share one write and one fdatasync (group commit), a failed write leaves no
 * trace, and everything that changes files takes its turn.
 */
import type { FileHandle } from "node:fs/promises";
import { Fault } from "../../core/fault.ts";
import {
  type Block,
  encodeBlock,
  MAX_BLOCK_BYTES,
  MAX_PAYLOAD_BYTES,
  type NewRecord,
  recordSize,
  stampBlock,
} from "./block.ts";
import { createSegment, noteBlock, SEGMENT_HEADER, type Segment } from "./segment.ts";

/** Where an appended record went. */
export interface Appended {
  readonly sequence: number;
  /** Epoch ms. */
  readonly arrival: number;
}

/** What writer and readers of one log share; only the writer changes it. */
export interface LogState {
  readonly dir: string;
  /** In order; never empty. The last is the one written to. */
  readonly segments: Segment[];
  nextSequence: number;
  /** Epoch ms; 0 before the first record. */
  lastArrival: number;
}

export interface WriterOptions {
  readonly segmentBytes: number;
  /** The wall clock, epoch ms. */
  readonly now: () => number;
  /** Called with blocks as soon as they are durable and entered into the state. */
  readonly onDurable: (blocks: readonly Block[]) => void;
}

const MAX_PENDING_BYTES = 64 * 1024 * 1024;
const MAX_COMMIT_BLOCKS = 1024;

/** An append that waits for the disk. */
interface Pending {
  readonly blocks: readonly Buffer[];
  readonly bytes: number;
  readonly count: number;
  readonly resolve: (appended: Appended[]) => void;
  readonly reject: (fault: Fault) => void;
}

/** The one writer of a log. */
export class Writer {
  readonly #state: LogState;
  readonly #options: WriterOptions;
  /** Of the last segment. */
  #handle: FileHandle;
  #queue: Pending[] = [];
  #queuedBytes = 0;
  /** Under way while appends wait. */
  #draining: Promise<void> | undefined;
  /** A failed write could not be rolled back yet: bytes behind the durable end must go before the next write. */
  #dirty = false;
  /** The end of the line of tasks that change files. */
  #turn: Promise<void> = Promise.resolve();

  constructor(state: LogState, handle: FileHandle, options: WriterOptions) {
    this.#state = state;
    this.#handle = handle;
    this.#options = options;
  }

  /** @see StreamLog.append */
  async append(records: readonly NewRecord[]): Promise<Appended[]> {
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
    do await this.exclusive(() => this.#commit(this.#takeGroup()));
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
      arrival = Math.max(this.#options.now(), this.#state.lastArrival);
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
    let firstSequence = this.#state.nextSequence;
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
      this.#state.nextSequence += block.count;
    }
    this.#state.lastArrival = arrival;
    this.#options.onDurable(blocks);
  }

  get #active(): Segment {
    return this.#state.segments.at(-1)!;
  }

  async #makeRoom(bytes: number): Promise<void> {
    if (this.#dirty) {
      await this.#handle.truncate(this.#active.size);
      this.#dirty = false;
    }
    if (this.#active.size > SEGMENT_HEADER && this.#active.size + bytes > this.#options.segmentBytes) await this.roll();
  }

  /** Begins the next segment. Only within a turn. */
  async roll(): Promise<void> {
    const { dir, segments, nextSequence, lastArrival } = this.#state;
    const { segment, handle } = await createSegment(dir, nextSequence, lastArrival);
    const finished = this.#handle;
    this.#handle = handle;
    segments.push(segment);
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

  /** Runs a task that changes files when those before it are done. */
  exclusive<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(task);
    this.#turn = run.then(
      () => undefined,
      () => undefined,
    );
    return run;
  }

  /** Finishes the appends that were made, and closes the file. */
  async close(): Promise<void> {
    await this.#draining;
    await this.exclusive(() => this.#handle.close());
  }
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

/** A failure to write, in words. */
export function writeFault(error: unknown): Fault {
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
