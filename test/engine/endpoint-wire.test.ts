import { connect, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { Fault } from "../../src/core/fault.ts";
import { cbor } from "../../src/engine/endpoint/codec.ts";
import { type RequestStats, startEndpoint } from "../../src/engine/endpoint/endpoint.ts";
import { call, type GotRecords, headersOf, http1, http2, iterator, serve, succeed } from "../support/endpoint.ts";

const data = (text: string) => Buffer.from(text).toString("base64");
const MIB = 1024 * 1024;

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
