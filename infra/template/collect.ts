/**
 * Step 1, collect: the stream that producers write to, and the relay that turns its records into checked events.
 *
 * The relay runs the same functions as the engine (`core/collect`, `core/deliver` with the user's enrich), so that what the
 * analysis counts is exactly what the engine would count: Flink's SQL can neither run the user's code nor tell `"12"` from 12.
 */
import { HOUR } from "../../src/core/time.ts";
import { att, type Fragment, type Resource, ref } from "./cfn.ts";
import { type Context, DISCARD } from "./context.ts";
import { deadLetters, ENCRYPT, lambda, READ_STREAM } from "./policy.ts";

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
      { sid: "PutEvents", actions: ["kinesis:PutRecords"], resources: att("EventsStream", "Arn") },
      { sid: "ReportFailedBatches", actions: ["sqs:SendMessage"], resources: att("RelayDeadLetters", "Arn") },
      ENCRYPT,
    ],
  });
  return {
    Resources: {
      RawStream: stream(names.stream, spec.source.shards, retentionHours(spec.retention.stream)),
      EventsStream: stream(names.events, spec.source.shards, 24),
      ...relay.Resources,
      RelayDeadLetters: deadLetters(
        "Positions of batches that the relay gave up; their records are still in the stream",
      ),
      RelayMapping: {
        Type: "AWS::Lambda::EventSourceMapping",
        Properties: {
          ...sourceMapping("Relay", "RawStream"),
          // From the beginning: what came while the stack was being made belongs to the pipeline too.
          StartingPosition: "TRIM_HORIZON",
          BatchSize: 1_000,
          MaximumBatchingWindowInSeconds: 1,
          DestinationConfig: { OnFailure: { Destination: att("RelayDeadLetters", "Arn") } },
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
 * stack: producers know it by its name, and a stream that stayed would keep the next deployment from making it.
 */
export function stream(name: string, shards: number, hours: number): Resource {
  return {
    Type: "AWS::Kinesis::Stream",
    ...DISCARD,
    Properties: {
      Name: name,
      ShardCount: shards,
      StreamModeDetails: { StreamMode: "PROVISIONED" },
      RetentionPeriodHours: hours,
      StreamEncryption: { EncryptionType: "KMS", KeyId: ref("DataKey") },
    },
  };
}

/**
 * A function fed by a stream: failed records alone are tried again (ReportBatchItemFailures), a poisonous one is cornered by
 * halving, and given up after an hour instead of holding its shard up for ever.
 */
export function sourceMapping(id: string, source: string) {
  return {
    FunctionName: ref(`${id}Function`),
    EventSourceArn: att(source, "Arn"),
    BisectBatchOnFunctionError: true,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    MaximumRetryAttempts: 5,
    MaximumRecordAgeInSeconds: 3_600,
    ParallelizationFactor: 1,
    MetricsConfig: { Metrics: ["EventCount"] },
  };
}

/** Kinesis keeps records between a day and a year. */
function retentionHours(millis: number): number {
  return Math.min(8_760, Math.max(24, Math.ceil(millis / HOUR)));
}
