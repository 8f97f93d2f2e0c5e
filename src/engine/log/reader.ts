/** Reading a log in sequence order: a position in its segments that goes on where it stopped, and a small store of such positions. */
import type { Block } from "./block.ts";
import { ChunkReader, corrupt, SEGMENT_HEADER, type Segment, walkSegment } from "./segment.ts";

/** A place in the segments from which blocks are read forward. */
export class Cursor {
  readonly #segments: readonly Segment[];
  #segment: Segment;
  #chunks: ChunkReader;
  #offset: number;
  #sequence: number;
  #block: Block | undefined;

  constructor(segments: readonly Segment[], segment: Segment, offset: number, sequence: number) {
    this.#segments = segments;
    this.#segment = segment;
    this.#chunks = new ChunkReader(segment.path);
    this.#offset = offset;
    this.#sequence = sequence;
  }

  /** The block here if it is in memory. */
  ready(): Block | undefined {
    this.#block ??= this.#chunks.block(this.#offset);
    return this.#block;
  }

  /** The block here, read from the disk; undefined at the durable end. Goes on at the oldest segment when this one is gone. */
  async load(): Promise<Block | undefined> {
    if (!this.#segments.includes(this.#segment)) this.#enter(this.#segments[0]!);
    if (this.#offset >= this.#segment.size) {
      const following = this.#segments[this.#segments.indexOf(this.#segment) + 1];
      if (following === undefined) return undefined;
      if (following.firstSequence !== this.#sequence) {
        throw corrupt(this.#segment.path, this.#offset, `the file that holds record ${this.#sequence} is missing`);
      }
      this.#enter(following);
      if (this.#offset >= following.size) return undefined;
    }
    const block = await this.#loadHere();
    if (block === "gone") return this.load();
    if (block === undefined || block.firstSequence !== this.#sequence) {
      throw corrupt(this.#segment.path, this.#offset, "its checksum is wrong");
    }
    this.#block = block;
    return block;
  }

  /** The block from the disk, or "gone" when retention removed the file in the meantime. */
  async #loadHere(): Promise<Block | "gone" | undefined> {
    try {
      return await this.#chunks.load(this.#offset, this.#segment.size);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT" && !this.#segments.includes(this.#segment)) return "gone";
      throw error;
    }
  }

  #enter(segment: Segment): void {
    this.#segment = segment;
    this.#chunks = new ChunkReader(segment.path);
    this.#offset = SEGMENT_HEADER;
    this.#sequence = segment.firstSequence;
  }

  /** Steps behind `block`, which is the one here. */
  advance(block: Block): void {
    this.#offset += block.bytes.length;
    this.#sequence += block.count;
    this.#block = undefined;
  }
}

/** The cursor from which the record `sequence` is read; its first block may begin before it. */
export async function locate(segments: readonly Segment[], sequence: number): Promise<Cursor> {
  const segment = segmentOf(segments, sequence);
  if (sequence === segment.firstSequence) return new Cursor(segments, segment, SEGMENT_HEADER, sequence);
  const entry = lastWhere(await indexOf(segment), (e) => e.sequence <= sequence);
  return entry
    ? new Cursor(segments, segment, entry.offset, entry.sequence)
    : new Cursor(segments, segment, SEGMENT_HEADER, segment.firstSequence);
}

/** The cursor from which the first record that arrived at or after `time` (epoch ms) is found by reading forward. */
export async function locateTime(segments: readonly Segment[], time: number): Promise<Cursor> {
  const segment = lastWhere(segments, (s) => s.firstArrival !== undefined && s.firstArrival < time) ?? segments[0]!;
  const entry = lastWhere(await indexOf(segment), (e) => e.arrival < time);
  return entry
    ? new Cursor(segments, segment, entry.offset, entry.sequence)
    : new Cursor(segments, segment, SEGMENT_HEADER, segment.firstSequence);
}

/** The segment that holds, or will hold, `sequence`. */
export function segmentOf(segments: readonly Segment[], sequence: number): Segment {
  return lastWhere(segments, (s) => s.firstSequence <= sequence) ?? segments[0]!;
}

async function indexOf(segment: Segment): Promise<NonNullable<Segment["index"]>> {
  if (segment.index === undefined) {
    const walk = await walkSegment(segment);
    if (walk.end !== segment.size) throw corrupt(segment.path, walk.end, "its checksum is wrong");
  }
  return segment.index ?? [];
}

/** The last item of an ascending list for which `holds`, by bisection. */
function lastWhere<T>(items: readonly T[], holds: (item: T) => boolean): T | undefined {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle]!)) low = middle + 1;
    else high = middle;
  }
  return items[low - 1];
}

const MAX_CURSORS = 8;

/** Cursors under the sequence at which their consumers will go on: a consumer that reads on never searches. */
export class CursorStore {
  readonly #cursors = new Map<number, Cursor>();

  take(sequence: number): Cursor | undefined {
    const cursor = this.#cursors.get(sequence);
    this.#cursors.delete(sequence);
    return cursor;
  }

  put(sequence: number, cursor: Cursor): void {
    this.#cursors.delete(sequence);
    this.#cursors.set(sequence, cursor);
    const oldest = this.#cursors.keys().next();
    if (this.#cursors.size > MAX_CURSORS && !oldest.done) this.#cursors.delete(oldest.value);
  }

  clear(): void {
    this.#cursors.clear();
  }
}
