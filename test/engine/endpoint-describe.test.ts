import { describe, expect, it } from "vitest";
import { CREATED_AT, call, serve, succeed } from "../support/endpoint.ts";

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
