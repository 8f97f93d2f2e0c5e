/** A running endpoint over real logs in a temporary folder, and the plainest clients for it. */

import { request } from "node:http";
import { connect } from "node:http2";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type EndpointOptions, type StreamEntry, startEndpoint } from "../../src/engine/endpoint/endpoint.ts";
import { openLog, type StreamLog } from "../../src/engine/log/log.ts";
import { temporaryFolder } from "./temporary.ts";

export const CREATED_AT = 1_700_000_000_123;

export interface Served {
  readonly port: number;
  readonly streams: readonly StreamEntry[];
  readonly close: () => Promise<void>;
}

export async function openStream(name: string, shardCount: number, log?: StreamLog): Promise<StreamEntry> {
  const opened = log ?? (await openLog(join(temporaryFolder(), name)));
  onTestFinished(() => opened.close());
  return {
    name,
    arn: `arn:aws:kinesis:eu-west-1:123456789012:stream/${name}`,
    shardCount,
    createdAt: CREATED_AT,
    retentionHours: 24,
    log: opened,
  };
}

/** Serves streams, named with their numbers of shards, until the test ends. */
export async function serve(
  shards: Readonly<Record<string, number>>,
  options: Partial<EndpointOptions> = {},
): Promise<Served> {
  const streams = await Promise.all(Object.entries(shards).map(([name, count]) => openStream(name, count)));
  return serveStreams(streams, options);
}

export async function serveStreams(
  streams: readonly StreamEntry[],
  options: Partial<EndpointOptions> = {},
): Promise<Served> {
  const endpoint = await startEndpoint({
    streams: { list: () => streams, get: (name) => streams.find((s) => s.name === name) },
    port: 0,
    ...options,
  });
  onTestFinished(() => endpoint.close());
  return { port: endpoint.port, streams, close: () => endpoint.close() };
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
}

/** What a call may have besides its body. */
export interface CallOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

export function headersOf(operation: string, contentType = "application/x-amz-json-1.1"): Record<string, string> {
  return { "content-type": contentType, "x-amz-target": `Kinesis_20131202.${operation}` };
}

export function http1(port: number, body: string | Buffer, options: CallOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = "POST", headers = {} } = options;
    const sent = request({ host: "127.0.0.1", port, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

export function http2(port: number, body: string | Buffer, options: CallOptions = {}): Promise<Answer> {
  const { method = "POST", headers = {} } = options;
  const { host, ...rest } = headers;
  const session = connect(`http://127.0.0.1:${port}`);
  return new Promise<Answer>((resolve, reject) => {
    session.on("error", reject);
    const stream = session.request(
      { ":method": method, ":path": "/", ...(host && { ":authority": host }), ...rest },
      { endStream: false },
    );
    const chunks: Buffer[] = [];
    let received: Record<string, unknown> = {};
    stream.on("response", (h) => {
      received = { ...h };
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () =>
      resolve({ status: Number(received[":status"]), headers: received, body: Buffer.concat(chunks) }),
    );
    stream.on("error", reject);
    stream.end(body);
  }).finally(() => session.close());
}

/** Calls an operation with JSON over HTTP/1.1. */
export async function call(
  port: number,
  operation: string,
  input: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await http1(port, JSON.stringify(input), { headers: headersOf(operation) });
  return { status: answer.status, body: JSON.parse(answer.body.toString()) };
}

/** The same, for an answer that must be a success of this shape. */
export async function succeed<T>(port: number, operation: string, input: unknown): Promise<T> {
  const { status, body } = await call(port, operation, input);
  if (status !== 200) throw new Error(`${operation}: ${status} ${JSON.stringify(body)}`);
  return body as T;
}

export interface GotRecords {
  readonly Records: readonly {
    SequenceNumber: string;
    Data: string;
    PartitionKey: string;
    ApproximateArrivalTimestamp: number;
  }[];
  readonly NextShardIterator: string;
  readonly MillisBehindLatest: number;
}

export async function iterator(port: number, stream: string, input: Record<string, unknown>): Promise<string> {
  const answer = await succeed<{ ShardIterator: string }>(port, "GetShardIterator", { StreamName: stream, ...input });
  return answer.ShardIterator;
}
