/** The values of EXECUTE and of named parameters: each is one value, whatever stands around its place. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { beforeAll, describe, expect, it } from "vitest";
import { bindParameters, bindWithMap, rewriteForDuckDB } from "../../../src/sql/index.ts";
import { CATALOGUE, SETUP } from "./cases/fixture.ts";
import { openDatabase } from "./database.ts";

let connection: DuckDBConnection;
beforeAll(async () => {
  connection = await openDatabase(SETUP);
});

async function resultOf(sql: string, prepared: string): Promise<unknown> {
  const rewritten = rewriteForDuckDB(sql, { catalogue: CATALOGUE, prepared: new Map([["p", prepared]]) });
  return (await connection.runAndReadAll(rewritten.sql)).getRowsJson()[0]?.[0];
}

describe("EXECUTE", () => {
  // https://trino.io/docs/current/sql/execute.html: the values are those of expressions, not their text.
  it.each([
    ["SELECT ? * 2", "1 + 1", 4],
    ["SELECT 10 -?", "-7", 17],
    ["SELECT 10 -?", "- 7", 17],
    ["SELECT -?", "-7", 7],
    ["SELECT 2 * ? * 2", "3 - 1", 8],
    ["SELECT NOT ?", "true OR true", false],
    ["SELECT?", "5", 5],
    ["SELECT n FROM t WHERE n BETWEEN?AND?", "8, 8", 8],
    ["SELECT n FROM t WHERE ts = ?", "TIMESTAMP '2024-01-01 00:03:00'", 8],
    ["SELECT date_trunc(?, ts) FROM t WHERE n = 7", "'hour'", "2024-01-01 00:00:00"],
    ["SELECT n FROM t ORDER BY n LIMIT ?", "1", 7],
    ["SELECT n FROM t ORDER BY n OFFSET?LIMIT?", "2, 1", 9],
    ["SELECT '?' || ?", "'a'", "?a"],
    ["SELECT ? -- which?\n + 1", "1 /* one */ + 1", 3],
  ])("%s USING %s", async (prepared, values, expected) => {
    expect(await resultOf(`EXECUTE p USING ${values}`, prepared)).toBe(expected);
    const immediate = `EXECUTE IMMEDIATE '${prepared.replaceAll("'", "''")}' USING ${values}`;
    expect(await resultOf(immediate, "")).toBe(expected);
  });

  it("does not join a text to its neighbour", () => {
    const run = () => rewriteForDuckDB("EXECUTE p USING 'b'", { prepared: new Map([["p", "SELECT 'a'?"]]) });
    expect(run).toThrow("In the prepared statement");
  });
});

describe("named parameters", () => {
  it.each([
    ["SELECT n -:a FROM t", "-7", "SELECT n -(-7) FROM t"],
    ["SELECT n +:a FROM t", "+7", "SELECT n +(+7) FROM t"],
    ["SELECT n -:a FROM t", "7", "SELECT n -7 FROM t"],
    ["SELECT:a", "7", "SELECT 7"],
    ["SELECT n FROM t WHERE n BETWEEN:a AND:a", "7", "SELECT n FROM t WHERE n BETWEEN 7 AND 7"],
    ["SELECT (:a)", "7", "SELECT (7)"],
    ["SELECT n FROM t WHERE ts >= :a", "2024-01-01", "SELECT n FROM t WHERE ts >= (DATE '2024-01-01')"],
  ])("%s with %s", (text, a, expected) => {
    expect(bindParameters(text, { a })).toBe(expected);
  });

  it("give the value in the result", async () => {
    const bound = bindParameters("SELECT n -:a FROM t WHERE n = 7", { a: "-7" });
    const rewritten = rewriteForDuckDB(bound, { catalogue: CATALOGUE });
    expect((await connection.runAndReadAll(rewritten.sql)).getRowsJson()).toEqual([[14]]);
  });

  it("keep the way back to the source, bracket and space and all", () => {
    const text = "SELECT n -:a, x FROM t WHERE:b > 2";
    const { text: bound, map } = bindWithMap(text, { a: "-7.25", b: "3" });
    expect(bound).toBe("SELECT n -(-7.25), x FROM t WHERE 3 > 2");
    expect(map(bound.indexOf("(-7"))).toBe(text.indexOf(":a"));
    expect(map(bound.indexOf("-7.25"))).toBe(text.indexOf(":a"));
    expect(map(bound.indexOf("3 > 2"))).toBe(text.indexOf(":b"));
    for (const word of [", x", "x FROM", "WHERE", "> 2"])
      expect(map(bound.indexOf(word)), word).toBe(text.indexOf(word));
    for (let at = 1; at < bound.length; at++) expect(map(at)).toBeGreaterThanOrEqual(map(at - 1));
  });
});
