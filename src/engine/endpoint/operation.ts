/** What an operation of the service is: the shape of its request, and what it does. */
import type { StreamCatalogue, StreamEntry } from "./catalogue.ts";
import { accountOf } from "./catalogue.ts";
import type { Codec } from "./codec.ts";
import { invalidArgument, streamNotFound } from "./failure.ts";
import { type Members, readStructure, type Structure } from "./shape.ts";
import type { ShardThroughput } from "./throughput.ts";

/** The sizes that requests may have. */
export interface EndpointLimits {
  /** Data and partition key of one record, bytes; 1 MiB. The service can be set to as much as 10 MiB. */
  readonly recordBytes: number;
  /** Data and partition keys of one PutRecords, bytes; 5 MiB. */
  readonly requestBytes: number;
}

/** What every operation may use. */
export interface OperationContext {
  readonly codec: Codec;
  readonly streams: StreamCatalogue;
  readonly limits: EndpointLimits;
  readonly throughput: ShardThroughput | undefined;
  /** The wall clock, epoch ms. */
  readonly now: () => number;
}

/** What an operation did, besides its answer; for statistics. */
export interface OperationResult {
  readonly body: unknown;
  readonly records?: number;
}

export type Operation = (body: unknown, context: OperationContext) => Promise<OperationResult>;

/** An operation whose request has this shape. */
export function operation<const M extends Members>(
  members: M,
  run: (input: Structure<M>, context: OperationContext) => OperationResult | Promise<OperationResult>,
): Operation {
  return async (body, context) => run(readStructure(members, body, context.codec), context);
}

export const NAME_PATTERN = "[a-zA-Z0-9_.-]+";
export const SEQUENCE_PATTERN = "0|([1-9]\\d{0,128})";

const streamName = { type: "string", min: 1, max: 128, pattern: NAME_PATTERN } as const;
/** How a request names its stream. */
export const streamMembers = {
  StreamName: streamName,
  StreamARN: { type: "string", min: 1, max: 2048, pattern: "arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+" },
} as const;
export const streamNameMember = streamName;
export const shardIdMember = { type: "string", min: 1, max: 128, pattern: NAME_PATTERN } as const;
/** How many items a page may have. */
export const pageSize = { type: "integer", min: 1, max: 10_000 } as const;

/** The stream that a request names. @throws ServiceFailure InvalidArgumentException, ResourceNotFoundException */
export function streamOf(input: Structure<typeof streamMembers>, streams: StreamCatalogue): StreamEntry {
  const { StreamName: name, StreamARN: arn } = input;
  if (arn !== undefined) {
    const named = arn.slice(arn.indexOf(":stream/") + ":stream/".length);
    if (name !== undefined && name !== named) throw invalidArgument("StreamARN and StreamName name different streams.");
    const stream = streams.get(named);
    if (stream?.arn !== arn) throw streamNotFound(named, accountOf(arn));
    return stream;
  }
  if (name === undefined) throw invalidArgument("Must specify either StreamARN or StreamName.");
  const stream = streams.get(name);
  if (stream === undefined) throw streamNotFound(name, accountOf(streams.list()[0]?.arn ?? "::::000000000000"));
  return stream;
}
