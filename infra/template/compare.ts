/**
 * Step 6, compare: each closed window beside its forecast, written as CloudWatch metrics. Beside it the sweep, once a minute:
 * it beats when the stream is silent, so that silence closes windows too.
 */
import { listedGroups } from "../../src/core/prepare.ts";
import { compareMemory } from "../workflow/capacity.ts";
import { att, type Fragment, ref } from "./cfn.ts";
import { sourceMapping, streamHours } from "./collect.ts";
import { type Context, PREFIX } from "./context.ts";
import { DECRYPT, deadLetters, ENCRYPT, lambda, listing, objects, READ_STREAM, role } from "./policy.ts";

/** The file that names the forecasts in use, which lie among the versions. */
export const CURRENT_FORECAST = `${PREFIX.forecasts}current.json`;

export function compare(context: Context): Fragment {
  const { names, options, spec } = context;
  // Given groups are no bound: others may come, and are forecast too.
  const listed = listedGroups(spec)?.length;
  const { bucket, functions } = options.artifacts;
  const comparer = lambda("Compare", {
    name: `${names.prefix}-compare`,
    description: "Compares closed windows with their forecast and writes both as metrics",
    code: { bucket, key: functions.compare },
    memory: compareMemory(spec, listed && listed * spec.series.measures.length),
    // After a long silence one record fills many windows; see MOST_FILLED.
    timeout: 600,
    environment: {
      DATA_BUCKET: ref("DataBucket"),
      FORECAST_KEY: CURRENT_FORECAST,
      METRIC_NAMESPACE: names.namespace,
      HEALTH_NAMESPACE: names.health,
    },
    statements: [
      { sid: "ReadWindows", actions: READ_STREAM, resources: att("WindowsStream", "Arn") },
      {
        sid: "ReadForecast",
        actions: ["s3:GetObject"],
        resources: objects(CURRENT_FORECAST, PREFIX.versions),
      },
      // Without it a missing forecast answers 403, like a missing permission.
      listing(PREFIX.forecasts),
      {
        sid: "WriteMetrics",
        actions: ["cloudwatch:PutMetricData"],
        // The action knows no resources; the namespace is what bounds it.
        resources: "*",
        condition: { StringEquals: { "cloudwatch:namespace": names.namespace } },
      },
      { sid: "ReportFailedBatches", actions: ["sqs:SendMessage"], resources: att("CompareDeadLetters", "Arn") },
      DECRYPT,
    ],
  });
  const sweeper = lambda("Sweep", {
    name: `${names.prefix}-sweep`,
    description: "Moves the clock on in silence, so that windows close that nothing arrived for",
    code: { bucket, key: functions.sweep },
    memory: 512,
    timeout: 55,
    environment: { HEALTH_NAMESPACE: names.health, RAW_STREAM: names.stream, EVENTS_STREAM: names.events },
    statements: [
      {
        sid: "ReadMetrics",
        actions: ["cloudwatch:GetMetricData"],
        // The action knows neither resources nor conditions.
        resources: "*",
      },
      { sid: "CountShards", actions: ["kinesis:ListShards"], resources: att("EventsStream", "Arn") },
      { sid: "PutBeats", actions: ["kinesis:PutRecord"], resources: att("EventsStream", "Arn") },
      { sid: "ReportFailed", actions: ["sqs:SendMessage"], resources: att("SweepFailures", "Arn") },
      ENCRYPT,
    ],
  });
  return {
    Resources: {
      ...comparer.Resources,
      CompareDeadLetters: deadLetters(
        "Positions of windows that could not be compared as long as their stream kept them",
      ),
      CompareMapping: {
        Type: "AWS::Lambda::EventSourceMapping",
        Properties: {
          ...sourceMapping("Compare", "WindowsStream"),
          StartingPosition: "TRIM_HORIZON",
          BatchSize: 500,
          MaximumBatchingWindowInSeconds: 5,
          // As long as the stream keeps it, or the longest that Lambda counts: what could not be compared until then is told of.
          MaximumRecordAgeInSeconds: Math.min(streamHours(context.spec) * 3_600, 604_800),
          DestinationConfig: { OnFailure: { Destination: att("CompareDeadLetters", "Arn") } },
        },
      },
      ...sweeper.Resources,
      // The schedule calls it asynchronously, and Lambda would try a failed run twice more, beside those of the next minutes.
      SweepInvocations: {
        Type: "AWS::Lambda::EventInvokeConfig",
        Properties: {
          FunctionName: ref("SweepFunction"),
          Qualifier: "$LATEST",
          MaximumRetryAttempts: 0,
          MaximumEventAgeInSeconds: 60,
          DestinationConfig: { OnFailure: { Destination: att("SweepFailures", "Arn") } },
        },
      },
      SweepFailures: deadLetters("Runs of the sweep that failed, with their errors; the next run does their work"),
      ScheduleDeadLetters: deadLetters("Scheduled runs that could not be started"),
      SweepScheduleRole: role("scheduler.amazonaws.com", [
        { sid: "Invoke", actions: ["lambda:InvokeFunction"], resources: att("SweepFunction", "Arn") },
        { sid: "ReportFailed", actions: ["sqs:SendMessage"], resources: att("ScheduleDeadLetters", "Arn") },
      ]),
      SweepSchedule: {
        Type: "AWS::Scheduler::Schedule",
        Properties: {
          Name: `${names.prefix}-sweep`,
          Description: "Moves the clock on in silence",
          State: "ENABLED",
          ScheduleExpression: "rate(1 minute)",
          ScheduleExpressionTimezone: "UTC",
          FlexibleTimeWindow: { Mode: "OFF" },
          Target: {
            Arn: att("SweepFunction", "Arn"),
            RoleArn: att("SweepScheduleRole", "Arn"),
            Input: "{}",
            // The next run does what a lost one would have done.
            RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
            DeadLetterConfig: { Arn: att("ScheduleDeadLetters", "Arn") },
          },
        },
      },
    },
  };
}
