import { connect, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { Fault } from "../../src/core/fault.ts";
import { cbor } from "../../src/engine/endpoint/codec.ts";
import { type RequestStats, startEndpoint } from "../../src/engine/endpoint/endpoint.ts";
import type { StreamLog } from "../../src/engine/log/log.ts";
import {
  CREATED_AT,
  call,
  type GotRecords,
  headersOf,
  http1,
  http2,
  iterator,
  openStream,
  serve,
  serveStreams,
  succeed,
} from "../support/endpoint.ts";

const data = (text: string) => Buffer.from(text).toString("base64");
const KIB = 1024;
const MIB = 1024 * KIB;

interface Put {
  readonly FailedRecordCount: number;
  readonly Records: readonly Record<string, string>[];
}

describe.each([
  ["HTTP/1.1", http1],
  ["cleartext HTTP/2", http2],
])("over %s", (_, send) => {
  it("records in JSON and in CBOR come back in either", async () => {
    const { port } = await serve({ flights: 1 });
    const json = await send(port, JSON.stringify({ StreamName: "flights", PartitionKey: "a", Data: data("one") }), {
      headers: headersOf("PutRecord"),
    });
    expect(json.status).toBe(200);
    expect(json.headers["content-type"]).toBe("application/x-amz-json-1.1");
    expect(json.headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.parse(json.body.toString())).toEqual({
      ShardId: "shardId-000000000000",
      SequenceNumber: expect.stringMatching(/^49\d{54}$/),
      EncryptionType: "NONE",
    });
    const type = "application/x-amz-cbor-1.1";
    const put = await send(
      port,
      cbor.encode({ StreamName: "flights", Records: [{ PartitionKey: "ü", Data: Buffer.from([0, 255, 1]) }] }),
      { headers: headersOf("PutRecords", type) },
    );
    expect(put.headers["content-type"]).toBe(type);
    expect(cbor.decode(put.body)).toMatchObject({ FailedRecordCount: 0 });

    const start = await iterator(port, "flights", {
      ShardId: "shardId-000000000000",
      ShardIteratorType: "TRIM_HORIZON",
    });
    const input = { ShardIterator: start };
    const inCbor = await send(port, cbor.encode(input), { headers: headersOf("GetRecords", type) });
    const inJson = await send(port, JSON.stringify(input), { headers: headersOf("GetRecords") });
    const got = cbor.decode(inCbor.body) as { Records: { Data: Uint8Array; ApproximateArrivalTimestamp: unknown }[] };
    expect(got.Records.map((r) => [...r.Data])).toEqual([[...Buffer.from("one")], [0, 255, 1]]);
    expect(Math.abs(cbor.readTime(got.Records[0]!.ApproximateArrivalTimestamp) - Date.now())).toBeLessThan(600_000);
    const alsoGot = JSON.parse(inJson.body.toString()) as GotRecords;
    expect(alsoGot.Records.map((r) => [r.PartitionKey, r.Data])).toEqual([
      ["a", data("one")],
      ["ü", Buffer.from([0, 255, 1]).toString("base64")],
    ]);
    expect(alsoGot.MillisBehindLatest).toBe(0);
  });

  it.each([
    ["a foreign Host", { host: "evil.example:80" }],
    ["a Host that only begins well", { host: "127.0.0.1.evil.example" }],
    ["a browser's Origin", { origin: "http://127.0.0.1:3000" }],
    ["the null Origin", { origin: "null" }],
    ["a browser's fetch", { "sec-fetch-site": "cross-site" }],
  ])("refuses %s", async (_name, headers) => {
    const { port, streams } = await serve({ flights: 1 });
    const body = JSON.stringify({ StreamName: "flights", PartitionKey: "a", Data: data("one") });
    const answer = await send(port, body, { headers: { ...headersOf("PutRecord"), ...headers } });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ __type: "AccessDeniedException" });
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    expect(streams[0]!.log.nextSequence).toBe(1);
  });

  it.each(["127.0.0.1", "localhost:4567", "LOCALHOST", "[::1]:80"])("answers to %s", async (host) => {
    const { port } = await serve({ flights: 1 });
    expect((await send(port, "{}", { headers: { ...headersOf("ListStreams"), host } })).status).toBe(200);
  });

  it.each([
    ["GET", "GET", {}, "", 403, "AccessDeniedException"],
    ["OPTIONS", "OPTIONS", {}, "", 403, "AccessDeniedException"],
    ["no operation", "POST", { "content-type": "application/x-amz-json-1.1" }, "{}", 400, "UnknownOperationException"],
    ["an unknown operation", "POST", headersOf("DeleteStream"), "{}", 400, "UnknownOperationException"],
    ["an inherited name", "POST", headersOf("constructor"), "{}", 400, "UnknownOperationException"],
    [
      "another service",
      "POST",
      { ...headersOf(""), "x-amz-target": "DynamoDB_20120810.ListStreams" },
      "{}",
      400,
      "UnknownOperationException",
    ],
    ["another encoding", "POST", headersOf("ListStreams", "text/plain"), "{}", 400, "UnknownOperationException"],
    ["no body", "POST", headersOf("ListStreams"), "", 400, "SerializationException"],
    ["malformed JSON", "POST", headersOf("ListStreams"), "{", 400, "SerializationException"],
    ["JSON that is no structure", "POST", headersOf("ListStreams"), "7", 400, "SerializationException"],
    ["a list", "POST", headersOf("ListStreams"), "[]", 400, "SerializationException"],
    ["malformed CBOR", "POST", headersOf("ListStreams", cbor.contentType), "a2", 400, "SerializationException"],
  ] as const)("answers %s as the service does", async (_name, method, headers, body, status, type) => {
    const { port } = await serve({ flights: 1 });
    const answer = await send(port, body, { method, headers });
    expect(answer.status).toBe(status);
    const isCbor = answer.headers["content-type"] === cbor.contentType;
    const decoded = isCbor ? cbor.decode(answer.body) : JSON.parse(answer.body.toString());
    expect(decoded).toMatchObject({ __type: type });
  });

  it("refuses a body beyond all limits", async () => {
    const { port } = await serve({ flights: 1 });
    const answer = await send(port, "", { headers: { ...headersOf("PutRecords") } });
    expect(answer.status).toBe(400);
    const { socketError, status } = await send(port, Buffer.alloc(9 * MIB, 32), {
      headers: headersOf("PutRecords"),
    }).then(
      (a) => ({ socketError: undefined, status: a.status }),
      (error: NodeJS.ErrnoException) => ({ socketError: error.code, status: undefined }),
    );
    // The answer is sent at once; a client that is still sending may see the closed connection first.
    if (socketError === undefined) expect(status).toBe(413);
    else expect(socketError).toMatch(/EPIPE|ECONNRESET|ERR_HTTP2/);
    expect((await send(port, "{}", { headers: headersOf("ListStreams") })).status).toBe(200);
  });
});

describe("a connection", () => {
  it("is understood when its first bytes come one by one", async () => {
    const { port } = await serve({ flights: 1 });
    const body = "{}";
    const text = [
      "POST / HTTP/1.1",
      "Host: localhost",
      "Content-Type: application/x-amz-json-1.1",
      "X-Amz-Target: Kinesis_20131202.ListStreams",
      `Content-Length: ${body.length}`,
      "Connection: close",
      "",
      body,
    ].join("\r\n");
    const socket = connect(port, "127.0.0.1").setNoDelay(true);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    for (const byte of Buffer.from(text)) {
      socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    await new Promise((resolve) => socket.on("close", resolve));
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*"StreamNames":\["flights"\]/s);
  });

  it("that sends garbage harms no other", async () => {
    const { port } = await serve({ flights: 1 });
    for (const garbage of [
      "P",
      "PRI * HTTP/2.0\r\n\r\nnonsense\r\n\r\n",
      "\0\0\0\0",
      "PRINT x\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
    ]) {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      await new Promise((resolve) => socket.on("connect", resolve));
      await new Promise((resolve) => socket.end(garbage, () => resolve(undefined)));
      socket.resume();
    }
    expect(await succeed(port, "ListStreams", {})).toMatchObject({ StreamNames: ["flights"] });
  });
});

describe("starting and closing", () => {
  it("names the port that is in use, and what to do", async () => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => blocker.once("listening", resolve));
    const address = blocker.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const streams = { list: () => [], get: () => undefined };
    const failure = await startEndpoint({ streams, port }).catch((error: unknown) => Fault.from(error));
    blocker.close();
    expect(failure).toMatchObject({
      code: "engine.port-in-use",
      message: `Port ${port} is in use by another program.`,
    });
    expect((failure as Fault).next).toContain("another port");
  });

  it("finishes requests that are under way, and takes no more", async () => {
    const { port, streams, close } = await serve({ flights: 1 });
    const puts = Array.from({ length: 10 }, (_, i) =>
      call(port, "PutRecord", { StreamName: "flights", PartitionKey: "k", Data: data(`${i}`) }).then(
        (answer) => answer.status,
        () => "refused",
      ),
    );
    await Promise.race(puts);
    await close();
    const kept = (await Promise.all(puts)).filter((status) => status === 200).length;
    expect(kept).toBeGreaterThan(0);
    expect(streams[0]!.log.nextSequence - 1).toBeGreaterThanOrEqual(kept);
    await expect(call(port, "ListStreams", {})).rejects.toThrow(/ECONNREFUSED/);
  });

  it("tells its statistics of each request", async () => {
    const stats: RequestStats[] = [];
    const { port } = await serve({ flights: 1 }, { onRequest: (s) => stats.push(s) });
    await call(port, "PutRecord", { StreamName: "flights", PartitionKey: "k", Data: data("x") });
    await call(port, "PutRecord", { StreamName: "none", PartitionKey: "k", Data: data("x") });
    expect(stats).toMatchObject([
      { operation: "PutRecord", status: 200, failure: undefined, records: 1 },
      { operation: "PutRecord", status: 400, failure: "ResourceNotFoundException", records: 0 },
    ]);
  });
});

describe("put limits", () => {
  const put = (port: number, ...sizes: readonly (readonly [number, number])[]) =>
    call(port, "PutRecords", {
      StreamName: "flights",
      Records: sizes.map(([bytes, key]) => ({
        Data: Buffer.alloc(bytes, 1).toString("base64"),
        PartitionKey: "k".repeat(key),
      })),
    });

  it.each([
    ["an empty record", [[0, 1]], undefined],
    ["data and key of 1 MiB", [[MIB - 256, 256]], undefined],
    ["data and key of 1 MiB and a byte", [[MIB - 255, 256]], "InvalidArgumentException"],
    ["data of 1 MiB and a byte", [[MIB + 1, 1]], "ValidationException"],
    ["a key of 257 characters", [[1, 257]], "ValidationException"],
    ["no key", [[1, 0]], "ValidationException"],
    ["5 MiB", Array.from({ length: 5 }, () => [MIB - 1, 1] as const), undefined],
    [
      "5 MiB and a byte",
      [...Array.from({ length: 5 }, () => [MIB - 1, 1] as const), [0, 1] as const],
      "InvalidArgumentException",
    ],
    ["500 records", Array.from({ length: 500 }, () => [1, 1] as const), undefined],
    ["501 records", Array.from({ length: 501 }, () => [1, 1] as const), "ValidationException"],
    ["no record", [], "ValidationException"],
  ] as const)("%s", async (_, sizes, failure) => {
    const { port, streams } = await serve({ flights: 1 });
    const { status, body } = await put(port, ...sizes);
    if (failure === undefined) {
      expect(body).toMatchObject({ FailedRecordCount: 0 });
      const kept = await streams[0]!.log.read(1, { maxRecords: 1_000, maxBytes: 100 * MIB });
      expect(kept.map((r) => [r.data.length, r.partitionKey.length])).toEqual(sizes.map((s) => [...s]));
    } else {
      expect([status, body.__type]).toEqual([400, failure]);
      expect(streams[0]!.log.nextSequence).toBe(1);
    }
  });

  it("can be raised, as on the service", async () => {
    const { port } = await serve({ flights: 1 }, { limits: { recordBytes: 10 * MIB, requestBytes: 10 * MIB } });
    const { body } = await put(port, [9 * MIB, 1]);
    expect(body).toMatchObject({ FailedRecordCount: 0 });
  });

  it.each([
    [{ Records: "x" }, "SerializationException", "Expected list or null"],
    [{ Records: [7] }, "SerializationException", "Expected null"],
    [
      { Records: [{ PartitionKey: 7 }] },
      "SerializationException",
      "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String",
    ],
    [
      { Records: [{ PartitionKey: "k", Data: "a" }] },
      "SerializationException",
      "'a' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 1",
    ],
    [
      {},
      "ValidationException",
      "1 validation error detected: Value null at 'records' failed to satisfy constraint: Member must not be null",
    ],
    [
      {
        Records: [
          { PartitionKey: "k", Data: "" },
          { Data: "", ExplicitHashKey: "-1" },
        ],
      },
      "ValidationException",
      "2 validation errors detected: Value null at 'records.2.member.partitionKey' failed to satisfy constraint: Member must not be null; " +
        "Value '-1' at 'records.2.member.explicitHashKey' failed to satisfy constraint: Member must satisfy regular expression pattern: 0|([1-9]\\d{0,38})",
    ],
    [
      { Records: [{ PartitionKey: "k", Data: "", ExplicitHashKey: String(1n << 128n) }] },
      "InvalidArgumentException",
      `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${1n << 128n}`,
    ],
  ])("refuses %j in the service's words", async (input, type, message) => {
    const { port } = await serve({ flights: 1 });
    const { status, body } = await call(port, "PutRecords", { StreamName: "flights", ...input });
    expect([status, body.__type, body.message ?? body.Message]).toEqual([400, type, message]);
  });
});

describe("partial failures", () => {
  it("name the records that a shard's rate refused; the others are kept", async () => {
    const { port, streams } = await serve(
      { flights: 2 },
      { shardRate: { recordsPerSecond: 3, bytesPerSecond: MIB }, now: () => 1_000 },
    );
    const first = "0";
    const second = String(1n << 127n);
    const Records = [first, first, second, first, first, second].map((ExplicitHashKey, i) => ({
      PartitionKey: "k",
      ExplicitHashKey,
      Data: data(`${i}`),
    }));
    const answer = await succeed<Put>(port, "PutRecords", { StreamName: "flights", Records });
    expect(answer.FailedRecordCount).toBe(1);
    expect(answer.Records.map((r) => r.ErrorCode ?? r.ShardId!.slice(-1))).toEqual([
      "0",
      "0",
      "1",
      "0",
      "ProvisionedThroughputExceededException",
      "1",
    ]);
    expect(answer.Records[4]).toEqual({
      ErrorCode: "ProvisionedThroughputExceededException",
      ErrorMessage: "Rate exceeded for shard shardId-000000000000 in stream flights under account 123456789012.",
    });
    const kept = await streams[0]!.log.read(1, { maxRecords: 10, maxBytes: 1_000 });
    expect(kept.map((r) => Buffer.from(r.data).toString()).join("")).toBe("01235");
    const single = { StreamName: "flights", PartitionKey: "k", ExplicitHashKey: first, Data: "" };
    expect(await call(port, "PutRecord", single)).toMatchObject({
      status: 400,
      body: { __type: "ProvisionedThroughputExceededException" },
    });
  });

  // The log is real but for its append, which fails as a full disk and a swamped one do; log-crash has the real disk.
  const failing = async (fault: Fault) => {
    const stream = await openStream("flights", 1);
    const log: StreamLog = Object.create(stream.log, { append: { value: () => Promise.reject(fault) } });
    return serveStreams([{ ...stream, log }]);
  };

  it("are all records when the disk cannot keep up", async () => {
    const { port } = await failing(new Fault("stream.busy", "Too much.", { next: "Later." }));
    const Records = [1, 2].map(() => ({ PartitionKey: "k", Data: "" }));
    expect(await succeed(port, "PutRecords", { StreamName: "flights", Records })).toMatchObject({
      FailedRecordCount: 2,
      Records: Records.map(() => ({
        ErrorCode: "ProvisionedThroughputExceededException",
        ErrorMessage: "Too much. Later.",
      })),
    });
  });

  it("are a failed request when the disk is full: one that SDKs repeat, in our words", async () => {
    const { port } = await failing(new Fault("engine.disk-full", "The disk is full.", { next: "Free some space." }));
    for (const [operation, input] of [
      ["PutRecord", { PartitionKey: "k", Data: "" }],
      ["PutRecords", { Records: [{ PartitionKey: "k", Data: "" }] }],
    ] as const) {
      expect(await call(port, operation, { StreamName: "flights", ...input })).toEqual({
        status: 500,
        body: { __type: "InternalFailureException", message: "The disk is full. Free some space." },
      });
    }
  });
});

describe("descriptions", () => {
  it("of streams, in pages", async () => {
    const { port } = await serve({ b: 1, a: 2, c: 1 });
    const first = await succeed<{ NextToken: string }>(port, "ListStreams", { Limit: 2 });
    expect(first).toMatchObject({ StreamNames: ["a", "b"], HasMoreStreams: true });
    const rest = { StreamNames: ["c"], HasMoreStreams: false };
    expect(await succeed(port, "ListStreams", { NextToken: first.NextToken })).toMatchObject(rest);
    expect(await succeed(port, "ListStreams", { ExclusiveStartStreamName: "b" })).toMatchObject(rest);
    expect(await call(port, "ListStreams", { Limit: 0 })).toMatchObject({ body: { __type: "ValidationException" } });
    expect(await call(port, "ListStreams", { NextToken: "?" })).toMatchObject({
      body: { __type: "InvalidArgumentException" },
    });
  });

  it("of a stream, by name and by ARN", async () => {
    const { port, streams } = await serve({ flights: 3 });
    const StreamARN = streams[0]!.arn;
    const common = {
      StreamName: "flights",
      StreamARN,
      StreamStatus: "ACTIVE",
      RetentionPeriodHours: 24,
      StreamCreationTimestamp: CREATED_AT / 1000,
      EncryptionType: "NONE",
      StreamModeDetails: { StreamMode: "PROVISIONED" },
    };
    const whole = await succeed<{ StreamDescription: { Shards: unknown[] } }>(port, "DescribeStream", {
      StreamARN,
      Limit: 2,
    });
    expect(whole.StreamDescription).toMatchObject({ ...common, HasMoreShards: true });
    expect(whole.StreamDescription.Shards.length).toBe(2);
    expect(
      await succeed(port, "DescribeStream", { StreamName: "flights", ExclusiveStartShardId: "shardId-000000000001" }),
    ).toMatchObject({ StreamDescription: { HasMoreShards: false, Shards: [{ ShardId: "shardId-000000000002" }] } });
    expect(await succeed(port, "DescribeStreamSummary", { StreamName: "flights", StreamARN })).toMatchObject({
      StreamDescriptionSummary: { ...common, OpenShardCount: 3, ConsumerCount: 0, MaxRecordSizeInKiB: 1024 },
    });
  });

  it("of shards, in pages", async () => {
    const { port } = await serve({ flights: 5 });
    type Page = { Shards: { ShardId: string }[]; NextToken?: string };
    const found: string[] = [];
    let page = await succeed<Page>(port, "ListShards", { StreamName: "flights", MaxResults: 2 });
    for (;;) {
      found.push(...page.Shards.map((s) => s.ShardId.slice(-1)));
      if (page.NextToken === undefined) break;
      page = await succeed<Page>(port, "ListShards", { NextToken: page.NextToken, MaxResults: 2 });
    }
    expect(found.join("")).toBe("01234");
    const after = { Type: "AFTER_SHARD_ID", ShardId: "shardId-000000000003" };
    const filtered = await succeed<Page>(port, "ListShards", { StreamName: "flights", ShardFilter: after });
    expect(filtered.Shards.map((s) => s.ShardId)).toEqual(["shardId-000000000004"]);
    const latest = await succeed<Page>(port, "ListShards", {
      StreamName: "flights",
      ShardFilter: { Type: "AT_LATEST" },
    });
    expect(latest.Shards.length).toBe(5);
  });

  it("forget a token of ListShards after five minutes", async () => {
    let now = 1_000_000;
    const { port } = await serve({ flights: 2 }, { now: () => now });
    const { NextToken } = await succeed<{ NextToken: string }>(port, "ListShards", {
      StreamName: "flights",
      MaxResults: 1,
    });
    now += 300_001;
    expect(await call(port, "ListShards", { NextToken })).toMatchObject({
      body: { __type: "ExpiredNextTokenException" },
    });
  });

  it.each([
    [
      "DescribeStream",
      { StreamName: "none" },
      "ResourceNotFoundException",
      "Stream none under account 123456789012 not found.",
    ],
    ["DescribeStream", {}, "InvalidArgumentException", "Must specify either StreamARN or StreamName."],
    [
      "DescribeStream",
      { StreamName: "a b" },
      "ValidationException",
      "1 validation error detected: Value 'a b' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
    ],
    ["DescribeStream", { StreamName: 1 }, "SerializationException", undefined],
    [
      "DescribeStreamSummary",
      { StreamARN: "arn:aws:kinesis:eu-west-1:999999999999:stream/flights" },
      "ResourceNotFoundException",
      "Stream flights under account 999999999999 not found.",
    ],
    [
      "DescribeStreamSummary",
      { StreamName: "b", StreamARN: "arn:aws:kinesis:eu-west-1:123456789012:stream/flights" },
      "InvalidArgumentException",
      undefined,
    ],
    ["ListShards", {}, "InvalidArgumentException", "Either NextToken or StreamName should be provided."],
    [
      "ListShards",
      { NextToken: "x", StreamName: "flights" },
      "InvalidArgumentException",
      "NextToken and StreamName cannot be provided together.",
    ],
    ["ListShards", { NextToken: "x" }, "InvalidArgumentException", "NextToken is invalid."],
    [
      "ListShards",
      { StreamName: "flights", ShardFilter: { Type: "AFTER_SHARD_ID" } },
      "InvalidArgumentException",
      undefined,
    ],
    [
      "ListShards",
      { StreamName: "flights", ShardFilter: { Type: "FROM_TIMESTAMP" } },
      "InvalidArgumentException",
      undefined,
    ],
    [
      "ListShards",
      { StreamName: "flights", ExclusiveStartShardId: "shardId-9" },
      "ResourceNotFoundException",
      undefined,
    ],
  ])("%s of %j fails", async (operation, input, type, message) => {
    const { port } = await serve({ flights: 1 });
    const { status, body } = await call(port, operation, input);
    expect([status, body.__type]).toEqual([400, type]);
    if (message !== undefined) expect(body.message).toBe(message);
  });
});
