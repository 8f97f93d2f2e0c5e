/**
 * The endpoint's figures: durable PutRecords of 500 records of 150 bytes, beside kinesalite (npm, in memory, nothing durable)
 * in the same run. Each server has a process of its own; both get the same bytes from the same client over HTTP/1.1.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, type Child, start } from "../support/child.ts";

export interface BenchRow {
  readonly name: string;
  readonly value: string;
  readonly target?: string;
  readonly ok?: boolean;
}

const RECORDS = 500;
const RECORD_BYTES = 150;
/** Requests in flight, each on a connection of its own. */
const IN_FLIGHT = 8;
const ROUNDS = 3;
const ROUND_MS = 2_500;
const WARM_UP_MS = 1_000;
const MEMORY_RECORDS = 1_000_000;
const PEER = "kinesalite";
const PEER_VERSION = "3.3.3";

export async function benchEndpoint(): Promise<{ rows: BenchRow[] }> {
  const folder = mkdtempSync(join(tmpdir(), "forewatch-bench-"));
  const started: Child[] = [];
  try {
    const program = await bundle("test/support/endpoint-process.ts");
    const own = await start(process.execPath, [program, join(folder, "one"), "1"]);
    started.push(own);
    const { port } = JSON.parse(own.firstLine) as { port: number };
    const ownClient = new Client(port);
    const peer = await startPeer(started);
    const peerClient = typeof peer === "number" ? new Client(peer) : undefined;

    await ownClient.run(WARM_UP_MS);
    await peerClient?.run(WARM_UP_MS);
    const ownRates: number[] = [];
    const peerRates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      ownRates.push(await ownClient.run(ROUND_MS));
      if (peerClient) peerRates.push(await peerClient.run(ROUND_MS));
    }
    const rate = median(ownRates);
    const latency = ownClient.latencies();
    while (ownClient.records < MEMORY_RECORDS) await ownClient.run(ROUND_MS);
    const rows: BenchRow[] = [
      {
        name: "Endpoint: durable PutRecords, 500 x 150 bytes",
        value: `${thousands(rate)} records/s`,
        target: ">= 30,000 records/s",
        ok: rate >= 30_000,
      },
      {
        name: "Endpoint: a request until durable",
        value: `${latency.p50.toFixed(1)} ms median, ${latency.p99.toFixed(1)} ms 99th percentile (${IN_FLIGHT} in flight)`,
      },
      {
        name: `Endpoint: peak memory after ${thousands(ownClient.records)} records`,
        value: `${Math.round(peakMemory(own.pid) / 1024 / 1024)} MiB`,
        target: "<= 512 MiB",
        ok: peakMemory(own.pid) <= 512 * 1024 * 1024,
      },
    ];
    if (peerClient) {
      const peerRate = median(peerRates);
      rows.splice(1, 0, {
        name: `Endpoint: beside ${PEER} ${PEER_VERSION} (in memory, ${thousands(peerRate)} records/s)`,
        value: `${(rate / peerRate).toFixed(1)} times`,
        target: ">= 10 times",
        ok: rate / peerRate >= 10,
      });
    } else {
      rows.splice(1, 0, { name: `Endpoint: beside ${PEER}`, value: `not measured: ${peer}` });
    }
    return { rows };
  } finally {
    for (const child of started) await child.end("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The peer with a stream of one shard: its port, or why there is none. */
async function startPeer(started: Child[]): Promise<number | string> {
  const home = join(import.meta.dirname, "../../node_modules/.cache/forewatch-peer");
  const program = join(home, "node_modules", PEER, "cli.js");
  if (!existsSync(program)) {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "package.json"), JSON.stringify({ private: true }));
    try {
      execFileSync("npm", ["install", `${PEER}@${PEER_VERSION}`, "--ignore-scripts", "--no-audit", "--no-fund"], {
        cwd: home,
        stdio: "pipe",
        timeout: 120_000,
      });
    } catch (error) {
      return `npm could not install it (${(error as Error).message.split("\n")[0]})`;
    }
  }
  // It prints the port it was asked for, so a free one is found first.
  const port = await freePort();
  started.push(await start(process.execPath, [program, "--port", String(port), "--createStreamMs", "0"]));
  const client = new Client(port);
  await client.call("CreateStream", { StreamName: "flights", ShardCount: 1 });
  for (;;) {
    const { body } = await client.call("DescribeStreamSummary", { StreamName: "flights" });
    if (body.includes('"ACTIVE"')) return port;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** The same requests over and over, on raw connections, so that the client costs next to nothing. */
class Client {
  readonly #port: number;
  readonly #requests: readonly Buffer[];
  #latencies: number[] = [];
  /** Acknowledged so far. */
  records = 0;

  constructor(port: number) {
    this.#port = port;
    this.#requests = Array.from({ length: 4 }, () => frame("PutRecords", putRecordsBody()));
  }

  /** Puts records for about `ms` and answers how many a second were acknowledged. */
  async run(ms: number): Promise<number> {
    this.#latencies = [];
    const before = this.records;
    const started = performance.now();
    await Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => this.#produce(i, started + ms)));
    return ((this.records - before) * 1000) / (performance.now() - started);
  }

  async #produce(lane: number, until: number): Promise<void> {
    const connection = new Connection(connect(this.#port, "127.0.0.1"));
    for (let i = lane; performance.now() < until; i++) {
      const sent = performance.now();
      const { status, body } = await connection.exchange(this.#requests[i % this.#requests.length]!);
      if (status !== 200 || !body.includes('"FailedRecordCount":0')) throw new Error(`PutRecords: ${status} ${body}`);
      this.#latencies.push(performance.now() - sent);
      this.records += RECORDS;
    }
    connection.end();
  }

  async call(operation: string, body: unknown): Promise<{ status: number; body: string }> {
    const connection = new Connection(connect(this.#port, "127.0.0.1"));
    const answer = await connection.exchange(frame(operation, JSON.stringify(body)));
    connection.end();
    return answer;
  }

  /** Of the last run, ms. */
  latencies(): { p50: number; p99: number } {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
    return { p50: at(0.5), p99: at(0.99) };
  }
}

/** One connection with one request at a time; understands just the answers with a Content-Length. */
class Connection {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #length = 0;
  #expected = Number.POSITIVE_INFINITY;
  #settle: { resolve: (answer: { status: number; body: string }) => void; reject: (error: Error) => void } | undefined;

  constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#take(chunk));
    socket.on("error", (error) => this.#settle?.reject(error));
    socket.on("close", () => this.#settle?.reject(new Error("The connection was closed before the answer.")));
  }

  exchange(request: Buffer): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(request);
    });
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#length += chunk.length;
    if (this.#expected === Number.POSITIVE_INFINITY) {
      const head = Buffer.concat(this.#received);
      const end = head.indexOf("\r\n\r\n");
      const length = /content-length: *(\d+)/i.exec(head.subarray(0, Math.max(end, 0)).toString("latin1"))?.[1];
      if (end >= 0) this.#expected = end + 4 + Number(length ?? 0);
    }
    if (this.#length < this.#expected) return;
    const answer = Buffer.concat(this.#received).toString("latin1");
    this.#received = [];
    this.#length = 0;
    this.#expected = Number.POSITIVE_INFINITY;
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.resolve({ status: Number(answer.slice(9, 12)), body: answer.slice(answer.indexOf("\r\n\r\n") + 4) });
  }

  end(): void {
    this.#socket.end();
  }
}

function frame(operation: string, body: string): Buffer {
  const head = [
    "POST / HTTP/1.1",
    "Host: 127.0.0.1",
    "Content-Type: application/x-amz-json-1.1",
    `X-Amz-Target: Kinesis_20131202.${operation}`,
    "X-Amz-Date: 20260101T000000Z",
    // The peer wants one to be there; neither checks it.
    "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`, "latin1");
}

function putRecordsBody(): string {
  const records = Array.from({ length: RECORDS }, (_, i) => ({
    Data: randomBytes(RECORD_BYTES).toString("base64"),
    PartitionKey: `key-${i}`,
  }));
  return JSON.stringify({ StreamName: "flights", Records: records });
}

/** The most memory the process ever held, bytes; NaN where the system does not say. */
function peakMemory(pid: number): number {
  if (process.platform !== "linux") return Number.NaN;
  return Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
