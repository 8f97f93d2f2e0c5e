/**
 * Shards and sequence numbers in the service's terms: an even split of the 128-bit hash keys, MD5 of the partition key to
 * find the shard, and decimal sequence numbers that stand for a place in the log.
 */
import { hash } from "node:crypto";
import type { StreamEntry } from "./catalogue.ts";

const HASH_KEYS = 1n << 128n;
/** Sequence numbers have 56 digits, as the service's do today: prefix, place in the log, shard. */
const PREFIX = "4960";
const PLACE_DIGITS = 32;
const SHARD_DIGITS = 20;
const PATTERN = new RegExp(`^${PREFIX}(\\d{${PLACE_DIGITS}})(\\d{${SHARD_DIGITS}})$`);

/** A shard as the service describes it. */
export interface ShardDescription {
  readonly ShardId: string;
  readonly HashKeyRange: { readonly StartingHashKey: string; readonly EndingHashKey: string };
  readonly SequenceNumberRange: { readonly StartingSequenceNumber: string };
}

export function shardId(shard: number): string {
  return `shardId-${String(shard).padStart(12, "0")}`;
}

/** The index of a shard that exists in the stream; undefined otherwise. */
export function shardIndex(id: string, stream: StreamEntry): number | undefined {
  const index = /^shardId-(\d{12})$/.exec(id)?.[1];
  return index !== undefined && Number(index) < stream.shardCount ? Number(index) : undefined;
}

/** The first hash key of a shard; of the one behind the last, the number of hash keys. */
function startingHashKey(shard: number, shardCount: number): bigint {
  return (HASH_KEYS * BigInt(shard)) / BigInt(shardCount);
}

export function describeShard(shard: number, stream: StreamEntry): ShardDescription {
  return {
    ShardId: shardId(shard),
    HashKeyRange: {
      StartingHashKey: startingHashKey(shard, stream.shardCount).toString(),
      EndingHashKey: (startingHashKey(shard + 1, stream.shardCount) - 1n).toString(),
    },
    SequenceNumberRange: { StartingSequenceNumber: sequenceNumber(0, shard) },
  };
}

/** Finds shards by hash key. Hash keys are compared as 32 hexadecimal digits, which keeps big integers off the fast path. */
export class ShardMap {
  readonly #starts: readonly string[];

  constructor(shardCount: number) {
    this.#starts = Array.from({ length: shardCount }, (_, shard) => hex(startingHashKey(shard, shardCount)));
  }

  /** The shard for a partition key. */
  forKey(partitionKey: string): number {
    if (this.#starts.length === 1) return 0;
    return this.#find(hash("md5", partitionKey, "hex"));
  }

  /** The shard for an explicit hash key; undefined when it is not below 2^128. */
  forHashKey(hashKey: string): number | undefined {
    const value = BigInt(hashKey);
    return value < HASH_KEYS ? this.#find(hex(value)) : undefined;
  }

  #find(hashKey: string): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! <= hashKey) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

const maps = new Map<number, ShardMap>();

/** The map for a number of shards. */
export function shardMap(shardCount: number): ShardMap {
  let map = maps.get(shardCount);
  if (map === undefined) {
    map = new ShardMap(shardCount);
    maps.set(shardCount, map);
  }
  return map;
}

function hex(hashKey: bigint): string {
  return hashKey.toString(16).padStart(32, "0");
}

/** The service's number for a place in the log. Numbers of a shard, and of a stream, grow with the place. */
export function sequenceNumber(sequence: number, shard: number): string {
  return `${PREFIX}${String(sequence).padStart(PLACE_DIGITS, "0")}${String(shard).padStart(SHARD_DIGITS, "0")}`;
}

/** The place in the log for the service's number; undefined for a number that is not from here. */
export function parseSequenceNumber(text: string): { sequence: number; shard: number } | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const sequence = Number(match[1]);
  const shard = Number(match[2]);
  return Number.isSafeInteger(sequence) && Number.isSafeInteger(shard) ? { sequence, shard } : undefined;
}
