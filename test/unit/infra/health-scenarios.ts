/** What a pipeline's metrics are while it is well, and while it fails in one way: for the tests of its health alarms. */
import type { Samples } from "./alarm-math.ts";

/** Periods that are looked at. */
export const PERIODS = 5;
export const steady = (...samples: number[]): Samples => Array.from({ length: PERIODS }, () => samples);
export const none = steady();
export const last = (before: readonly number[], ...samples: number[]): Samples => [
  ...steady(...before).slice(1),
  samples,
];
/** The newest periods, one each; nothing before them. */
const lately = (...periods: (readonly number[])[]): Samples => [...none.slice(periods.length), ...periods];

export const own = (fn: string, name: string) => `Forewatch/flights/Health ${name} service=fw-flights-${fn}`;
export const lambda = (fn: string, name: string) => `AWS/Lambda ${name} FunctionName=fw-flights-${fn}`;
const firehose = (name: string) => `AWS/Firehose ${name} DeliveryStreamName=Delivery`;
const flink = (name: string) => `AWS/KinesisAnalytics ${name} Application=FlinkApplication`;
export const kinesis = (stream: string, name: string) => `AWS/Kinesis ${name} StreamName=${stream}`;
export const queue = (id: string) => `AWS/SQS ApproximateNumberOfMessagesVisible QueueName=${id}.QueueName`;
export const states = (name: string) => `AWS/States ${name} StateMachineArn=Training`;

/** Each metric that an alarm reads, of a pipeline that is well: what comes several times a period comes with values that differ. */
export const WELL: Readonly<Record<string, Samples>> = {
  [lambda("relay", "IteratorAge")]: steady(0, 590_000, 200),
  [lambda("compare", "IteratorAge")]: steady(0, 590_000, 200),
  [lambda("relay", "Invocations")]: steady(1, 1, 0, 1),
  [lambda("compare", "Invocations")]: steady(1, 0, 0),
  [lambda("sweep", "Invocations")]: steady(1, 0, 1),
  [lambda("enrich", "Errors")]: steady(0, 2, 0),
  [lambda("sweep", "Errors")]: steady(0, 1, 1),
  [firehose("DeliveryToS3.DataFreshness")]: steady(60, 890),
  [firehose("KinesisMillisBehindLatest")]: steady(0, 890_000),
  // One of fifty waits for the next period.
  [firehose("DataReadFromKinesisStream.Records")]: steady(49, 0, 0),
  [firehose("FailedConversion.Records")]: steady(0, 0),
  [firehose("ExecuteProcessing.Success")]: steady(1, 1, 1),
  [own("enrich", "Overflowed")]: none,
  [kinesis("RawStream", "IncomingRecords")]: steady(30, 0, 20),
  [kinesis("WindowsStream", "IncomingRecords")]: steady(9, 0),
  [kinesis("EventsStream", "GetRecords.IteratorAgeMilliseconds")]: steady(0, 590_000),
  [kinesis("EventsStream", "WriteProvisionedThroughputExceeded")]: steady(0, 0),
  // One in a hundred and one: not more than one in a hundred.
  [own("relay", "Rejected")]: steady(1, 0, 0, 0),
  [own("relay", "Events")]: steady(50, 50),
  [own("relay", "NewestEvent")]: steady(1_794_000_000, 1_794_000_060),
  [own("relay", "OnTimeArrival")]: steady(1_794_000_000, 1_794_000_060),
  [own("sweep", "ClockDelay")]: steady(0, 60),
  [own("compare", "ClosedWindow")]: steady(1_794_000_000),
  [own("compare", "Compared")]: steady(24, 0),
  [own("compare", "UnreadableWindows")]: none,
  [own("compare", "TooOldForMetrics")]: none,
  [own("compare", "UnwritableValues")]: none,
  [own("compare", "GroupsTurnedAway")]: none,
  [own("compare", "GroupsWithoutAlarm")]: none,
  [own("compare", "ForecastMissingWindows")]: steady(0, 0),
  [own("publish", "SeriesWithoutForecast")]: none,
  // It reports every minute, whatever the number.
  [flink("numRestarts")]: steady(7, 7, 7),
  [flink("numberOfFailedCheckpoints")]: steady(3, 3, 3),
  // Two more each period, of a hundred events.
  [flink("numLateRecordsDropped")]: none.map((_, i) => [2 * i, 2 * i + 2]),
  [states("ExecutionsSucceeded")]: none,
  [states("ExecutionsFailed")]: none,
  [states("ExecutionsTimedOut")]: none,
  [states("ExecutionsAborted")]: none,
  [queue("CompareDeadLetters")]: steady(0, 0),
  [queue("ScheduleDeadLetters")]: steady(0, 0),
  [queue("SweepFailures")]: steady(0, 0),
};

/** Alarms on what comes and is not fetched, with the two metrics of each. */
const STOPPED = [
  {
    alarm: "relay-stopped",
    incoming: kinesis("RawStream", "IncomingRecords"),
    calls: lambda("relay", "Invocations"),
  },
  {
    alarm: "delivery-stopped",
    incoming: kinesis("RawStream", "IncomingRecords"),
    calls: firehose("DataReadFromKinesisStream.Records"),
  },
  {
    alarm: "compare-stopped",
    incoming: kinesis("WindowsStream", "IncomingRecords"),
    calls: lambda("compare", "Invocations"),
  },
];

export interface Scenario {
  readonly what: string;
  readonly metrics: Readonly<Record<string, Samples>>;
  /** The alarms that are on. */
  readonly on: readonly string[];
  /** Those that were on before. */
  readonly before?: readonly string[];
}

export const SCENARIOS: readonly Scenario[] = [
  { what: "all is well", metrics: {}, on: [] },
  {
    what: "nothing comes in at night, and the clock alone closes windows",
    metrics: {
      [kinesis("RawStream", "IncomingRecords")]: steady(0, 0),
      [lambda("relay", "Invocations")]: none,
      [lambda("relay", "IteratorAge")]: none,
      [firehose("DataReadFromKinesisStream.Records")]: none,
      [firehose("DeliveryToS3.DataFreshness")]: none,
      [firehose("ExecuteProcessing.Success")]: none,
      [own("relay", "Rejected")]: none,
      [own("relay", "Events")]: none,
      [own("relay", "NewestEvent")]: none,
      [own("relay", "OnTimeArrival")]: none,
    },
    on: [],
  },
  {
    what: "the relay lags",
    metrics: { [lambda("relay", "IteratorAge")]: steady(0, 600_001, 200) },
    on: ["relay-behind"],
  },
  {
    what: "the comparison lags",
    metrics: { [lambda("compare", "IteratorAge")]: steady(0, 600_001) },
    on: ["compare-behind"],
  },
  {
    what: "the relay lagged for a moment",
    metrics: { [lambda("relay", "IteratorAge")]: last([0], 700_000) },
    on: [],
  },
  {
    what: "the relay's mapping is off",
    metrics: { [lambda("relay", "Invocations")]: none, [lambda("relay", "IteratorAge")]: none },
    on: ["relay-stopped"],
  },
  {
    what: "the relay's mapping is off, and a record comes now and then",
    metrics: {
      [kinesis("RawStream", "IncomingRecords")]: steady(0, 1, 0),
      [firehose("DataReadFromKinesisStream.Records")]: steady(0, 1),
      [lambda("relay", "Invocations")]: steady(0, 0),
    },
    on: ["relay-stopped"],
  },
  { what: "one call of the relay in the night", metrics: { [lambda("relay", "Invocations")]: last([1], 0) }, on: [] },
  {
    what: "the comparison's mapping is off",
    metrics: {
      [lambda("compare", "Invocations")]: none,
      [lambda("compare", "IteratorAge")]: none,
      [own("compare", "ClosedWindow")]: none,
      [own("compare", "Compared")]: none,
    },
    on: ["analysis-silent", "compare-stopped"],
  },
  {
    what: "Firehose may not read any more",
    metrics: {
      [firehose("DataReadFromKinesisStream.Records")]: none,
      [firehose("KinesisMillisBehindLatest")]: none,
      [firehose("DeliveryToS3.DataFreshness")]: none,
      [firehose("ExecuteProcessing.Success")]: none,
    },
    on: ["delivery-stopped"],
  },
  ...STOPPED.flatMap(({ alarm, incoming, calls }) => {
    const metrics = (records: Samples, fetched: Samples) => ({ [incoming]: records, [calls]: fetched });
    return [
      {
        what: `${alarm}: one record waits since the last period`,
        metrics: metrics(lately([1], []), none),
        on: [alarm],
      },
      { what: `${alarm}: one record waits for hours`, metrics: metrics(none, none), before: [alarm], on: [alarm] },
      { what: `${alarm}: no record comes for hours`, metrics: metrics(none, none), on: [] },
      { what: `${alarm}: zeros are told of hours`, metrics: metrics(steady(0), steady(0)), on: [] },
      { what: `${alarm}: one record has just come`, metrics: metrics(lately([1]), none), on: [] },
      {
        what: `${alarm}: one record, and its fetch`,
        metrics: metrics(lately([1], [], []), lately([1], [], [])),
        on: [],
      },
      {
        what: `${alarm}: one record, and its fetch in the next period`,
        metrics: metrics(lately([1], []), lately([], [1])),
        on: [],
      },
      {
        what: `${alarm}: what waited is fetched`,
        metrics: metrics(none, lately([1])),
        before: [alarm],
        on: [],
      },
    ];
  }),
  {
    what: "Firehose lags",
    metrics: { [firehose("KinesisMillisBehindLatest")]: steady(0, 900_001) },
    on: ["delivery-behind"],
  },
  {
    what: "the lake is late",
    metrics: { [firehose("DeliveryToS3.DataFreshness")]: steady(60, 901) },
    on: ["delivery-late"],
  },
  {
    what: "a record is no Parquet",
    metrics: { [firehose("FailedConversion.Records")]: last([0, 0], 1, 0) },
    on: ["delivery-failed"],
  },
  {
    what: "one transform in three fails",
    metrics: { [firehose("ExecuteProcessing.Success")]: steady(1, 1, 0) },
    on: ["transform-failing"],
  },
  {
    what: "one transform failed, and its retry went well",
    metrics: { [firehose("ExecuteProcessing.Success")]: last([1], 0, 1) },
    on: [],
  },
  {
    what: "enrich fails three times",
    metrics: { [lambda("enrich", "Errors")]: last([0], 1, 1, 1, 0) },
    on: ["enrich-errors"],
  },
  {
    what: "an answer grew too large",
    metrics: { [own("enrich", "Overflowed")]: last([], 1, 0) },
    on: ["enrich-overflow"],
  },
  {
    what: "two records in a hundred are rejected",
    metrics: { [own("relay", "Rejected")]: last([0], 1, 1, 0, 0, 0) },
    on: ["rejected-share"],
  },
  {
    what: "every record is rejected",
    metrics: { [own("relay", "Rejected")]: steady(40, 60), [own("relay", "Events")]: steady(0, 0) },
    on: ["rejected-share"],
  },
  {
    what: "Flink was never started",
    metrics: {
      [flink("numRestarts")]: none,
      [flink("numberOfFailedCheckpoints")]: none,
      [own("compare", "ClosedWindow")]: none,
      [own("compare", "Compared")]: none,
      [kinesis("WindowsStream", "IncomingRecords")]: none,
      [lambda("compare", "Invocations")]: none,
    },
    on: ["analysis-silent", "flink-stopped"],
  },
  { what: "Flink never restarted", metrics: { [flink("numRestarts")]: steady(0, 0, 0) }, on: [] },
  {
    what: "nothing comes in, the clock moves on, and no window closes",
    metrics: {
      [own("relay", "NewestEvent")]: none,
      [own("relay", "OnTimeArrival")]: none,
      [own("sweep", "ClockDelay")]: steady(0, 0),
      [own("compare", "ClosedWindow")]: none,
    },
    on: ["analysis-silent"],
  },
  { what: "Flink restarted once", metrics: { [flink("numRestarts")]: last([7, 7, 7], 7, 8) }, on: ["flink-restarts"] },
  { what: "Flink counts its restarts anew", metrics: { [flink("numRestarts")]: last([7, 7], 0, 0) }, on: [] },
  {
    what: "three checkpoints fail",
    metrics: { [flink("numberOfFailedCheckpoints")]: last([3, 3], 4, 6) },
    on: ["flink-checkpoints"],
  },
  { what: "two checkpoints fail", metrics: { [flink("numberOfFailedCheckpoints")]: last([3, 3], 4, 5) }, on: [] },
  {
    what: "three events in a hundred come late",
    metrics: { [flink("numLateRecordsDropped")]: [...none.slice(1).map((_, i) => [2 * i, 2 * i + 2]), [8, 8, 11]] },
    on: ["events-late"],
  },
  { what: "Flink counts late events anew", metrics: { [flink("numLateRecordsDropped")]: last([7, 7], 0, 0) }, on: [] },
  { what: "no event ever came late", metrics: { [flink("numLateRecordsDropped")]: steady(0, 0) }, on: [] },
  {
    what: "Flink lags",
    metrics: { [kinesis("EventsStream", "GetRecords.IteratorAgeMilliseconds")]: steady(0, 600_001) },
    on: ["flink-behind"],
  },
  {
    what: "the events' stream is full",
    metrics: { [kinesis("EventsStream", "WriteProvisionedThroughputExceeded")]: steady(0, 1, 0) },
    on: ["events-refused"],
  },
  {
    what: "a record of the windows' stream is spoilt",
    metrics: { [own("compare", "UnreadableWindows")]: last([], 1, 0, 0, 0) },
    on: ["windows-unreadable"],
  },
  {
    what: "windows of last month come",
    metrics: { [own("compare", "TooOldForMetrics")]: last([], 3, 0, 0, 0) },
    on: ["windows-too-old"],
  },
  {
    what: "a value is beyond measure",
    metrics: { [own("compare", "UnwritableValues")]: last([], 1, 0, 0, 0) },
    on: ["values-unwritable"],
  },
  {
    what: "more groups come than are watched",
    metrics: { [own("compare", "GroupsTurnedAway")]: last([], 1, 0, 0, 0) },
    on: ["groups-turned-away"],
  },
  {
    what: "a window has no forecast",
    metrics: { [own("compare", "ForecastMissingWindows")]: last([0], 0, 1) },
    on: ["forecast-missing"],
  },
  {
    what: "a series could not be forecast",
    metrics: { [own("publish", "SeriesWithoutForecast")]: last([], 0, 1) },
    on: ["series-not-forecast"],
  },
  { what: "all series could be forecast", metrics: { [own("publish", "SeriesWithoutForecast")]: last([], 0) }, on: [] },
  ...["Failed", "TimedOut", "Aborted"].map((how) => ({
    what: `a training ends as ${how}`,
    metrics: { [states(`Executions${how}`)]: last([], 1, 0) },
    on: ["training-failed"],
  })),
  ...["series-not-forecast", "training-failed"].map((name) => ({
    what: `${name} since yesterday`,
    metrics: {},
    before: [name],
    on: [name],
  })),
  {
    what: "trainings are counted as zeros since one failed",
    metrics: { [states("ExecutionsFailed")]: steady(0), [states("ExecutionsSucceeded")]: steady(0) },
    before: ["training-failed"],
    on: ["training-failed"],
  },
  {
    what: "a training succeeds after one that failed",
    metrics: { [states("ExecutionsFailed")]: lately([1], []), [states("ExecutionsSucceeded")]: lately([], [1, 0]) },
    before: ["training-failed"],
    on: [],
  },
  {
    what: "one training fails and another succeeds",
    metrics: { [states("ExecutionsFailed")]: last([], 1), [states("ExecutionsSucceeded")]: last([], 1, 1) },
    on: ["training-failed"],
  },
  {
    what: "the sweep fails three times",
    metrics: { [lambda("sweep", "Errors")]: last([0], 1, 0, 1, 1) },
    on: ["sweep-failed"],
  },
  {
    what: "the sweep fails now and then",
    metrics: { [queue("SweepFailures")]: last([0], 0, 1, 0) },
    on: ["sweep-dead-letters"],
  },
  {
    what: "the sweep's schedule is off",
    metrics: {
      [lambda("sweep", "Invocations")]: none,
      [lambda("sweep", "Errors")]: none,
      [own("sweep", "ClockDelay")]: none,
    },
    on: ["sweep-stopped"],
  },
  {
    what: "windows could not be compared",
    metrics: { [queue("CompareDeadLetters")]: last([0], 0, 1, 0) },
    on: ["compare-dead-letters"],
  },
  {
    what: "a schedule could not be started",
    metrics: { [queue("ScheduleDeadLetters")]: last([0], 0, 1, 0) },
    on: ["schedule-dead-letters"],
  },
];
