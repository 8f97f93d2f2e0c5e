/**
 * A block: the records of one append, framed for the disk. It is written whole or not at all, so an append is atomic.
 *
 * Layout, little endian, 40 bytes of header and then the records:
 *   0 u32 magic "FWB1" · 4 u32 CRC-32 of all that follows · 8 u32 payload length · 12 u32 record count ·
 *   16 u64 first sequence · 24 u64 arrival, epoch ms · 32 u64 durable: the segment's length that was already synced when
 *   this block was written, which tells a torn tail from damage to acknowledged records.
 *   A record: u16 shard · u16 key length · u32 data length · key (UTF-8) · data.
 */
import { crc32 } from "./crc32.ts";

export const BLOCK_HEADER = 40;
const RECORD_HEADER = 8;
const MAGIC = 0x31425746;

/** One append never makes a larger block: longer ones are split. */
export const MAX_BLOCK_BYTES = 16 * 1024 * 1024;
/** A single record's data, and so a block's payload, is never larger than this. */
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

/** What a producer gives. */
export interface NewRecord {
  /** The index of the shard, 0 to 65,535. */
  readonly shard: number;
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/** A record as the log holds it. */
export interface LogRecord {
  /** Its place in the whole stream: a safe integer from 1, without gaps, in the order of arrival over all shards. */
  readonly sequence: number;
  readonly shard: number;
  /** When the log accepted it, epoch ms; never less than that of the record before. */
  readonly arrival: number;
  readonly partitionKey: string;
  /** A view of a buffer shared with neighbouring records: read it, do not change it; copy what you keep for long. */
  readonly data: Uint8Array;
}

/** A decoded block header, with the bytes of the whole block. */
export interface Block {
  readonly bytes: Buffer;
  readonly count: number;
  readonly firstSequence: number;
  readonly arrival: number;
  readonly durable: number;
}

/** What is known only when the block is written. */
export interface BlockStamp {
  readonly firstSequence: number;
  readonly arrival: number;
  readonly durable: number;
}

/** The records as the bytes of a block, still without its stamp. The data is copied. */
export function encodeBlock(records: readonly NewRecord[]): Buffer {
  let size = BLOCK_HEADER;
  for (const record of records) size += recordSize(record);
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(size - BLOCK_HEADER, 8);
  bytes.writeUInt32LE(records.length, 12);
  let at = BLOCK_HEADER;
  for (const { shard, partitionKey, data } of records) {
    const keyLength = bytes.write(partitionKey, at + RECORD_HEADER, "utf8");
    bytes.writeUInt16LE(shard, at);
    bytes.writeUInt16LE(keyLength, at + 2);
    bytes.writeUInt32LE(data.length, at + 4);
    bytes.set(data, at + RECORD_HEADER + keyLength);
    at += RECORD_HEADER + keyLength + data.length;
  }
  return bytes;
}

/** The bytes a record takes in a block. */
export function recordSize(record: NewRecord): number {
  return RECORD_HEADER + Buffer.byteLength(record.partitionKey, "utf8") + record.data.length;
}

/** Enters the stamp and the checksum. */
export function stampBlock(bytes: Buffer, stamp: BlockStamp): Block {
  bytes.writeBigUInt64LE(BigInt(stamp.firstSequence), 16);
  bytes.writeBigUInt64LE(BigInt(stamp.arrival), 24);
  bytes.writeBigUInt64LE(BigInt(stamp.durable), 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return { bytes, count: bytes.readUInt32LE(12), ...stamp };
}

/**
 * How long the block at `offset` is, header included; undefined when no block can begin there.
 * Needs the first 12 bytes only, and checks no checksum.
 */
export function blockLength(bytes: Buffer, offset: number): number | undefined {
  if (offset + 12 > bytes.length || bytes.readUInt32LE(offset) !== MAGIC) return undefined;
  const payload = bytes.readUInt32LE(offset + 8);
  return payload > MAX_PAYLOAD_BYTES ? undefined : BLOCK_HEADER + payload;
}

/** The block at `offset`, checksum verified; undefined when it is cut short or damaged. */
export function decodeBlock(bytes: Buffer, offset: number): Block | undefined {
  const length = blockLength(bytes, offset);
  if (length === undefined || offset + length > bytes.length) return undefined;
  const block = bytes.subarray(offset, offset + length);
  if (crc32(block.subarray(8)) !== block.readUInt32LE(4)) return undefined;
  return {
    bytes: block,
    count: block.readUInt32LE(12),
    firstSequence: Number(block.readBigUInt64LE(16)),
    arrival: Number(block.readBigUInt64LE(24)),
    durable: Number(block.readBigUInt64LE(32)),
  };
}

/** Where the next block might begin at or after `offset`: for the search behind damage. -1 when nowhere. */
export function findBlock(bytes: Buffer, offset: number): number {
  return bytes.indexOf(MAGIC_BYTES, offset);
}

const MAGIC_BYTES = Buffer.from("FWB1", "latin1");

/** The arrival in the block header at `offset`, unverified. */
export function peekArrival(bytes: Buffer, offset: number): number {
  return Number(bytes.readBigUInt64LE(offset + 24));
}

/** Calls `visit` with each record of the block from sequence `from` on, until it answers false; answers whether it never did. */
export function visitRecords(block: Block, from: number, visit: (record: LogRecord) => boolean): boolean {
  const { bytes, firstSequence, count, arrival } = block;
  let at = BLOCK_HEADER;
  for (let i = 0; i < count; i++) {
    const keyStart = at + RECORD_HEADER;
    const keyEnd = keyStart + bytes.readUInt16LE(at + 2);
    const end = keyEnd + bytes.readUInt32LE(at + 4);
    const sequence = firstSequence + i;
    if (sequence >= from) {
      const record = new BlockRecord(sequence, bytes.readUInt16LE(at), arrival, bytes, keyStart, keyEnd, end);
      if (!visit(record)) return false;
    }
    at = end;
  }
  return true;
}

/** A record that decodes its key only when asked: the pump reads millions and asks for few. */
class BlockRecord implements LogRecord {
  readonly sequence: number;
  readonly shard: number;
  readonly arrival: number;
  readonly data: Uint8Array;
  readonly #bytes: Buffer;
  readonly #keyStart: number;
  readonly #keyEnd: number;

  constructor(
    sequence: number,
    shard: number,
    arrival: number,
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    end: number,
  ) {
    this.sequence = sequence;
    this.shard = shard;
    this.arrival = arrival;
    this.data = bytes.subarray(keyEnd, end);
    this.#bytes = bytes;
    this.#keyStart = keyStart;
    this.#keyEnd = keyEnd;
  }

  get partitionKey(): string {
    return this.#bytes.toString("utf8", this.#keyStart, this.#keyEnd);
  }
}
