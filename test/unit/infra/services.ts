/** S3, Kinesis and CloudWatch as far as the functions' calls go: they take everything, but for what a test has them refuse. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

/** A call that a function sent. */
export interface ServiceCall {
  readonly service: "s3" | "kinesis" | "cloudwatch";
  /** Such as `PutRecord`; of S3 the method and the key. */
  readonly operation: string;
  readonly body: Buffer;
}

export class Services {
  readonly calls: ServiceCall[] = [];
  /** Whether a call fails altogether, as it does without its key, its permission or the service. */
  fails: (call: ServiceCall) => boolean = () => false;
  /** Whether a shard refuses a record, by its text. */
  refuses: (text: string) => boolean = () => false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** Where they are to be called. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** As they were at first. */
  reset(): void {
    this.calls.length = 0;
    this.fails = () => false;
    this.refuses = () => false;
  }

  of(operation: string): ServiceCall[] {
    return this.calls.filter((call) => call.operation.startsWith(operation));
  }

  /** Texts of the records that were put, those that a shard refused too. */
  records(): string[] {
    return this.of("PutRecord").map(({ body }) => textOf(body));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const call = callOf(request, Buffer.concat(parts));
    this.calls.push(call);
    ANSWERS[call.service](response, call, this.fails(call), this.refuses);
  }
}

function callOf({ headers, method, url = "" }: IncomingMessage, body: Buffer): ServiceCall {
  const target = headers["x-amz-target"];
  if (target !== undefined) return { service: "kinesis", operation: String(target).split(".")[1]!, body };
  if (headers["smithy-protocol"] === "rpc-v2-cbor")
    return { service: "cloudwatch", operation: url.slice(url.lastIndexOf("/") + 1), body };
  return { service: "s3", operation: `${method} ${decodeURIComponent(url.split("?")[0]!)}`, body };
}

function textOf(body: Buffer): string {
  return Buffer.from((JSON.parse(body.toString()) as { Data: string }).Data, "base64").toString();
}

type Answer = (response: ServerResponse, call: ServiceCall, fails: boolean, refuses: (text: string) => boolean) => void;

const ANSWERS: Readonly<Record<ServiceCall["service"], Answer>> = {
  kinesis(response, { operation, body }, fails, refuses) {
    response.setHeader("content-type", "application/x-amz-json-1.1");
    const put = operation === "PutRecord";
    if (fails || (put && refuses(textOf(body)))) {
      const full = { __type: "ProvisionedThroughputExceededException", message: "Rate exceeded for shard" };
      response.statusCode = 400;
      response.end(JSON.stringify(fails ? { __type: "KMSDisabledException", message: "The key is disabled" } : full));
    } else if (put) response.end(JSON.stringify({ SequenceNumber: "1", ShardId: "shardId-000000000000" }));
    else response.end(JSON.stringify({ Shards: [] }));
  },
  cloudwatch(response, _, fails) {
    response.statusCode = fails ? 500 : 200;
    response.setHeader("smithy-protocol", "rpc-v2-cbor");
    response.setHeader("content-type", "application/cbor");
    // An empty map.
    response.end(Buffer.from([0xa0]));
  },
  s3(response, { operation }, fails) {
    const get = operation.startsWith("GET");
    response.setHeader("content-type", "application/xml");
    if (fails) response.statusCode = 503;
    else if (get) response.statusCode = 404;
    if (fails || get) response.end(`<Error><Code>${fails ? "SlowDown" : "NoSuchKey"}</Code></Error>`);
    else response.end();
  },
};
