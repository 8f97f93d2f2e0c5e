import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { knownGroups } from "../../../infra/lambda/known.ts";
import { windowShape } from "../../../infra/lambda/shapes.ts";
import { watchedMetric } from "../../../src/core/compare.ts";
import { type ForecastVersion, versionName } from "../../../src/core/forecast.ts";
import type { AlarmRule, Measure, PipelineSpec } from "../../../src/core/spec.ts";
import { batch, batchOf, closed, HOUR, message, NOW, ORIGIN, version, window } from "./batches.ts";
import { putToUse } from "./memory.ts";
import { CLICKS, FLIGHTS } from "./pipelines.ts";

test("a window is compared with its forecast, and both are written at the window's end", async () => {
  const { run, written } = await batch(version(ORIGIN));
  const start = ORIGIN + HOUR;
  const outcome = await run.run(
    [message("1", window(start, "BOS", { departures: 80, mean_delay: null, delay_spread: 115 }))],
    NOW,
  );
  expect(outcome).toMatchObject({
    ...{ compared: 3, forecastMissing: 0, tooOld: 0, unwritable: 0, filled: 0, turnedAway: 0 },
    ...{ closed: [], unreadable: [] },
  });
  expect(outcome.left).toBeUndefined();
  const of = (measure: string) =>
    Object.fromEntries(written[0]!.filter((d) => d.measure === measure).map((d) => [d.name, d.value]));
  expect(of("departures")).toEqual({
    Actual: 80,
    Lower: 90,
    Median: 100,
    Upper: 110,
    Deviation: -2,
    ForecastMissing: 0,
    DeviationBelowOrSilence: -2,
  });
  expect(of("mean_delay")).toEqual({ Lower: 90, Median: 100, Upper: 110, ForecastMissing: 0 });
  expect(of("delay_spread").Deviation).toBe(1.5);
  expect(new Set(written[0]!.map((d) => d.time))).toEqual(new Set([start + HOUR]));
  expect(written[0]![0]!.series).toBe("departures{origin=BOS}");
});

describe("partial failures", () => {
  test("a record that cannot be read is passed over and told of; its neighbours are compared", async () => {
    const { run, written } = await batch(version(ORIGIN));
    const closed = { kind: "closed", start: new Date(ORIGIN), end: new Date(ORIGIN + HOUR), events: 3 };
    const outcome = await run.run(
      [
        message("1", window(ORIGIN, "BOS", { departures: 1 }), { kind: "window" }, closed),
        { sequence: "2", data: Buffer.from([0x7b, 0xff]) },
        message("3", window(ORIGIN, "JFK", { departures: 1 })),
      ],
      NOW,
    );
    expect(outcome).toMatchObject({ compared: 6, closed: [ORIGIN + HOUR] });
    expect(outcome.failure).toBeUndefined();
    expect(outcome.unreadable.map((u) => u.sequence)).toEqual(["1", "2"]);
    for (const { error } of outcome.unreadable) expect(error).toBeInstanceOf(Error);
    const series = new Set(written.flat().map((d) => d.series));
    expect(series).toContain("departures{origin=BOS}");
    expect(series).toContain("departures{origin=JFK}");
  });
  test("whatever the batch: every readable record is written in its order, and every other is told of", async () => {
    const airports = ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"];
    const no = (over: object) => JSON.stringify({ ...window(ORIGIN, "BOS", {}), ...over });
    const item = fc.oneof(
      { weight: 4, arbitrary: fc.record({ key: fc.constantFrom(...airports), hour: fc.nat(4) }) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          "{",
          "null",
          "7",
          no({ measures: null }),
          no({ measures: [] }),
          no({ start: 5 }),
          no({ since: "x" }),
          no({ key: 3 }),
          no({ end: "x" }),
        ),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(item, { maxLength: 20 }), async (items) => {
        const { run, written } = await batch(version(ORIGIN));
        const messages = items.map((m, i) =>
          typeof m === "string"
            ? { sequence: String(i), data: Buffer.from(m) }
            : message(String(i), window(ORIGIN + m.hour * HOUR, m.key, { departures: i })),
        );
        const bad = items.flatMap((m, i) => (typeof m === "string" ? [String(i)] : []));
        const good = items.flatMap((m, i) => (typeof m === "string" ? [] : [i]));
        const outcome = await run.run(messages, NOW);
        expect(outcome.failure).toBeUndefined();
        expect(outcome.unreadable.map((u) => u.sequence)).toEqual(bad);
        const actual = written.flat().filter((d) => d.name === "Actual");
        expect(actual.map((d) => d.value)).toEqual(good);
      }),
      { numRuns: 100 },
    );
  });
  test("when CloudWatch refuses, everything comes again, and the same data are written", async () => {
    const { run, written, sink } = await batch(version(ORIGIN));
    const messages = [
      message("7", window(ORIGIN, "BOS", { departures: 100 })),
      message("8", window(ORIGIN, "JFK", { departures: 50 })),
    ];
    sink.fail = true;
    const failed = await run.run(messages, NOW);
    expect(failed).toMatchObject({ failure: { sequence: "7" }, compared: 0, closed: [] });
    sink.fail = false;
    await run.run(messages, NOW);
    await run.run(messages, NOW);
    expect(written[0]).toEqual(written[1]);
  });
});

test("no forecast is told, not hidden", async () => {
  const { run, written } = await batch();
  const outcome = await run.run([message("1", window(ORIGIN, "BOS", { departures: 7 }))], NOW);
  expect(outcome.forecastMissing).toBe(3);
  expect(written[0]!.filter((d) => d.measure === "departures").map((d) => [d.name, d.value])).toEqual([
    ["Actual", 7],
    ["ForecastMissing", 1],
    // Its rule takes silence for a breach, and a window without a forecast is none.
    ["DeviationBelowOrSilence", 0],
  ]);
});

describe("a window without a value", () => {
  const rule = (direction: AlarmRule["direction"], missing: AlarmRule["missing"]): AlarmRule => ({
    ...FLIGHTS.alarms[0]!,
    name: `${direction}-${missing.toLowerCase()}`,
    measure: "mean_delay",
    direction,
    missing,
  });
  const silent = window(ORIGIN, "BOS", { departures: 100, mean_delay: null, delay_spread: null });
  const data = async (rules: readonly AlarmRule[], record: object, ...versions: ForecastVersion[]) => {
    const { run, written } = await batch({ ...FLIGHTS, alarms: rules }, ...versions);
    await run.run([message("1", record)], NOW);
    return Object.fromEntries(
      written.flatMap((data) => data.filter((d) => d.measure === "mean_delay").map((d) => [d.name, d.value])),
    );
  };
  const directions = ["below", "above", "both"] as const;

  test("breaches every rule that takes silence for a breach, on each rule's own side", async () => {
    const rules = directions.map((direction) => rule(direction, "breaching"));
    const written = await data(rules, silent, version(ORIGIN));
    for (const one of rules) {
      const value = written[watchedMetric(one)]!;
      const breaching = one.direction === "below" ? value < -one.threshold : value > one.threshold;
      expect(breaching, one.name).toBe(true);
    }
    expect(written).not.toHaveProperty("Deviation");
  });
  test("breaches none of them without a forecast, which is not the business's silence", async () => {
    const rules = directions.map((direction) => rule(direction, "breaching"));
    const written = await data(rules, silent);
    expect(rules.map((one) => written[watchedMetric(one)])).toEqual([0, 0, 0]);
  });
  test("is no datum to other rules", async () => {
    const missing = ["missing", "ignore", "notBreaching"] as const;
    const rules = directions.flatMap((direction) => missing.map((m) => rule(direction, m)));
    expect(Object.keys(await data(rules, silent, version(ORIGIN)))).toEqual([
      "Lower",
      "Median",
      "Upper",
      "ForecastMissing",
    ]);
  });
});

test("windows that CloudWatch would refuse are counted, not sent", async () => {
  const { run, written } = await batch(version(ORIGIN));
  const outcome = await run.run([message("1", window(NOW - 15 * 24 * HOUR, "BOS", { departures: 7 }))], NOW);
  expect(outcome).toMatchObject({ tooOld: 1, compared: 0 });
  expect(written).toEqual([]);
});

test("a value that CloudWatch has no room for is left out and counted; what is beside it is written", async () => {
  const { run, written } = await batch(version(ORIGIN));
  const huge = window(ORIGIN, "BOS", { departures: 100, mean_delay: -1e200, delay_spread: 1e-200 });
  const outcome = await run.run([message("1", huge), message("2", window(ORIGIN, "JFK", { departures: 7 }))], NOW);
  expect(outcome).toMatchObject({ compared: 6, unwritable: 1 });
  const data = written.flat();
  for (const { value } of data)
    expect(value === 0 || (Math.abs(value) >= 2 ** -360 && Math.abs(value) <= 2 ** 360)).toBe(true);
  const actual = data.filter((d) => d.name === "Actual").map((d) => [d.measure, d.series.includes("BOS"), d.value]);
  expect(actual).toEqual([
    ["departures", true, 100],
    ["delay_spread", true, 0],
    ["departures", false, 7],
  ]);
  // How far it was is told all the same.
  expect(data.find((d) => d.name === "Deviation" && d.measure === "mean_delay")!.value).toBe(-1e6);
});

test("what is no number is no silence: it is counted, and no rule sees anything of it", async () => {
  const alarms = FLIGHTS.alarms.map((rule) => ({ ...rule, measure: "mean_delay", missing: "breaching" as const }));
  const { run, written } = await batch({ ...FLIGHTS, alarms }, version(ORIGIN));
  const messages = ["Infinity", "-Infinity", "NaN"].map((none, i) =>
    message(`${i}`, window(ORIGIN, "BOS", { departures: 100, mean_delay: none, delay_spread: null })),
  );
  expect(await run.run(messages, NOW)).toMatchObject({ compared: 9, unwritable: 3, forecastMissing: 0 });
  const names = new Set(written.flatMap((data) => data.filter((d) => d.measure === "mean_delay").map((d) => d.name)));
  expect(names).toEqual(new Set(["Lower", "Median", "Upper", "ForecastMissing"]));
});

test("a forecast is read once a version, and again when it has changed", async () => {
  const { run, written, objects } = await batch(version(ORIGIN));
  const departures = async (now: number) => {
    await run.run([message("1", window(ORIGIN, "BOS", { departures: 100 }))], now);
    return written.pop()!.find((d) => d.name === "Median")!.value;
  };
  expect(await departures(NOW)).toBe(100);
  await departures(NOW + 30_000);
  const read = ["current.json", `forecasts/versions/${versionName(ORIGIN)}`];
  expect(objects.reads).toEqual(read);
  await departures(NOW + 90_000);
  expect(objects.reads).toEqual([...read, "current.json unchanged"]);
  objects.reads.length = 0;
  const again = { ...version(ORIGIN, 200), version: versionName(ORIGIN, 1) };
  await putToUse(objects, "current.json", [again, version(ORIGIN)], FLIGHTS);
  expect(await departures(NOW + 180_000)).toBe(200);
  expect(objects.reads).toEqual(["current.json", `forecasts/versions/${again.version}`]);
});

describe("a forecast that was trained for an earlier pipeline file", () => {
  const { series } = FLIGHTS;
  const [count, mean, spread] = series.measures as [Measure, Measure, Measure];
  const changed = (over: Partial<PipelineSpec["series"]>): PipelineSpec => ({
    ...{ ...FLIGHTS, series: { ...series, ...over } },
  });
  const run = async (spec: PipelineSpec, key = "BOS") => {
    const made = await batchOf(spec, FLIGHTS, [version(ORIGIN)]);
    const measures = { departures: 80, mean_delay: 5_000, delay_spread: 115 };
    const outcome = await made.run.run([message("1", window(ORIGIN, key, measures))], NOW);
    const lacking = made.written
      .flat()
      .filter((d) => d.name === "ForecastMissing" && d.value === 1)
      .map((d) => d.measure);
    return { ...made, outcome, lacking };
  };
  test.each<[string, PipelineSpec, readonly string[], RegExp]>([
    [
      "with another statistic of a measure is none of it",
      changed({ measures: [count, { ...mean, statistic: "sum" }, spread] }),
      ["mean_delay"],
      /mean_delay of another definition/,
    ],
    [
      "with another field of a measure is none of it",
      changed({ measures: [count, { ...mean, field: "distance" }, spread] }),
      ["mean_delay"],
      /mean_delay of another definition/,
    ],
    [
      "with other fields to split by is none",
      changed({ by: [{ field: "destination", values: ["BOS"] }] }),
      ["departures", "mean_delay", "delay_spread"],
      /split by other fields/,
    ],
  ])("%s", async (_, spec, missing, words) => {
    const { lacking, outcome, written, forecast } = await run(spec);
    expect(lacking).toEqual(missing);
    expect(outcome.forecastMissing).toBe(missing.length);
    expect(written.flat().filter((d) => d.name === "Median" && missing.includes(d.measure))).toEqual([]);
    expect(forecast.outgrown).toEqual([expect.stringMatching(words)]);
  });
  test("stays in use when measures come, go or change places, or a band's least width changes", async () => {
    const { lacking, outcome, forecast } = await run(
      changed({ measures: [spread, { ...count, resolution: 5 }, { ...mean, name: "late" }] }),
    );
    expect(lacking).toEqual(["late"]);
    expect(outcome.forecastMissing).toBe(1);
    expect(forecast.outgrown).toEqual([]);
  });
  test("keeps a discovered group of redefined measures expected", async () => {
    const views = CLICKS.series.measures[0]!;
    const series = { "views{Page=/,mobile=true}": { method: "ensemble", quantiles: [[1], [2], [3]] } };
    const spec = {
      ...CLICKS,
      series: { ...CLICKS.series, measures: [{ ...views, statistic: "sum" as const, field: "status" }] },
    };
    const trained = { ...version(ORIGIN), every: CLICKS.series.every, series };
    const { forecast } = await batchOf(spec, CLICKS, [trained]);
    const table = await forecast.table(NOW);
    expect(knownGroups(spec, table).map((g) => g.key)).toEqual(["/|true"]);
    expect(table.at("views{Page=/,mobile=true}", ORIGIN)).toBeUndefined();
  });
});

describe("a job that begins, or begins anew,", () => {
  const AIRPORTS = ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"];
  const since = { since: new Date(ORIGIN).toISOString() };
  /** The windows that are compared of three hours, in the first of which the job began. */
  const compared = async (lateness: number) => {
    const spec = { ...FLIGHTS, source: { ...FLIGHTS.source, lateness } };
    const { run, written } = await batch(spec, version(ORIGIN));
    const hours = [0, 1, 2].map((h) => ORIGIN + h * HOUR);
    const records = hours.flatMap((start, i) => [
      window(start, "BOS", { departures: 2 }, since),
      { ...closed(start, ["BOS"], i === 0 ? null : start), ...since },
    ]);
    const outcome = await run.run([message("1", ...records)], NOW);
    const actual = written.flat().filter((d) => d.name === "Actual" && d.measure === "departures");
    const starts = [...new Set(actual.map((d) => d.time - HOUR))];
    return { outcome, starts, series: actual.length };
  };
  test.each([
    [0, 1],
    [10 * 60_000, 2],
    [HOUR, 2],
    [HOUR + 60_000, 3],
  ])("with a lateness of %d ms has no windows that may be short of events: its first %d", async (lateness, short) => {
    const { outcome, starts, series } = await compared(lateness);
    expect(outcome).toMatchObject({ partial: short, filled: (3 - short) * 7, forecastMissing: 0 });
    expect(starts).toEqual([0, 1, 2].slice(short).map((h) => ORIGIN + h * HOUR));
    expect(series).toBe((3 - short) * AIRPORTS.length);
    expect(outcome.closed).toHaveLength(3);
  });
  test("fills no silence that begins before the first whole window", async () => {
    const { run, written } = await batch(version(ORIGIN));
    const record = { ...closed(ORIGIN + 4 * HOUR, AIRPORTS, ORIGIN + HOUR), ...since };
    expect(await run.run([message("1", record)], NOW)).toMatchObject({ filled: 16, tooOld: 0 });
    const ends = [...new Set(written.flat().map((d) => d.time))];
    expect(ends).toEqual([4, 3].map((h) => ORIGIN + h * HOUR));
  });
  test("is told from one of an earlier pipeline file, whose windows are passed over", async () => {
    const { run, written } = await batch(version(ORIGIN));
    const of = (spec: PipelineSpec) => ({ shape: windowShape(spec) });
    const { series } = FLIGHTS;
    const before = { ...FLIGHTS, series: { ...series, by: [{ field: "origin" }, { field: "destination" }] } };
    const outcome = await run.run(
      [
        message("1", window(ORIGIN, "BOS|LAX", { departures: 9 }, of(before))),
        message("2", { ...closed(ORIGIN, []), ...of(before) }),
        message("3", window(ORIGIN, "BOS", { departures: 9 }, of(FLIGHTS))),
      ],
      NOW,
    );
    expect(outcome).toMatchObject({ outgrown: 2, compared: 3, filled: 0, closed: [] });
    expect(new Set(written.flat().map((d) => d.series))).toEqual(
      new Set(["departures", "mean_delay", "delay_spread"].map((m) => `${m}{origin=BOS}`)),
    );
  });
});
