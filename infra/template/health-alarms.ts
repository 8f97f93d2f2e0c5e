/** All ways in which a pipeline can fail without any series showing it, as alarms. */
import { mostGroups } from "../../src/core/series.ts";
import { FORECAST_MISSING } from "../../src/core/spec.ts";
import { HOUR, SECOND } from "../../src/core/time.ts";
import { HEALTH } from "../lambda/names.ts";
import { alarmShape, INSIGHTS_SERIES } from "./alert.ts";
import { att, ref, type Value } from "./cfn.ts";
import type { Context } from "./context.ts";

/** A metric is called by its dimensions; some of their values CloudFormation fills in. */
export type Dimensions = Readonly<Record<string, Value>>;

export interface HealthAlarm {
  readonly name: string;
  readonly description: string;
  readonly threshold: number;
  readonly comparison?: "GreaterThanThreshold" | "GreaterThanOrEqualToThreshold" | "LessThanThreshold";
  readonly period?: number;
  readonly periods?: number;
  readonly missing?: "notBreaching" | "breaching" | "ignore";
  readonly metric:
    | { readonly namespace: string; readonly name: string; readonly dimensions: Dimensions; readonly statistic: string }
    | { readonly expression: string; readonly of: Readonly<Record<string, Source>> };
}

interface Source {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Dimensions;
  readonly statistic: string;
}

/** All health alarms of a pipeline. */
export function healthAlarms(context: Context): HealthAlarm[] {
  const { names, spec } = context;
  const discovers = !spec.series.by.every(({ values }) => values);
  const own = (fn: string, name: string, statistic: string): Source => ({
    namespace: names.health,
    name,
    dimensions: { service: `${names.prefix}-${fn}` },
    statistic,
  });
  const lambda = (fn: string, name: string, statistic: string): Source => ({
    namespace: "AWS/Lambda",
    name,
    dimensions: { FunctionName: `${names.prefix}-${fn}` },
    statistic,
  });
  const delivery = (name: string, statistic: string): Source => ({
    namespace: "AWS/Firehose",
    name,
    dimensions: { DeliveryStreamName: ref("Delivery") },
    statistic,
  });
  const flink = (name: string, statistic: string): Source => ({
    namespace: "AWS/KinesisAnalytics",
    name,
    dimensions: { Application: ref("FlinkApplication") },
    statistic,
  });
  const stream = (id: string, name: string, statistic: string): Source => ({
    namespace: "AWS/Kinesis",
    name,
    dimensions: { StreamName: ref(id) },
    statistic,
  });
  const states = (name: string): Source => ({
    namespace: "AWS/States",
    name,
    dimensions: { StateMachineArn: ref("Training") },
    statistic: "Sum",
  });
  const every = spec.series.every / SECOND;
  const lagging = (fn: string, what: string): HealthAlarm => ({
    name: `${fn}-behind`,
    description: `${what} is more than ten minutes behind its stream.`,
    threshold: 600_000,
    periods: 3,
    metric: lambda(fn, "IteratorAge", "Maximum"),
  });
  const deadLetters = (queue: string, what: string): HealthAlarm => ({
    name: `${queue}-dead-letters`,
    description: `${what} Look into the queue, mend the cause, then empty it.`,
    threshold: 1,
    comparison: "GreaterThanOrEqualToThreshold",
    metric: {
      namespace: "AWS/SQS",
      name: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: att(`${pascal(queue)}DeadLetters`, "QueueName") },
      statistic: "Maximum",
    },
  });
  /** Something arrives and nothing fetches it: what waits has no age then, because the age is told by who fetches. */
  const stopped = ({
    incoming,
    calls,
    ...alarm
  }: Pick<HealthAlarm, "name" | "description" | "period" | "periods"> & {
    readonly incoming: Source;
    readonly calls: Source;
  }): HealthAlarm => ({
    threshold: 1,
    comparison: "GreaterThanOrEqualToThreshold",
    periods: 2,
    ...alarm,
    metric: {
      expression: "IF(FILL(incoming, 0) > 0 AND FILL(calls, 0) < 1, 1, 0)",
      of: { incoming, calls },
    },
  });
  return [
    lagging("relay", "The relay of records to the analysis"),
    lagging("compare", "The comparison of windows"),
    {
      name: "delivery-late",
      description: "The newest record that is not in the lake yet has waited for fifteen minutes.",
      threshold: 900,
      periods: 2,
      metric: delivery("DeliveryToS3.DataFreshness", "Maximum"),
    },
    {
      name: "delivery-behind",
      description: "Firehose reads the stream and is more than fifteen minutes behind it.",
      threshold: 900_000,
      periods: 2,
      metric: delivery("KinesisMillisBehindLatest", "Maximum"),
    },
    stopped({
      name: "delivery-stopped",
      description:
        "Records come in and Firehose reads none: see its log, and whether its role may use the stream and the key.",
      incoming: stream("RawStream", "IncomingRecords", "Sum"),
      calls: delivery("DataReadFromKinesisStream.Records", "Sum"),
    }),
    {
      name: "delivery-failed",
      description: `Records could not be made Parquet; they are in the bucket under failed/.`,
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: delivery("FailedConversion.Records", "Sum"),
    },
    {
      name: "transform-failing",
      description: "Firehose's calls of the enrich function fail; after three tries their records go under failed/.",
      // A share: of all calls, those that succeeded.
      threshold: 1,
      comparison: "LessThanThreshold",
      periods: 2,
      metric: delivery("ExecuteProcessing.Success", "Average"),
    },
    {
      name: "enrich-errors",
      description: "The enrich function ends with errors: its log says which.",
      threshold: 3,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: lambda("enrich", "Errors", "Sum"),
    },
    {
      name: "enrich-overflow",
      description: "Records grew too large for an answer to Firehose; they are in the bucket under failed/.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: own("enrich", HEALTH.overflowed, "Sum"),
    },
    stopped({
      name: "relay-stopped",
      description: "Records come in and the relay is not called: its event source mapping is off, or it is throttled.",
      incoming: stream("RawStream", "IncomingRecords", "Sum"),
      calls: lambda("relay", "Invocations", "Sum"),
    }),
    stopped({
      name: "compare-stopped",
      description:
        "Windows close and are not compared: the event source mapping of the comparison is off, or it is throttled.",
      // Of long windows most periods would hold neither; one that holds no call has lacked the call of a whole window.
      period: every,
      periods: spec.series.every < HOUR ? 2 : 1,
      incoming: stream("WindowsStream", "IncomingRecords", "Sum"),
      calls: lambda("compare", "Invocations", "Sum"),
    }),
    {
      name: "rejected-share",
      description: 'More than one record in a hundred is rejected: look at the table "rejected" for the reasons.',
      threshold: 0.01,
      period: 900,
      metric: {
        expression: "FILL(rejected, 0) / (FILL(rejected, 0) + FILL(events, 0))",
        of: { rejected: own("relay", HEALTH.rejected, "Sum"), events: own("relay", HEALTH.events, "Sum") },
      },
    },
    {
      name: "flink-stopped",
      description:
        "The Flink application does not run, so no window closes: start it, or see its log for why it ended.",
      threshold: 1,
      comparison: "LessThanThreshold",
      periods: 3,
      // An application that is not running reports nothing at all; one that is, every minute.
      missing: "breaching",
      metric: flink("numRestarts", "SampleCount"),
    },
    {
      name: "flink-behind",
      description:
        "The Flink application is more than ten minutes behind the stream of events, which nothing else reads.",
      threshold: 600_000,
      periods: 3,
      metric: stream("EventsStream", "GetRecords.IteratorAgeMilliseconds", "Maximum"),
    },
    {
      name: "events-refused",
      description:
        "The stream of events is full, which the analysis reads: events take more room there than in their records, or enrich makes several of one. Raise source.shards.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      // What is refused is put again; while the relay catches up that is no harm.
      periods: 3,
      metric: stream("EventsStream", "WriteProvisionedThroughputExceeded", "Sum"),
    },
    {
      name: "flink-restarts",
      description: "The Flink application restarts: its log says why (logger PythonDriver for the job itself).",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: {
        expression: "IF(DIFF(restarts) > 0, DIFF(restarts), 0)",
        of: { restarts: flink("numRestarts", "Maximum") },
      },
    },
    {
      name: "flink-checkpoints",
      description:
        "Checkpoints of the Flink application fail; a restart would count windows again from the last good one.",
      threshold: 3,
      comparison: "GreaterThanOrEqualToThreshold",
      period: 900,
      metric: {
        expression: "IF(DIFF(failed) > 0, DIFF(failed), 0)",
        of: { failed: flink("numberOfFailedCheckpoints", "Maximum") },
      },
    },
    {
      name: "analysis-silent",
      description: "Events come, or the clock moves on, but no window closes: the Flink application does not work.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      period: every,
      // The first window after a start closes only when the lateness has passed, too.
      periods: 2 + Math.ceil(spec.source.lateness / spec.series.every),
      metric: {
        expression: "IF(FILL(events, 0) + FILL(clock, 0) > 0 AND FILL(closed, 0) < 1, 1, 0)",
        of: {
          events: own("relay", HEALTH.newestEvent, "SampleCount"),
          clock: own("sweep", HEALTH.clock, "SampleCount"),
          closed: own("compare", HEALTH.closed, "SampleCount"),
        },
      },
    },
    {
      name: "windows-unreadable",
      description:
        "Records of the windows stream cannot be read and were passed over: the compare function's log says which.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: own("compare", HEALTH.unreadable, "Sum"),
    },
    {
      name: "windows-too-old",
      description:
        "Windows were not compared: they end more than two weeks back or two hours ahead, where CloudWatch takes no data, or lie too far back in a silence of many groups. Look at the events' times, or for what held the stream up.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: own("compare", HEALTH.tooOld, "Sum"),
    },
    {
      name: "values-unwritable",
      description:
        "Values beyond 2 to the power of 360, which CloudWatch does not take, were left out of the comparison. Look at the fields that the measures are made of.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: own("compare", HEALTH.unwritable, "Sum"),
    },
    {
      name: "groups-turned-away",
      description: `More groups came than are watched: ${mostGroups(spec.series.measures.length)}, those of the forecast and the first that appeared. The events of others lie in the lake alone. Use a "by" field with fewer values, or list the values to watch.`,
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      period: every,
      metric: own("compare", HEALTH.turnedAway, "Sum"),
    },
    {
      name: FORECAST_MISSING,
      description: "Windows have no forecast to be compared with, so their alarms are blind. Train the forecast.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      period: every,
      metric: own("compare", HEALTH.forecastMissing, "Sum"),
    },
    {
      name: "series-not-forecast",
      description:
        "The last training could forecast some series neither by DeepAR nor by the ensemble: its report says which.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      // It is told once a training, and holds until the next.
      missing: "ignore",
      metric: own("publish", HEALTH.notForecast, "Maximum"),
    },
    // Where an alarm a series was made for the groups that were given.
    ...(context.groups !== undefined &&
    discovers &&
    spec.alarms.some((rule) => alarmShape(context, rule) === "per-series")
      ? [
          {
            name: "groups-without-alarm",
            description: `Groups came that no alarm was made for: the compare function's log names them. Deploy again with all groups.`,
            threshold: 1,
            comparison: "GreaterThanOrEqualToThreshold" as const,
            period: every,
            metric: own("compare", HEALTH.withoutAlarm, "Sum"),
          },
        ]
      : []),
    // Of groups that are listed it is known how many there are; beside those that were given, others may come.
    ...(discovers && spec.alarms.some((rule) => alarmShape(context, rule) === "insights")
      ? [
          {
            name: "groups-beyond-alarms",
            description: `More than ${INSIGHTS_SERIES} groups were discovered: the alarms see those with the worst values alone. Give the groups there are, or list them.`,
            threshold: INSIGHTS_SERIES * spec.series.measures.length,
            period: every,
            periods: 3,
            metric: {
              expression: "compared / closed",
              of: {
                compared: own("compare", HEALTH.compared, "Sum"),
                closed: own("compare", HEALTH.closed, "SampleCount"),
              },
            },
          },
        ]
      : []),
    {
      name: "training-failed",
      description: "The forecast could not be trained; the last one stays in use, or the ensemble stands in.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: {
        expression: "FILL(failed, 0) + FILL(slow, 0) + FILL(aborted, 0)",
        of: {
          failed: states("ExecutionsFailed"),
          slow: states("ExecutionsTimedOut"),
          aborted: states("ExecutionsAborted"),
        },
      },
    },
    {
      name: "sweep-failed",
      description: "Silence does not close windows: the sweep fails. The queue of its failed runs says why.",
      threshold: 3,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: lambda("sweep", "Errors", "Sum"),
    },
    {
      name: "sweep-stopped",
      description: "Silence does not close windows: the sweep, due every minute, does not run.",
      threshold: 1,
      comparison: "LessThanThreshold",
      periods: 2,
      missing: "breaching",
      metric: lambda("sweep", "Invocations", "Sum"),
    },
    deadLetters("compare", "Windows could not be compared."),
    deadLetters("schedule", "A scheduled run could not be started."),
  ];
}

/** A name with dashes as a logical id: `relay-behind` is `RelayBehind`. */
export function pascal(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}
