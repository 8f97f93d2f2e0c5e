import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  type KinesisClientConfig,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  paginateListStreams,
  ResourceNotFoundException,
  waitUntilStreamExists,
} from "@aws-sdk/client-kinesis";
import { describe, expect, it, onTestFinished } from "vitest";
import { openLog } from "../../src/engine/log/log.ts";
import { bundle, start } from "../support/child.ts";
import { CREATED_AT, serve } from "../support/endpoint.ts";
import { temporaryFolder } from "../support/temporary.ts";

const run = promisify(execFile);
const credentials = { accessKeyId: "any", secretAccessKey: "thing" };
const ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_DEFAULT_REGION: "eu-west-1",
  AWS_CONFIG_FILE: "/nonexistent",
  AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
};

function client(port: number, config: KinesisClientConfig = {}): KinesisClient {
  const kinesis = new KinesisClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: "eu-west-1",
    credentials,
    ...config,
  });
  onTestFinished(() => kinesis.destroy());
  return kinesis;
}

async function readShard(
  kinesis: KinesisClient,
  ShardId: string,
): Promise<{ key: string; data: string; arrival: Date }[]> {
  const input = {
    StreamName: "flights",
    ShardId,
    ShardIteratorType: "AT_TIMESTAMP",
    Timestamp: new Date(CREATED_AT),
  } as const;
  const found: { key: string; data: string; arrival: Date }[] = [];
  let { ShardIterator } = await kinesis.send(new GetShardIteratorCommand(input));
  for (;;) {
    const answer = await kinesis.send(new GetRecordsCommand({ ShardIterator, Limit: 3 }));
    for (const record of answer.Records ?? []) {
      found.push({
        key: record.PartitionKey!,
        data: Buffer.from(record.Data!).toString(),
        arrival: record.ApproximateArrivalTimestamp!,
      });
    }
    if (answer.Records?.length === 0 && answer.MillisBehindLatest === 0) return found;
    ShardIterator = answer.NextShardIterator;
  }
}

describe("@aws-sdk/client-kinesis", () => {
  it("puts records and reads them back", async () => {
    const { port } = await serve({ flights: 3 });
    const kinesis = client(port);
    await waitUntilStreamExists({ client: kinesis, maxWaitTime: 20 }, { StreamName: "flights" });
    const one = await kinesis.send(
      new PutRecordCommand({ StreamName: "flights", PartitionKey: "one", Data: Buffer.from("first ✈") }),
    );
    expect(one.SequenceNumber).toMatch(/^49/);
    const Records = Array.from({ length: 20 }, (_, i) => ({
      PartitionKey: `key ${i}`,
      Data: Buffer.from(`record ${i}`),
    }));
    const many = await kinesis.send(new PutRecordsCommand({ StreamName: "flights", Records }));
    expect(many.FailedRecordCount).toBe(0);

    const { Shards } = await kinesis.send(new ListShardsCommand({ StreamName: "flights" }));
    const shards = await Promise.all((Shards ?? []).map((shard) => readShard(kinesis, shard.ShardId!)));
    const found = shards.flat().map((r) => `${r.key}: ${r.data}`);
    expect(found.toSorted()).toEqual(
      ["one: first ✈", ...Records.map((r) => `${r.PartitionKey}: ${r.Data.toString()}`)].toSorted(),
    );
    expect(shards.flat().every((r) => Math.abs(r.arrival.getTime() - Date.now()) < 600_000)).toBe(true);
    const summary = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: "flights" }));
    expect(summary.StreamDescriptionSummary?.StreamCreationTimestamp?.getTime()).toBe(CREATED_AT);
  });

  it("has many requests in flight at a time", async () => {
    const { port, streams } = await serve({ flights: 1 });
    const kinesis = client(port);
    const puts = Array.from({ length: 60 }, (_, i) =>
      kinesis.send(new PutRecordCommand({ StreamName: "flights", PartitionKey: "k", Data: Buffer.from(`${i}`) })),
    );
    const sequences = (await Promise.all(puts)).map((answer) => answer.SequenceNumber);
    expect(new Set(sequences).size).toBe(60);
    expect(streams[0]!.log.nextSequence).toBe(61);
  });

  it("pages through streams", async () => {
    const { port } = await serve({ c: 1, a: 1, b: 1 });
    const names: string[] = [];
    for await (const page of paginateListStreams({ client: client(port) }, { Limit: 1 })) {
      names.push(...(page.StreamNames ?? []));
    }
    expect(names).toEqual(["a", "b", "c"]);
  });

  it("throws the service's exceptions", async () => {
    const { port } = await serve({ flights: 1 });
    const put = new PutRecordCommand({ StreamName: "none", PartitionKey: "k", Data: Buffer.from("x") });
    const failure = await client(port)
      .send(put)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ResourceNotFoundException);
    expect(failure).toMatchObject({
      message: "Stream none under account 123456789012 not found.",
      $metadata: { httpStatusCode: 400, requestId: expect.stringMatching(/-/) },
    });
  });

  it("finds all that was acknowledged after the endpoint was killed", async () => {
    const program = await bundle("test/support/endpoint-process.ts");
    const dir = join(temporaryFolder(), "stream");
    const acknowledged: string[] = [];
    for (let kill = 0; kill < 3; kill++) {
      const server = await start(process.execPath, [program, dir, "1"]);
      const { port } = JSON.parse(server.firstLine) as { port: number };
      const kinesis = client(port, { maxAttempts: 1 });
      const enough = (kill + 1) * 40;
      const producers = Array.from({ length: 4 }, async (_, producer) => {
        for (let i = 0; ; i++) {
          const text = `${kill} ${producer} ${i}`;
          const Records = [1, 2, 3].map((part) => ({ PartitionKey: "k", Data: Buffer.from(`${text} ${part}`) }));
          try {
            await kinesis.send(new PutRecordsCommand({ StreamName: "flights", Records }));
          } catch {
            return; // The endpoint is dead, as it should be; what counts is what it acknowledged before.
          }
          acknowledged.push(...Records.map((r) => r.Data.toString()));
          if (acknowledged.length >= enough * 3) void server.end("SIGKILL");
        }
      });
      await Promise.all(producers);
      await server.end("SIGKILL");
    }
    const log = await openLog(dir);
    const records = await log.read(1, { maxRecords: 100_000, maxBytes: 100_000_000 });
    await log.close();
    const kept = records.map((r) => Buffer.from(r.data).toString());
    expect(acknowledged.length).toBeGreaterThanOrEqual(360);
    expect(acknowledged.filter((text) => !kept.includes(text))).toEqual([]);
    expect(new Set(kept).size).toBe(kept.length);
  });
});

/** Each call of theirs starts Python anew, which takes its time on a machine under load. */
const SLOW_START = { timeout: 300_000 };
const hasCli = spawnSync("aws", ["--version"]).status === 0;
const hasBoto3 = spawnSync("python3", ["-c", "import boto3"]).status === 0;

describe(`the AWS CLI${hasCli ? "" : " (skipped: aws is not installed)"}`, () => {
  it.skipIf(!hasCli)("puts a record and reads it back", SLOW_START, async () => {
    const { port } = await serve({ flights: 1 });
    const aws = async (...args: string[]) => {
      const all = ["--endpoint-url", `http://127.0.0.1:${port}`, "--output", "json", "kinesis", ...args];
      const { stdout } = await run("aws", all, { env: { ...process.env, ...ENVIRONMENT } });
      return JSON.parse(stdout) as Record<string, never>;
    };
    // Version 1 takes the data as it is, version 2 as base64; this text is its own base64 either way round.
    const text = "Zm9yZXdhdGNo";
    await aws("put-record", "--stream-name", "flights", "--partition-key", "k", "--data", text);
    const at = [
      "--stream-name",
      "flights",
      "--shard-id",
      "shardId-000000000000",
      "--shard-iterator-type",
      "TRIM_HORIZON",
    ];
    const { ShardIterator } = await aws("get-shard-iterator", ...at);
    const { Records } = (await aws("get-records", "--shard-iterator", String(ShardIterator))) as unknown as {
      Records: { Data: string; PartitionKey: string }[];
    };
    expect(Records.map((r) => r.PartitionKey)).toEqual(["k"]);
    expect([text, Buffer.from(text).toString("base64")]).toContain(Records[0]!.Data);
    const { StreamNames } = await aws("list-streams");
    expect(StreamNames).toEqual(["flights"]);
  });
});

// Pages by hand: botocore's paginator for ListShards repeats the stream's name, which the service refuses.
const BOTO3 = `
import sys, json, boto3, botocore
k = boto3.client("kinesis", endpoint_url="http://127.0.0.1:" + sys.argv[1])
k.put_record(StreamName="flights", PartitionKey="k", Data=b"\\x00\\xff one")
r = k.put_records(StreamName="flights", Records=[{"PartitionKey": str(i), "Data": ("r%d" % i).encode()} for i in range(500)])
page = k.list_shards(StreamName="flights", MaxResults=1)
shards = page["Shards"] + k.list_shards(NextToken=page["NextToken"])["Shards"]
shards = [s["ShardId"] for s in shards]
found = []
for shard in shards:
    it = k.get_shard_iterator(StreamName="flights", ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    while True:
        a = k.get_records(ShardIterator=it, Limit=100)
        found += [x["Data"].decode("latin1") for x in a["Records"]]
        it = a["NextShardIterator"]
        if not a["Records"] and a["MillisBehindLatest"] == 0: break
created = k.describe_stream(StreamName="flights")["StreamDescription"]["StreamCreationTimestamp"].timestamp()
try:
    k.get_records(ShardIterator="AAAA")
except k.exceptions.InvalidArgumentException as e:
    error = str(e)
print(json.dumps({"failed": r["FailedRecordCount"], "shards": shards, "found": found, "created": created, "error": error}))
`;

describe(`boto3${hasBoto3 ? "" : " (skipped: boto3 is not installed)"}`, () => {
  it.skipIf(!hasBoto3)("puts records and reads them back", SLOW_START, async () => {
    const { port } = await serve({ flights: 2 });
    const { stdout } = await run("python3", ["-c", BOTO3, String(port)], { env: { ...process.env, ...ENVIRONMENT } });
    const result = JSON.parse(stdout) as { found: string[] };
    expect(result).toMatchObject({
      failed: 0,
      shards: ["shardId-000000000000", "shardId-000000000001"],
      error:
        "An error occurred (InvalidArgumentException) when calling the GetRecords operation: Invalid ShardIterator.",
      created: CREATED_AT / 1000,
    });
    const sent = ["\0\xff one", ...Array.from({ length: 500 }, (_, i) => `r${i}`)];
    expect(result.found.toSorted()).toEqual(sent.toSorted());
  });
});
