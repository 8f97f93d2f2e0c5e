/**
 * Step 1, collect: the stream that producers write to, and the relay that turns its records into checked events.
 *
 * The relay runs the same functions as the engine (`core/collect`, `core/deliver` with the user's enrich), so that what the
 * analysis counts is exactly what the engine would count: Flink's SQL can neither run the user's code nor tell `"12"` from 12.
 */
import type { PipelineSpec } from "../../src/core/spec.ts";
import { HOUR } from "../../src/core/time.ts";
import { att, type Fragment, type Resource, ref } from "./cfn.ts";
import { type Context, DISCARD } from "./context.ts";
import { ENCRYPT, lambda, READ_STREAM } from "./policy.ts";

export function collect(context: Context): Fragment {
  const { spec, options, names } = context;
  const relay = lambda("Relay", {
    name: `${names.prefix}-relay`,
    description: "Checks and enriches records; events go on to the analysis",
    code: { bucket: options.artifacts.bucket, key: options.artifacts.functions.relay },
    memory: 512,
    timeout: 60,
    environment: { EVENTS_STREAM: names.events, HEALTH_NAMESPACE: names.health },
    statements: [
      { sid: "ReadRecords", actions: READ_STREAM, resources: att("RawStream", "Arn") },
      { sid: "PutEvents", actions: ["kinesis:PutRecord"], resources: att("EventsStream", "Arn") },
      ENCRYPT,
    ],
  });
  return {
    Resources: {
      RawStream: stream(names.stream, spec.source.shards, spec),
      EventsStream: stream(names.events, spec.source.shards, spec),
      ...relay.Resources,
      RelayMapping: {
        Type: "AWS::Lambda::EventSourceMapping",
        Properties: {
          ...sourceMapping("Relay", "RawStream"),
          // From the beginning: what came while the stack was being made belongs to the pipeline too.
          StartingPosition: "TRIM_HORIZON",
          BatchSize: 1_000,
          MaximumBatchingWindowInSeconds: 1,
        },
      },
    },
    Outputs: {
      StreamName: { Description: "Producers put their records here", Value: ref("RawStream") },
    },
  };
}

/**
 * A Kinesis stream of fixed capacity: foreseeable in cost, and ordered by as many shards as the pipeline file says. It goes with its
 * stack: producers know it by its name, and a stream that stayed would keep the next deployment from making it. Every stream keeps its
 * records as long as the pipeline file says of the first: whichever step stands still, that is how long it may, and lose nothing.
 */
export function stream(name: string, shards: number, spec: PipelineSpec): Resource {
  return {
    Type: "AWS::Kinesis::Stream",
    ...DISCARD,
    Properties: {
      Name: name,
      ShardCount: shards,
      StreamModeDetails: { StreamMode: "PROVISIONED" },
      RetentionPeriodHours: streamHours(spec),
      StreamEncryption: { EncryptionType: "KMS", KeyId: ref("DataKey") },
    },
  };
}

/**
 * A function fed by a stream. What fails is brought again as long as the stream keeps it: whether it was throttled, could not reach
 * its key or could not load the user's module, a record passed over would be missing from its window, and look like an incident.
 * So that no record holds its shard up by itself, the functions deal with bad ones on their own (reject, or pass over and tell), and
 * a batch that ends its function is halved until the record that does it stands alone. That a shard stands still, the alarm on the
 * function's iterator age tells.
 */
export function sourceMapping(id: string, source: string) {
  return {
    FunctionName: ref(`${id}Function`),
    EventSourceArn: att(source, "Arn"),
    BisectBatchOnFunctionError: true,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    MaximumRetryAttempts: -1,
    MaximumRecordAgeInSeconds: -1,
    ParallelizationFactor: 1,
    MetricsConfig: { Metrics: ["EventCount"] },
  };
}

/** How long the streams keep their records, hours: Kinesis takes a day to a year. */
export function streamHours(spec: PipelineSpec): number {
  return Math.min(8_760, Math.max(24, Math.ceil(spec.retention.stream / HOUR)));
}
