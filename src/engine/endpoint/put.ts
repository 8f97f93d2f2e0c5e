/** PutRecord and PutRecords: what producers call. */
import { Fault } from "../../core/fault.ts";
import type { NewRecord } from "../log/log.ts";
import { accountOf, type StreamEntry } from "./catalogue.ts";
import { invalidArgument, ServiceFailure, toServiceFailure } from "./failure.ts";
import {
  type EndpointLimits,
  type OperationContext,
  operation,
  SEQUENCE_PATTERN,
  streamMembers,
  streamOf,
} from "./operation.ts";
import { heapBuffer } from "./shape.ts";
import { sequenceNumber, shardId, shardMap } from "./shards.ts";

const MAX_RECORDS = 500;
const recordMembers = {
  PartitionKey: { type: "string", required: true, min: 1, max: 256 },
  ExplicitHashKey: { type: "string", pattern: "0|([1-9]\\d{0,38})" },
  Data: { type: "blob", required: true },
} as const;

/** A record as a request carries it. */
interface RecordInput {
  readonly PartitionKey: string;
  readonly ExplicitHashKey?: string;
  readonly Data: Uint8Array;
}

interface RecordResult {
  readonly ShardId?: string;
  readonly SequenceNumber?: string;
  readonly ErrorCode?: string;
  readonly ErrorMessage?: string;
}

export const putRecord = operation(
  {
    ...streamMembers,
    ...recordMembers,
    // The log keeps the order of each producer's calls anyway.
    SequenceNumberForOrdering: { type: "string", pattern: SEQUENCE_PATTERN },
  },
  async (input, context) => {
    checkSizes([input], context.limits, () => "data");
    const stream = streamOf(input, context.streams);
    const record = place(input, stream);
    if (!admitted(record, stream, context)) throw exceeded(record, stream);
    const [appended] = await stream.log.append([record]);
    return {
      body: {
        ShardId: shardId(record.shard),
        SequenceNumber: sequenceNumber(appended!.sequence, record.shard),
        EncryptionType: "NONE",
      },
      records: 1,
    };
  },
);

export const putRecords = operation(
  {
    Records: {
      type: "list",
      required: true,
      min: 1,
      max: MAX_RECORDS,
      of: { type: "structure", members: recordMembers },
    },
    ...streamMembers,
  },
  async (input, context) => {
    checkSizes(input.Records, context.limits, (i) => `records.${i + 1}.member.data`);
    const stream = streamOf(input, context.streams);
    const records = input.Records.map((record) => place(record, stream));
    const taken = context.throughput ? records.filter((record) => admitted(record, stream, context)) : records;
    const stored = await storeAll(taken, stream);
    const results = records === taken ? stored : withRefusals(records, taken, stored, stream);
    const failed = results.reduce((count, result) => count + (result.ErrorCode === undefined ? 0 : 1), 0);
    return {
      body: { FailedRecordCount: failed, Records: results, EncryptionType: "NONE" },
      records: records.length - failed,
    };
  },
);

/** The results of one append. What the log will take later is a failure of each record, so that producers send those again. */
async function storeAll(records: readonly NewRecord[], stream: StreamEntry): Promise<RecordResult[]> {
  try {
    const appended = await stream.log.append(records);
    return appended.map(({ sequence }, i) => {
      const { shard } = records[i]!;
      return { SequenceNumber: sequenceNumber(sequence, shard), ShardId: shardId(shard) };
    });
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "stream.busy") throw error;
    const { type, message } = toServiceFailure(error);
    return records.map(() => ({ ErrorCode: type, ErrorMessage: message }));
  }
}

/** The results in the order of the request, refused records among them. */
function withRefusals(
  records: readonly NewRecord[],
  taken: readonly NewRecord[],
  stored: readonly RecordResult[],
  stream: StreamEntry,
): RecordResult[] {
  let next = 0;
  return records.map((record) => {
    if (record === taken[next]) return stored[next++]!;
    const { type, message } = exceeded(record, stream);
    return { ErrorCode: type, ErrorMessage: message };
  });
}

function checkSizes(records: readonly RecordInput[], limits: EndpointLimits, path: (index: number) => string): void {
  let total = 0;
  records.forEach(({ Data: data, PartitionKey: key }, i) => {
    if (data.length > limits.recordBytes) {
      throw new ServiceFailure(
        "ValidationException",
        `1 validation error detected: Value '${heapBuffer(data.length)}' at '${path(i)}' failed to satisfy constraint: ` +
          `Member must have length less than or equal to ${limits.recordBytes}`,
      );
    }
    const size = data.length + Buffer.byteLength(key, "utf8");
    if (size > limits.recordBytes) {
      throw invalidArgument(
        `Record ${i + 1} has ${size} bytes of data and partition key, more than the limit of ${limits.recordBytes}.`,
      );
    }
    total += size;
  });
  if (records.length > 1 && total > limits.requestBytes) {
    throw invalidArgument(
      `Records size exceeds ${Math.floor(limits.requestBytes / 1024 / 1024)} MB limit: ${total} bytes.`,
    );
  }
}

/** Finds the shard of a record. */
function place(input: RecordInput, stream: StreamEntry): NewRecord {
  const { PartitionKey: partitionKey, ExplicitHashKey: hashKey, Data: data } = input;
  const map = shardMap(stream.shardCount);
  if (hashKey === undefined) return { shard: map.forKey(partitionKey), partitionKey, data };
  const shard = map.forHashKey(hashKey);
  if (shard === undefined) {
    throw invalidArgument(
      `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${hashKey}`,
    );
  }
  return { shard, partitionKey, data };
}

function admitted(record: NewRecord, stream: StreamEntry, { throughput, now }: OperationContext): boolean {
  return throughput?.admit(stream.arn, record.shard, record.data.length, now()) ?? true;
}

function exceeded(record: NewRecord, stream: StreamEntry): ServiceFailure {
  return new ServiceFailure(
    "ProvisionedThroughputExceededException",
    `Rate exceeded for shard ${shardId(record.shard)} in stream ${stream.name} under account ${accountOf(stream.arn)}.`,
  );
}
