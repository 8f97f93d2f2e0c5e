/**
 * The training's UNLOAD as Athena would run it: through the dialect on DuckDB, over the sample's flights and over made-up clicks;
 * what it gives, as JSON lines, is staged, and DeepAR's channels are held to their documented grammar.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { familiesToLearn, familyFiles, rowParser, trainingSpan } from "../../../infra/lambda/staging.ts";
import { lakeColumns } from "../../../infra/template/deliver.ts";
import { familiesOf, familyOf } from "../../../infra/workflow/deepar.ts";
import { unloadSql } from "../../../infra/workflow/unload.ts";
import { toSeries } from "../../../src/core/prepare.ts";
import { seriesId } from "../../../src/core/series.ts";
import { byFields, type PipelineSpec, type Statistic } from "../../../src/core/spec.ts";
import { MACROS, rewriteForDuckDB, SESSION } from "../../../src/sql/index.ts";
import { checkDeepArLine } from "./deepar-format.ts";
import { CLICKS, FLIGHTS } from "./pipelines.ts";

const SAMPLE = fileURLToPath(new URL("../../../node_modules/vega-datasets/data/flights-3m.parquet", import.meta.url));
const ORIGIN = Date.UTC(2001, 2, 1);

const folder = mkdtempSync(join(tmpdir(), "forewatch-unload-"));
let db: DuckDBConnection;
beforeAll(async () => {
  db = await (await DuckDBInstance.create(":memory:")).connect();
  for (const setting of SESSION) await db.run(setting);
  await db.run(MACROS);
});
afterAll(() => {
  db.closeSync();
  rmSync(folder, { recursive: true, force: true });
});

/** Rows of the lake, partitioned by the day of arrival as Firehose does it. */
const LAKES: readonly (readonly [PipelineSpec, string])[] = [
  [
    FLIGHTS,
    `SELECT date::TIMESTAMP AS scheduled, origin, destination, delay::DOUBLE AS delay, distance::DOUBLE AS distance,
       strftime(date, '%Y-%m-%d') AS dt
     FROM '${SAMPLE.replaceAll("'", "''")}' WHERE date < TIMESTAMP '2001-03-02'`,
  ],
  [
    CLICKS,
    `SELECT t AS "at", ['/', '/it''s'][1 + i % 2] AS page, i % 3 = 0 AS mobile, (200 + i % 4)::BIGINT AS status,
       CASE WHEN i % 11 = 0 THEN NULL ELSE 1e7 / (1 + i % 13) END AS bytes, strftime(t, '%Y-%m-%d') AS dt
     FROM (SELECT i, TIMESTAMP '2001-02-10' + to_seconds(i * 97) AS t FROM range(20000) AS r(i))`,
  ],
];

describe.each(LAKES.map(([spec, lake]) => [spec.name, spec, lake] as const))("%s", (name, spec, lake) => {
  let lines: string[];
  beforeAll(async () => {
    await db.run(
      `CREATE OR REPLACE TABLE raw AS SELECT *, '0' AS _sequence, now()::TIMESTAMP AS _arrival FROM (${lake})`,
    );
    const columns = lakeColumns(spec).map((c) => ({ name: c.Name, type: c.Type }));
    const catalogue = { tables: [{ name: "raw", columns: [...columns, { name: "dt", type: "string" }] }] };
    const out = join(folder, name);
    mkdirSync(out);
    // The dialect leaves doubles' texts in JSON files to Athena: Parquet stands in for the files, and JSON is made of it below.
    const statement = unloadSql(spec, trainingSpan(spec, ORIGIN), "s3://bucket/rows/").replace("'JSON'", "'PARQUET'");
    await db.run(rewriteForDuckDB(statement, { catalogue, locate: () => out }).sql);
    const reader = await db.runAndReadAll(`SELECT to_json(r)::VARCHAR FROM read_parquet('${out}/**') AS r`);
    lines = reader.getRows().map(([line]) => javaNumbers(String(line)));
  });

  test("gives rows of every column, names in lower case", () => {
    expect(lines.length).toBeGreaterThan(1_000);
    const row = JSON.parse(lines[0]!) as Record<string, unknown>;
    expect(Object.keys(row)).toEqual(
      ["window_start", ...spec.series.by.map((b) => b.field), ...spec.series.measures.map((m) => m.name)].map((n) =>
        n.toLowerCase(),
      ),
    );
  });

  test("holds every series' values, those of DuckDB's own functions in a query of its own", async () => {
    const span = trainingSpan(spec, ORIGIN);
    const { every, by, measures } = spec.series;
    const own = await db.runAndReadAll(`
      SELECT epoch_ms("${spec.source.time}") // ${every} * ${every} AS w, ${by.map((b) => `"${b.field}"::VARCHAR`).join(", ")},
        ${measures.map((m) => `${OWN[m.statistic]}(${m.field === "*" ? "*" : `"${m.field}"`})::DOUBLE`).join(", ")}
      FROM (${lake}) WHERE w >= ${span.from} AND w < ${span.until}
        ${by.map((b) => (b.values ? `AND "${b.field}" IN (${b.values.map((v) => `'${v}'`).join(", ")})` : "")).join(" ")}
      GROUP BY ALL`);
    const expected = new Map<string, Map<number, number>>();
    for (const [start, ...rest] of own.getRows()) {
      const group = rest.slice(0, by.length).map(String);
      measures.forEach((measure, m) => {
        const id = seriesId(measure.name, byFields(spec), group);
        const values = expected.get(id) ?? new Map<number, number>();
        expected.set(id, values);
        const value = rest[by.length + m];
        if (value !== null) values.set(Number(start), Number(value));
      });
    }
    const series = toSeries(spec, lines.map(rowParser(spec)), span);
    expect(series.map((s) => s.id)).toEqual([...expected.keys()].sort());
    for (const { id, measure, start, values } of series) {
      const own = expected.get(id)!;
      const nothing = ["count", "sum"].includes(measure.statistic) ? 0 : Number.NaN;
      const wrong = Array.from(values, (found, i) => ({
        at: start + i * every,
        found,
        own: own.get(start + i * every) ?? nothing,
      })).filter(
        ({ found, own }) =>
          !(Math.abs(found - own) <= 1e-9 * Math.abs(own) || (Number.isNaN(found) && Number.isNaN(own))),
      );
      expect(wrong.slice(0, 3), id).toEqual([]);
      expect(
        [...own.keys()].filter((at) => at < start),
        id,
      ).toEqual([]);
    }
  });

  test("becomes channels that DeepAR reads", () => {
    const series = toSeries(spec, lines.map(rowParser(spec)), trainingSpan(spec, ORIGIN));
    const families = familiesToLearn(spec, series);
    expect(families.map((f) => f.family)).toEqual(familiesOf(spec));
    for (const learned of families) {
      const { family } = learned;
      const { ids, train, test: whole, predict } = familyFiles(spec, learned, series);
      const measures = spec.series.measures.filter((m) => familyOf(m) === family).length;
      const expected = { cat: measures > 1 ? 1 : 0 };
      for (const channel of [train, whole, predict]) {
        const found = channel.trimEnd().split("\n");
        expect(found.flatMap((line) => checkDeepArLine(line, expected))).toEqual([]);
      }
      expect(whole.trimEnd().split("\n")).toHaveLength(ids.length);
      expect(predict.trimEnd().split("\n")).toHaveLength(2 * ids.length);
      // A count is a whole number from 0 on, which its likelihood needs.
      if (family === "counts")
        for (const line of whole.trimEnd().split("\n"))
          for (const v of (JSON.parse(line) as { target: unknown[] }).target)
            expect(v === null || v === "NaN" || (Number.isInteger(v) && (v as number) >= 0)).toBe(true);
    }
  });
});

/** DuckDB's own functions for the statistics. */
const OWN: Record<Statistic, string> = {
  count: "count",
  sum: "sum",
  avg: "avg",
  min: "min",
  max: "max",
  stddev: "stddev_samp",
};

// Athena's JSON SerDe leaves out what is null, writes large and small doubles with an E, and a double that is none as a text.
test("reads rows in every form that Athena writes them in", () => {
  const parse = rowParser(CLICKS);
  const row = (text: string) => parse(`{"window_start":980985600000,"page":"/a","mobile":true,${text}}`);
  expect(row('"views":3,"traffic":1.25E7,"largest":4.0E-5,"with_status":2')).toEqual({
    start: 980_985_600_000,
    group: ["/a", "true"],
    values: [3, 1.25e7, 4e-5, 2],
  });
  expect(row('"views":3,"with_status":0').values).toEqual([3, null, null, 0]);
  expect(row('"views":3,"traffic":null,"largest":"NaN","with_status":0').values).toEqual([3, null, Number.NaN, 0]);
});

/** Doubles as Java writes them into JSON, where they are large: 1.0E7. */
function javaNumbers(line: string): string {
  return line.replace(/(?<=[:,[])\d{8,}\.\d+(?=[,}\]])/g, (text) => Number(text).toExponential().replace("e+", "E"));
}
