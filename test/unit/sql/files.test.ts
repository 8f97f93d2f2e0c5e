/** What UNLOAD and CREATE TABLE AS write to a location, held against what a table over that location reads: every format and compression. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fault } from "../../../src/core/fault.ts";
import { type Catalogue, engineMessage, rewriteForDuckDB } from "../../../src/sql/index.ts";
import { openDatabase } from "./database.ts";

const lake = mkdtempSync(join(tmpdir(), "forewatch-files-"));
let connection: DuckDBConnection;
let made = 0;

const ROWS = `
  ('a', 1, 7000000000, true, DATE '2024-01-31'), (NULL, NULL, NULL, NULL, NULL), ('', 0, -1, false, DATE '1969-12-31'),
  ('2024-01-01', 2, 3, true, NULL), ('true', 4, NULL, NULL, NULL), ('12', 5, 6, NULL, NULL),
  (' "quoted", it''s ', 7, 8, NULL, NULL), ('back\\slash \\t é 🦆', 9, 10, NULL, NULL), ('NULL', 11, 12, NULL, NULL)`;
const CATALOGUE: Catalogue = {
  tables: [
    {
      name: "plain",
      columns: [
        ["s", "varchar"],
        ["i", "integer"],
        ["b", "bigint"],
        ["f", "boolean"],
        ["d", "date"],
      ].map(([name = "", type = ""]) => ({ name, type })),
    },
    {
      name: "typed",
      columns: [
        ["v", "double"],
        ["r", "real"],
        ["p", "decimal(10,2)"],
        ["ts", "timestamp(3)"],
        ["bin", "varbinary"],
        ["tags", "array(varchar)"],
        ["m", "map(varchar, integer)"],
        ["o", "row(x integer, y varchar)"],
      ].map(([name = "", type = ""]) => ({ name, type })),
    },
  ],
};

beforeAll(async () => {
  connection = await openDatabase(`
    CREATE TABLE plain(s VARCHAR, i INTEGER, b BIGINT, f BOOLEAN, d DATE);
    INSERT INTO plain VALUES ${ROWS};
    CREATE TABLE typed(v DOUBLE, r REAL, p DECIMAL(10, 2), ts TIMESTAMP, bin BLOB, tags VARCHAR[], m MAP(VARCHAR, INTEGER), o STRUCT(x INTEGER, y VARCHAR));
    INSERT INTO typed VALUES (1.5, 2.5, 3.25, '2024-01-01 00:00:00.125', 'ab', ['x', NULL, ''], MAP {'k': 1, 'n': NULL}, {'x': 1, 'y': ''}),
      (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), ('NaN', '-Infinity', -0.01, '1969-12-31 23:59:59', '', [], MAP {}, {'x': NULL, 'y': NULL});`);
});
afterAll(() => {
  connection.closeSync();
  rmSync(lake, { recursive: true, force: true });
});

const locate = (location: string): string => join(lake, location.replace("s3://", ""));
const where = (): string => `s3://b/${made++}`;

async function run(sql: string): Promise<unknown[][]> {
  const { sql: text, writes } = rewriteForDuckDB(sql, { catalogue: CATALOGUE, locate });
  if (writes !== undefined) mkdirSync(writes, { recursive: true });
  return (await connection.runAndReadAll(text)).getRowsJson();
}

/** The rows of a table with the types of its columns, in an order of their own. */
async function rowsOf(table: string): Promise<{ types: string[]; rows: string[] }> {
  const reader = await connection.runAndReadAll(`SELECT * FROM ${table}`);
  return {
    types: reader.columnNames().map((name, i) => `${name} ${String(reader.columnTypes()[i])}`),
    rows: reader
      .getRowsJson()
      .map((row) => JSON.stringify(row))
      .sort(),
  };
}

const PLAIN = "s string, i int, b bigint, f boolean, d date";
const TYPED =
  "v double, r float, p decimal(10,2), ts timestamp, bin binary, tags array<string>, m map<string,int>, o struct<x:int,y:string>";
const COMPRESSIONS = ["NONE", "GZIP", "ZSTD"];
const WRITES: (readonly [table: string, columns: string, format: string, compression: string, partitions: number])[] = [
  ...["NONE", "SNAPPY", "GZIP", "ZSTD", "LZ4"].flatMap((compression) => [
    ["plain", PLAIN, "PARQUET", compression, 0] as const,
    ["typed", TYPED, "PARQUET", compression, 0] as const,
  ]),
  ...COMPRESSIONS.flatMap((compression) => [
    ["plain", PLAIN, "TEXTFILE", compression, 0] as const,
    ["plain", PLAIN, "JSON", compression, 0] as const,
    ["plain", PLAIN, "PARQUET", compression, 2] as const,
    ["plain", PLAIN, "TEXTFILE", compression, 1] as const,
  ]),
];
const STORED: Readonly<Record<string, string>> = {
  PARQUET: "STORED AS PARQUET",
  TEXTFILE: "ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\001' STORED AS TEXTFILE",
  JSON: "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
};

describe.each(WRITES)("%s (%s) as %s, %s, by %i columns", (table, columns, format, compression, partitions) => {
  const names = columns.match(/\w+(?= )/g)?.filter((name) => !/string/.test(name)) ?? [];
  const parts = names.slice(names.length - partitions);
  const properties = [
    `format = '${format}'`,
    ...(compression === "NONE"
      ? []
      : [`${format === "PARQUET" ? "parquet_compression" : "write_compression"} = '${compression}'`]),
    ...(partitions === 0 ? [] : [`partitioned_by = ARRAY[${parts.map((name) => `'${name}'`).join(", ")}]`]),
  ];
  const declared = columns.split(/, /);
  const ddl = (name: string, location: string) =>
    `CREATE EXTERNAL TABLE ${name} (${declared.slice(0, declared.length - partitions).join(", ")})${
      partitions === 0 ? "" : ` PARTITIONED BY (${declared.slice(declared.length - partitions).join(", ")})`
    } ${STORED[format]} LOCATION '${location}/'`;

  it("comes back from CREATE TABLE AS and from a table over its files", async () => {
    const location = where();
    const [name, over] = [`made_${made}`, `over_${made}`];
    await run(
      `CREATE TABLE ${name} WITH (${properties.join(", ")}, external_location = '${location}/') AS SELECT * FROM ${table}`,
    );
    expect(await rowsOf(name)).toEqual(await rowsOf(table));
    expect(readdirSync(locate(location)).length).toBeGreaterThan(0);
    await run(ddl(over, location));
    expect(await rowsOf(over)).toEqual(await rowsOf(table));
    await run(`DROP TABLE ${name}`);
    await run(`DROP TABLE ${over}`);
  });

  it("comes back from UNLOAD", async () => {
    const location = where();
    await run(
      `UNLOAD (SELECT * FROM ${table}) TO '${location}/' WITH (${properties.join(", ").replace(/\w+_compression/, "compression")})`,
    );
    await run(ddl(`unloaded_${made}`, location));
    expect(await rowsOf(`unloaded_${made}`)).toEqual(await rowsOf(table));
  });
});

describe("CREATE TABLE AS with a location", () => {
  it.each([
    ["SELECT i, s FROM plain WHERE false", ""],
    ["SELECT i, s FROM plain", " WITH NO DATA"],
  ])("of no rows gives an empty table: %s%s", async (query, end) => {
    const name = `empty_${made}`;
    await run(
      `CREATE TABLE ${name} WITH (partitioned_by = ARRAY['s'], external_location = '${where()}') AS ${query}${end}`,
    );
    expect(await rowsOf(name)).toEqual({ types: ["i INTEGER", "s VARCHAR"], rows: [] });
  });

  it("writes lines with the given delimiter", async () => {
    const location = where();
    await run(
      `CREATE TABLE piped WITH (format = 'TEXTFILE', field_delimiter = '|', external_location = '${location}') AS SELECT s, i FROM plain WHERE i < 3`,
    );
    await run(
      `CREATE EXTERNAL TABLE read_piped (s string, i int) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' LOCATION '${location}'`,
    );
    expect(await rowsOf("read_piped")).toEqual(await rowsOf("piped"));
  });

  it("leaves neither table nor rows where a text breaks its line", async () => {
    const write = run(
      `CREATE TABLE broken WITH (format = 'TEXTFILE', external_location = '${where()}') AS SELECT 'a' || chr(10) AS s`,
    );
    expect(engineMessage(await write.then(String, (e: Error) => e.message))).toContain("A text with a line break");
    await connection.run("ROLLBACK");
    await expect(connection.run("SELECT * FROM broken")).rejects.toThrow("does not exist");
  });
});

it.each([
  ["SELECT chr(1) AS s", "TEXTFILE", "A text with a line break or the delimiter"],
  ["SELECT '\\N' AS s", "TEXTFILE", "A text with a line break or the delimiter"],
  ["SELECT 1 AS i, 'é' AS s", "PARQUET', partitioned_by = ARRAY['s'], compression = 'GZIP", "printable ASCII"],
  ["SELECT 1 AS i, '' AS s", "PARQUET', partitioned_by = ARRAY['s'], compression = 'GZIP", "printable ASCII"],
])("UNLOAD fails rather than write what is read otherwise: %s as %s", async (query, format, words) => {
  const write = run(`UNLOAD (${query}) TO '${where()}' WITH (format = '${format}')`);
  expect(engineMessage(await write.then(String, (e: Error) => e.message))).toContain(words);
});

describe("a table over files", () => {
  const file = (path: string, text: string): void => {
    mkdirSync(dirname(locate(path)), { recursive: true });
    writeFileSync(locate(path), text);
  };

  it("passes over hidden files and takes each folder's partition as it is declared", async () => {
    const location = where();
    file(`${location}/dt=2024-01-01/part-0`, "1\n2\n");
    file(`${location}/dt=2024-01-02/part-0`, "3\n");
    file(`${location}/dt=2024-01-02/_SUCCESS`, "no row");
    file(`${location}/dt=2024-01-02/.crc`, "no row");
    await run(
      `CREATE EXTERNAL TABLE days (n int) PARTITIONED BY (dt string) STORED AS TEXTFILE LOCATION '${location}'`,
    );
    expect(await rowsOf("days")).toEqual({
      types: ["n INTEGER", "dt VARCHAR"],
      rows: ['[1,"2024-01-01"]', '[2,"2024-01-01"]', '[3,"2024-01-02"]'],
    });
  });

  it("finds the files below a folder whose name reads as a pattern", async () => {
    const location = `${where()}/we[ir]d*?`;
    file(`${location}/part-0`, "1\n");
    await run(`CREATE EXTERNAL TABLE weird (n int) STORED AS TEXTFILE LOCATION '${location}'`);
    expect((await rowsOf("weird")).rows).toEqual(["[1]"]);
  });

  it.each([
    ["n int", "1.5\n", "STORED AS TEXTFILE", "The file has the value 1.5"],
    ["n boolean", "1\n", "STORED AS TEXTFILE", "The file has the value 1"],
    ["n int", '{"N":1}\n', "STORED AS JSONFILE", "JSON keys with capitals"],
    ["n date", '{"n":"1/2/2024"}\n', "STORED AS JSONFILE", "The file has the value 1/2/2024"],
  ])("fails over values that Athena reads otherwise: %s from %s", async (columns, text, stored, words) => {
    const location = where();
    file(`${location}/part-0`, text);
    const read = run(`CREATE EXTERNAL TABLE odd (${columns}) ${stored} LOCATION '${location}'`);
    expect(engineMessage(await read.then(String, (e: Error) => e.message))).toContain(words);
  });

  it("fails over a Parquet column of another type", async () => {
    const location = where();
    await run(`UNLOAD (SELECT s, i FROM plain) TO '${location}' WITH (format = 'PARQUET')`);
    const read = run(`CREATE EXTERNAL TABLE other (s string, i string) STORED AS PARQUET LOCATION '${location}'`);
    expect(engineMessage(await read.then(String, (e: Error) => e.message))).toContain("a column of the type INTEGER");
  });
});

describe("refusals", () => {
  const external = (rest: string) => `CREATE EXTERNAL TABLE x (n int) ${rest} LOCATION 's3://b/x/'`;
  it.each([
    ["CREATE TABLE x WITH (format = 'ORC') AS SELECT 1 AS n", "Format ORC cannot be written here.", "(format = 'ORC')"],
    ["CREATE TABLE x (n int) WITH (format = 'AVRO')", "Format AVRO cannot be written here.", "(format = 'AVRO')"],
    ["CREATE TABLE x WITH (format = 'CSV') AS SELECT 1 AS n", "Format CSV cannot be written here.", "(format = 'CSV')"],
    [
      "CREATE TABLE x WITH (format = 'JSON', partitioned_by = ARRAY['s'], external_location = 's3://b/x') AS SELECT i, s FROM plain",
      "JSON is not written in partitions here.",
      "(format = 'JSON', partitioned_by = ARRAY['s'], external_location = 's3://b/x')",
    ],
    [
      "CREATE TABLE x WITH (partitioned_by = ARRAY['s'], external_location = 's3://b/x') AS SELECT s, i FROM plain",
      "The partitions (s) must be the last columns",
      "(partitioned_by = ARRAY['s'], external_location = 's3://b/x')",
    ],
    ["CREATE TABLE plain AS SELECT 1 AS n", "Table 'plain' already exists.", "plain"],
    ["CREATE TABLE x AS SELECT NULL AS n", "Column 'n' is of the type unknown", undefined],
    ["CREATE TABLE x AS SELECT json_parse('1') AS n", "Column 'n' is of the type json", undefined],
    [external("STORED AS ORC"), "Files of this format cannot be read here.", "ORC"],
    [external("ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"), "Files of this format", "ROW"],
    [external("ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\\\'"), "'ESCAPED' is not done", "ESCAPED"],
    [
      `${external("")} TBLPROPERTIES ('projection.enabled' = 'true')`,
      "The property 'projection.enabled' is not done here.",
      "'projection.enabled'",
    ],
    ["CREATE EXTERNAL TABLE x (a array<int>) LOCATION 's3://b/x/'", "The text of a array(integer)", "array"],
  ])("%s", (sql, words, part) => {
    try {
      rewriteForDuckDB(sql, { catalogue: CATALOGUE, locate });
    } catch (error) {
      const { at, message } = Fault.from(error);
      expect(message).toContain(words);
      expect(at).toBeDefined();
      if (part !== undefined) expect(sql.slice(at?.offset, (at?.offset ?? 0) + (at?.length ?? 0))).toBe(part);
      return;
    }
    expect.unreachable(`not refused: ${sql}`);
  });
});
