import { describe, expect, test } from "vitest";
import { createdFor } from "../../../infra/cost/created.ts";
import { estimateCost } from "../../../infra/cost/estimate.ts";
import { combinationsCount, eventBytes, shardsFor } from "../../../infra/cost/load.ts";
import { PRICES } from "../../../infra/cost/prices.ts";
import { shardsWarning } from "../../../infra/cost/warnings.ts";
import { relay } from "../../../infra/lambda/relaying.ts";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { watchedMetric } from "../../../src/core/compare.ts";
import { checks } from "./checks.ts";
import { CLICKS, FLIGHTS, options, PIPELINES } from "./pipelines.ts";

const cost = (spec = FLIGHTS, recordsPerSecond = 100, more = {}) =>
  estimateCost(spec, { recordsPerSecond, recordBytes: 300, ...more });
const of = (estimate: ReturnType<typeof cost>, service: string) =>
  estimate.services.find((s) => s.service === service)!.cost;

const aboutShards = ({ warnings = [] }: ReturnType<typeof cost>) => warnings.filter((w) => w.includes("shards"));

test("the floor is two processing units of Flink", () => {
  // 2 x 0.11 $ x 730 h and 50 GB of running state.
  expect(of(cost(FLIGHTS, 0), "Managed Service for Apache Flink")).toBe(165.6);
});

test("Firehose bills a record as 5 KB: batching is the lever", () => {
  // 100/s x 2,628,000 s x 5,120 B = 1,253.13 GB at 0.047 $.
  expect(of(cost(FLIGHTS, 100), "Data Firehose")).toBeCloseTo(58.9, 1);
  const batched = cost(FLIGHTS, 100 / 17, { recordBytes: 5_100, eventsPerRecord: 17 });
  expect(of(batched, "Data Firehose")).toBeLessThan(of(cost(FLIGHTS, 100), "Data Firehose") / 16);
});

describe.each(
  Object.entries(PIPELINES),
)("what is billed by the piece is what the template of %s creates", (_, spec) => {
  const groups = Array.from({ length: combinationsCount(spec) ?? 7 }, (_, i) => spec.series.by.map(() => `g${i}`));
  const { Resources } = synthesize(spec, options({ groups })).template;
  const resources = Object.values(Resources);
  const ofType = (type: string) => resources.filter((r) => r.Type === type);
  const created = createdFor(spec, groups.length, combinationsCount(spec) === undefined ? { given: 7 } : "listed");

  test("the memory of the function that compares", () => {
    expect(created.compareMemory).toBe(Resources.CompareFunction!.Properties.MemorySize);
  });

  test("shards, dashboards, composite alarms", () => {
    const shards = ofType("AWS::Kinesis::Stream").map((r) => Number(r.Properties.ShardCount));
    expect(created.shards).toBe(shards.reduce((a, b) => a + b));
    expect(created.dashboards).toBe(ofType("AWS::CloudWatch::Dashboard").length);
    expect(created.composites).toBe(ofType("AWS::CloudWatch::CompositeAlarm").length);
  });

  test("metrics that alarms read", () => {
    const read = ofType("AWS::CloudWatch::Alarm").map(({ Properties }) => {
      const metrics = Properties.Metrics as readonly { readonly Expression?: string }[] | undefined;
      if (metrics?.some((m) => m.Expression?.startsWith("SELECT"))) return groups.length;
      return metrics?.filter((m) => m.Expression === undefined).length ?? 1;
    });
    expect(created.alarmMetrics).toBe(read.reduce((a, b) => a + b));
  });

  test("metrics of a window", () => {
    const own = new Set(spec.alarms.map((rule) => `${rule.measure} ${watchedMetric(rule)}`));
    const besides = [...own].filter((name) => !name.endsWith(" Deviation")).length;
    expect(created.seriesMetrics).toBe(groups.length * (6 * spec.series.measures.length + besides));
  });
});

test("a load beyond the file's shards is warned of, and the price is of what the file creates", () => {
  expect(cost(FLIGHTS, 100).warnings).toEqual([]);
  const busy = cost(FLIGHTS, 3_000);
  // A stream's shards are doubled at most.
  expect(aboutShards(busy)).toEqual([
    expect.stringMatching(
      /needs 4 shards and the pipeline file has 1: .*double them with each deployment: 2, then 4\.$/,
    ),
  ]);
  const wide = cost({ ...FLIGHTS, source: { ...FLIGHTS.source, shards: 4 } }, 3_000);
  expect(aboutShards(wide)).toEqual([]);
  // Six shards more, of two streams, at 0.015 $ an hour.
  expect(of(wide, "Kinesis Data Streams") - of(busy, "Kinesis Data Streams")).toBeCloseTo(6 * 0.015 * 730, 1);
});

test.each([
  { shards: 1, needed: 2, steps: undefined },
  { shards: 1, needed: 3, steps: "2, then 3" },
  { shards: 2, needed: 16, steps: "4, then 8, then 16" },
  { shards: 3, needed: 7, steps: "6, then 7" },
])("from $shards shards to $needed in steps of at most the double: $steps", ({ shards, needed, steps }) => {
  const [warning] = shardsWarning(needed, shards);
  expect(/deployment: (.*)\.$/.exec(warning!)?.[1]).toBe(steps);
});

describe("discovered groups", () => {
  test("are assumed with a warning that names what each more costs", () => {
    const [warning, ...others] = cost(CLICKS).warnings;
    expect(others).toEqual([]);
    const [, assumed, more] = /and (\d+) are assumed here: each further one adds about ([\d.]+) US dollars/.exec(
      warning!,
    )!;
    const hundred = cost(CLICKS, 100, { groups: Number(assumed) + 100 });
    expect((hundred.total - cost(CLICKS).total) / 100).toBeCloseTo(Number(more), 1);
    // Four measures of six metrics, and those of two rules, at 0.30 $ each; two alarms at 0.10 $.
    expect(Number(more)).toBeGreaterThan(26 * 0.3 + 2 * 0.1);
  });

  test("that somebody counted or gave are not warned of", () => {
    expect(cost(CLICKS, 100, { groups: 300 }).warnings).toEqual([]);
    expect(cost(CLICKS, 100, { groupsGiven: 300 })).toEqual(cost(CLICKS, 100, { groups: 300, groupsGiven: 300 }));
    expect(cost(CLICKS, 100, { groupsGiven: 300 }).warnings).toEqual([]);
    expect(cost(FLIGHTS).warnings).toEqual([]);
  });
});

test("given groups decide which alarms there are, and the count what they read", () => {
  const given = Array.from({ length: 3 }, (_, i) => [`page-${i}`, "true"]);
  const composites = (spec: typeof CLICKS, groups: typeof given) =>
    Object.values(synthesize(spec, options({ groups })).template.Resources).filter(
      ({ Type }) => Type === "AWS::CloudWatch::CompositeAlarm",
    ).length;
  // One query a rule, although more groups will come than one sees.
  const queries = createdFor(CLICKS, 800, { given: 3 });
  expect(queries.composites).toBe(composites(CLICKS, given));
  expect(queries.alarmMetrics - createdFor(CLICKS, 799, { given: 3 }).alarmMetrics).toBe(CLICKS.alarms.length);
  // Only given groups have alarms of their own.
  const long = { ...CLICKS, alarms: CLICKS.alarms.map((rule) => ({ ...rule, datapoints: 3, periods: 48 })) };
  const many = createdFor(long, 800, { given: 3 });
  expect(many.composites).toBe(composites(long, given));
  expect(many.alarmMetrics).toBe(createdFor(long, 3, { given: 3 }).alarmMetrics);
  expect(many.seriesMetrics).toBe(queries.seriesMetrics);
});

test("a training that reads more than a person's query may is warned of with what it costs", () => {
  expect(cost(FLIGHTS, 290).warnings).toEqual([]);
  const [warning] = cost({ ...FLIGHTS, forecast: { ...FLIGHTS.forecast, history: 52 * 7 * 86_400_000 } }, 800, {
    recordBytes: 600,
  }).warnings;
  const [, size, price] = /reads about (\d+) GB of the lake, for ([\d.]+) US dollars a month/.exec(warning!)!;
  // A year of 480 KB a second, a quarter of it as Parquet; five dollars a terabyte, each day.
  const bytes = 52 * 7 * 86_400 * 800 * 600 * 0.25;
  expect(Number(size)).toBeCloseTo(bytes / 2 ** 30, -1);
  expect(Number(price)).toBeCloseTo((bytes / 2 ** 40) * 5 * (730 / 24), 0);
});

test("logs are as many as calls", () => {
  const logs = (shards: number) =>
    of(cost({ ...FLIGHTS, source: { ...FLIGHTS.source, shards } }, 20_000), "KMS, logs, Step Functions");
  // 2,628,000 calls more a shard, a kilobyte each, at half a dollar a gigabyte.
  expect(logs(30) - logs(26)).toBeCloseTo(4 * ((2_628_000 * 1_000) / 2 ** 30) * 0.5, 1);
});

describe("the stream of events, which has as many shards as that of the records", () => {
  const at = Date.UTC(2026, 10, 22);
  const EVENTS = {
    FLIGHTS: (i: number) => ({ scheduled: at, origin: FLIGHTS.series.by[0]!.values![i % 8], delay: (i % 90) + 0.5 }),
    CLICKS: (i: number) => ({
      at,
      Page: `/articles/${i % 90}`,
      mobile: i % 2 === 0,
      status: 200,
      bytes: 512 + (i % 99),
    }),
  };
  const SPECS = { FLIGHTS, CLICKS };

  test.each(["FLIGHTS", "CLICKS"] as const)("is reckoned with what the relay writes of %s", async (name) => {
    const lines = Array.from({ length: 1_000 }, (_, i) => JSON.stringify(EVENTS[name](i))).join("\n");
    const record = { sequence: "1", shard: "shardId-000000000000", arrival: at, data: Buffer.from(lines) };
    const { records, counts } = await relay(SPECS[name], checks(SPECS[name]))([record]);
    expect(counts.events).toBe(1_000);
    const written = records.reduce((sum, { data }) => sum + data.length, 0) / 1_000;
    expect(eventBytes(SPECS[name]) / written).toBeGreaterThan(0.85);
    expect(eventBytes(SPECS[name]) / written).toBeLessThan(1.15);
  });

  test("needs more of them where small events come many in a record", () => {
    // 32 bytes each: 625 KiB a second come in, and 1.5 MiB go on.
    const load = { recordsPerSecond: 20, recordBytes: 32_000, eventsPerRecord: 1_000 };
    expect(shardsFor(FLIGHTS, { ...load, eventsPerRecord: 1 })).toBe(1);
    expect(shardsFor(FLIGHTS, load)).toBe(2);
    expect(aboutShards(estimateCost(FLIGHTS, load))).toEqual([expect.stringMatching(/needs 2 shards .* refused\.$/)]);
  });
});

test("what a week's records cost beyond a day's is of all three streams", () => {
  const week = { ...FLIGHTS, retention: { ...FLIGHTS.retention, stream: 7 * 86_400_000 } };
  // Three shards at 0.02 $ an hour.
  expect(of(cost(week), "Kinesis Data Streams") - of(cost(), "Kinesis Data Streams")).toBeCloseTo(3 * 0.02 * 730, 1);
  // And what lies there longer, by its size: 30 KB a second come in, and some more go on.
  const month = { ...FLIGHTS, retention: { ...FLIGHTS.retention, stream: 37 * 86_400_000 } };
  const more = of(cost(month), "Kinesis Data Streams") - of(cost(week), "Kinesis Data Streams");
  expect(more).toBeGreaterThan(((30 * 86_400 * 30_000) / 2 ** 30) * 0.023);
  expect(more).toBeLessThan(2 * ((30 * 86_400 * 30_000) / 2 ** 30) * 0.023);
});

test("the relay is called once a second for each shard, not for all", () => {
  const shards = (n: number) => ({ ...FLIGHTS, source: { ...FLIGHTS.source, shards: n } });
  const calls = (n: number) => of(cost(shards(n), 3_000), "Lambda");
  // 2,628,000 calls more a shard, each 0.05 s of half a GB, and 0.2 $ a million.
  expect(calls(6) - calls(5)).toBeCloseTo(2.628 * (0.05 * 0.5 * 13.3334 + 0.2), 1);
});

test("the sum is the services', dearest first, each a price of a named date", () => {
  for (const spec of Object.values(PIPELINES)) {
    const estimate = cost(spec, 1_000, { groups: 40 });
    expect(estimate.total).toBeCloseTo(
      estimate.services.reduce((sum, s) => sum + s.cost, 0),
      2,
    );
    expect(estimate.services.map((s) => s.cost)).toEqual(estimate.services.map((s) => s.cost).sort((a, b) => b - a));
    expect(estimate.pricesOf).toBe(PRICES.of);
  }
});

test("more load, more series, more training, a longer lake cost no less", () => {
  expect(cost(FLIGHTS, 1_000).total).toBeGreaterThan(cost(FLIGHTS, 100).total);
  expect(cost(CLICKS, 100, { groups: 200 }).total).toBeGreaterThan(cost(CLICKS, 100, { groups: 20 }).total);
  const often = (hours: number) => ({ ...FLIGHTS, forecast: { ...FLIGHTS.forecast, retrain: hours * 3_600_000 } });
  expect(of(cost(often(3)), "SageMaker")).toBeCloseTo(8 * of(cost(), "SageMaker"), 0);
  // A training may take two hours, and none begins before the last one is through.
  expect(of(cost(often(1)), "SageMaker")).toBeCloseTo(12 * of(cost(), "SageMaker"), 0);
  const short = { ...FLIGHTS, retention: { ...FLIGHTS.retention, lake: 30 * 86_400_000 } };
  expect(of(cost(short), "S3")).toBeLessThan(of(cost(), "S3"));
});

test("prices can be replaced", () => {
  const free = Object.fromEntries(
    Object.entries(PRICES).map(([k, v]) => [k, typeof v === "number" ? 0 : v]),
  ) as unknown as typeof PRICES;
  expect(estimateCost(FLIGHTS, { recordsPerSecond: 100, recordBytes: 300 }, free).total).toBe(0);
});
