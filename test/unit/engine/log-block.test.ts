import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeBlock,
  encodeBlock,
  type LogRecord,
  type NewRecord,
  stampBlock,
  visitRecords,
} from "../../../src/engine/log/block.ts";
import { crc32, tableCrc32 } from "../../../src/engine/log/crc32.ts";

const record: fc.Arbitrary<NewRecord> = fc.record({
  shard: fc.integer({ min: 0, max: 0xffff }),
  partitionKey: fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }),
  data: fc.uint8Array({ maxLength: 200 }),
});

function recordsOf(bytes: Buffer, from = 0): LogRecord[] {
  const records: LogRecord[] = [];
  visitRecords(decodeBlock(bytes, 0)!, from, (r) => records.push(r) > 0);
  return records;
}

describe("a block", () => {
  it("gives back what went in, numbered on", () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), fc.maxSafeNat(), (records, firstSequence) => {
        fc.pre(Number.isSafeInteger(firstSequence + records.length));
        const bytes = encodeBlock(records);
        stampBlock(bytes, { firstSequence, arrival: 1_700_000_000_000, durable: 32 });
        const read = recordsOf(bytes);
        expect(read.map((r) => r.sequence)).toEqual(records.map((_, i) => firstSequence + i));
        expect(
          read.map(({ shard, partitionKey, data }) => ({ shard, partitionKey, data: Uint8Array.from(data) })),
        ).toEqual(records.map((r) => ({ ...r, data: Uint8Array.from(r.data) })));
      }),
    );
  });

  it("is refused with any bit turned, and when cut at any byte", () => {
    const bytes = encodeBlock([{ shard: 1, partitionKey: "key", data: Buffer.from("some data") }]);
    stampBlock(bytes, { firstSequence: 7, arrival: 1_700_000_000_000, durable: 32 });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const turned = Buffer.from(bytes);
      turned[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeBlock(turned, 0), `bit ${bit}`).toBeUndefined();
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeBlock(bytes.subarray(0, length), 0), `${length} bytes`).toBeUndefined();
    }
    expect(decodeBlock(bytes, 0)).toBeDefined();
  });
});

describe("the checksum", () => {
  it("is the CRC-32 of zlib, with and without zlib", () => {
    expect(crc32(Buffer.from("123456789"))).toBe(0xcbf43926);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => tableCrc32(bytes) === crc32(bytes)));
  });
});
