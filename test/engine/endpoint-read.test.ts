import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openLog } from "../../src/engine/log/log.ts";
import { call, type GotRecords, iterator, openStream, serve, serveStreams, succeed } from "../support/endpoint.ts";
import { temporaryFolder } from "../support/temporary.ts";

const SHARD = "shardId-000000000000";

const textOf = (answer: GotRecords) => answer.Records.map((r) => Buffer.from(r.Data, "base64").toString());

async function put(port: number, texts: readonly string[]): Promise<string[]> {
  const { Records } = await succeed<{ Records: { SequenceNumber: string }[] }>(port, "PutRecords", {
    StreamName: "flights",
    Records: texts.map((text) => ({ PartitionKey: text, Data: Buffer.from(text).toString("base64") })),
  });
  return Records.map((r) => r.SequenceNumber);
}

/** What an iterator leads to, page by page. */
async function follow(port: number, start: string, Limit?: number): Promise<string[]> {
  const found: string[] = [];
  for (let ShardIterator = start; ; ) {
    const answer = await succeed<GotRecords>(port, "GetRecords", { ShardIterator, ...(Limit && { Limit }) });
    if (answer.Records.length === 0 && answer.MillisBehindLatest === 0) return found;
    found.push(...textOf(answer));
    ShardIterator = answer.NextShardIterator;
  }
}

describe("iterators", () => {
  it("of every type begin where they say", async () => {
    let now = 1_000_000;
    const log = await openLog(temporaryFolder(), { now: () => now });
    const { port } = await serveStreams([await openStream("flights", 1, log)], { now: () => now });
    const sequences: string[] = [];
    for (const text of ["a", "b", "c", "d"]) {
      sequences.push(...(await put(port, [text])));
      now += 1_000;
    }
    const cases: [Record<string, unknown>, string][] = [
      [{ ShardIteratorType: "TRIM_HORIZON" }, "abcd"],
      [{ ShardIteratorType: "LATEST" }, ""],
      [{ ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber: sequences[1] }, "bcd"],
      [{ ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: sequences[1] }, "cd"],
      [{ ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: sequences[3] }, ""],
      [{ ShardIteratorType: "AT_TIMESTAMP", Timestamp: 0 }, "abcd"],
      [{ ShardIteratorType: "AT_TIMESTAMP", Timestamp: 1_002 }, "cd"],
      [{ ShardIteratorType: "AT_TIMESTAMP", Timestamp: 1_001.5 }, "cd"],
      [{ ShardIteratorType: "AT_TIMESTAMP", Timestamp: 1_004 }, ""],
    ];
    for (const [input, expected] of cases) {
      const start = await iterator(port, "flights", { ShardId: SHARD, ...input });
      expect((await follow(port, start)).join(""), JSON.stringify(input)).toBe(expected);
    }
    const latest = await iterator(port, "flights", { ShardId: SHARD, ShardIteratorType: "LATEST" });
    await put(port, ["e"]);
    expect(await follow(port, latest)).toEqual(["e"]);
    const behind = await iterator(port, "flights", { ShardId: SHARD, ShardIteratorType: "TRIM_HORIZON" });
    const page = await succeed<GotRecords>(port, "GetRecords", { ShardIterator: behind, Limit: 1 });
    expect(page.MillisBehindLatest).toBe(4_000);
    now += 300_001;
    expect(await call(port, "GetRecords", { ShardIterator: behind })).toMatchObject({
      status: 400,
      body: { __type: "ExpiredIteratorException" },
    });
  });

  it("follow each shard to its end, whatever the shards, the batches and the pages: no record lost, none twice", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.array(fc.uuid(), { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 9 }),
        async (shards, batches, limit) => {
          const log = await openLog(temporaryFolder(), { segmentBytes: 700, tailBytes: 300 });
          const served = await serveStreams([await openStream("flights", shards, log)]);
          const sent = new Map<string, string[]>();
          for (const batch of batches) await put(served.port, batch);
          for (const record of await log.read(1, { maxRecords: 1_000, maxBytes: 1_000_000 })) {
            const id = `shardId-${String(record.shard).padStart(12, "0")}`;
            sent.set(id, [...(sent.get(id) ?? []), record.partitionKey]);
          }
          let total = 0;
          for (let shard = 0; shard < shards; shard++) {
            const id = `shardId-${String(shard).padStart(12, "0")}`;
            const input = { ShardId: id, ShardIteratorType: "TRIM_HORIZON" };
            const found = await follow(served.port, await iterator(served.port, "flights", input), limit);
            expect(found).toEqual(sent.get(id) ?? []);
            total += found.length;
          }
          expect(total).toBe(batches.flat().length);
          await served.close();
        },
      ),
      { numRuns: 15 },
    );
  });

  it("survive a restart of the endpoint, and the removal of what they pointed to", async () => {
    const stream = await openStream("flights", 1, await openLog(temporaryFolder(), { segmentBytes: 300 }));
    const before = await serveStreams([stream]);
    const sequences: string[] = [];
    for (let i = 0; i < 20; i++) sequences.push(...(await put(before.port, [`record ${i}`])));
    const start = await iterator(before.port, "flights", { ShardId: SHARD, ShardIteratorType: "TRIM_HORIZON" });
    await before.close();
    const after = await serveStreams([stream]);
    expect((await follow(after.port, start)).length).toBe(20);
    await stream.log.trim(15);
    const left = 21 - stream.log.firstSequence;
    expect(left).toBeLessThan(20);
    expect((await follow(after.port, start)).length).toBe(left);
    const trimmed = { ShardId: SHARD, ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber: sequences[0] };
    expect((await follow(after.port, await iterator(after.port, "flights", trimmed))).length).toBe(left);
  });

  it.each([
    [
      { ShardId: "shardId-000000000007", ShardIteratorType: "LATEST" },
      "ResourceNotFoundException",
      "Shard shardId-000000000007 in stream flights under account 123456789012 does not exist",
    ],
    [
      { ShardId: SHARD },
      "ValidationException",
      "1 validation error detected: Value null at 'shardIteratorType' failed to satisfy constraint: Member must not be null",
    ],
    [
      { ShardId: SHARD, ShardIteratorType: "FIRST" },
      "ValidationException",
      "1 validation error detected: Value 'FIRST' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]",
    ],
    [{ ShardId: SHARD, ShardIteratorType: "AT_SEQUENCE_NUMBER" }, "InvalidArgumentException", undefined],
    [
      { ShardId: SHARD, ShardIteratorType: "LATEST", StartingSequenceNumber: "1" },
      "InvalidArgumentException",
      undefined,
    ],
    [
      { ShardId: SHARD, ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber: "1" },
      "InvalidArgumentException",
      "StartingSequenceNumber 1 used in GetShardIterator on shard shardId-000000000000 in stream flights under account 123456789012 is invalid.",
    ],
    [
      { ShardId: SHARD, ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber: "x" },
      "ValidationException",
      undefined,
    ],
    [{ ShardId: SHARD, ShardIteratorType: "AT_TIMESTAMP" }, "InvalidArgumentException", undefined],
    [{ ShardId: SHARD, ShardIteratorType: "AT_TIMESTAMP", Timestamp: 1e11 }, "InvalidArgumentException", undefined],
    [{ ShardId: SHARD, ShardIteratorType: "AT_TIMESTAMP", Timestamp: "now" }, "SerializationException", undefined],
  ])("of %j are refused", async (input, type, message) => {
    const { port } = await serve({ flights: 2 });
    const { status, body } = await call(port, "GetShardIterator", { StreamName: "flights", ...input });
    expect([status, body.__type]).toEqual([400, type]);
    if (message !== undefined) expect(body.message).toBe(message);
  });

  it("of one shard take no sequence number of another", async () => {
    const { port } = await serve({ flights: 2 });
    const { Records } = await succeed<{ Records: { SequenceNumber: string }[] }>(port, "PutRecords", {
      StreamName: "flights",
      Records: [{ PartitionKey: "k", ExplicitHashKey: "0", Data: "" }],
    });
    const input = { ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber: Records[0]!.SequenceNumber };
    const refused = await call(port, "GetShardIterator", {
      StreamName: "flights",
      ShardId: "shardId-000000000001",
      ...input,
    });
    expect(refused.body.message).toBe(
      "Invalid StartingSequenceNumber. It encodes shardId-000000000000, while it was used in a call to a shard with shardId-000000000001",
    );
  });
});

describe("GetRecords", () => {
  it("returns at most 10 MiB and at most 10,000 records", async () => {
    const stream = await openStream("flights", 1);
    const { port } = await serveStreams([stream]);
    const large = Array.from({ length: 25 }, () => ({ shard: 0, partitionKey: "k", data: Buffer.alloc(1_000_000) }));
    await stream.log.append(large);
    await stream.log.append(
      Array.from({ length: 12_000 }, () => ({ shard: 0, partitionKey: "k", data: Buffer.alloc(1) })),
    );
    let ShardIterator = await iterator(port, "flights", { ShardId: SHARD, ShardIteratorType: "TRIM_HORIZON" });
    const counts: number[] = [];
    for (let i = 0; i < 5; i++) {
      const answer = await succeed<GotRecords>(port, "GetRecords", { ShardIterator });
      counts.push(answer.Records.length);
      ShardIterator = answer.NextShardIterator;
    }
    expect(counts).toEqual([10, 10, 10_000, 2_005, 0]);
  });

  it.each([
    [{}, "ValidationException"],
    [{ ShardIterator: "AAAA" }, "InvalidArgumentException"],
    [{ ShardIterator: "x".repeat(513) }, "ValidationException"],
    [{ ShardIterator: "AAAA", Limit: 10_001 }, "ValidationException"],
    [{ ShardIterator: 5 }, "SerializationException"],
  ])("refuses %j", async (input, type) => {
    const { port } = await serve({ flights: 1 });
    expect(await call(port, "GetRecords", input)).toMatchObject({ status: 400, body: { __type: type } });
  });
});
