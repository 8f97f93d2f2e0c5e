import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Backend, Cell } from "../../src/backend.ts";
import { eventually, faultOf, select, settled, sharedEngine, writePipeline } from "../support/engine.ts";
import { ordersBetween, ordersPipeline, toRecords } from "../support/orders.ts";
import { Producer } from "../support/producer.ts";

const engine = sharedEngine();
const NAME = "kept-shop";
let queries: Backend["queries"];

beforeAll(async () => {
  const file = await writePipeline(engine().folder, ordersPipeline(NAME));
  await engine().backend.stack.deploy({ file, trusted: true });
  await new Producer(engine().endpoint, NAME).put(toRecords(ordersBetween(0, 5)));
  await settled(engine().backend, NAME);
  queries = engine().backend.queries;
}, 240_000);

const rows = (sql: string) => select(engine().backend, NAME, sql);
const ask = (sql: string) => queries.run(NAME, { sql });

/** A million rows: their number, a word of four, a number that is missing in every tenth. */
const MILLION = `SELECT i, element_at(ARRAY['Ann', 'bob', 'Cid', 'dora'], CAST(i % 4 AS integer) + 1) AS name,
  CASE WHEN i % 10 = 0 THEN NULL ELSE (i * 7919) % 1000003 END AS v
FROM UNNEST(sequence(0, 999)) AS a(x) CROSS JOIN UNNEST(sequence(0, 999)) AS b(y)
CROSS JOIN LATERAL (SELECT x * 1000 + y AS i) AS c ORDER BY i`;

describe("a kept result", () => {
  it("of a million rows is paged, sorted and filtered where it lies", async () => {
    const { query, rowCount } = await ask(MILLION);
    expect(rowCount).toBe(1_000_000);
    expect(await queries.rows(query, 500_000, 2)).toEqual([
      ["500000", "Ann", null],
      ["500001", "bob", String((500_001 * 7919) % 1_000_003)],
    ]);
    const sorted = await queries.view(query, { order: { column: 2, descending: true }, filter: "" });
    expect(sorted.rowCount).toBe(1_000_000);
    const top = (await queries.rows(sorted.query, 0, 3)).map((row) => Number(row[2]));
    expect(top).toEqual([...top].sort((a, b) => b - a));
    expect(top[0]).toBeGreaterThan(1_000_000);
    const last = await queries.rows(sorted.query, 999_999, 1);
    expect(last[0]?.[2], "nulls come last").toBeNull();
    const filtered = await queries.view(query, { order: { column: 0, descending: true }, filter: "BOB" });
    expect(filtered.rowCount).toBe(250_000);
    expect((await queries.rows(filtered.query, 0, 1))[0]?.slice(0, 2)).toEqual(["999997", "bob"]);
    await queries.release(sorted.query);
    expect((await faultOf(queries.rows(sorted.query, 0, 1))).message).toContain("no longer kept");
    expect(await queries.rows(query, 0, 1)).toEqual([["0", "Ann", null]]);
    await queries.release(query);
    expect((await faultOf(queries.rows(filtered.query, 0, 1))).message, "views go with it").toContain("no longer kept");
  });

  it("is filtered by what its cells show, columns of one name among them", async () => {
    const { query, columns } = await ask("SELECT 'it''s 100%' AS a, 'x' AS a UNION ALL SELECT 'b_c', NULL");
    expect(columns.map((c) => c.name)).toEqual(["a", "a"]);
    for (const [filter, count] of [
      ["'S 100%", 1],
      ["_", 1],
      ["X", 1],
      ["\\", 0],
    ] as const)
      expect((await queries.view(query, { order: null, filter })).rowCount, filter).toBe(count);
    const fault = await faultOf(queries.view(query, { order: { column: 5, descending: false }, filter: "" }));
    expect(fault.code).toBe("input.invalid");
  });

  it("shows intervals as Athena writes them", async () => {
    const sql = `SELECT INTERVAL '2' DAY, INTERVAL '90' MINUTE * -1, INTERVAL '1.5' SECOND, INTERVAL '14' MONTH, INTERVAL '-3' YEAR,
      TIMESTAMP '2001-03-05 06:00:00' - TIMESTAMP '2001-03-04 00:30:00'`;
    expect(await rows(sql)).toEqual([
      ["2 00:00:00.000", "-0 01:30:00.000", "0 00:00:01.500", "1-2", "-3-0", "1 05:30:00.000"],
    ]);
  });

  it("gives a view up when it is told to", async () => {
    const { query } = await ask(MILLION);
    const abort = new AbortController();
    const view = faultOf(
      queries.view(query, { order: { column: 1, descending: true }, filter: "a" }, { signal: abort.signal }),
    );
    setTimeout(() => abort.abort(), 30);
    expect((await view).code).toBe("query.cancelled");
    expect(await queries.rows(query, 999_999, 1)).toHaveLength(1);
    await queries.release(query);
  });

  it("is written as it is shown, a view too", async () => {
    const { query } = await ask("SELECT * FROM (VALUES (2, 'b'), (1, ''), (3, NULL)) AS x(n, name)");
    const view = await queries.view(query, { order: { column: 0, descending: false }, filter: "" });
    const file = join(engine().folder, "sorted.csv");
    await queries.exportTo(view.query, { file, format: "csv" });
    expect(readFileSync(file, "utf8")).toBe('n,name\n1,""\n2,b\n3,\n');
  });
});

describe("values", () => {
  it.each<[string, string, Cell]>([
    ["a zone", "TIMESTAMP '2024-01-01 00:00:00 UTC' AT TIME ZONE 'Asia/Tokyo'", "2024-01-01 09:00:00.000 Asia/Tokyo"],
    ["a row without names", "ROW(1, 'b')", { field0: 1, field1: "b" }],
    ["rows in an array", "ARRAY[ROW(1, ROW('x'))]", [{ field0: 1, field1: { field0: "x" } }]],
    ["a row with names", "CAST(ROW(1) AS ROW(a bigint))", { a: "1" }],
    ["NaN", "nan()", "NaN"],
    ["infinity", "-infinity()", "-Infinity"],
    ["an empty text", "''", ""],
    ["no value", "CAST(NULL AS varchar)", null],
    ["a decimal", "DECIMAL '1.10'", "1.10"],
  ])("arrive with all they are: %s", async (_, sql, value) => {
    expect(await rows(`SELECT ${sql}`)).toEqual([[value]]);
  });
});

describe("statements beside SELECT", () => {
  it("make tables, which are in the catalogue until they are dropped", async () => {
    expect(await rows("CREATE TABLE busy AS SELECT region, count(*) AS n FROM raw GROUP BY 1")).toEqual([["2"]]);
    const made = (await queries.catalogue(NAME)).find((t) => t.name === "busy");
    expect(made?.columns.map((c) => [c.name, c.type])).toEqual([
      ["region", "varchar"],
      ["n", "bigint"],
    ]);
    expect(await rows("INSERT INTO busy VALUES ('west', BIGINT '0')")).toEqual([["1"]]);
    expect(await rows("SELECT count(*), min(n) FROM busy")).toEqual([["3", "0"]]);
    expect(await rows("DESCRIBE busy")).toEqual([
      ["region", "varchar", ""],
      ["n", "bigint", ""],
    ]);
    expect((await rows("SHOW TABLES")).flat()).toContain("busy");
    expect((await ask("DROP TABLE busy")).columns).toEqual([]);
    const fault = await faultOf(ask("SELECT n\nFROM busy"));
    expect(fault.message).toContain("Table 'busy' does not exist");
    expect(fault.at).toMatchObject({ line: 2, column: 6, length: 4 });
  });

  it("prepare and execute", async () => {
    await ask("PREPARE by_region FROM SELECT count(*) > 0 FROM raw WHERE region = ?");
    expect(await rows("EXECUTE by_region USING 'north'")).toEqual([[true]]);
    await ask("DEALLOCATE PREPARE by_region");
    expect((await faultOf(ask("EXECUTE by_region USING 'north'"))).message).toContain("no prepared statement");
  });

  it("unload into a bucket's folder, once", async () => {
    const unload = "UNLOAD (SELECT id, region FROM raw) TO 's3://out/ids/' WITH (format = 'PARQUET')";
    const { rows: counted } = await ask(unload);
    expect(counted).toEqual([[String(ordersBetween(0, 5).length)]]);
    expect(existsSync(join(engine().folder, ".forewatch", "s3", "out", "ids"))).toBe(true);
    expect((await faultOf(ask(unload))).message).toContain("not empty");
  });

  it("read what was unloaded, once files are there", async () => {
    const make = "CREATE EXTERNAL TABLE ids (id string, region string) STORED AS PARQUET LOCATION 's3://out/located/'";
    expect((await faultOf(ask(make))).message).toContain("There are no files at the location");
    await ask("UNLOAD (SELECT id, region FROM raw) TO 's3://out/located/' WITH (format = 'PARQUET')");
    await ask(make);
    const all = "ORDER BY id LIMIT 3";
    expect(await rows(`SELECT id, region FROM ids ${all}`)).toEqual(await rows(`SELECT id, region FROM raw ${all}`));
    await ask("DROP TABLE ids");
  });

  it("make a table with a location, which is dropped like any other", async () => {
    await ask(
      "CREATE TABLE kept WITH (format = 'TEXTFILE', external_location = 's3://out/kept/') AS SELECT region, items FROM raw",
    );
    expect(await rows("SELECT count(*), sum(items) FROM kept")).toEqual(
      await rows("SELECT count(*), sum(items) FROM raw"),
    );
    await ask("DROP TABLE kept");
    const broken = ask(
      "CREATE TABLE kept WITH (format = 'TEXTFILE', external_location = 's3://out/broken/') AS SELECT chr(10) AS line",
    );
    expect((await faultOf(broken)).message).toContain("A text with a line break");
    expect((await rows("SHOW TABLES")).flat()).not.toContain("kept");
  });

  it.each(["s3://../../../escaped/", "/tmp/outside/", "s3://"])("unload nowhere else: %s", async (location) => {
    const fault = await faultOf(ask(`UNLOAD (SELECT 1 AS x) TO '${location}' WITH (format = 'PARQUET')`));
    expect([fault.code, fault.message]).toEqual(["query.refused", expect.stringContaining("not in a bucket")]);
  });

  it("explain in lines", async () => {
    const { columns, rows: lines } = await ask("EXPLAIN SELECT count(*) FROM raw");
    expect(columns).toEqual([{ name: "Query Plan", type: "varchar" }]);
    expect(lines.length).toBeGreaterThan(5);
  });
});

describe("a fault", () => {
  it.each([
    ["before it runs", "-- a comment\nSELECT id,\n  amuont FROM raw", {}, { line: 3, column: 3, length: 6 }],
    ["while it runs", "-- a\nSELECT 1,\n  CAST(id AS bigint) FROM raw", {}, { line: 3 }],
    [
      "behind a parameter",
      "SELECT :a, nope FROM raw",
      { a: "'a long text in its place'" },
      { line: 1, column: 12, length: 4 },
    ],
    ["a parameter without a value", "SELECT id,\n :a FROM raw", {}, { line: 2, column: 2, length: 2 }],
  ])("stands where it is: %s", async (_, sql, parameters, place) => {
    const fault = await faultOf(queries.run(NAME, { sql, parameters }));
    expect(fault.at, fault.message).toMatchObject(place);
  });

  it("of too much memory says so, and the engine goes on", async () => {
    const fault = await faultOf(
      ask(
        "SELECT array_agg(a.x * b.y + c.z) FROM UNNEST(sequence(1, 9999)) a(x), UNNEST(sequence(1, 9999)) b(y), UNNEST(sequence(1, 9)) c(z)",
      ),
    );
    expect(fault.message).toBe("The statement needs more memory than the engine may use.");
    expect(fault.next).toContain("Filter or aggregate earlier");
    expect(await rows("SELECT 1")).toEqual([[1]]);
    expect((await engine().backend.stack.get(NAME)).state).toBe("running");
  }, 120_000);
});

describe("several at once", () => {
  const ENDLESS = "SELECT count(*) FROM raw a, raw b, raw c, raw d, raw e WHERE a.amount + b.amount + e.amount < 0";

  it("answer each on its own", async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => rows(`SELECT ${n}, count(*) FROM raw`)));
    expect(answers.map(([row]) => row?.[0])).toEqual([1, 2, 3, 4, 5]);
  });

  it("beyond two wait their turn, and each can be cancelled: running, or waiting", async () => {
    const aborts = [0, 1, 2, 3].map(() => new AbortController());
    const running = aborts.map(({ signal }) => faultOf(queries.run(NAME, { sql: ENDLESS }, { signal })));
    await eventually(
      async () => ((await queries.history(NAME, 4)).every((r) => r.state === "running") ? true : undefined),
      "all four to be entered",
    );
    // The engine's own work goes on beside them.
    expect((await engine().backend.stack.get(NAME)).state).toBe("running");
    const short = rows("SELECT 42");
    for (const abort of [...aborts].reverse()) abort.abort();
    for (const fault of await Promise.all(running)) expect(fault.code).toBe("query.cancelled");
    expect(await short).toEqual([[42]]);
  });
});
