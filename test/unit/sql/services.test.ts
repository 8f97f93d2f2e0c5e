import { describe, expect, it } from "vitest";
import {
  bindParameters,
  bindWithMap,
  complete,
  createDiagnoser,
  diagnose,
  folding,
  format,
  hover,
  parameterLiteral,
  rewriteForDuckDB,
  signature,
  splitStatements,
  symbols,
} from "../../../src/sql/index.ts";
import { CATALOGUE } from "./cases/fixture.ts";

/** The text without its bar, and where the bar was. */
function cursor(text: string): { text: string; offset: number } {
  return { text: text.replace("|", ""), offset: text.indexOf("|") };
}

describe("complete", () => {
  it.each([
    ["SELECT * FROM |", "table", ["t", "names"], ["sensor"]],
    ["SELECT | FROM t", "column", ["sensor", "ts", "price"], ["title"]],
    ["SELECT x.| FROM t AS x JOIN names AS y ON x.sensor = y.sensor", "column", ["ts"], ["title"]],
    ["SELECT y.| FROM t x, names y", "column", ["title"], ["ts"]],
    ["WITH q AS (SELECT n, v AS value FROM t) SELECT | FROM q", "column", ["n", "value"], []],
    ["WITH q AS (SELECT 1 AS a) SELECT * FROM |", "table", ["q", "t"], []],
    ["SELECT date_tr|", "function", ["date_trunc", "approx_percentile"], []],
    ["SELECT n FROM t WHERE |", "column", ["n"], []],
    ["SELECT 1; SELECT | FROM names", "column", ["title"], ["ts"]],
    ["|", "keyword", ["SELECT", "UNLOAD"], ["WHERE"]],
    ["SELECT n FROM t WHERE ts > :|", "parameter", [":since"], []],
  ])("%s", (marked, kind, wanted, unwanted) => {
    const { text, offset } = cursor(marked);
    const labels = complete(text, offset, CATALOGUE)
      .filter((item) => item.kind === kind)
      .map((item) => item.label);
    expect(labels).toEqual(expect.arrayContaining(wanted));
    for (const label of unwanted) expect(labels).not.toContain(label);
  });

  it.each(["SELECT 'a|b'", "SELECT 1 -- a|", "SELECT /* a| */ 1"])("offers nothing in %s", (marked) => {
    const { text, offset } = cursor(marked);
    expect(complete(text, offset, CATALOGUE)).toEqual([]);
  });

  it("tells types, comments and documentation", () => {
    const items = complete("SELECT  FROM t", 7, CATALOGUE);
    expect(items.find((item) => item.label === "sensor")).toMatchObject({
      detail: "string · t",
      documentation: "Who measured",
    });
    expect(items.find((item) => item.label === "date_diff")?.documentation).toContain(
      "https://trino.io/docs/current/functions/datetime.html#date_diff",
    );
  });
});

describe("diagnose", () => {
  const at = (text: string) =>
    diagnose(text, CATALOGUE).map(({ offset, length, message, severity }) => ({
      part: text.slice(offset, offset + length),
      message,
      severity,
    }));

  it.each([
    ["SELECT n FORM t", "t", "Unexpected 't'"],
    ["SELECT 1; SELECT nn FROM t", "nn", "did you mean 'n'"],
    ["SELECT n FROM tt", "tt", "did you mean 't'"],
    ["SELECT date_trnc('day', ts) FROM t", "date_trnc('day', ts)", "did you mean 'date_trunc'"],
    ["-- x\nSELECT n = 'a' FROM t", "n = 'a'", "Cannot apply operator"],
    ["UNLOAD (SELECT nn FROM t) TO 's3://b/' WITH (format = 'PARQUET')", "nn", "did you mean 'n'"],
    ["UNLOAD (SELECT n FROM t) TO 's3://b/' WITH (formt = 'PARQUET')", "WITH", "needs a format"],
    ["SELECT '🦆', nn FROM t", "nn", "cannot be resolved"],
  ])("%s", (text, part, message) => {
    const [found] = at(text);
    expect(found?.message).toContain(message);
    expect(found?.part).toBe(part);
  });

  it.each([
    "SELECT n FROM t WHERE ts >= :since AND sensor = :series",
    "SELECT date_diff('day', :since, ts) FROM t",
    "CREATE TABLE made AS SELECT n FROM t; SELECT * FROM made",
    "PREPARE p FROM SELECT n FROM t WHERE n > ?; EXECUTE p USING 7",
    "SHOW TABLES; DESCRIBE t",
  ])("finds nothing in %s", (text) => {
    expect(at(text)).toEqual([]);
  });

  it("warns where only the local target refuses", () => {
    expect(at("SELECT regexp_like(sensor, 'a(?=b)') FROM t")[0]?.severity).toBe("warning");
    expect(at("SELECT nn FROM t")[0]?.severity).toBe("error");
  });

  it("checks a statement again when a table that another made is gone", () => {
    const diagnoser = createDiagnoser();
    const text = "CREATE TABLE made AS SELECT n FROM t; SELECT * FROM made";
    expect(diagnoser.diagnose(text, CATALOGUE).diagnostics).toEqual([]);
    const [found] = diagnoser.diagnose("SELECT n FROM t; SELECT * FROM made", CATALOGUE).diagnostics;
    expect(found?.message).toContain("Table 'made' does not exist");
  });

  it("stops at its budget, and goes on where it stopped", () => {
    const text = Array.from({ length: 30 }, (_, i) => `SELECT nn${i} FROM t`).join(";\n");
    const diagnoser = createDiagnoser();
    const first = diagnoser.diagnose(text, CATALOGUE, { budget: -1 });
    expect(first).toEqual({ diagnostics: [], complete: false });
    const all = diagnoser.diagnose(text, CATALOGUE);
    expect(all.complete).toBe(true);
    expect(all.diagnostics).toHaveLength(30);
    expect(diagnoser.diagnose(text, CATALOGUE, { budget: -1 })).toEqual(all);
  });
});

describe("hover", () => {
  it.each([
    ["SELECT sen|sor FROM t", "**t.sensor** `string`\n\nWho measured"],
    ["SELECT x.pr|ice FROM t x", "decimal(10,2)"],
    ["SELECT n FROM |t", "Readings of sensors"],
    ["SELECT date_d|iff('day', ts, ts) FROM t", "date_diff(varchar, moment, moment)"],
    ["SELECT checks|um(n) FROM t", "runs on Athena only"],
    ["SELECT n FROM t WHERE ts > :si|nce", "named parameter"],
  ])("%s", (marked, words) => {
    const { text, offset } = cursor(marked);
    expect(hover(text, offset, CATALOGUE)?.markdown).toContain(words);
  });

  it("has nothing to tell of numbers and keywords", () => {
    expect(hover("SELECT 12", 8, CATALOGUE)).toBeUndefined();
    expect(hover("SELECT 12", 2, CATALOGUE)).toBeUndefined();
  });
});

describe("signature", () => {
  it.each([
    ["SELECT date_diff(|", "date_diff", 0],
    ["SELECT date_diff('day', coalesce(a, b), | FROM t", "date_diff", 2],
    ["SELECT date_diff('day', coalesce(a, |", "coalesce", 1],
    ["SELECT round(ARRAY[1, 2][1], |)", "round", 1],
    ["SELECT 1; SELECT round(1, |", "round", 1],
    ["SELECT (1, |", undefined, 0],
    ["SELECT round(1)|", undefined, 0],
    ["SELECT round('a, |')", undefined, 0],
    ["SELECT 1 -- round(|", undefined, 0],
  ])("%s", (marked, name, argument) => {
    const { text, offset } = cursor(marked);
    const found = signature(text, offset);
    expect(found?.signatures[0]?.label.split("(")[0]).toBe(name);
    expect(found?.argument ?? 0).toBe(argument);
  });
});

describe("format", () => {
  it("formats each statement, and keeps comments, parameters and meaning", () => {
    const text = "-- Late\nselect n,ts from t where ts>=:since; -- end\nselect 1";
    const out = format(text);
    expect(out).toContain("-- Late\nSELECT\n  n,\n  ts\nFROM\n  t\nWHERE\n  ts >= :since; -- end\nSELECT\n  1");
    expect(format(out)).toBe(out);
    expect(splitStatements(out).map(({ name }) => name)).toEqual(["Late", undefined]);
  });

  it("writes keywords in capitals, and names as they are", () => {
    const text = "select at, day, r.table from (values (1)) as r(at) where at is not null order by at desc nulls last";
    const out = format(text).replace(/\s+/g, " ");
    expect(out).toBe(
      "SELECT at, day, r.table FROM ( VALUES (1) ) AS r (at) WHERE at IS NOT NULL ORDER BY at DESC NULLS LAST",
    );
  });

  it("leaves alone what it does not take", () => {
    expect(format("SELECT ((( FROM '")).toBe("SELECT ((( FROM '");
  });
});

describe("symbols and folding", () => {
  const text = "-- First\n-- more\nSELECT (\n  1\n);\n\nSELECT 2;\n/* a\n b */\nSELECT 3";
  it("names statements by their comment", () => {
    expect(symbols(splitStatements(text)).map(({ name, detail }) => [name, detail])).toEqual([
      ["First", "more"],
      ["SELECT 2", ""],
      ["a", "b"],
    ]);
  });
  it("folds statements and comments", () => {
    expect(folding(text)).toEqual([
      { start: 0, end: 1, kind: "comment" },
      { start: 2, end: 4, kind: "statement" },
      { start: 7, end: 8, kind: "comment" },
    ]);
  });
});

describe("parameters", () => {
  it.each([
    ["12", "12"],
    ["-1.5", "-1.5"],
    ["007", "'007'"],
    ["2024-01-31", "DATE '2024-01-31'"],
    ["2024-01-31T10:00", "TIMESTAMP '2024-01-31 10:00:00'"],
    ["2024-01-31 10:00:05.5Z", "TIMESTAMP '2024-01-31 10:00:05.5 UTC'"],
    ["O'Hare", "'O''Hare'"],
    ["'12'", "'12'"],
    ["1; DROP TABLE t", "'1; DROP TABLE t'"],
  ])("%s becomes %s", (value, literal) => {
    expect(parameterLiteral(value)).toBe(literal);
  });
  it("binds by name, outside of texts and comments", () => {
    expect(bindParameters("SELECT :a, ':a' -- :a\n, :b, :a", { a: "1" })).toBe("SELECT 1, ':a' -- :a\n, :b, 1");
  });
});

describe("bindWithMap", () => {
  it("finds the way back from the bound text, over values longer and shorter than their names", () => {
    const text = "SELECT :a, nope, :some_name, x FROM t";
    const { text: bound, map } = bindWithMap(text, { a: "a long text", some_name: "1" });
    expect(bound).toBe("SELECT 'a long text', nope, 1, x FROM t");
    for (const word of ["SELECT", "nope", "x FROM", "FROM"])
      expect(map(bound.indexOf(word)), word).toBe(text.indexOf(word));
    const inside = map(bound.indexOf("text"));
    expect(inside).toBeGreaterThanOrEqual(text.indexOf(":a"));
    expect(inside).toBeLessThanOrEqual(text.indexOf(":a") + 2);
  });
});

describe("rewriteForDuckDB", () => {
  it("maps places back to the source", () => {
    const text = "SELECT cardinality(tags), hour(ts) AS h FROM t";
    const { sql, map } = rewriteForDuckDB(text, { catalogue: CATALOGUE });
    for (const word of ["tags", "ts", "FROM"]) expect(map(sql.lastIndexOf(word))).toBe(text.lastIndexOf(word));
  });

  it("keeps the text where nothing needs a change", () => {
    const text = "SELECT sensor, n -- as it is\nFROM   t\nWHERE n > 7 ORDER BY n";
    expect(rewriteForDuckDB(text, { catalogue: CATALOGUE }).sql).toBe(text);
  });

  it("tells the result's columns in Athena's words", () => {
    const { columns } = rewriteForDuckDB(
      "SELECT sensor, count(*), ts AT TIME ZONE 'Asia/Tokyo' AS local FROM t GROUP BY 1, 3",
      { catalogue: CATALOGUE },
    );
    expect(columns).toEqual([
      { name: "sensor", type: "varchar" },
      { name: "_col1", type: "bigint" },
      { name: "local", type: "timestamp(3) with time zone", zone: "Asia/Tokyo" },
    ]);
  });

  it.each([
    ["SELECT 1", "query"],
    ["UNLOAD (SELECT n FROM t) TO 's3://b/p/' WITH (format = 'JSON')", "unload"],
    ["CREATE TABLE x WITH (format = 'PARQUET') AS SELECT n FROM t", "ctas"],
    ["INSERT INTO names SELECT sensor, js FROM t", "insert"],
    ["CREATE OR REPLACE VIEW x AS SELECT n FROM t", "ddl"],
    [
      "CREATE EXTERNAL TABLE x (a array<struct<b:int>>) PARTITIONED BY (day string) STORED AS PARQUET LOCATION 's3://b/x/'",
      "ddl",
    ],
    ["PREPARE p FROM SELECT n FROM t WHERE n = ?", "prepare"],
    ["EXECUTE p USING 7", "execute"],
    ["DEALLOCATE PREPARE p", "prepare"],
    ["SHOW TABLES", "show"],
    ["SHOW DATABASES", "show"],
    ["SHOW CREATE TABLE t", "show"],
    ["DESCRIBE t", "describe"],
    ["EXPLAIN SELECT n FROM t", "query"],
  ])("%s is of kind %s", (text, kind) => {
    const prepared = new Map([["p", "SELECT n FROM t WHERE n = ?"]]);
    expect(rewriteForDuckDB(text, { catalogue: CATALOGUE, prepared }).kind).toBe(kind);
  });

  it.each([
    ["EXECUTE q USING 7", "no prepared statement 'q'"],
    ["EXECUTE p USING 7, 8", "expected 1 but found 2"],
    ["INSERT INTO names SELECT n, js FROM t", "mismatched column types"],
    ["CREATE TABLE x AS SELECT now() AS at", "timestamp with time zone"],
    ["CREATE TABLE x WITH (formt = 'PARQUET') AS SELECT n FROM t", "did you mean 'format'"],
    ["SELECT 1 SELECT 2", "One statement"],
    [
      "UNLOAD (SELECT ts FROM t) TO 's3://b/p/' WITH (format = 'JSON')",
      "Column 'ts' is a timestamp(3), whose text in JSON",
    ],
    ["UNLOAD (SELECT n, v FROM t) TO 's3://b/p/' WITH (format = 'TEXTFILE')", "Column 'v' is a double"],
    [
      "CREATE TABLE x WITH (format = 'JSON', external_location = 's3://b/p/') AS SELECT tags FROM t",
      "Column 'tags' is a array(varchar)",
    ],
  ])("refuses %s", (text, words) => {
    const prepared = new Map([["p", "SELECT n FROM t WHERE n = ?"]]);
    expect(() => rewriteForDuckDB(text, { catalogue: CATALOGUE, prepared })).toThrow(words);
  });
});
