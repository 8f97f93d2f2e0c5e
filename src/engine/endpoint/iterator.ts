/**
 * Shard iterators: opaque to clients, and bound to stream, shard, place and time of issue by a keyed hash. The key is the
 * stream's identity, so an iterator survives a restart of the engine, but not another stream of the same name.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { StreamCatalogue, StreamEntry } from "./catalogue.ts";
import { invalidArgument, ServiceFailure, shardNotFound } from "./failure.ts";
import { shardId } from "./shards.ts";

/** An iterator lives this long, ms. */
export const ITERATOR_LIFE = 300_000;
const SIGNATURE_BYTES = 16;

export interface Position {
  readonly stream: StreamEntry;
  readonly shard: number;
  /** The next sequence to read. */
  readonly from: number;
}

/** @param now epoch ms */
export function issueIterator({ stream, shard, from }: Position, now: number): string {
  const payload = Buffer.from(JSON.stringify([stream.name, shard, from, now]), "utf8");
  return Buffer.concat([sign(payload, stream), payload]).toString("base64");
}

/** @throws ServiceFailure InvalidArgumentException, ExpiredIteratorException, ResourceNotFoundException */
export function readIterator(text: string, catalogue: StreamCatalogue, now: number): Position {
  const bytes = Buffer.from(text, "base64");
  const payload = bytes.subarray(SIGNATURE_BYTES);
  const fields = parsePayload(payload);
  if (fields === undefined || bytes.toString("base64") !== text) throw invalidIterator();
  const [name, shard, from, issued] = fields;
  const stream = catalogue.get(name);
  if (stream === undefined || !timingSafeEqual(bytes.subarray(0, SIGNATURE_BYTES), sign(payload, stream))) {
    throw invalidIterator();
  }
  if (now - issued > ITERATOR_LIFE) {
    throw new ServiceFailure(
      "ExpiredIteratorException",
      `Iterator expired. The iterator was created at time ${utc(issued)} while right now it is ${utc(now)} ` +
        `which is further in the future than the tolerated delay of ${ITERATOR_LIFE} milliseconds.`,
    );
  }
  if (shard >= stream.shardCount) throw shardNotFound(shardId(shard), stream);
  return { stream, shard, from };
}

function sign(payload: Buffer, stream: StreamEntry): Buffer {
  const key = `${stream.arn}\n${stream.createdAt}`;
  return createHmac("sha256", key).update(payload).digest().subarray(0, SIGNATURE_BYTES);
}

function parsePayload(payload: Buffer): [string, number, number, number] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString("utf8"));
  } catch {
    return undefined; // Not one of ours: the caller says so.
  }
  if (!Array.isArray(value) || value.length !== 4) return undefined;
  const [name, ...numbers]: unknown[] = value;
  if (typeof name !== "string" || !numbers.every((n) => Number.isSafeInteger(n))) return undefined;
  return [name, ...(numbers as [number, number, number])];
}

function invalidIterator(): ServiceFailure {
  return invalidArgument("Invalid ShardIterator.");
}

/** Like `Thu Jan 22 01:22:02 UTC 2015`. */
function utc(ms: number): string {
  const [, weekday, day, month, year, time] =
    /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(ms).toUTCString()) ?? [];
  return `${weekday} ${month} ${day} ${time} UTC ${year}`;
}
