import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { beforeAll, describe, expect, it } from "vitest";
import type { Backend } from "../../src/backend.ts";
import { faultOf, select, settled, sharedEngine, writePipeline } from "../support/engine.ts";
import { ordersBetween, ordersPipeline, toRecords } from "../support/orders.ts";
import { Producer } from "../support/producer.ts";

const engine = sharedEngine();
const NAME = "query-shop";
const ORDERS = ordersBetween(0, 30);
let queries: Backend["queries"];

beforeAll(async () => {
  const file = await writePipeline(engine().folder, ordersPipeline(NAME));
  await engine().backend.stack.deploy({ file, trusted: true });
  await new Producer(engine().endpoint, NAME).put([...toRecords(ORDERS), { data: "no json" }]);
  await settled(engine().backend, NAME);
  queries = engine().backend.queries;
}, 240_000);

describe("SQL in Athena's dialect", () => {
  const north = ORDERS.filter((o) => o.region === "north");
  it.each([
    ["raw", "SELECT region, count(*) FROM raw WHERE region = 'north' GROUP BY 1", [["north", String(north.length)]]],
    ["raw by day", "SELECT dt, count_if(_late) FROM raw GROUP BY dt", [["2024-03-01", "0"]]],
    ["raw in time", "SELECT date_diff('minute', date_trunc('minute', min(at)), max(at)) FROM raw", [["29"]]],
    ["raw, approximated", "SELECT approx_distinct(region), round(avg(items)) > 0 FROM raw", [["2", true]]],
    ["comparison", "SELECT count(DISTINCT series) FROM comparison", [["4"]]],
    ["forecast", "SELECT DISTINCT version, count(*) > 1 FROM forecast GROUP BY 1", [["2024-03-01T00:20:00Z", true]]],
    ["prepared", "SELECT count(*), min(window_start) FROM prepared", [["40", "2024-03-01 00:00:00"]]],
    ["rejected", "SELECT reason, from_utf8(data) FROM rejected", [["malformed-json", "no json"]]],
    ["incident", "SELECT count(*) FROM incident", [["0"]]],
    ["no table", "WITH a (x) AS (VALUES 1, 2) SELECT sum(x) FROM a", [["3"]]],
    ["a comment first", "-- what\n/* ever */ SELECT 1", [[1]]],
    [
      "the tables",
      "SHOW TABLES",
      ["comparison", "forecast", "incident", "prepared", "raw", "rejected"].map((t) => [t]),
    ],
  ])("reads %s", async (_, sql, rows) => {
    expect(await select(engine().backend, NAME, sql)).toEqual(rows);
  });

  it("explains a plan", async () => {
    const plan = await select(engine().backend, NAME, "EXPLAIN SELECT count(*) FROM raw");
    expect(JSON.stringify(plan)).toMatch(/SCAN/);
  });

  it("takes parameters", async () => {
    const sql = "SELECT count(*) FROM raw WHERE region = :region AND items >= :least -- :not_this";
    const parameters = { region: "'south'", least: "4" };
    const { rows } = await queries.run(NAME, { sql, parameters });
    expect(rows).toEqual([[String(ORDERS.filter((o) => o.region === "south" && o.items >= 4).length)]]);
  });

  it("pages through a result of many rows in its order", async () => {
    const sql = "SELECT _sequence FROM raw ORDER BY _sequence DESC";
    const { query, rowCount, rows } = await queries.run(NAME, { sql, pageSize: 7 });
    const all = [...rows];
    for (let at = 7; at < rowCount; at += 500) all.push(...(await queries.rows(query, at, 500)));
    expect(all.map(([n]) => Number(n))).toEqual(ORDERS.map((_, i) => ORDERS.length - i));
    expect(await queries.rows(query, rowCount, 10)).toEqual([]);
  });

  it("writes a whole result as CSV, JSON and Parquet", async () => {
    const { query } = await queries.run(NAME, { sql: "SELECT id, items FROM raw ORDER BY _sequence", pageSize: 1 });
    const file = (ending: string) => join(engine().folder, `all orders's.${ending}`);
    for (const format of ["csv", "json", "parquet"] as const)
      expect((await queries.exportTo(query, { file: file(format), format })).bytes).toBeGreaterThan(1_000);
    const lines = readFileSync(file("csv"), "utf8").trim().split("\n");
    expect(lines).toEqual(["id,items", ...ORDERS.map((o) => `${o.id},${o.items}`)]);
    expect(JSON.parse(readFileSync(file("json"), "utf8"))).toEqual(ORDERS.map(({ id, items }) => ({ id, items })));
    const duck = await (await DuckDBInstance.create()).connect();
    const read = await duck.runAndReadAll(`SELECT count(*) FROM '${file("parquet").replace("'", "''")}'`);
    expect(Number(read.getRows()[0]![0])).toBe(ORDERS.length);
    const fault = await faultOf(queries.exportTo(query, { file: "/nowhere/x.csv", format: "csv" }));
    expect(fault).toMatchObject({ code: "query.failed", next: "Choose another place." });
  });

  it.each([
    ["nothing", " ; "],
    ["two statements", "SELECT 1; SELECT 2"],
    ["a parameter without a value", "SELECT :day"],
    ["no SQL", "GIVE ME rows"],
    ["a file", "SELECT * FROM read_csv('/etc/passwd')"],
    ["a file by its name", "SELECT * FROM '/etc/passwd'"],
    ["dropping a table of the pipeline", "DROP VIEW raw"],
    ["dropping a table of forecasts", "DROP TABLE forecast"],
    ["changing what was compared", "DELETE FROM comparison"],
    ["changing it while explaining", "EXPLAIN ANALYZE DELETE FROM comparison"],
    ["adding to the forecasts", "INSERT INTO forecast SELECT * FROM forecast"],
    ["a view over the pipeline's own", "CREATE OR REPLACE VIEW raw AS SELECT 1 AS a"],
    ["the engine's own tables", 'SELECT * FROM "_query-shop".checkpoint'],
    ["the list of pipelines", "SELECT * FROM main.pipeline"],
  ])("refuses %s and stays whole", async (_, sql) => {
    const fault = await faultOf(queries.run(NAME, { sql }));
    expect(["query.refused", "query.failed"]).toContain(fault.code);
    const [counts] = await select(
      engine().backend,
      NAME,
      "SELECT (SELECT count(*) FROM raw), (SELECT count(*) FROM comparison) > 0, (SELECT count(*) FROM forecast) > 0",
    );
    expect(counts).toEqual([String(ORDERS.length), true, true]);
  });

  it("names an unknown column", async () => {
    const fault = await faultOf(queries.run(NAME, { sql: "SELECT amuont FROM raw" }));
    expect(fault.message).toContain("amuont");
  });
});
