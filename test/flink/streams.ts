/** Kinesis streams for a job to read and write: those of the project's own endpoint, and moto's. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { type StreamEntry, startEndpoint } from "../../src/engine/endpoint/endpoint.ts";
import { openLog } from "../../src/engine/log/log.ts";

const REGION = "us-east-1";

export interface Streams {
  readonly url: string;
  readonly client: KinesisClient;
  /** Makes a stream; resolves with its ARN. */
  create(name: string, shards: number): Promise<string>;
  close(): Promise<void>;
}

/** The project's endpoint, its logs below `folder`. */
export async function ownStreams(folder: string): Promise<Streams> {
  const streams = new Map<string, StreamEntry>();
  const failures: unknown[] = [];
  const endpoint = await startEndpoint({
    streams: { list: () => [...streams.values()], get: (name) => streams.get(name) },
    port: 0,
    onFailure: (error) => failures.push(error),
  });
  const url = `http://127.0.0.1:${endpoint.port}`;
  return {
    url,
    client: clientOf(url),
    async create(name, shardCount) {
      mkdirSync(join(folder, name), { recursive: true });
      const log = await openLog(join(folder, name));
      const arn = `arn:aws:kinesis:${REGION}:123456789012:stream/${name}`;
      streams.set(name, { name, arn, shardCount, createdAt: Date.now() - 60_000, retentionHours: 24, log });
      return arn;
    },
    async close() {
      await endpoint.close();
      for (const { log } of streams.values()) await log.close();
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** moto's server, started with `python`. */
export async function motoStreams(python: string): Promise<Streams> {
  const port = await freePort();
  const server = spawn(python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  await untilUp(url, server);
  const client = clientOf(url);
  return {
    url,
    client,
    async create(name, shards) {
      await client.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }));
      const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName: name }));
      return StreamDescriptionSummary!.StreamARN!;
    },
    async close() {
      client.destroy();
      const gone = new Promise<void>((resolve) => server.once("exit", () => resolve()));
      server.kill();
      await gone;
    },
  };
}

/** All that a stream holds, a line a text. */
export async function readAll(client: KinesisClient, stream: string): Promise<string[]> {
  const lines: string[] = [];
  const { Shards } = await client.send(new ListShardsCommand({ StreamName: stream }));
  for (const { ShardId } of Shards!) {
    const first = await client.send(
      new GetShardIteratorCommand({ StreamName: stream, ShardId, ShardIteratorType: "TRIM_HORIZON" }),
    );
    let ShardIterator = first.ShardIterator;
    for (;;) {
      const page = await client.send(new GetRecordsCommand({ ShardIterator }));
      for (const { Data } of page.Records!) lines.push(...Buffer.from(Data!).toString().split("\n"));
      if (page.Records!.length === 0 && (page.MillisBehindLatest ?? 0) === 0) break;
      ShardIterator = page.NextShardIterator;
    }
  }
  return lines.filter((line) => line.trim() !== "");
}

function clientOf(endpoint: string): KinesisClient {
  const credentials = { accessKeyId: "x", secretAccessKey: "x" };
  return new KinesisClient({ endpoint, region: REGION, credentials, requestHandler: new NodeHttpHandler() });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function untilUp(url: string, server: ChildProcess): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (server.exitCode !== null) throw new Error(`moto ended with ${server.exitCode}`);
    const up = await fetch(`${url}/moto-api/`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("moto does not answer.");
}
