/** The sink of streams over the real SDK, against a server that refuses what a script says, as shards over their limit do. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterEach, expect, test } from "vitest";
import { streamSink } from "../../../infra/lambda/aws.ts";

interface PutRecords {
  readonly StreamName: string;
  readonly Records: readonly {
    readonly Data: string;
    readonly PartitionKey: string;
    readonly ExplicitHashKey?: string;
  }[];
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A sink, and the requests that it sent. `refuses` says of a record's text, at its nth try, whether the shard refuses it. */
async function sink(refuses: (text: string, tries: number) => boolean) {
  const requests: PutRecords[] = [];
  const tries = new Map<string, number>();
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString()) as PutRecords;
    requests.push(body);
    const Records = body.Records.map(({ Data }) => {
      const text = Buffer.from(Data, "base64").toString();
      const count = (tries.get(text) ?? 0) + 1;
      tries.set(text, count);
      return refuses(text, count)
        ? { ErrorCode: "ProvisionedThroughputExceededException", ErrorMessage: "Rate exceeded for shard" }
        : { SequenceNumber: "1", ShardId: "shardId-000000000000" };
    });
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.end(JSON.stringify({ FailedRecordCount: Records.filter((r) => "ErrorCode" in r).length, Records }));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const client = new KinesisClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: "eu-west-1",
    credentials: { accessKeyId: "x", secretAccessKey: "x" },
    requestHandler: new NodeHttpHandler(),
  });
  closers.push(() => {
    client.destroy();
    server.close();
  });
  return { sink: streamSink(client, "events"), requests };
}

const record = (data: string) => ({ data, partitionKey: "shardId-000000000000" });

test("what a shard refuses is tried again, that alone, until it is taken", async () => {
  const { sink: events, requests } = await sink((text, tries) => text === "b" && tries < 3);
  expect(await events.put(["a", "b", "c"].map(record))).toEqual([]);
  const sent = requests.map((r) => r.Records.map(({ Data }) => Buffer.from(Data, "base64").toString()));
  expect(sent).toEqual([["a", "b", "c"], ["b"], ["b"]]);
});

test("what a shard keeps refusing is told by its position", { timeout: 30_000 }, async () => {
  const { sink: events, requests } = await sink((text) => text === "b" || text === "d");
  expect(await events.put(["a", "b", "c", "d"].map(record))).toEqual([1, 3]);
  expect(requests.length).toBe(5);
});

test("requests keep within what PutRecords takes: 500 records and five megabytes", async () => {
  const { sink: events, requests } = await sink(() => false);
  const large = Array.from({ length: 20 }, (_, i) => record(`${i} ${"x".repeat(900_000)}`));
  const small = Array.from({ length: 1_201 }, (_, i) => ({ ...record(`small ${i}`), hashKey: "0" }));
  expect(await events.put([...large, ...small])).toEqual([]);
  for (const { Records, StreamName } of requests) {
    expect(StreamName).toBe("events");
    expect(Records.length).toBeLessThanOrEqual(500);
    const bytes = Records.reduce((sum, r) => sum + Buffer.from(r.Data, "base64").length + r.PartitionKey.length, 0);
    expect(bytes).toBeLessThanOrEqual(5 * 1_024 * 1_024);
  }
  const sent = requests.flatMap((r) => r.Records.map(({ Data }) => Buffer.from(Data, "base64").toString()));
  expect(sent).toEqual([...large, ...small].map((r) => r.data));
  expect(requests.at(-1)!.Records.at(-1)!.ExplicitHashKey).toBe("0");
});
