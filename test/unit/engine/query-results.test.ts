import { expect, test } from "vitest";
import { givenSql } from "../../../src/engine/query-results.ts";
import { rewriteForDuckDB } from "../../../src/sql/index.ts";

const TABLE = 'kept_results.main."q"';
const catalogue = { tables: [{ name: "raw", comment: "", columns: [{ name: "n", type: "bigint", comment: "" }] }] };

test.each([
  ["a query", "SELECT n FROM raw"],
  ["rows that a table holds as another type", "SELECT ROW(n, 'a') AS pair, n FROM raw"],
  ["SHOW", "SHOW TABLES"],
  ["a statement without rows", "CREATE TABLE kept AS SELECT n FROM raw"],
  ["an insertion", "INSERT INTO raw SELECT n FROM raw"],
])("the place of an error is found again in %s", (_, text) => {
  const rewritten = rewriteForDuckDB(text, { catalogue });
  const { sql, before } = givenSql(rewritten, TABLE);
  expect(sql.slice(before).startsWith(rewritten.sql)).toBe(true);
});
