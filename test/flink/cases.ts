/** Streams that try what windows must get right: borders, late events, beats, gaps; the golden cases; a week of the sample. */
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { type PipelineSpec, requireSpec } from "../../src/core/spec.ts";
import golden from "../golden/windows.golden.json" with { type: "json" };
import { FLIGHTS } from "../unit/infra/pipelines.ts";
import type { Case, Item } from "./core.ts";

const MINUTE = 60_000;
const START = Date.UTC(2001, 2, 5);

function spec(over: object): PipelineSpec {
  const file = {
    name: "golden",
    source: {
      time: "t",
      fields: { t: "timestamp", g: "string", n: "integer", x: "double", ok: "boolean" },
      lateness: "10m",
    },
    series: {
      every: "1h",
      by: { g: ["a", "b"] },
      measures: {
        events: { count: "*" },
        with_x: { count: "x" },
        flags: { count: "ok" },
        total: { sum: "x" },
        mean: { avg: "x" },
        least: { min: "x" },
        greatest: { max: "x" },
        most: { max: "n" },
        spread: { stddev: "x" },
      },
    },
    forecast: { history: "8w", horizon: "48h" },
    ...over,
  };
  return requireSpec(JSON.stringify(file));
}

const at = (minutes: number, ms = 0) => START + minutes * MINUTE + ms;

/** Two of them are late. */
export const BORDERS: Item[] = [
  { t: at(5), g: "a", x: 1, n: 3 },
  { t: at(59, 59_999), g: "a", x: 2.5 },
  { t: at(60), g: "a", x: 100 },
  // The watermark is now 00:59:59.999: the first window is open still.
  { t: at(69, 59_999), g: "b", x: 4 },
  { t: at(0), g: "b", x: 7, ok: false },
  // And now 01:00: it is closed, and this is late.
  { t: at(70), g: "b", x: 4 },
  { t: at(59, 59_999), g: "a", x: 1_000 },
  { t: at(0), g: "b", x: 1_000 },
  { t: at(61), g: "a", x: -3, n: -5, ok: true },
];
const NOTHING: Item[] = [
  { t: at(1), g: "a" },
  { t: at(2), g: "z", x: 5 },
  { t: at(3), x: 5 },
  { t: at(4), g: "b", x: null, n: 2 },
  { t: at(5), g: "a", x: 3 },
];
const SILENCE: Item[] = [
  { t: at(5), g: "a", x: 1 },
  { beat: at(65) },
  { beat: at(69, 59_999) },
  { t: at(50), g: "a", x: 2 },
  { beat: at(70) },
  { t: at(50), g: "a", x: 500 },
  { beat: at(300) },
  { t: at(299), g: "b", x: 9 },
];
/** Two, one, no and five groups in windows that lie one to six hours apart. */
const SCRIPTS: Item[] = [
  { t: at(5), g: "Zürich" },
  { t: at(6), g: "東京" },
  { t: at(7), g: "東京" },
  { t: at(65), g: "Zürich" },
  // Of no group, and alone in its window.
  { t: at(200) },
  ...["", " ", "🛫 Οδησσός", "a|b\\", "\u0000"].map((g) => ({ t: at(570), g })),
  { beat: at(900) },
];
const CROWD: Item[] = [0, 1].flatMap((hour) =>
  Array.from({ length: 10_000 - hour }, (_, i) => ({ t: at(60 * hour + i / 200), g: `customer ${i}` })),
);
/** Values whose spread is all but lost in their size: equal ones, either side of powers of two, an outlier, tiny and huge ones. */
const SPREADS: readonly (readonly number[])[] = [
  Array.from({ length: 50 }, () => 0.1),
  [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16],
  [2 ** 24 - 2, 2 ** 24 - 1, 2 ** 24 + 1, 2 ** 24 + 3],
  Array.from({ length: 100 }, (_, i) => 300 + Math.sin(i) / 1e5),
  Array.from({ length: 100 }, (_, i) => (i === 50 ? 101_400 : 101_325) + (i % 7) / 100),
  Array.from({ length: 100 }, (_, i) => -7e-9 - i * 1e-16),
  // Microseconds since 1970.
  [1732300000000001, 1732300000000004, 1732300000000013, 1732300000000016],
  Array.from({ length: 50 }, (_, i) => 1e6 + i / 2 ** 12),
  [1e30, 1.000001e30, 1.000002e30],
  // Either side of a border of the rounding to 14 bits, whose steps are of 2^10 here.
  Array.from({ length: 64 }, (_, i) => 2 ** 23 + 512 + (i - 32) / 8),
  [-1, 1, -1, 1],
  [5],
];
const OVERFLOW: Item[] = [
  ...["a", "a", "b", "c"].map((g, i) => ({ t: at(i), g, x: g === "c" ? 1 : 1.5e308 })),
  ...["a", "a"].map((g, i) => ({ t: at(60 + i), g, x: -1.5e308 })),
];
const SPREAD: Item[] = SPREADS.flatMap((values, hour) =>
  values.map((x, i) => ({ t: at(60 * hour + (i * 59) / values.length), g: hour % 2 === 0 ? "a" : "b", x })),
);
const DISORDER: (Item & { t: number; x: number | null })[] = fc
  .sample(
    fc.tuple(
      fc.nat(40),
      fc.nat(90),
      fc.constantFrom("a", "b", "c"),
      fc.option(fc.double({ min: -1e3, max: 1e3, noNaN: true })),
    ),
    { numRuns: 4_000, seed: 11 },
  )
  .map(([jump, back, g, x], i) => ({ t: at(i / 4 - (jump === 0 ? back : back / 60)), g, x, n: i % 7 }));

/** Streams made to try one thing each. */
export const MADE: readonly Case[] = [
  { name: "windows' borders and late events, to the millisecond", spec: spec({}), items: BORDERS },
  { name: "values that are not there, groups that are not listed", spec: spec({}), items: NOTHING },
  { name: "small spreads about large means", spec: spec({}), items: SPREAD },
  { name: "beats close windows in silence", spec: spec({}), items: SILENCE },
  { name: "sixteen hours in disorder", spec: spec({}), items: DISORDER },
  {
    name: "sums beyond all numbers",
    spec: spec({
      series: { every: "1h", by: ["g"], measures: { total: { sum: "x" }, least: { min: "x" }, most: { max: "x" } } },
    }),
    items: OVERFLOW,
  },
  {
    name: "groups in any script, and windows between which nothing arrived",
    spec: spec({ series: { every: "1h", by: ["g"], measures: { events: { count: "*" } } } }),
    items: SCRIPTS,
  },
  {
    name: "ten thousand groups a window",
    spec: spec({ series: { every: "1h", by: ["g"], measures: { events: { count: "*" } } } }),
    items: CROWD,
  },
  {
    name: "discovered groups of two fields, five-minute windows",
    spec: spec({
      series: { every: "5m", by: ["g", "ok"], measures: { events: { count: "*" }, total: { sum: "x" } } },
      forecast: { history: "1w", horizon: "1d", retrain: "1d" },
    }),
    items: DISORDER.map((e, i) => ({ ...e, ok: i % 3 === 0 ? null : i % 2 === 0 })),
  },
  {
    name: "no groups, no lateness, windows of a day",
    spec: requireSpec(
      JSON.stringify({
        name: "daily",
        source: { time: "t", fields: { t: "timestamp", x: "double" }, lateness: "0s" },
        series: { every: "1d", measures: { total: { sum: "x" }, mean: { avg: "x" } } },
        forecast: { history: "52w", horizon: "2d", retrain: "1d" },
      }),
    ),
    items: DISORDER.map(({ t, x }) => ({ t, x })),
  },
];

type Feed = Readonly<Record<string, unknown>> | { readonly tick: string };

/** The cases that every implementation of step 5 is held to. Silence that lasts `idle` is what the sweep answers with a beat. */
export const GOLDEN: readonly Case[] = golden.cases.map(({ name, series, feed }) => {
  const made = requireSpec(JSON.stringify({ name: "golden", source: golden.source, series }));
  let newest = Number.NEGATIVE_INFINITY;
  const items: Item[] = [];
  for (const entry of feed as readonly Feed[]) {
    if ("tick" in entry) {
      const clock = Date.parse(entry.tick as string);
      if (clock - newest >= made.source.idle) items.push({ beat: clock });
    } else {
      newest = Math.max(newest, Date.parse(entry.t as string));
      items.push(entry);
    }
  }
  return { name, spec: made, items };
});

/** How long before its newest event a day of the disordered week begins to come too late. */
const LATE = 4 * 60 * MINUTE;

/**
 * The week of the storm, out of order by a fixed seed, a day an entry: each event comes within the lateness, but one in fifty comes a
 * day late, at the beginning of the next, when its window has closed. On the fourth day nothing comes from eight till two, but beats.
 * Each day ends with a beat that closes its windows.
 */
export async function stormDays(): Promise<{
  readonly spec: PipelineSpec;
  readonly days: readonly (readonly Item[])[];
}> {
  const chance = seeded(2001);
  const days: { at: number; item: Item }[][] = Array.from({ length: 7 }, () => []);
  for (const item of await stormWeek()) {
    const day = Math.floor((item.scheduled - WEEK_START) / DAY);
    const hour = (item.scheduled % DAY) / (60 * MINUTE);
    if (day === 3 && hour >= 8 && hour < 14) continue;
    const late = day < 6 && hour * 60 * MINUTE < DAY - LATE && chance() < 0.02;
    const at = late ? WEEK_START + (day + 1) * DAY : item.scheduled + chance() * FLIGHTS.source.lateness;
    days[late ? day + 1 : day]!.push({ at, item });
  }
  const beat = (day: number, time: number) =>
    days[day]!.push({ at: WEEK_START + day * DAY + time, item: { beat: WEEK_START + day * DAY + time } });
  for (let hour = 8.5; hour < 14; hour += 0.5) beat(3, hour * 60 * MINUTE);
  for (const day of days.keys()) beat(day, DAY + FLIGHTS.source.lateness);
  return { spec: FLIGHTS, days: days.map((day) => day.sort((a, b) => a.at - b.at).map(({ item }) => item)) };
}

const DAY = 24 * 60 * MINUTE;
const WEEK_START = Date.UTC(2001, 2, 2);

/** Numbers from 0 to below 1, the same ones each time (Numerical Recipes' quick generator, of 32 bits). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The week of the storm as the sample replays it. */
export async function stormWeek(): Promise<readonly (Item & { readonly scheduled: number })[]> {
  const file = fileURLToPath(new URL("../../node_modules/vega-datasets/data/flights-3m.parquet", import.meta.url));
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  const reader = await connection.runAndReadAll(
    `SELECT epoch_ms(date)::double AS scheduled, origin, delay::double AS delay
     FROM '${file.replaceAll("'", "''")}' WHERE date >= '2001-03-02' AND date < '2001-03-09' ORDER BY date, origin, delay`,
  );
  const rows = reader.getRowObjectsJS() as { scheduled: number; origin: string; delay: number | null }[];
  connection.closeSync();
  return rows;
}
