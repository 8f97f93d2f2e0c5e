/** Statements one after another, with the rows of the last: what makes, changes and shows tables. */

import type { DuckDBConnection } from "@duckdb/node-api";
import { beforeAll, describe, expect, it } from "vitest";
import { Fault } from "../../../src/core/fault.ts";
import { type Catalogue, rewriteForDuckDB } from "../../../src/sql/index.ts";
import { CATALOGUE, SETUP } from "./cases/fixture.ts";
import { openDatabase } from "./database.ts";

let connection: DuckDBConnection;
beforeAll(async () => {
  connection = await openDatabase(SETUP);
});

/** The tables of the fixture, and what statements made beside them. */
async function catalogue(): Promise<Catalogue> {
  const { tables } = CATALOGUE;
  const known = new Set(tables.map((table) => table.name));
  const reader = await connection.runAndReadAll(
    "SELECT table_name, list({'name': column_name, 'type': lower(data_type)} ORDER BY column_index) FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal GROUP BY 1",
  );
  const made = reader.getRowsJson() as [string, { name: string; type: string }[]][];
  return {
    tables: [...tables, ...made.filter(([name]) => !known.has(name)).map(([name, columns]) => ({ name, columns }))],
  };
}

async function run(sql: string): Promise<{ header: readonly string[]; rows: unknown[][] }> {
  const reader = await connection.runAndReadAll(rewriteForDuckDB(sql, { catalogue: await catalogue() }).sql);
  return { header: reader.columnNames(), rows: reader.getRowsJson() };
}

async function lastRows(statements: readonly string[]): Promise<unknown[][]> {
  let rows: unknown[][] = [];
  for (const sql of statements) rows = (await run(sql)).rows;
  return rows;
}

describe("rows changed", () => {
  // https://trino.io/docs/current/sql/{insert,update,delete,merge}.html
  it.each<[string, string[], unknown[][]]>([
    [
      "DELETE with a condition",
      [
        "CREATE TABLE d AS SELECT n, sensor FROM t",
        "DELETE FROM d WHERE n % 2 = 1 OR sensor IS NULL",
        "SELECT n FROM d ORDER BY n",
      ],
      [[8], [10]],
    ],
    ["DELETE of everything", ["DELETE FROM d", "SELECT count(*) FROM d"], [["0"]]],
    [
      "UPDATE by an expression of Trino's",
      [
        "CREATE TABLE u AS SELECT n, sensor FROM t WHERE n < 10",
        "UPDATE u SET n = n / 2, sensor = concat(sensor, '!') WHERE n > 7",
        "SELECT n, sensor FROM u ORDER BY n",
      ],
      [
        [4, "A!"],
        [4, "A!"],
        [7, "A"],
      ],
    ],
    [
      "INSERT of some columns",
      [
        "CREATE TABLE i (a integer, b varchar)",
        "INSERT INTO i (b) VALUES 'x'",
        "INSERT INTO i SELECT 1, 'y'",
        "SELECT a, b FROM i ORDER BY b",
      ],
      [
        [null, "x"],
        [1, "y"],
      ],
    ],
    [
      "MERGE with all of its branches",
      [
        "CREATE TABLE stock AS SELECT * FROM (VALUES ('a', 5), ('b', 1), ('c', 7)) AS v(item, amount)",
        "CREATE TABLE moves AS SELECT * FROM (VALUES ('a', 2), ('b', -1), ('d', 4)) AS v(item, change)",
        `MERGE INTO stock AS s USING moves AS m ON s.item = m.item
         WHEN MATCHED AND s.amount + m.change = 0 THEN DELETE
         WHEN MATCHED THEN UPDATE SET amount = s.amount + m.change
         WHEN NOT MATCHED THEN INSERT (item, amount) VALUES (m.item, m.change)`,
        "SELECT item, amount FROM stock ORDER BY item",
      ],
      [
        ["a", 7],
        ["c", 7],
        ["d", 4],
      ],
    ],
    [
      "MERGE of a decimal into a double",
      [
        "CREATE TABLE m AS SELECT n, v FROM t",
        "MERGE INTO m USING (SELECT 7 AS n, 99.0 AS v) s ON m.n = s.n WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (n, v) VALUES (s.n, s.v)",
        "SELECT v FROM m WHERE n = 7",
      ],
      [[99]],
    ],
    [
      "MERGE from a query",
      [
        "MERGE INTO stock AS s USING (SELECT 'a' AS item, 7 / 2 AS amount) AS q ON s.item = q.item WHEN MATCHED THEN UPDATE SET amount = q.amount",
        "SELECT amount FROM stock WHERE item = 'a'",
      ],
      [[3]],
    ],
  ])("%s", async (_, statements, rows) => {
    expect(await lastRows(statements)).toEqual(rows);
  });
});

describe("tables and views", () => {
  it.each<[string, string[], unknown[][]]>([
    [
      "CREATE TABLE AS with properties of Athena's",
      [
        "CREATE TABLE props WITH (format = 'PARQUET', write_compression = 'ZSTD', partitioned_by = ARRAY['sensor'], bucketed_by = ARRAY['n'], bucket_count = 3) AS SELECT n, sensor FROM t",
        "SELECT count(*), min(sensor), typeof(min(n)) FROM props",
      ],
      [["5", "A", "integer"]],
    ],
    [
      "CREATE TABLE AS WITH NO DATA and other names",
      ["CREATE TABLE nothing (x, y) AS SELECT n, sensor FROM t WITH NO DATA", "SELECT count(x), count(y) FROM nothing"],
      [["0", "0"]],
    ],
    [
      "CREATE TABLE IF NOT EXISTS leaves what is there",
      ["CREATE TABLE IF NOT EXISTS props AS SELECT 1 AS one", "SELECT count(n) FROM props"],
      [["5"]],
    ],
    [
      "an Iceberg table",
      [
        "CREATE TABLE ice (id int, day date) PARTITIONED BY (month(day)) LOCATION 's3://b/ice/' TBLPROPERTIES ('table_type' = 'ICEBERG')",
        "INSERT INTO ice VALUES (1, DATE '2024-01-31')",
        "SELECT id, day FROM ice",
      ],
      [[1, "2024-01-31"]],
    ],
    [
      "CREATE VIEW, replaced",
      [
        "CREATE VIEW half AS SELECT n / 2 AS h FROM t",
        "CREATE OR REPLACE VIEW half AS SELECT n / 2 AS h, sensor FROM t WHERE n > 8",
        "SELECT h, sensor FROM half ORDER BY h",
      ],
      [
        [4, "A"],
        [5, "B"],
        [5, "B"],
      ],
    ],
    ["SHOW VIEWS", ["SHOW VIEWS"], [["half"]]],
    ["DROP VIEW", ["DROP VIEW half", "DROP VIEW IF EXISTS half", "SHOW VIEWS LIKE 'ha*'"], []],
    ["DROP TABLE", ["DROP TABLE props", "DROP TABLE IF EXISTS props", "SHOW TABLES 'props'"], []],
  ])("%s", async (_, statements, rows) => {
    expect(await lastRows(statements)).toEqual(rows);
  });
});

describe("SHOW and DESCRIBE", () => {
  const COLUMNS = ["sensor", "ts", "v", "js", "tags", "epoch", "iso", "n", "price"];
  it.each<[string, string[], unknown[][]]>([
    ["SHOW TABLES IN default 't'", ["tab_name"], [["t"]]],
    ["SHOW TABLES LIKE 'nam*|T'", ["tab_name"], [["names"], ["t"]]],
    ["SHOW TABLES 'tt'", ["tab_name"], []],
    ["SHOW TABLES '_'", ["tab_name"], []],
    ["SHOW DATABASES", ["database_name"], [["default"]]],
    ["SHOW SCHEMAS LIKE 'def*'", ["database_name"], [["default"]]],
    ["SHOW SCHEMAS LIKE 'zzz'", ["database_name"], []],
    ["SHOW COLUMNS IN t", ["field"], COLUMNS.map((name) => [name])],
    ["SHOW COLUMNS FROM default.names", ["field"], [["title"], ["sensor"]]],
    [
      "DESCRIBE names",
      ["col_name", "data_type", "comment"],
      [
        ["title", "varchar", ""],
        ["sensor", "varchar", ""],
      ],
    ],
    [
      "SHOW CREATE TABLE names",
      ["createtab_stmt"],
      [["CREATE EXTERNAL TABLE `names`(\n  `title` varchar,\n  `sensor` varchar)"]],
    ],
  ])("%s", async (sql, header, rows) => {
    expect(await run(sql)).toEqual({ header, rows });
  });

  it("tells comments", async () => {
    const { rows } = await run("DESCRIBE t");
    expect(rows[0]).toEqual(["sensor", "string", "Who measured"]);
    const [[text]] = (await run("SHOW CREATE TABLE t")).rows as [[string]];
    expect(text).toMatch(/`sensor` string COMMENT 'Who measured',[\s\S]*COMMENT 'Readings of sensors'$/);
  });

  it.each([
    ["SHOW TABLES IN other", "There is one database here, default.", "other"],
    ["SHOW VIEWS IN other", "There is one database here, default.", "other"],
    ["SHOW TABLES LIKE 't%'", "A pattern is made of names, * and |.", "'t%'"],
    ["SHOW TABLES 't' more", "nothing behind it", "more"],
    ["SHOW COLUMNS FROM t LIKE 'n%'", "SHOW COLUMNS takes no pattern", "'n%'"],
    ["SHOW COLUMNS FROM nowhere", "Table 'nowhere' does not exist.", "nowhere"],
    ["SHOW CREATE VIEW t", "The text of a view is not kept here.", "SHOW CREATE VIEW t"],
    ["UPDATE t SET n = '8'", "Column 'n' is integer, not varchar", "'8'"],
    ["UPDATE t SET nn = 8", "Column 'nn' does not exist.", "nn"],
    [
      "MERGE INTO t USING names AS o ON t.sensor = o.sensor WHEN MATCHED THEN UPDATE SET n = o.title",
      "Column 'n' is integer, not varchar",
      "o.title",
    ],
    [
      "MERGE INTO t USING names AS o ON t.sensor = o.sensor WHEN NOT MATCHED THEN INSERT (sensor, n) VALUES (o.sensor, '1')",
      "Column 'n' is integer, not varchar",
      "'1'",
    ],
    ["SELECT * FROM t TABLESAMPLE BERNOULLI (101)", "between 0 and 100", "101"],
    ["SELECT * FROM t TABLESAMPLE SYSTEM (-1)", "between 0 and 100", "-1"],
  ])("refuses %s", (sql, words, part) => {
    try {
      rewriteForDuckDB(sql, { catalogue: CATALOGUE });
    } catch (error) {
      const { at, message } = Fault.from(error);
      expect(message).toContain(words);
      expect(sql.slice(at?.offset, (at?.offset ?? 0) + (at?.length ?? 0))).toBe(part);
      return;
    }
    expect.unreachable(`not refused: ${sql}`);
  });
});

describe("TABLESAMPLE", () => {
  beforeAll(async () => {
    await connection.run("CREATE TABLE many AS SELECT range AS n FROM range(20000)");
  });
  // The share of rows of a Bernoulli sample lies within six standard deviations, but for one run in 500 million.
  it.each([
    ["BERNOULLI", 0, 0, 0],
    ["BERNOULLI", 25, 5000 - 368, 5000 + 368],
    ["BERNOULLI", 0.5, 100 - 60, 100 + 60],
    ["SYSTEM", 0, 0, 0],
    ["SYSTEM", 50, 0, 20000],
    ["SYSTEM", 100, 20000, 20000],
  ])("%s (%d)", async (method, share, least, most) => {
    const { rows } = await run(`SELECT count(*), count(DISTINCT n) FROM many TABLESAMPLE ${method} (${share})`);
    const [count, distinct] = (rows[0] as string[]).map(Number) as [number, number];
    expect(count).toBeGreaterThanOrEqual(least);
    expect(count).toBeLessThanOrEqual(most);
    expect(distinct).toBe(count);
  });
});
