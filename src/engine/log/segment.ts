/**
 * A segment: one file of consecutive blocks. Its name is its first sequence, so that a folder listing is the table of
 * contents, and retention is the removal of files. Only the last segment is written to.
 *
 * File header, 32 bytes, little endian: "FWSTREAM" · u32 format version · u32 CRC-32 of what follows ·
 * u64 first sequence · u64 the newest arrival before it, epoch ms. It is made under another name, synced and renamed, so a
 * segment never appears without its header.
 */
import { constants } from "node:fs";
import { type FileHandle, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../core/fault.ts";
import { BLOCK_HEADER, type Block, blockLength, decodeBlock, findBlock, peekArrival } from "./block.ts";
import { crc32 } from "./crc32.ts";

export const SEGMENT_HEADER = 32;
const MAGIC = Buffer.from("FWSTREAM", "latin1");
const VERSION = 1;
/** An entry of the sparse index for about this many bytes. */
const INDEX_STEP = 64 * 1024;
/** Files are read in pieces of this size. */
export const CHUNK_BYTES = 1024 * 1024;

/** A place in a segment where a block begins. */
export interface IndexEntry {
  readonly sequence: number;
  readonly offset: number;
  readonly arrival: number;
}

/** What is known of a segment file. */
export interface Segment {
  readonly path: string;
  readonly firstSequence: number;
  /** The newest arrival before this segment. */
  readonly baseArrival: number;
  /** The arrival of its first record; undefined while it has none. */
  firstArrival: number | undefined;
  /** Bytes that are durable, and so readable. */
  size: number;
  /** Sparse, ascending; undefined until somebody needs it. */
  index: IndexEntry[] | undefined;
}

/** The fault for a damaged file. */
export function corrupt(path: string, offset: number, what: string): Fault {
  return new Fault("stream.corrupt", `The stream file ${path} is damaged at byte ${offset}: ${what}.`, {
    next: `Restore ${path} from a backup, or move its folder away to begin with an empty stream; the records behind that byte are lost then.`,
  });
}

/** Creates an empty segment, durably, and opens it for writing. */
export async function createSegment(
  dir: string,
  firstSequence: number,
  baseArrival: number,
): Promise<{ segment: Segment; handle: FileHandle }> {
  const path = join(dir, `${String(firstSequence).padStart(16, "0")}.log`);
  const temporary = `${path}.new`;
  const header = Buffer.alloc(SEGMENT_HEADER);
  MAGIC.copy(header);
  header.writeUInt32LE(VERSION, 8);
  header.writeBigUInt64LE(BigInt(firstSequence), 16);
  header.writeBigUInt64LE(BigInt(baseArrival), 24);
  header.writeUInt32LE(crc32(header.subarray(16)), 12);
  const handle = await open(temporary, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o600);
  try {
    await handle.write(header, 0, SEGMENT_HEADER, 0);
    await handle.sync();
    await rename(temporary, path);
    await syncFolder(dir);
  } catch (error) {
    await handle.close();
    await unlink(temporary).catch(ignoreMissing);
    throw error;
  }
  return {
    segment: { path, firstSequence, baseArrival, firstArrival: undefined, size: SEGMENT_HEADER, index: [] },
    handle,
  };
}

/** The segments of a folder in order, headers verified; unfinished ones are cleared away. */
export async function listSegments(dir: string): Promise<Segment[]> {
  const names = await readdir(dir);
  for (const name of names.filter((n) => n.endsWith(".log.new"))) await unlink(join(dir, name));
  const segments: Segment[] = [];
  for (const name of names.filter((n) => /^\d{16}\.log$/.test(n)).sort()) {
    segments.push(await readHeader(join(dir, name), Number(name.slice(0, 16))));
  }
  return segments;
}

async function readHeader(path: string, firstSequence: number): Promise<Segment> {
  const handle = await open(path, "r");
  try {
    const header = Buffer.alloc(SEGMENT_HEADER + BLOCK_HEADER);
    const { bytesRead } = await handle.read(header, 0, header.length, 0);
    if (bytesRead < SEGMENT_HEADER || !header.subarray(0, 8).equals(MAGIC)) {
      throw corrupt(path, 0, "it does not begin as a segment of a stream");
    }
    const version = header.readUInt32LE(8);
    if (version !== VERSION) {
      throw new Fault(
        "engine.version",
        `The stream file ${path} has format ${version}; this version reads ${VERSION}.`,
        {
          next: "Open this folder with the version of Forewatch that wrote it, or use another data folder.",
        },
      );
    }
    const checksum = crc32(header.subarray(16, SEGMENT_HEADER));
    if (checksum !== header.readUInt32LE(12)) throw corrupt(path, 0, "the checksum of its header is wrong");
    if (Number(header.readBigUInt64LE(16)) !== firstSequence)
      throw corrupt(path, 16, "its name and its header disagree");
    const hasBlock = bytesRead === header.length;
    return {
      path,
      firstSequence,
      baseArrival: Number(header.readBigUInt64LE(24)),
      firstArrival: hasBlock ? peekArrival(header, SEGMENT_HEADER) : undefined,
      size: (await stat(path)).size,
      index: undefined,
    };
  } finally {
    await handle.close();
  }
}

/** What a walk through a whole segment found. */
export interface Walk {
  readonly nextSequence: number;
  readonly lastArrival: number;
  /** Where the sound blocks end. */
  readonly end: number;
}

/**
 * Walks through all blocks, verifying each, and builds the index. Stops before the first that is not sound, or does not
 * continue the sequence; `end` tells where.
 */
export async function walkSegment(segment: Segment): Promise<Walk> {
  const reader = new ChunkReader(segment.path);
  const index: IndexEntry[] = [];
  let offset = SEGMENT_HEADER;
  let sequence = segment.firstSequence;
  let arrival = segment.baseArrival;
  while (offset < segment.size) {
    const block = reader.block(offset) ?? (await reader.load(offset, segment.size));
    if (block === undefined || block.firstSequence !== sequence || block.arrival < arrival) break;
    noteBlock(index, block, offset);
    offset += block.bytes.length;
    sequence += block.count;
    arrival = block.arrival;
  }
  segment.index = index;
  segment.firstArrival = index[0]?.arrival;
  return { nextSequence: sequence, lastArrival: arrival, end: offset };
}

/** Enters a block into a sparse index, if it is due. */
export function noteBlock(index: IndexEntry[], block: Block, offset: number): void {
  const last = index.at(-1);
  if (last === undefined || offset - last.offset >= INDEX_STEP) {
    index.push({ sequence: block.firstSequence, offset, arrival: block.arrival });
  }
}

/**
 * Makes the last segment whole after a crash: what an unfinished write left is cut off. Such a write was never
 * acknowledged. Damage to records that were is a fault: a sound block behind it knows how far the file was durable.
 * @returns the walk, and the bytes cut off
 */
export async function recoverSegment(segment: Segment): Promise<Walk & { readonly cut: number }> {
  const walk = await walkSegment(segment);
  const cut = segment.size - walk.end;
  if (cut === 0) return { ...walk, cut };
  const handle = await open(segment.path, "r+");
  try {
    const rest = Buffer.allocUnsafe(cut);
    await handle.read(rest, 0, cut, walk.end);
    for (let at = findBlock(rest, 1); at >= 0; at = findBlock(rest, at + 1)) {
      const block = decodeBlock(rest, at);
      if (block && block.durable > walk.end && block.firstSequence >= walk.nextSequence) {
        throw corrupt(segment.path, walk.end, "records that were acknowledged are not readable");
      }
    }
    await handle.truncate(walk.end);
    await handle.sync();
  } finally {
    await handle.close();
  }
  segment.size = walk.end;
  return { ...walk, cut };
}

/**
 * Reads blocks of one file in order through a buffer, so that most come without a system call. The file is open only while
 * the buffer is filled: a reader that nobody finishes holds no descriptor, and no removed segment's space.
 */
export class ChunkReader {
  readonly #path: string;
  #chunk: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The block at the file offset if it is in the buffer and sound. */
  block(offset: number): Block | undefined {
    return offset < this.#start ? undefined : decodeBlock(this.#chunk, offset - this.#start);
  }

  /** Fills the buffer from the file offset, never past `end`; answers the block there, undefined if it is not sound. */
  async load(offset: number, end: number): Promise<Block | undefined> {
    const handle = await open(this.#path, "r");
    try {
      await this.#fill(handle, offset, Math.min(CHUNK_BYTES, end - offset));
      const length = blockLength(this.#chunk, 0);
      if (length !== undefined && length > this.#chunk.length && offset + length <= end) {
        await this.#fill(handle, offset, length);
      }
    } finally {
      await handle.close();
    }
    return this.block(offset);
  }

  async #fill(handle: FileHandle, offset: number, length: number): Promise<void> {
    // A fresh buffer each time: records that were handed out are views of the old one.
    const chunk = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(chunk, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    this.#chunk = chunk.subarray(0, filled);
    this.#start = offset;
  }
}

/** Makes a file's name durable. Windows has no such call for folders and does not need it. */
export async function syncFolder(dir: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** For an unlink of what may be gone already. */
export function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
