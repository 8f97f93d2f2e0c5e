/** GetShardIterator and GetRecords: what consumers call. */
import { accountOf, type StreamEntry } from "./catalogue.ts";
import { invalidArgument, shardNotFound } from "./failure.ts";
import { issueIterator, readIterator } from "./iterator.ts";
import { operation, pageSize, SEQUENCE_PATTERN, shardIdMember, streamMembers, streamOf } from "./operation.ts";
import { parseSequenceNumber, sequenceNumber, shardId, shardIndex } from "./shards.ts";

const TYPES = ["AFTER_SEQUENCE_NUMBER", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "TRIM_HORIZON"] as const;
const MAX_RECORDS = 10_000;
const MAX_BYTES = 10 * 1024 * 1024;

interface Start {
  readonly type: string;
  readonly sequence: string | undefined;
  readonly time: number | undefined;
}

export const getShardIterator = operation(
  {
    ShardId: { ...shardIdMember, required: true },
    ShardIteratorType: { type: "string", required: true, values: TYPES },
    StartingSequenceNumber: { type: "string", pattern: SEQUENCE_PATTERN },
    Timestamp: { type: "timestamp" },
    ...streamMembers,
  },
  async (input, { streams, now }) => {
    const stream = streamOf(input, streams);
    const shard = shardIndex(input.ShardId, stream);
    if (shard === undefined) throw shardNotFound(input.ShardId, stream);
    const start = {
      type: input.ShardIteratorType,
      sequence: input.StartingSequenceNumber,
      time: input.Timestamp,
    };
    const from = await startOf(start, stream, shard, now());
    return { body: { ShardIterator: issueIterator({ stream, shard, from }, now()) } };
  },
);

export const getRecords = operation(
  {
    Limit: pageSize,
    ShardIterator: { type: "string", required: true, min: 1, max: 512 },
    StreamARN: streamMembers.StreamARN,
  },
  async (input, { streams, codec, now }) => {
    const { stream, shard, from } = readIterator(input.ShardIterator, streams, now());
    if (input.StreamARN !== undefined && input.StreamARN !== stream.arn) {
      throw invalidArgument("The ShardIterator is not one of the stream that StreamARN names.");
    }
    const limits = { maxRecords: input.Limit ?? MAX_RECORDS, maxBytes: MAX_BYTES };
    const { records, nextFrom, millisBehindLatest } = await stream.log.readShard(shard, from, limits);
    return {
      body: {
        Records: records.map(({ sequence, arrival, data, partitionKey }) => ({
          SequenceNumber: sequenceNumber(sequence, shard),
          ApproximateArrivalTimestamp: codec.time(arrival),
          Data: codec.blob(data),
          PartitionKey: partitionKey,
          EncryptionType: "NONE",
        })),
        NextShardIterator: issueIterator({ stream, shard, from: nextFrom }, now()),
        MillisBehindLatest: millisBehindLatest,
      },
      records: records.length,
    };
  },
);

/** The place in the log at which an iterator begins. */
async function startOf(start: Start, stream: StreamEntry, shard: number, now: number): Promise<number> {
  const { type, sequence, time } = start;
  const needsSequence = type === "AT_SEQUENCE_NUMBER" || type === "AFTER_SEQUENCE_NUMBER";
  if (needsSequence !== (sequence !== undefined)) {
    throw invalidArgument(
      "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or " +
        "(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. " +
        `Request specified ${type} and ${sequence === undefined ? "no" : "also a"} StartingSequenceNumber.`,
    );
  }
  if (sequence !== undefined) {
    const at = placeOf(sequence, stream, shard);
    return type === "AT_SEQUENCE_NUMBER" ? at : at + 1;
  }
  if (type === "TRIM_HORIZON") return stream.log.firstSequence;
  if (type === "LATEST") return stream.log.nextSequence;
  if (time === undefined) {
    throw invalidArgument(
      "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp parameter.",
    );
  }
  if (time > now) {
    throw invalidArgument(
      "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. " +
        `timestampInMillis: ${time}, currentTimestampInMillis: ${now}`,
    );
  }
  return stream.log.seekTime(time);
}

/** The place for a sequence number of this shard. @throws ServiceFailure InvalidArgumentException */
function placeOf(text: string, stream: StreamEntry, shard: number): number {
  const place = parseSequenceNumber(text);
  const where = `on shard ${shardId(shard)} in stream ${stream.name} under account ${accountOf(stream.arn)}`;
  if (place === undefined || place.sequence >= stream.log.nextSequence) {
    throw invalidArgument(`StartingSequenceNumber ${text} used in GetShardIterator ${where} is invalid.`);
  }
  if (place.shard !== shard) {
    throw invalidArgument(
      `Invalid StartingSequenceNumber. It encodes ${shardId(place.shard)}, while it was used in a call to a shard with ${shardId(shard)}`,
    );
  }
  return place.sequence;
}
