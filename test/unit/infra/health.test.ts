/**
 * What each health alarm makes of a pipeline that is well, and of one that fails in one way: of all alarms, those that should be on
 * are. That the scenarios are sharp enough is tried too: every alarm, changed in one place, must come out wrong in some of them.
 */
import { describe, expect, test } from "vitest";
import type { Resource, Value } from "../../../infra/template/cfn.ts";
import { contextOf, type SynthesisOptions } from "../../../infra/template/context.ts";
import { health } from "../../../infra/template/health.ts";
import { requireSpec } from "../../../src/core/spec.ts";
import { type AlarmProperties, evaluate, fires, metricsOf } from "./alarm-math.ts";
import { last, none, own, SCENARIOS, type Scenario, steady, WELL } from "./health-scenarios.ts";
import { CLICKS, FLIGHTS, options, PIPELINES } from "./pipelines.ts";

/** Health alarms by name, as the template of a pipeline has them. */
function alarmsOf(spec = FLIGHTS, over: Partial<SynthesisOptions> = {}): Map<string, AlarmProperties> {
  return new Map(
    resourcesOf(spec, over).map(([name, { Properties }]) => [name, Properties as unknown as AlarmProperties]),
  );
}

function resourcesOf(spec = FLIGHTS, over: Partial<SynthesisOptions> = {}): [name: string, alarm: Resource][] {
  const { Resources } = health(contextOf(spec, options(over)));
  return Object.values(Resources)
    .filter(({ Type }) => Type === "AWS::CloudWatch::Alarm")
    .map((alarm) => [String(alarm.Properties.AlarmName).split("/health/")[1]!, alarm]);
}

const ALARMS = alarmsOf();
const dataOf = ({ metrics }: Scenario) => new Map(Object.entries({ ...WELL, ...metrics }));
const isOn = (name: string, alarm: AlarmProperties, scenario: Scenario) =>
  fires(alarm, dataOf(scenario), scenario.before?.includes(name) ?? false);

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
  expect(
    [...ALARMS]
      .filter(([name, alarm]) => isOn(name, alarm, scenario))
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
  if (alarm.TreatMissingData === "ignore") yield ["missing", { ...alarm, TreatMissingData: "notBreaching" }];
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
      [", REPEAT)", ", 0)"],
    ] as const)
      if (Expression?.includes(from))
        yield [`${from} for ${to}`, changed({ Expression: Expression.replace(from, to) })];
  }
}

/** Changes that change nothing, with why. */
const SAME: ReadonlySet<string> = new Set([
  // Whether any came is told by their sum, and by their mean.
  ...["delivery-stopped", "relay-stopped", "compare-stopped"].flatMap((name) => [
    `${name}: incoming Average`,
    `${name}: calls Average`,
  ]),
  // A share of what ended is more than nothing whatever it is a share of.
  ...["failed", "slow", "aborted", "succeeded"].map((id) => `training-failed: ${id} Average`),
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
        return isOn(name, mutant, scenario) !== scenario.on.includes(name);
      } catch {
        // It reads a metric that nobody writes.
        return true;
      }
    });
    expect(found).toBe(true);
  });
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
  expect(evaluate("FILL(a, REPEAT)", known)).toEqual([1, 1, 3, 7]);
  expect(evaluate("FILL(DIFF(a), REPEAT)", known)).toEqual([undefined, undefined, undefined, 4]);
  expect(evaluate("DIFF(b)", known)).toEqual([undefined, 0, -2, 1]);
  expect(evaluate("IF(b > 0 AND FILL(a, 0) < 5, 1, 0)", known)).toEqual([1, 1, 0, 0]);
  expect(() => evaluate("a b", known)).toThrow();
  expect(() => evaluate("c + 1", known)).toThrow(/c is unknown/);
});

test("every alarm is told of to the topic, when it begins and when it ends", () => {
  const topic = [{ Ref: "AlarmTopic" }];
  for (const [name, { Properties }] of Object.values(PIPELINES).flatMap((spec) => resourcesOf(spec))) {
    const { AlarmActions, OKActions, ActionsEnabled, AlarmDescription } = Properties;
    expect({ AlarmActions, OKActions, ActionsEnabled }, name).toEqual({ AlarmActions: topic, OKActions: topic });
    expect(String(AlarmDescription).length, name).toBeLessThanOrEqual(1_024);
  }
});

describe("of windows whose lateness is long", () => {
  const late = (every: string, lateness: string) =>
    requireSpec(
      JSON.stringify({
        name: "flights",
        source: { time: "t", fields: { t: "timestamp" }, lateness },
        series: { every, measures: { n: { count: "*" } } },
        forecast: every === "1d" ? { history: "52w", horizon: "14d", retrain: "1d" } : {},
      }),
    );
  const CASES = [
    { every: "5m", lateness: "1h", silent: 300 * 14 },
    { every: "5m", lateness: "1d", silent: 3_600 * 26 },
    { every: "1m", lateness: "1d", silent: 3_600 * 26 },
    { every: "1h", lateness: "6d", silent: 3_600 * 146 },
    { every: "1h", lateness: "7d", silent: 604_800 },
    { every: "1d", lateness: "6d", silent: 604_800 },
    { every: "5m", lateness: "30d", silent: 604_800 },
  ] as const;
  const look = ({ Properties }: Resource) => {
    const [first] = (Properties.Metrics ?? []) as unknown as { MetricStat?: { Period: number } }[];
    const period = Number(Properties.Period ?? first?.MetricStat?.Period);
    return { period, seconds: period * Number(Properties.EvaluationPeriods) };
  };

  test.each(CASES)("$every, $lateness: every alarm looks back no further than CloudWatch does", ({
    every,
    lateness,
  }) => {
    for (const [name, alarm] of resourcesOf(late(every, lateness))) {
      const { period, seconds } = look(alarm);
      expect(period % 60, name).toBe(0);
      expect(seconds, name).toBeLessThanOrEqual(period < 3_600 ? 86_400 : 604_800);
    }
  });

  test.each(
    CASES,
  )("$every, $lateness: silence is told of after the first window could have closed, or as late as can be", ({
    every,
    lateness,
    silent,
  }) => {
    const spec = late(every, lateness);
    const alarm = resourcesOf(spec).find(([name]) => name === "analysis-silent")![1];
    expect(look(alarm).seconds).toBe(silent);
    const due = Math.min(604_800, (spec.source.lateness + spec.series.every) / 1_000);
    expect(look(alarm).seconds).toBeGreaterThanOrEqual(due);
  });
});
