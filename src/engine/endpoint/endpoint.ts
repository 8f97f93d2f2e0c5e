/**
 * The Kinesis-compatible endpoint: step 1 of the pipeline on the local target. Any AWS SDK and the AWS CLI can put records
 * into its streams and read them back, with any credentials: signatures are not checked, the endpoint is reachable from
 * this machine only.
 *
 * Compatible means: the operations of the data plane that producers and consumers use, with the shapes, limits, encodings
 * and failures of the service (API version 2013-12-02).
 */
import { randomUUID } from "node:crypto";
import type { StreamCatalogue } from "./catalogue.ts";
import { type Codec, codecFor, json } from "./codec.ts";
import { describeStream, describeStreamSummary, listShards, listStreams } from "./describe.ts";
import { ServiceFailure, serialization, toServiceFailure, unknownOperation } from "./failure.ts";
import { getRecords, getShardIterator } from "./get.ts";
import { refusal } from "./guard.ts";
import type { EndpointLimits, Operation, OperationContext } from "./operation.ts";
import { putRecord, putRecords } from "./put.ts";
import { listen, type Request, type Response } from "./server.ts";
import { type ShardRate, ShardThroughput } from "./throughput.ts";

export type { StreamCatalogue, StreamEntry } from "./catalogue.ts";
export type { EndpointLimits } from "./operation.ts";
export type { ShardRate } from "./throughput.ts";

/** One answered request. */
export interface RequestStats {
  /** As in X-Amz-Target; empty when there was none. */
  readonly operation: string;
  readonly status: number;
  /** The failure's type; undefined when it went well. */
  readonly failure: string | undefined;
  /** Records accepted or returned. */
  readonly records: number;
  readonly requestBytes: number;
  readonly milliseconds: number;
}

export interface EndpointOptions {
  readonly streams: StreamCatalogue;
  /** 0 takes any free port. */
  readonly port: number;
  /** 127.0.0.1; only loopback addresses make sense, as nothing else is let in. */
  readonly host?: string;
  readonly limits?: Partial<EndpointLimits>;
  /** Refuse records beyond this rate as the service does; no limit by default. */
  readonly shardRate?: ShardRate;
  /** Bodies of requests held in memory at a time, bytes; 256 MiB. What comes beyond is asked to come again. */
  readonly maxBufferedBytes?: number;
  /** Called after each request. */
  readonly onRequest?: (stats: RequestStats) => void;
  /** Told of failures that are the engine's own. */
  readonly onFailure?: (error: unknown) => void;
  /** The wall clock, epoch ms. */
  readonly now?: () => number;
}

export interface Endpoint {
  readonly port: number;
  /** Lets open requests finish, then closes all connections. The streams stay open. */
  close(): Promise<void>;
}

const MIB = 1024 * 1024;
const SERVICE = "Kinesis_20131202";
const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ["PutRecord", putRecord],
  ["PutRecords", putRecords],
  ["ListStreams", listStreams],
  ["DescribeStream", describeStream],
  ["DescribeStreamSummary", describeStreamSummary],
  ["ListShards", listShards],
  ["GetShardIterator", getShardIterator],
  ["GetRecords", getRecords],
]);

/** Starts to listen. @throws Fault engine.port-in-use */
export async function startEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const limits = { recordBytes: MIB, requestBytes: 5 * MIB, ...options.limits };
  const context = {
    streams: options.streams,
    limits,
    throughput: options.shardRate && new ShardThroughput(options.shardRate),
    now: options.now ?? Date.now,
  };
  const bodies = new BodyReader(
    Math.ceil(Math.max(limits.recordBytes, limits.requestBytes) * 1.4) + MIB,
    options.maxBufferedBytes ?? 256 * MIB,
  );
  return listen(options.host ?? "127.0.0.1", options.port, async (request, response) => {
    const started = performance.now();
    const answer = await answerTo(request, bodies, context).catch((error: unknown) => {
      const failure = toServiceFailure(error);
      if (failure.status === 500) options.onFailure?.(error);
      return failedAnswer(failure, codecFor(request.headers["content-type"]) ?? json);
    });
    send(response, answer);
    options.onRequest?.({
      operation: operationName(request) ?? "",
      status: answer.status,
      failure: answer.failure,
      records: answer.records,
      requestBytes: answer.requestBytes,
      milliseconds: performance.now() - started,
    });
  });
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly failure: string | undefined;
  readonly records: number;
  readonly requestBytes: number;
  /** The connection cannot be used again: the request was not read to its end. */
  readonly close: boolean;
}

async function answerTo(
  request: Request,
  bodies: BodyReader,
  context: Omit<OperationContext, "codec">,
): Promise<Answer> {
  const { headers } = request;
  const host = headers[":authority"] ?? headers.host;
  const refused = refusal(typeof host === "string" ? host : undefined, headers);
  if (refused !== undefined) return failedAnswer(new ServiceFailure("AccessDeniedException", refused, 403), json, true);
  if (request.method !== "POST") {
    const words =
      "Unable to determine service/operation name to be authorized. This is a Kinesis endpoint: use an AWS SDK.";
    return failedAnswer(new ServiceFailure("AccessDeniedException", words, 403), json, true);
  }
  return bodies.withBody(request, async (body) => {
    const codec = codecFor(headers["content-type"]);
    const run = OPERATIONS.get(operationName(request) ?? "");
    if (codec === undefined || run === undefined) throw unknownOperation();
    if (body.length === 0) throw serialization("");
    const result = await run(codec.decode(body), { ...context, codec });
    return {
      status: 200,
      contentType: codec.contentType,
      body: codec.encode(result.body),
      failure: undefined,
      records: result.records ?? 0,
      requestBytes: body.length,
      close: false,
    };
  });
}

function failedAnswer(failure: ServiceFailure, codec: Codec, close = failure.status === 413): Answer {
  return {
    status: failure.status,
    contentType: codec.contentType,
    body: codec.encode(failure.toBody()),
    failure: failure.type,
    records: 0,
    requestBytes: 0,
    close,
  };
}

/** `PutRecords` of `X-Amz-Target: Kinesis_20131202.PutRecords`. */
function operationName(request: Request): string | undefined {
  const target = request.headers["x-amz-target"];
  const [service, name] = typeof target === "string" ? target.split(".") : [];
  return service === SERVICE ? name : undefined;
}

function send(response: Response, answer: Answer): void {
  if (response.destroyed) return; // The client has gone; what it sent was handled all the same.
  response.writeHead(answer.status, {
    "content-type": answer.contentType,
    "content-length": answer.body.length,
    "x-amzn-requestid": randomUUID(),
    ...(answer.failure !== undefined && { "x-amzn-errortype": answer.failure }),
    // HTTP/2 forbids the header; there only the one stream ends.
    ...(answer.close && !("stream" in response && response.stream !== null) && { connection: "close" }),
  });
  response.end(answer.body);
}

/** Reads bodies into memory, within limits for one and for all together. */
class BodyReader {
  readonly #maxBody: number;
  readonly #maxTotal: number;
  #held = 0;

  constructor(maxBody: number, maxTotal: number) {
    this.#maxBody = maxBody;
    this.#maxTotal = maxTotal;
  }

  /** Calls `use` with the whole body, which counts as held until that is done. */
  async withBody<T>(request: Request, use: (body: Buffer) => Promise<T>): Promise<T> {
    let length = 0;
    const admit = (bytes: number) => {
      length += bytes;
      this.#held += bytes;
      if (length > this.#maxBody) throw this.#tooLarge();
      if (this.#held > this.#maxTotal) {
        throw new ServiceFailure("ServiceUnavailable", "Too many requests at a time. Send this one again.", 503);
      }
    };
    try {
      if (Number(request.headers["content-length"] ?? 0) > this.#maxBody) throw this.#tooLarge();
      return await use(await readAll(request, admit));
    } finally {
      this.#held -= length;
    }
  }

  #tooLarge(): ServiceFailure {
    return new ServiceFailure("RequestEntityTooLargeException", `A request may have ${this.#maxBody} bytes.`, 413);
  }
}

/** The bytes of a request. When `admit` throws, reading stops, but the connection stays open for the answer. */
function readAll(request: Request, admit: (bytes: number) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const onData = (chunk: Buffer) => {
      try {
        admit(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        request.off("data", onData).pause();
        reject(error);
      }
    };
    request.on("data", onData);
    request.on("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("close", () => reject(new ServiceFailure("RequestAbortedException", "The request ended early.")));
  });
}
