/** ListStreams, DescribeStream, DescribeStreamSummary and ListShards: what is there. */
import type { StreamCatalogue, StreamEntry } from "./catalogue.ts";
import type { Codec } from "./codec.ts";
import { invalidArgument, ServiceFailure, shardNotFound } from "./failure.ts";
import { operation, pageSize, shardIdMember, streamMembers, streamNameMember, streamOf } from "./operation.ts";
import { describeShard, type ShardDescription, shardIndex } from "./shards.ts";

const DEFAULT_PAGE = 100;
const DEFAULT_SHARDS = 1_000;
/** A token of ListShards lives this long, ms. */
const TOKEN_LIFE = 300_000;
const nextTokenMember = { type: "string", min: 1, max: 1_048_576 } as const;
const FILTERS = [
  "AFTER_SHARD_ID",
  "AT_TRIM_HORIZON",
  "FROM_TRIM_HORIZON",
  "AT_LATEST",
  "AT_TIMESTAMP",
  "FROM_TIMESTAMP",
] as const;

export const listStreams = operation(
  { ExclusiveStartStreamName: streamNameMember, Limit: pageSize, NextToken: nextTokenMember },
  (input, { streams, codec }) => {
    const after = input.NextToken === undefined ? input.ExclusiveStartStreamName : readNameToken(input.NextToken);
    const all = [...streams.list()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const rest = after === undefined ? all : all.filter((stream) => stream.name > after);
    const page = rest.slice(0, input.Limit ?? DEFAULT_PAGE);
    const more = page.length < rest.length;
    return {
      body: {
        HasMoreStreams: more,
        ...(more && { NextToken: Buffer.from(page.at(-1)!.name, "utf8").toString("base64") }),
        StreamNames: page.map((stream) => stream.name),
        StreamSummaries: page.map((stream) => summary(stream, codec)),
      },
    };
  },
);

export const describeStream = operation(
  { ...streamMembers, Limit: pageSize, ExclusiveStartShardId: shardIdMember },
  (input, { streams, codec }) => {
    const stream = streamOf(input, streams);
    const { shards, more } = pageOfShards(stream, input.ExclusiveStartShardId, input.Limit ?? DEFAULT_PAGE);
    return {
      body: { StreamDescription: { ...description(stream, codec), Shards: shards, HasMoreShards: more } },
    };
  },
);

export const describeStreamSummary = operation(streamMembers, (input, { streams, codec, limits }) => {
  const stream = streamOf(input, streams);
  return {
    body: {
      StreamDescriptionSummary: {
        ...description(stream, codec),
        OpenShardCount: stream.shardCount,
        ConsumerCount: 0,
        MaxRecordSizeInKiB: Math.floor(limits.recordBytes / 1024),
      },
    },
  };
});

export const listShards = operation(
  {
    ...streamMembers,
    NextToken: nextTokenMember,
    ExclusiveStartShardId: shardIdMember,
    MaxResults: pageSize,
    StreamCreationTimestamp: { type: "timestamp" },
    ShardFilter: {
      type: "structure",
      members: {
        Type: { type: "string", required: true, values: FILTERS },
        ShardId: shardIdMember,
        Timestamp: { type: "timestamp" },
      },
    },
  },
  (input, { streams, now }) => {
    const { NextToken: token, StreamName, StreamARN, ShardFilter: filter } = input;
    if (token !== undefined && (StreamName !== undefined || input.ExclusiveStartShardId !== undefined)) {
      throw invalidArgument("NextToken and StreamName cannot be provided together.");
    }
    if (token === undefined && StreamName === undefined && StreamARN === undefined) {
      throw invalidArgument("Either NextToken or StreamName should be provided.");
    }
    const page = token === undefined ? undefined : readShardToken(token, streams, now());
    const stream = page?.stream ?? streamOf(input, streams);
    const after = page?.after ?? input.ExclusiveStartShardId ?? afterFilter(filter);
    // No stream is ever resharded here, so every other filter holds for every shard.
    const { shards, more } = pageOfShards(stream, after, input.MaxResults ?? DEFAULT_SHARDS);
    return {
      body: { Shards: shards, ...(more && { NextToken: shardToken(stream, shards.at(-1)!.ShardId, now()) }) },
    };
  },
);

function summary(stream: StreamEntry, codec: Codec) {
  return {
    StreamARN: stream.arn,
    StreamCreationTimestamp: codec.time(stream.createdAt),
    StreamModeDetails: { StreamMode: "PROVISIONED" },
    StreamName: stream.name,
    StreamStatus: "ACTIVE",
  };
}

function description(stream: StreamEntry, codec: Codec) {
  return {
    ...summary(stream, codec),
    RetentionPeriodHours: stream.retentionHours,
    EncryptionType: "NONE",
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
  };
}

/** The shards behind `after`, which must exist. */
function pageOfShards(
  stream: StreamEntry,
  after: string | undefined,
  limit: number,
): { shards: ShardDescription[]; more: boolean } {
  const last = after === undefined ? -1 : shardIndex(after, stream);
  if (last === undefined) throw shardNotFound(after!, stream);
  const end = Math.min(last + 1 + limit, stream.shardCount);
  const shards = Array.from({ length: end - last - 1 }, (_, i) => describeShard(last + 1 + i, stream));
  return { shards, more: end < stream.shardCount };
}

function afterFilter(filter: { Type: string; ShardId?: string; Timestamp?: number } | undefined): string | undefined {
  if (filter === undefined) return undefined;
  if (filter.Type === "AFTER_SHARD_ID" && filter.ShardId === undefined) {
    throw invalidArgument("ShardId must be provided in the ShardFilter when its Type is AFTER_SHARD_ID.");
  }
  if (filter.Type.endsWith("_TIMESTAMP") && filter.Timestamp === undefined) {
    throw invalidArgument(`Timestamp must be provided in the ShardFilter when its Type is ${filter.Type}.`);
  }
  return filter.Type === "AFTER_SHARD_ID" ? filter.ShardId : undefined;
}

function readNameToken(token: string): string {
  const name = Buffer.from(token, "base64").toString("utf8");
  if (!/^[a-zA-Z0-9_.-]{1,128}$/.test(name)) throw invalidArgument("NextToken is invalid.");
  return name;
}

function shardToken(stream: StreamEntry, after: string, now: number): string {
  return Buffer.from(`${stream.name}/${after}/${now}`, "utf8").toString("base64");
}

function readShardToken(token: string, streams: StreamCatalogue, now: number): { stream: StreamEntry; after: string } {
  const [name, after, issued, ...more] = Buffer.from(token, "base64").toString("utf8").split("/");
  const stream = streams.get(name ?? "");
  const time = Number(issued);
  if (stream === undefined || after === undefined || !Number.isSafeInteger(time) || more.length > 0) {
    throw invalidArgument("NextToken is invalid.");
  }
  if (now - time > TOKEN_LIFE) {
    throw new ServiceFailure(
      "ExpiredNextTokenException",
      "The provided NextToken has expired. Request a new list of shards.",
    );
  }
  return { stream, after };
}
