import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StreamEntry } from "../../../src/engine/endpoint/catalogue.ts";
import { ITERATOR_LIFE, issueIterator, readIterator } from "../../../src/engine/endpoint/iterator.ts";
import {
  describeShard,
  parseSequenceNumber,
  sequenceNumber,
  shardId,
  shardIndex,
  shardMap,
} from "../../../src/engine/endpoint/shards.ts";

const shardCount = fc.integer({ min: 1, max: 300 });
const NO_LOG = {} as StreamEntry["log"];

function stream(name: string, shards: number, createdAt = 1): StreamEntry {
  const arn = `arn:aws:kinesis:eu-west-1:123456789012:stream/${name}`;
  return { name, arn, shardCount: shards, createdAt, retentionHours: 24, log: NO_LOG };
}

describe("shards", () => {
  it("divide the hash keys evenly, without gap or overlap", () => {
    fc.assert(
      fc.property(shardCount, (count) => {
        const ranges = Array.from({ length: count }, (_, i) => describeShard(i, stream("s", count)).HashKeyRange);
        const starts = ranges.map((r) => BigInt(r.StartingHashKey));
        const ends = ranges.map((r) => BigInt(r.EndingHashKey));
        expect(starts[0]).toBe(0n);
        expect(ends.at(-1)).toBe((1n << 128n) - 1n);
        for (let i = 1; i < count; i++) expect(starts[i]).toBe(ends[i - 1]! + 1n);
        const even = (1n << 128n) / BigInt(count);
        for (const [i, start] of starts.entries()) expect([even, even + 1n]).toContain(ends[i]! - start + 1n);
      }),
    );
  });

  it("take a record by the MD5 of its key, or by its explicit hash key, in whose range it lies", () => {
    fc.assert(
      fc.property(
        shardCount,
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 256 }),
        fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
        (count, key, hashKey) => {
          const digest = BigInt(`0x${createHash("md5").update(key, "utf8").digest("hex")}`);
          for (const [shard, hash] of [
            [shardMap(count).forKey(key), digest],
            [shardMap(count).forHashKey(String(hashKey))!, hashKey],
          ] as const) {
            const { StartingHashKey, EndingHashKey } = describeShard(shard, stream("s", count)).HashKeyRange;
            expect(hash >= BigInt(StartingHashKey) && hash <= BigInt(EndingHashKey)).toBe(true);
          }
        },
      ),
    );
  });

  it.each([
    ["0", 0],
    [String(1n << 127n), 1],
    [String((1n << 127n) - 1n), 0],
    [String((1n << 128n) - 1n), 1],
    [String(1n << 128n), undefined],
  ])("put hash key %s of two shards into shard %s", (hashKey, shard) => {
    expect(shardMap(2).forHashKey(hashKey)).toBe(shard);
  });

  it("have names that are read back, when they exist", () => {
    expect(shardId(12)).toBe("shardId-000000000012");
    expect(shardIndex("shardId-000000000012", stream("s", 13))).toBe(12);
    for (const id of ["shardId-000000000013", "shardId-12", "shard-000000000012", "shardId-00000000001x", ""]) {
      expect(shardIndex(id, stream("s", 13)), id).toBeUndefined();
    }
  });
});

describe("sequence numbers", () => {
  const place = fc.record({ sequence: fc.maxSafeNat(), shard: fc.integer({ min: 0, max: 4_095 }) });

  it("are read back, are the service's in form, and order as the log does", () => {
    fc.assert(
      fc.property(place, place, (a, b) => {
        const text = sequenceNumber(a.sequence, a.shard);
        expect(text).toMatch(/^49\d{54}$/);
        expect(parseSequenceNumber(text)).toEqual(a);
        const other = sequenceNumber(b.sequence, b.shard);
        if (a.sequence < b.sequence) expect(BigInt(text) < BigInt(other)).toBe(true);
      }),
    );
  });

  it.each([
    "0",
    "1",
    "49600000000000000000",
    `${sequenceNumber(1, 0)}0`,
    `5${sequenceNumber(1, 0).slice(1)}`,
  ])("are not %s", (text) => {
    expect(parseSequenceNumber(text)).toBeUndefined();
  });
});

describe("iterators", () => {
  const flights = stream("flights", 4);
  const catalogue = (...streams: StreamEntry[]) => ({
    list: () => streams,
    get: (name: string) => streams.find((s) => s.name === name),
  });

  it("lead back to their place as long as they live", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3 }),
        fc.maxSafeNat(),
        fc.integer({ min: 0, max: ITERATOR_LIFE }),
        (shard, from, age) => {
          const text = issueIterator({ stream: flights, shard, from }, 1_000_000);
          expect(text.length).toBeLessThanOrEqual(512);
          expect(readIterator(text, catalogue(flights), 1_000_000 + age)).toEqual({ stream: flights, shard, from });
        },
      ),
    );
  });

  it("expire after five minutes, in the service's words", () => {
    const text = issueIterator({ stream: flights, shard: 0, from: 1 }, Date.UTC(2015, 0, 22, 1, 22, 2));
    expect(() => readIterator(text, catalogue(flights), Date.UTC(2015, 0, 22, 1, 27, 3))).toThrow(
      "Iterator expired. The iterator was created at time Thu Jan 22 01:22:02 UTC 2015 while right now it is " +
        "Thu Jan 22 01:27:03 UTC 2015 which is further in the future than the tolerated delay of 300000 milliseconds.",
    );
  });

  it("are worth nothing with any character changed, cut off, or for another stream of the name", () => {
    const text = issueIterator({ stream: flights, shard: 0, from: 1 }, 0);
    const invalid = { name: "InvalidArgumentException", message: "Invalid ShardIterator." };
    for (let i = 0; i < text.length; i++) {
      const changed = text.slice(0, i) + (text[i] === "A" ? "B" : "A") + text.slice(i + 1);
      for (const wrong of [changed, text.slice(0, i)]) {
        expect(() => readIterator(wrong, catalogue(flights), 0), wrong).toThrow(expect.objectContaining(invalid));
      }
    }
    const later = stream("flights", 4, 2);
    expect(() => readIterator(text, catalogue(later), 0)).toThrow(expect.objectContaining(invalid));
    expect(() => readIterator(text, catalogue(), 0)).toThrow(expect.objectContaining(invalid));
  });
});
