/** The sink of streams over the real SDK, against a server that answers what a script says, as full shards and broken services do. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { kinesisClient, streamSink } from "../../../infra/lambda/aws.ts";
import { type Failure, Shards } from "./shards.ts";

interface PutRecord {
  readonly StreamName: string;
  readonly Data: string;
  readonly PartitionKey: string;
  readonly ExplicitHashKey?: string;
  readonly SequenceNumberForOrdering?: string;
}

const FULL = "ProvisionedThroughputExceededException";
const LOCKED = "KMSDisabledException";
const BROKEN = "InternalFailure";
/** The record is in the stream, and its request ends without an answer. */
const UNANSWERED = "unanswered";
type Outcome = typeof FULL | typeof LOCKED | typeof BROKEN | typeof UNANSWERED | undefined;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A sink whose time passes without waiting, and what a stream has of it. `outcomeOf` says what becomes of a text's nth request. */
async function sink(outcomeOf: (text: string, tries: number) => Outcome = () => undefined) {
  const requests: PutRecord[] = [];
  const taken: string[] = [];
  const tries = new Map<string, number>();
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString()) as PutRecord;
    requests.push(body);
    const text = textOf(body);
    tries.set(text, (tries.get(text) ?? 0) + 1);
    const outcome = outcomeOf(text, tries.get(text)!);
    if (outcome === undefined || outcome === UNANSWERED) taken.push(text);
    if (outcome === UNANSWERED) return request.socket.destroy();
    response.setHeader("content-type", "application/x-amz-json-1.1");
    if (outcome) response.statusCode = outcome === BROKEN ? 500 : 400;
    const done = { SequenceNumber: String(taken.length), ShardId: "shardId-000000000000" };
    return response.end(JSON.stringify(outcome ? { __type: outcome, message: "No" } : done));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const client = kinesisClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: "eu-west-1",
    credentials: { accessKeyId: "x", secretAccessKey: "x" },
  });
  closers.push(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  let now = 0;
  const time = {
    now: () => now,
    sleep: async (millis: number) => {
      now += millis;
    },
  };
  return { sink: streamSink(client, "events", time), requests, taken };
}

const textOf = ({ Data }: PutRecord) => Buffer.from(Data, "base64").toString();
const record = (data: string) => ({ data, partitionKey: "shardId-000000000000" });

test("what a shard refuses is tried again before any that comes behind it", async () => {
  const { sink: events, requests, taken } = await sink((text, tries) => (text === "b" && tries < 3 ? FULL : undefined));
  expect(await events.put(["a", "b", "c"].map(record))).toEqual([]);
  expect(taken).toEqual(["a", "b", "c"]);
  expect(requests.map(textOf)).toEqual(["a", "b", "b", "b", "c"]);
});

test("each record names the one ahead of it, by which alone Kinesis promises their order", async () => {
  const { sink: events, requests } = await sink();
  await events.put(["a", "b", "c"].map((data) => ({ ...record(data), hashKey: "7" })));
  expect(requests.map((r) => r.SequenceNumberForOrdering)).toEqual([undefined, "1", "2"]);
  for (const { StreamName, PartitionKey, ExplicitHashKey } of requests)
    expect([StreamName, PartitionKey, ExplicitHashKey]).toEqual(["events", "shardId-000000000000", "7"]);
});

test("behind what a shard keeps refusing nothing is put, and all of it is told by its position", async () => {
  const { sink: events, requests, taken } = await sink((text) => (text === "b" ? FULL : undefined));
  expect(await events.put(["a", "b", "c", "d"].map(record), 5_000)).toEqual([1, 2, 3]);
  expect(taken).toEqual(["a"]);
  // Pauses of 100 ms, doubled up to a second.
  expect(requests.length).toBe(1 + 8);
});

test("a shard that refuses holds up no other", async () => {
  const { sink: events, taken } = await sink((text) => (text.startsWith("a") ? FULL : undefined));
  const records = ["a1", "b1", "a2", "b2"].map((data) => ({ ...record(data), hashKey: data[0]! }));
  expect(await events.put(records, 1_000)).toEqual([0, 2]);
  expect(taken).toEqual(["b1", "b2"]);
});

test("without any time the first record has its try still", async () => {
  const { sink: events, taken } = await sink();
  expect(await events.put(["a", "b"].map(record), -1)).toEqual([1]);
  expect(taken).toEqual(["a"]);
});

test("what the service fails at is tried again, and what was taken without an answer goes there twice, in its place", async () => {
  const outcome = (text: string, tries: number) => (tries > 1 ? undefined : text === "b" ? BROKEN : UNANSWERED);
  const { sink: events, taken } = await sink(outcome);
  expect(await events.put(["a", "b", "c"].map(record))).toEqual([]);
  expect(taken).toEqual(["a", "a", "b", "c", "c"]);
});

test.each([
  LOCKED,
  BROKEN,
  UNANSWERED,
] as const)("%s at the first record is thrown, later told by position", async (fault) => {
  const { sink: events, requests } = await sink((text) => (text === "b" ? fault : undefined));
  await expect(events.put(["b", "c"].map(record), 1_000)).rejects.toThrow();
  // It is the key that is at fault, and no time mends that.
  expect(requests.length === 1).toBe(fault === LOCKED);
  expect(await events.put(["a", "b", "c"].map(record), 1_000)).toEqual([1, 2]);
});

test("whatever fails, a shard has the records in their order, those that it was told of, and no other", async () => {
  const outcome = fc.constantFrom<Failure | undefined>(undefined, undefined, "full", "full", "broken", "locked");
  const property = fc.asyncProperty(
    fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 12 }),
    fc.array(outcome, { minLength: 1, maxLength: 30 }),
    fc.nat(4_000),
    async (keys, outcomes, millis) => {
      // Vitest takes a worker that does not answer for a minute for dead.
      await new Promise(setImmediate);
      const shards = new Shards({ rate: 2 ** 20, latency: 5, fails: (_, n) => outcomes[n % outcomes.length] });
      const records = keys.map((key, i) => ({ ...record(`${key}${i}`), hashKey: key }));
      const all = records.map((_, i) => i);
      const left = await streamSink(shards.client, "events", shards.time)
        .put(records, millis)
        .catch(() => all);
      for (const key of new Set(keys)) {
        const own = all.filter((i) => keys[i] === key);
        const taken = own.filter((i) => !left.includes(i));
        expect(shards.taken.get(key) ?? []).toEqual(taken.map((i) => records[i]!.data));
        // None is left out between two that were taken.
        expect(own.slice(0, taken.length)).toEqual(taken);
      }
    },
  );
  await fc.assert(property, { numRuns: 60 });
});
