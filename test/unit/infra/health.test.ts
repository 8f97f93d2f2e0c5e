/**
 * What each health alarm makes of a pipeline that is well, and of one that fails in one way: of all alarms, those that should be on
 * are. That the scenarios are sharp enough is tried too: every alarm, changed in one place, must come out wrong in some of them.
 */
import { describe, expect, test } from "vitest";
import type { Value } from "../../../infra/template/cfn.ts";
import { contextOf, type SynthesisOptions } from "../../../infra/template/context.ts";
import { health } from "../../../infra/template/health.ts";
import { type AlarmProperties, evaluate, fires, metricsOf, type Samples } from "./alarm-math.ts";
import { CLICKS, FLIGHTS, options, PIPELINES } from "./pipelines.ts";

/** Periods that are looked at. */
const PERIODS = 5;
const steady = (...samples: number[]): Samples => Array.from({ length: PERIODS }, () => samples);
const none = steady();
const last = (before: readonly number[], ...samples: number[]): Samples => [...steady(...before).slice(1), samples];

const own = (fn: string, name: string) => `Forewatch/flights/Health ${name} service=fw-flights-${fn}`;
const lambda = (fn: string, name: string) => `AWS/Lambda ${name} FunctionName=fw-flights-${fn}`;
const firehose = (name: string) => `AWS/Firehose ${name} DeliveryStreamName=Delivery`;
const flink = (name: string) => `AWS/KinesisAnalytics ${name} Application=FlinkApplication`;
const kinesis = (stream: string, name: string) => `AWS/Kinesis ${name} StreamName=${stream}`;
const queue = (id: string) => `AWS/SQS ApproximateNumberOfMessagesVisible QueueName=${id}.QueueName`;
const states = (name: string) => `AWS/States ${name} StateMachineArn=Training`;

/** Each metric that an alarm reads, of a pipeline that is well: what comes several times a period comes with values that differ. */
const WELL: Readonly<Record<string, Samples>> = {
  [lambda("relay", "IteratorAge")]: steady(0, 590_000, 200),
  [lambda("compare", "IteratorAge")]: steady(0, 590_000, 200),
  [lambda("relay", "Invocations")]: steady(1, 1, 0, 1),
  [lambda("compare", "Invocations")]: steady(1, 0, 0),
  [lambda("sweep", "Invocations")]: steady(1, 0, 1),
  [lambda("enrich", "Errors")]: steady(0, 2, 0),
  [lambda("sweep", "Errors")]: steady(0, 1, 1),
  [firehose("DeliveryToS3.DataFreshness")]: steady(60, 890),
  [firehose("KinesisMillisBehindLatest")]: steady(0, 890_000),
  [firehose("DataReadFromKinesisStream.Records")]: steady(50, 0, 0),
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
  [states("ExecutionsFailed")]: none,
  [states("ExecutionsTimedOut")]: none,
  [states("ExecutionsAborted")]: none,
  [queue("CompareDeadLetters")]: steady(0, 0),
  [queue("ScheduleDeadLetters")]: steady(0, 0),
};

interface Scenario {
  readonly what: string;
  readonly metrics: Readonly<Record<string, Samples>>;
  /** The alarms that are on. */
  readonly on: readonly string[];
}

const SCENARIOS: readonly Scenario[] = [
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
  {
    what: "the sweep fails three times",
    metrics: { [lambda("sweep", "Errors")]: last([0], 1, 0, 1, 1) },
    on: ["sweep-failed"],
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

/** Health alarms by name, as the template of a pipeline has them. */
function alarmsOf(spec = FLIGHTS, over: Partial<SynthesisOptions> = {}): Map<string, AlarmProperties> {
  const { Resources } = health(contextOf(spec, options(over)));
  return new Map(
    Object.values(Resources)
      .filter(({ Type }) => Type === "AWS::CloudWatch::Alarm")
      .map(({ Properties }) => [
        String(Properties.AlarmName).split("/health/")[1]!,
        Properties as unknown as AlarmProperties,
      ]),
  );
}

const ALARMS = alarmsOf();
const dataOf = ({ metrics }: Scenario) => new Map(Object.entries({ ...WELL, ...metrics }));

test("every metric that an alarm reads is among those that are tried, and nothing else is", () => {
  const read = new Set([...ALARMS.values()].flatMap(metricsOf));
  const spare = [
    own("compare", "Compared"),
    own("compare", "GroupsWithoutAlarm"),
    own("relay", "NewestEvent"),
    own("relay", "OnTimeArrival"),
  ];
  expect([...read].filter((name) => !(name in WELL))).toEqual([]);
  expect(Object.keys(WELL).filter((name) => !read.has(name) && !spare.includes(name))).toEqual([]);
});

test.each(SCENARIOS)("$what: $on", (scenario) => {
  const data = dataOf(scenario);
  expect(
    [...ALARMS]
      .filter(([, alarm]) => fires(alarm, data))
      .map(([name]) => name)
      .sort(),
  ).toEqual(scenario.on);
});

test("each alarm is on in some scenario", () => {
  const on = new Set(SCENARIOS.flatMap((s) => s.on));
  expect([...ALARMS.keys()].filter((name) => !on.has(name))).toEqual([]);
});

/** The alarm, changed in one place. */
function* mutants(alarm: AlarmProperties): Generator<readonly [how: string, alarm: AlarmProperties]> {
  const others: Readonly<Record<string, string>> = {
    GreaterThanThreshold: "LessThanThreshold",
    GreaterThanOrEqualToThreshold: "LessThanThreshold",
    LessThanThreshold: "GreaterThanThreshold",
  };
  yield ["comparison", { ...alarm, ComparisonOperator: others[alarm.ComparisonOperator]! }];
  yield ["threshold", { ...alarm, Threshold: alarm.Threshold * 10 + 10 }];
  const statistics: Readonly<Record<string, readonly string[]>> = {
    Sum: ["Average", "Minimum"],
    Average: ["Sum", "Maximum"],
    Maximum: ["Minimum", "Average"],
    SampleCount: ["Sum", "Average"],
  };
  const swapped = (stat: string) => statistics[stat]!;
  const elsewhere = (dimensions: readonly { readonly Name: string; readonly Value: Value }[]) =>
    dimensions.map(({ Name }) => ({ Name, Value: "another" }));
  if (!alarm.Metrics) {
    for (const Statistic of swapped(alarm.Statistic!)) yield [Statistic, { ...alarm, Statistic }];
    yield ["dimension", { ...alarm, Dimensions: elsewhere(alarm.Dimensions!) }];
    yield ["metric", { ...alarm, MetricName: "Another" }];
    return;
  }
  for (const [i, metric] of alarm.Metrics.entries()) {
    const changed = (to: object) => ({ ...alarm, Metrics: alarm.Metrics!.with(i, { ...metric, ...to }) });
    const { MetricStat, Expression } = metric;
    if (MetricStat) {
      for (const Stat of swapped(MetricStat.Stat))
        yield [`${metric.Id} ${Stat}`, changed({ MetricStat: { ...MetricStat, Stat } })];
      const { Metric } = MetricStat;
      yield [
        `${metric.Id} dimension`,
        changed({ MetricStat: { ...MetricStat, Metric: { ...Metric, Dimensions: elsewhere(Metric.Dimensions) } } }),
      ];
    }
    for (const [from, to] of [
      [" > ", " < "],
      [" < ", " > "],
      [" AND ", " OR "],
      [", 1, 0)", ", 0, 1)"],
      [" + ", " - "],
      [" / ", " * "],
    ] as const)
      if (Expression?.includes(from))
        yield [`${from} for ${to}`, changed({ Expression: Expression.replace(from, to) })];
  }
}

/** Changes that change nothing, with why. */
const SAME: ReadonlySet<string> = new Set([
  // Whether any came is told by their sum, and by their mean.
  ...["delivery-stopped", "relay-stopped", "compare-stopped"].map((name) => `${name}: incoming Average`),
  // Instants are far above 0, so that whatever is made of them tells that there are some.
  ...["events", "closed"].flatMap((id) => ["Sum", "Average"].map((stat) => `analysis-silent: ${id} ${stat}`)),
]);

describe("an alarm that is changed in one place is found out", () => {
  const cases = [...ALARMS].flatMap(([name, alarm]) =>
    [...mutants(alarm)].map(([how, mutant]) => ({ name, how, mutant })),
  );
  test.each(cases.filter(({ name, how }) => !SAME.has(`${name}: ${how}`)))("$name: $how", ({ name, mutant }) => {
    const found = SCENARIOS.some((scenario) => {
      try {
        return fires(mutant, dataOf(scenario)) !== scenario.on.includes(name);
      } catch {
        // It reads a metric that nobody writes.
        return true;
      }
    });
    expect(found).toBe(true);
  });
});

test("that a series was not forecast holds until the next training", () => {
  const alarm = ALARMS.get("series-not-forecast")!;
  const quiet = new Map([[own("publish", "SeriesWithoutForecast"), none]]);
  expect(fires(alarm, quiet, true)).toBe(true);
  expect(fires(alarm, quiet, false)).toBe(false);
});

describe("groups that alarms do not know", () => {
  const renamed = (name: string) => name.replaceAll("flights", CLICKS.name);
  test("are told of when they come after the alarms were made", () => {
    const spec = { ...CLICKS, alarms: [{ ...CLICKS.alarms[1]!, periods: 40, datapoints: 30 }] };
    const alarm = alarmsOf(spec, { groups: [["home", "true"]] }).get("groups-without-alarm")!;
    const metric = renamed(own("compare", "GroupsWithoutAlarm"));
    expect(fires(alarm, new Map([[metric, none]]))).toBe(false);
    expect(fires(alarm, new Map([[metric, last([], 0, 1)]]))).toBe(true);
  });

  test("are told of when there are more than one query sees", () => {
    const alarm = alarmsOf(CLICKS).get("groups-beyond-alarms")!;
    // Two windows a period, in several batches each, of four measures.
    const data = (groups: number) =>
      new Map([
        [renamed(own("compare", "Compared")), steady(2_000, 4 * groups - 2_000, 4 * groups)],
        [renamed(own("compare", "ClosedWindow")), steady(1_794_000_000, 1_794_000_300)],
      ]);
    expect(fires(alarm, data(500))).toBe(false);
    expect(fires(alarm, data(501))).toBe(true);
    expect(fires(alarm, new Map([...data(501)].map(([name]) => [name, none])))).toBe(false);
  });
});

test("the evaluator computes as CloudWatch documents", () => {
  const known = new Map([
    ["a", [1, undefined, 3, 7]],
    ["b", [2, 2, 0, 1]],
  ]);
  expect(evaluate("a + b * 2", known)).toEqual([5, undefined, 3, 9]);
  expect(evaluate("(a + b) * 2", known)).toEqual([6, undefined, 6, 16]);
  expect(evaluate("FILL(a, 0) / b", known)).toEqual([0.5, 0, undefined, 7]);
  expect(evaluate("DIFF(b)", known)).toEqual([undefined, 0, -2, 1]);
  expect(evaluate("IF(b > 0 AND FILL(a, 0) < 5, 1, 0)", known)).toEqual([1, 1, 0, 0]);
  expect(() => evaluate("a b", known)).toThrow();
  expect(() => evaluate("c + 1", known)).toThrow(/c is unknown/);
});

test("of long windows the comparison is not missed between two of them", () => {
  for (const spec of Object.values(PIPELINES)) {
    const { Metrics, EvaluationPeriods } = alarmsOf(spec).get("compare-stopped")!;
    const [first] = Metrics! as unknown as readonly { readonly MetricStat: { readonly Period: number } }[];
    expect(first!.MetricStat.Period * 1_000).toBe(spec.series.every);
    expect(EvaluationPeriods).toBe(spec.series.every < 3_600_000 ? 2 : 1);
  }
});
