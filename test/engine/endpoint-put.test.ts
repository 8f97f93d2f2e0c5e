import { describe, expect, it } from "vitest";
import { Fault } from "../../src/core/fault.ts";
import type { StreamLog } from "../../src/engine/log/log.ts";
import { call, openStream, serve, serveStreams, succeed } from "../support/endpoint.ts";

const data = (text: string) => Buffer.from(text).toString("base64");
const MIB = 1024 * 1024;

interface Put {
  readonly FailedRecordCount: number;
  readonly Records: readonly Record<string, string>[];
}

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
