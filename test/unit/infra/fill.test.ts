/** What the compare handler's code makes of windows that are closed: those of known groups that had nothing are compared as empty. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ClosedRecord, emptyWindows, MOST_FILLED, parseWindowRecord } from "../../../infra/lambda/comparing.ts";
import { groupHash, knownGroups, WatchedGroups } from "../../../infra/lambda/known.ts";
import type { Datum } from "../../../infra/lambda/ports.ts";
import { Analyzer } from "../../../src/core/analyze.ts";
import { ForecastTable, type ForecastVersion, versionName } from "../../../src/core/forecast.ts";
import { MOST_SERIES } from "../../../src/core/series.ts";
import { batch, closed, HOUR, message, NOW, ORIGIN, version, window } from "./batches.ts";
import { CLICKS, FLIGHTS, PIPELINES } from "./pipelines.ts";

const AIRPORTS = ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"];
const MINUTE = 60_000;

/** Each window's own number of departures, by window's end and series: what the last datum says. */
function departures(written: readonly (readonly Datum[])[]): Map<string, number> {
  const actual = written.flat().filter((d) => d.measure === "departures" && d.name === "Actual");
  return new Map(actual.map((d) => [`${new Date(d.time).toISOString()} ${d.series}`, d.value]));
}

test("a group's name in the list of a closed window is the beginning of its MD5", () => {
  // printf Zürich | md5sum
  expect(groupHash("Zürich")).toBe("103a821a3a6a");
});

describe("a closed window", () => {
  test("has the known groups that its list lacks as empty windows", async () => {
    const { run, written } = await batch(version(ORIGIN));
    const start = ORIGIN + HOUR;
    const outcome = await run.run([message("1", closed(start, AIRPORTS.slice(0, 6)))], NOW);
    expect(outcome).toMatchObject({ filled: 2, compared: 6, forecastMissing: 0, closed: [start + HOUR] });
    const data = written.flat().map(({ name, series, value, time }) => ({ name, series, value, time }));
    expect(data.filter((d) => d.name === "Actual")).toEqual(
      ["LGA", "ORD"].map((o) => ({
        name: "Actual",
        series: `departures{origin=${o}}`,
        value: 0,
        time: start + HOUR,
      })),
    );
    // A mean of nothing is no number, and a rule that takes silence for a breach has its own metric.
    expect(data.filter((d) => d.series === "mean_delay{origin=ORD}").map((d) => d.name)).toEqual([
      ...["Lower", "Median", "Upper", "ForecastMissing"],
    ]);
    expect(data.find((d) => d.name === "DeviationBelowOrSilence")!.value).toBe(-10);
  });

  test("that lacks none has none, and a group that nobody knows is not made up", async () => {
    const { run, written } = await batch(version(ORIGIN));
    const outcome = await run.run([message("1", closed(ORIGIN, [...AIRPORTS, "???"]))], NOW);
    expect(outcome).toMatchObject({ filled: 0, compared: 0, closed: [ORIGIN + HOUR] });
    expect(written).toEqual([]);
  });

  test("gives the windows since the one before it, in which nothing arrived, to every known group", async () => {
    const { run, written } = await batch(version(ORIGIN));
    const start = ORIGIN + 4 * HOUR;
    const outcome = await run.run([message("1", closed(start, AIRPORTS, start - 3 * HOUR))], NOW);
    expect(outcome).toMatchObject({ filled: 24, compared: 72, closed: [start + HOUR] });
    const ends = new Set(written.flat().map((d) => d.time));
    expect(ends).toEqual(new Set([start, start - HOUR, start - 2 * HOUR]));
  });

  test.each([
    ["from a job that did not tell of groups", { groups: undefined, after: undefined }],
    ["from such a job, of which Flink makes nulls", { groups: null, after: null }],
  ])("%s is left as it is", async (_, over) => {
    const { run, written } = await batch(version(ORIGIN));
    const outcome = await run.run([message("1", { ...closed(ORIGIN, []), ...over })], NOW);
    expect(outcome).toMatchObject({ filled: 0, closed: [ORIGIN + HOUR], unreadable: [] });
    expect(written).toEqual([]);
  });

  test("with more groups than are told still tells of the silence before it", async () => {
    const { run, written } = await batch(version(ORIGIN));
    const start = ORIGIN + 3 * HOUR;
    const outcome = await run.run([message("1", { ...closed(start, [], start - HOUR), groups: null })], NOW);
    expect(outcome.filled).toBe(8);
    expect(new Set(written.flat().map((d) => d.time))).toEqual(new Set([start]));
  });

  test("is the first of a job: nothing before it is filled", async () => {
    const { run } = await batch(version(ORIGIN));
    expect(await run.run([message("1", closed(ORIGIN, [], null))], NOW)).toMatchObject({ filled: 8 });
  });

  test.each(["xyz", "4fef5da2d5e", "4FEF5DA2D5EA"])("with the list %j is none", async (groups) => {
    const { run } = await batch(version(ORIGIN));
    const outcome = await run.run([message("1", { ...closed(ORIGIN, []), groups })], NOW);
    expect(outcome.unreadable.map((u) => u.sequence)).toEqual(["1"]);
  });

  test.each([
    { after: 5 },
    { start: ORIGIN },
    { end: ORIGIN + HOUR },
    { since: 5 },
  ])("with numbers for times, %j, is none", async (over) => {
    const { run } = await batch(version(ORIGIN));
    const outcome = await run.run([message("1", { ...closed(ORIGIN, []), ...over })], NOW);
    expect(outcome.unreadable.map((u) => u.sequence)).toEqual(["1"]);
  });

  test("of two weeks ago is filled as far back as CloudWatch takes data, the newest first", async () => {
    const { run, written } = await batch();
    const start = NOW - 13 * 24 * HOUR;
    const outcome = await run.run([message("1", closed(start, [], start - 90 * 24 * HOUR))], NOW);
    const ends = [...new Set(written.flat().map((d) => d.time))];
    expect(outcome.filled).toBe(8 * ends.length);
    expect(ends).toEqual(ends.toSorted((a, b) => b - a));
    expect(ends[0]).toBe(start + HOUR);
    expect(ends.at(-1)).toBe(NOW - 14 * 24 * HOUR + HOUR);
    const old = await run.run([message("2", closed(NOW - 15 * 24 * HOUR, []))], NOW);
    expect(old).toMatchObject({ filled: 0, tooOld: 0 });
  });
});

test("the largest silence is filled as far back as a call has time for, in whole windows", () => {
  const groups = Array.from({ length: 3_000 }, (_, i) => ({ key: `${i}`, hash: "", since: Number.NEGATIVE_INFINITY }));
  const record = parseWindowRecord(JSON.stringify(closed(ORIGIN, [], ORIGIN - 300 * HOUR)));
  const starts = new Map<number, number>();
  let count = 0;
  const windows = emptyWindows(FLIGHTS, record as ClosedRecord, groups, NOW);
  let next = windows.next();
  for (; !next.done; next = windows.next()) {
    const { start } = next.value;
    starts.set(start, (starts.get(start) ?? 0) + 1);
    count += FLIGHTS.series.measures.length;
  }
  // What is left out is told.
  expect(next.value).toBe((301 - starts.size) * groups.length);
  expect(count).toBeGreaterThanOrEqual(MOST_FILLED - 1);
  expect(count).toBeLessThan(MOST_FILLED + groups.length * FLIGHTS.series.measures.length);
  expect(new Set(starts.values())).toEqual(new Set([groups.length]));
  expect([...starts.keys()]).toEqual(Array.from(starts.keys(), (_, i) => ORIGIN - i * HOUR));
});

test("whatever the order and the repeats of its records, a stream becomes the engine's windows", async () => {
  const event = fc.record({
    minute: fc.nat(12 * 60 - 1),
    origin: fc.constantFrom(...AIRPORTS.slice(0, 3)),
    // Hours without any event occur.
    hour: fc.constantFrom(0, 1, 5, 11),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 1, maxLength: 40 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      async (events, again) => {
        const from = NOW - 13 * HOUR;
        const times = events.map((e) => from + e.hour * HOUR + (e.minute % 60) * MINUTE);
        const analyzer = new Analyzer({ ...FLIGHTS, source: { ...FLIGHTS.source, lateness: 24 * HOUR } });
        events.forEach((e, i) => {
          analyzer.add({ time: times[i]!, values: [times[i]!, e.origin, null, null, null] }, NOW);
        });
        analyzer.advanceTo(NOW + 24 * HOUR);
        const windows = [...analyzer.close()];
        const last = Math.max(...times);
        const engine = windows.filter((w) => w.start <= last);
        // As Flink tells of them: only what had events, and only windows in which something arrived.
        const records: object[] = [];
        let after: number | null = null;
        for (const { start, end, groups } of engine) {
          const there = groups.filter((g) => g.events > 0);
          if (there.length === 0) continue;
          for (const g of there) records.push(window(start, g.key, { departures: g.values[0] }));
          records.push(
            closed(
              start,
              there.map((g) => g.key),
              after,
            ),
          );
          after = end;
        }
        const shuffled = again.map((n) => records[n % records.length]!);
        const { run, written } = await batch();
        const messages = [...shuffled, ...records].map((r, i) => message(String(i), r));
        expect((await run.run(messages, NOW)).failure).toBeUndefined();
        const expected = engine.flatMap(({ end, groups }) =>
          groups.map((g) => [`${new Date(end).toISOString()} departures{origin=${g.key}}`, g.values[0]] as const),
        );
        expect(departures(written)).toEqual(new Map(expected));
        // Nothing says otherwise of any of them, at any time.
        const values = new Map<string, Set<number>>();
        for (const d of written.flat().filter((d) => d.name === "Actual" && d.measure === "departures")) {
          const id = `${d.time} ${d.series}`;
          values.set(id, (values.get(id) ?? new Set()).add(d.value));
        }
        for (const [id, set] of values) expect(set.size, id).toBe(1);
      },
    ),
    { numRuns: 100 },
  );
});

test("a pipeline without groups has one, which is filled like any other", async () => {
  const daily = Object.values(PIPELINES).find((spec) => spec.series.by.length === 0)!;
  const { every } = daily.series;
  const start = Math.floor(NOW / every) * every - 3 * every;
  const { run, written } = await batch(daily);
  expect(await run.run([message("1", closed(start, [""], null, every))], NOW)).toMatchObject({ filled: 0 });
  expect(await run.run([message("2", closed(start + every, [], start + every, every))], NOW)).toMatchObject({
    filled: 1,
  });
  expect(written.flat().map((d) => [d.name, d.series, d.value])).toContainEqual(["Actual", "revenue", 0]);
});

describe("known groups", () => {
  const forecast = { method: "ensemble", quantiles: [[1], [2], [3]] };
  const of = (origin: number, ...ids: string[]): ForecastVersion => ({
    ...{ format: 1, pipeline: CLICKS.name, version: versionName(origin), origin, every: 300_000 },
    levels: [0.01, 0.5, 0.99],
    series: Object.fromEntries(ids.map((id) => [id, forecast])),
  });
  test("are those of all forecasts in use, each since the first that knows it", () => {
    const table = new ForecastTable();
    table.add(of(HOUR, "views{Page=/a|b,mobile=true}", "traffic{Page=/a|b,mobile=true}", "views{Page=/,mobile=false}"));
    table.add(of(2 * HOUR, "views{Page=/,mobile=false}", "views{Page=/new,mobile=true}"));
    const known = knownGroups(CLICKS, table).map(({ key, since }) => [key, since]);
    expect(Object.fromEntries(known)).toEqual({ "/a\\|b|true": HOUR, "/|false": HOUR, "/new|true": 2 * HOUR });
    expect(knownGroups(CLICKS, new ForecastTable())).toEqual([]);
  });
  test("are expected in no window before their first forecast", async () => {
    const every = CLICKS.series.every;
    const { run, written } = await batch(CLICKS, of(ORIGIN, "views{Page=/,mobile=false}"));
    const outcome = await run.run([message("1", closed(ORIGIN, [], ORIGIN - HOUR, every))], NOW);
    expect(outcome.filled).toBe(1);
    expect(new Set(written.flat().map((d) => d.time))).toEqual(new Set([ORIGIN + every]));
  });
  test("are the listed ones where the file lists them, and no others", () => {
    const table = new ForecastTable();
    table.add({ ...version(ORIGIN), series: { "departures{origin=SFO}": forecast } });
    expect(knownGroups(FLIGHTS, table).map((g) => g.key)).toEqual(AIRPORTS);
  });
});

describe("new groups", () => {
  const most = Math.floor(MOST_SERIES / CLICKS.series.measures.length);
  const key = (i: number) => `/user/${i}|true`;
  const of = (n: number): ForecastVersion => ({
    ...{ format: 1, pipeline: CLICKS.name, version: versionName(ORIGIN), origin: ORIGIN, every: 300_000 },
    levels: [0.01, 0.5, 0.99],
    series: Object.fromEntries(
      Array.from({ length: n }, (_, i) => [
        `views{Page=/old/${i},mobile=true}`,
        { method: "ensemble", quantiles: [[1], [2], [3]] },
      ]),
    ),
  });
  const windows = (keys: readonly string[]) =>
    keys.map((k, i) => message(String(i), { ...window(ORIGIN, k, { views: 1 }), end: new Date(ORIGIN + 300_000) }));

  test("are watched up to the engine's bound, the first that come; the others are counted", async () => {
    const { run, written } = await batch(CLICKS);
    const keys = Array.from({ length: 2 * most }, (_, i) => key(i));
    const outcome = await run.run(windows(keys), NOW);
    expect(outcome).toMatchObject({ turnedAway: most, compared: most * CLICKS.series.measures.length });
    const watched = new Set(written.flat().map((d) => d.series));
    const metrics = new Set(written.flat().map((d) => d.measure + d.series));
    expect(metrics.size).toBeLessThanOrEqual(MOST_SERIES);
    // In the next window they are the same, in whatever order they come.
    written.length = 0;
    const next = await run.run(windows(keys.toReversed()), NOW);
    expect(next.turnedAway).toBe(most);
    expect(new Set(written.flat().map((d) => d.series))).toEqual(watched);
  });
  test("have the room that the forecast's groups leave, which always are watched", async () => {
    const { run } = await batch(CLICKS, of(most - 3));
    const known = Array.from({ length: most - 3 }, (_, i) => `/old/${i}|true`);
    const outcome = await run.run(windows([...[1, 2, 3, 4, 5].map(key), ...known]), NOW);
    expect(outcome).toMatchObject({ turnedAway: 2, compared: most * CLICKS.series.measures.length });
  });
  test("that came after the newest training lack no forecast: they have theirs with the next one", async () => {
    const { run, written } = await batch(CLICKS, of(3));
    const outcome = await run.run(windows([key(1), "/old/1|true"]), NOW);
    // Of the known one, the three measures that the forecast does not hold.
    expect(outcome).toMatchObject({ compared: 8, forecastMissing: 3 });
    expect(written.flat().filter((d) => d.name === "ForecastMissing" && d.value === 1)).toHaveLength(7);
    const { run: untrained } = await batch(CLICKS);
    expect(await untrained.run(windows([key(1)]), NOW)).toMatchObject({ compared: 4, forecastMissing: 4 });
  });
  test("that were there before the newest training, and that it does not know, could not be forecast, which is told", async () => {
    const { run } = await batch(CLICKS, of(3));
    const before = { ...window(ORIGIN - 300_000, key(1), { views: 1 }), end: new Date(ORIGIN) };
    expect(await run.run([message("0", before)], NOW)).toMatchObject({ compared: 4, forecastMissing: 4 });
    expect(await run.run(windows([key(1)]), NOW)).toMatchObject({ compared: 4, forecastMissing: 4 });
  });
  test("leave room when the next forecast knows them, and lose it to groups that it knows", () => {
    const watched = new WatchedGroups(CLICKS);
    const table = new ForecastTable();
    table.add(of(most - 2));
    watched.use(table);
    expect([1, 2, 3].map((i) => watched.admit(key(i), ORIGIN))).toEqual([true, true, false]);
    const trained = new ForecastTable();
    const series = {
      ...of(most - 3).series,
      "views{Page=/user/1,mobile=true}": of(1).series["views{Page=/old/0,mobile=true}"]!,
    };
    trained.add({ ...of(0), series });
    watched.use(trained);
    expect([1, 2, 3].map((i) => watched.admit(key(i), ORIGIN))).toEqual([true, true, true]);
    const full = new ForecastTable();
    full.add(of(most - 1));
    watched.use(full);
    expect([2, 1, 3].map((i) => watched.admit(key(i), ORIGIN))).toEqual([true, false, false]);
  });
});

describe("a call's time", () => {
  const every = (n: number) => Array.from({ length: n }, (_, i) => message(String(i), closed(ORIGIN + i * HOUR, [])));

  test("ends a batch where it runs out, and the rest comes again", async () => {
    const { run, written } = await batch(version(ORIGIN));
    let asked = 0;
    const outcome = await run.run(every(5), NOW, () => (asked++ < 20 ? 60_000 : 1_000));
    // The first takes what it takes, then eight groups a window.
    expect(outcome).toMatchObject({ left: "3", filled: 28, closed: [1, 2, 3].map((h) => ORIGIN + h * HOUR) });
    const times = new Set(written.flat().map((d) => d.time));
    expect(times.has(ORIGIN + 5 * HOUR)).toBe(false);
    expect(await run.run(every(5).slice(3), NOW)).toMatchObject({ filled: 16 });
  });
  test("is for the first record whatever it takes, so that each call gets on", async () => {
    const { run } = await batch(version(ORIGIN));
    expect(await run.run(every(2), NOW, () => 0)).toMatchObject({ left: "1", filled: 8 });
  });
});
