import { fileURLToPath } from "node:url";
import { type DuckDBConnection, DuckDBInstance, type DuckDBTimestampValue } from "@duckdb/node-api";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Analyzer, type ClosedWindow } from "../../../src/core/analyze.ts";
import type { Value } from "../../../src/core/collect.ts";
import {
  bucket,
  type PreparedRow,
  prepareSql,
  quoteIdentifier,
  quoteText,
  toSeries,
} from "../../../src/core/prepare.ts";
import { parseGroupKey, seriesId, windowStart } from "../../../src/core/series.ts";
import { byFields, type PipelineSpec, requireSpec } from "../../../src/core/spec.ts";
import { DAY, HOUR, MINUTE } from "../../../src/core/time.ts";
import { specWith } from "./sample.ts";

const FLIGHTS = fileURLToPath(new URL("../../../node_modules/vega-datasets/data/flights-3m.parquet", import.meta.url));
const AIRPORTS = ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"];
/** The week of the snowstorm. */
const WEEK = { from: Date.UTC(2001, 2, 4), until: Date.UTC(2001, 2, 11) };

let db: DuckDBConnection;
beforeAll(async () => {
  db = await (await DuckDBInstance.create(":memory:")).connect();
  await db.run("SET integer_division = true");
  await db.run("SET TimeZone = 'UTC'");
});
afterAll(() => db.closeSync());

function flights(series: object): PipelineSpec {
  return requireSpec(
    JSON.stringify({
      name: "flights",
      source: {
        time: "scheduled",
        fields: {
          scheduled: "timestamp",
          origin: "string",
          destination: "string",
          delay: "double",
          distance: "integer",
        },
        lateness: "0s",
      },
      series,
    }),
  );
}

const millis = (value: unknown): number => Number((value as DuckDBTimestampValue).micros / 1_000n);

async function prepare(spec: PipelineSpec, span: { from: number; until: number }): Promise<PreparedRow[]> {
  const rows = await (await db.run(prepareSql(spec, span))).getRowsJS();
  const fields = byFields(spec).length;
  return rows.map(([start, ...rest]) => ({
    start: (start as Date).getTime(),
    group: rest.slice(0, fields).map(String),
    values: rest.slice(fields).map((v) => (v === null ? null : Number(v))),
  }));
}

describe("on a week of real flights, the query and the live windows say the same", () => {
  const measures = {
    departures: { count: "*" },
    known: { count: "delay" },
    total: { sum: "delay" },
    mean_delay: { avg: "delay" },
    soonest: { min: "delay" },
    latest: { max: "delay" },
    delay_spread: { stddev: "delay" },
    miles: { sum: "distance" },
  };
  let events: { time: number; values: Value[] }[];

  beforeAll(async () => {
    await db.run(`CREATE TABLE raw AS
      SELECT date AS scheduled, origin, destination, CAST(delay AS DOUBLE) AS delay, distance, strftime(date, '%Y-%m-%d') AS dt
      FROM '${FLIGHTS}' WHERE date >= '2001-03-01' AND date < '2001-03-12'
        AND origin IN (${AIRPORTS.map(quoteText).join(", ")})`);
    const reader = await db.run(
      "SELECT scheduled, origin, destination, delay, distance FROM raw WHERE scheduled >= '2001-03-04' AND scheduled < '2001-03-11' ORDER BY scheduled",
    );
    events = (await reader.getRows()).map(([scheduled, origin, destination, delay, distance]) => {
      const time = millis(scheduled);
      return {
        time,
        values: [time, String(origin), String(destination), delay === null ? null : Number(delay), Number(distance)],
      };
    });
  });

  test.each<[string, object]>([
    ["hourly, listed airports", { every: "1h", by: { origin: AIRPORTS }, measures }],
    ["every 15 minutes, discovered airports", { every: "15m", by: ["origin"], measures }],
    [
      "every 90 minutes, listed pairs",
      { every: "90m", by: { origin: ["BOS", "JFK"], destination: ["ORD", "LAX", "DCA"] }, measures },
    ],
    ["daily, no split", { every: "1d", measures }],
  ])("%s", async (_, series) => {
    const spec = flights(series);
    const analyzer = new Analyzer(spec);
    const closed: ClosedWindow[] = [];
    let counted = 0;
    for (const event of events) {
      if (analyzer.add(event, event.time) === "counted") counted++;
      if (analyzer.closable) closed.push(...analyzer.close());
    }
    expect(counted).toBe(events.length);
    analyzer.add({ time: WEEK.until, values: [WEEK.until, "none", "none", null, null] }, WEEK.until);
    closed.push(...analyzer.close());
    const prepared = toSeries(spec, await prepare(spec, WEEK), WEEK);
    // The last event of all is of no listed airport; where airports are discovered, it is one more, outside the span.
    const seriesOf = new Map(prepared.map((s) => [s.id, s]));
    const wrong: string[] = [];
    let compared = 0;
    for (const window of closed)
      for (const group of window.groups)
        spec.series.measures.forEach((measure, i) => {
          const fields = byFields(spec);
          const id = seriesId(measure.name, fields, parseGroupKey(group.key, fields.length));
          const s = seriesOf.get(id);
          // A prepared series begins with the first row of all, which may come after the first live window: that is empty.
          if (s && window.start < s.start && group.events === 0) return;
          const right = s?.values[(window.start - s.start) / spec.series.every];
          const live = group.values[i]!;
          compared++;
          const close = right !== undefined && Math.abs(live - right) <= 1e-9 * Math.max(1, Math.abs(right));
          if (!close && !(Number.isNaN(live) && Number.isNaN(right)))
            wrong.push(`${id} ${window.start}: ${live} ${right}`);
        });
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(closed).toHaveLength((WEEK.until - windowStart(events[0]!.time, spec.series.every)) / spec.series.every);
    expect(compared).toBeGreaterThan(50);
  });

  test("the storm of 5 March is in the numbers", async () => {
    const spec = flights({
      every: "1d",
      by: { origin: ["BOS", "EWR", "JFK", "LGA"] },
      measures: { departures: { count: "*" } },
    });
    const rows = await prepare(spec, WEEK);
    const onDay = (day: number) =>
      rows.filter((r) => r.start === Date.UTC(2001, 2, day)).reduce((n, r) => n + r.values[0]!, 0);
    expect(onDay(5)).toBeLessThan(onDay(7) / 2);
  });
});

test("every length of window that a pipeline may have begins where the live windows do", async () => {
  const lengths = Array.from({ length: 1_440 }, (_, i) => (i + 1) * MINUTE).filter((every) => DAY % every === 0);
  const instants = Array.from({ length: 200 }, (_, i) => Date.UTC(2001, 2, 4) + i * 1_234_567);
  await db.run("CREATE TABLE instants (t TIMESTAMP)");
  await db.run(`INSERT INTO instants VALUES ${instants.map((i) => `(epoch_ms(${i}))`).join(", ")}`);
  const sql = `SELECT t, ${lengths.map((every) => bucket("t", every)).join(", ")} FROM instants ORDER BY t`;
  const rows = await (await db.run(sql)).getRowsJS();
  rows.forEach((row, i) => {
    const starts = row.slice(1).map((v) => (v as Date).getTime());
    expect(starts).toEqual(lengths.map((every) => windowStart(instants[i]!, every)));
  });
});

describe("quoting", () => {
  const nasty = [
    "plain",
    "it's",
    'say "so"',
    "'; DROP TABLE raw; --",
    '"; DROP TABLE raw; --',
    "\\'",
    "a\nb",
    "é",
    "--",
    "/*",
    "''",
    '""',
    "",
  ];

  test.each(nasty)("%j stays a text and a name", async (text) => {
    expect(await (await db.run(`SELECT ${quoteText(text)}`)).getRowsJS()).toEqual([[text]]);
    if (text === "") return;
    const result = await db.run(`SELECT 1 AS ${quoteIdentifier(text)}`);
    expect(result.columnNames()).toEqual([text]);
  });

  test("a listed value that looks like SQL only matches itself", async () => {
    const values = nasty.filter((v) => v !== "");
    const spec = specWith({ source: { fields: { t: "timestamp", g: "string" } }, series: { by: { g: values } } });
    const literals = values.map((v) => `(TIMESTAMP '2001-03-05 10:00:00', ${quoteText(v)}, '2001-03-05')`);
    await db.run(`CREATE TABLE nasty AS SELECT * FROM (VALUES ${literals.join(", ")}) AS v(t, g, dt)`);
    const rows = await (await db.run(prepareSql(spec, WEEK, "nasty"))).getRowsJS();
    expect(rows.map((r) => String(r[1])).sort()).toEqual([...values].sort());
  });

  test("measures may be named like the fields they read", async () => {
    const spec = specWith({
      source: { fields: { t: "timestamp", x: "double", n: "integer" } },
      series: { measures: { x: { count: "*" }, n: { avg: "x" }, t: { sum: "n" } } },
    });
    await db.run(
      "CREATE TABLE named AS SELECT * FROM (VALUES (TIMESTAMP '2001-03-05 10:00:00', 3.0, 7, '2001-03-05')) AS v(t, x, n, dt)",
    );
    const rows = await (await db.run(prepareSql(spec, WEEK, "named"))).getRowsJS();
    expect(rows[0]!.slice(1).map(Number)).toEqual([1, 3, 7]);
  });
});

test("partitions that may hold an event of the span are read: arrivals precede events by `ahead` at most", () => {
  const dt = (ahead: string) => /dt >= '(.*)'/.exec(prepareSql(specWith({ source: { ahead } }), WEEK))![1];
  expect([dt("1h"), dt("1d"), dt("30d")]).toEqual(["2001-03-03", "2001-03-03", "2001-02-02"]);
});

describe("the grid", () => {
  const from = Date.UTC(2001, 2, 4);
  const row = (hour: number, group: readonly string[], ...values: (number | null)[]): PreparedRow => ({
    start: from + hour * HOUR,
    group,
    values,
  });
  const measures = { n: { count: "*" }, total: { sum: "x" }, mean: { avg: "x" } };
  const grid = (by: object, rows: readonly PreparedRow[]) =>
    toSeries(specWith({ series: { measures, ...by } }), rows, { from, until: from + 4 * HOUR }).map((s) => [
      s.id,
      (s.start - from) / HOUR,
      [...s.values],
    ]);

  test("a listed group's covers everything from the first row of all, with 0 for counts and sums of nothing", () => {
    expect(grid({ by: { g: ["b", "a"] } }, [row(1, ["a"], 2, 5, 2.5), row(3, ["a"], 1, 0, null)])).toEqual([
      ["mean{g=a}", 1, [2.5, Number.NaN, Number.NaN]],
      ["mean{g=b}", 1, [Number.NaN, Number.NaN, Number.NaN]],
      ["n{g=a}", 1, [2, 0, 1]],
      ["n{g=b}", 1, [0, 0, 0]],
      ["total{g=a}", 1, [5, 0, 0]],
      ["total{g=b}", 1, [0, 0, 0]],
    ]);
  });

  test("a discovered group's begins with its own first row", () => {
    const rows = [row(2, ["b|c"], 1, 1, 1), row(0, ["a"], 1, 1, 1)];
    expect(grid({ by: ["g"] }, rows).filter(([id]) => String(id).startsWith("n"))).toEqual([
      ["n{g=a}", 0, [1, 0, 0, 0]],
      ["n{g=b|c}", 2, [1, 0]],
    ]);
  });

  test("without a split there is one group; without rows there is no series", () => {
    expect(grid({}, [row(3, [], 7, 1, 1)])[1]).toEqual(["n", 3, [7]]);
    expect(grid({}, [])).toEqual([]);
  });

  test("is the same whatever order the rows come in", () => {
    const rows = [0, 1, 2, 3].flatMap((hour) =>
      ["a", "b", "c"].slice(hour % 2).map((g) => row(hour, [g], hour, hour, hour)),
    );
    const shuffled = fc.shuffledSubarray(rows, { minLength: rows.length });
    for (const by of [{ by: ["g"] }, { by: { g: ["c", "b", "d"] } }]) {
      const expected = grid(by, rows);
      fc.assert(
        fc.property(shuffled, (mixed) => {
          expect(grid(by, mixed)).toEqual(expected);
        }),
      );
    }
  });

  test("of too many groups, those that appeared first are in it", () => {
    const rows = Array.from({ length: 3_400 }, (_, i) => row(i < 67 ? 1 : i % 4 === 0 ? 3 : 2, [`g${i}`], 1, 1, 1));
    const groups = new Set(grid({ by: ["g"] }, rows.reverse()).map(([id]) => /g=(.*)}/.exec(String(id))![1]!));
    expect(groups.size).toBe(3_333);
    const left = rows.filter((r) => !groups.has(r.group[0]!)).map((r) => (r.start - from) / HOUR);
    expect(left).toEqual(left.map(() => 3));
  });

  test("rows outside the span are left out", () => {
    expect(grid({}, [row(-1, [], 9, 9, 9), row(0, [], 1, 1, 1), row(4, [], 9, 9, 9)])[1]).toEqual([
      "n",
      0,
      [1, 0, 0, 0],
    ]);
  });
});
