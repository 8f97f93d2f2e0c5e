/** The dialect on a real DuckDB: every value is the one that Trino's documentation gives, or follows from its rules. */
import { readFileSync } from "node:fs";
import type { DuckDBConnection } from "@duckdb/node-api";
import { beforeAll, describe, expect, it } from "vitest";
import { engineMessage, REFUSED, rewriteForDuckDB } from "../../../src/sql/index.ts";
import { CATALOGUE, SETUP } from "./cases/fixture.ts";
import { QUERIES } from "./cases/queries.ts";
import { openDatabase } from "./database.ts";

let connection: DuckDBConnection;

beforeAll(async () => {
  connection = await openDatabase(SETUP);
});

/** Rows with numbers for integers and doubles; decimals keep their text, so that their scale is seen. */
async function rowsOf(sql: string): Promise<unknown[][]> {
  const rewritten = rewriteForDuckDB(sql, { catalogue: CATALOGUE });
  const reader = await connection.runAndReadAll(rewritten.sql);
  const types = reader.columnTypes().map(String);
  return reader.getRowsJson().map((row) => row.map((value, i) => plain(value, types[i] ?? "")));
}

function plain(value: unknown, type: string): unknown {
  if (typeof value === "string" && /INT/.test(type) && /^-?\d+$/.test(value)) return Number(value);
  if (Array.isArray(value)) return value.map((item) => plain(item, type));
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, type)]));
  return Object.is(value, -0) ? 0 : value;
}

interface Expression {
  readonly source: string;
  readonly sql: string;
  readonly expected: string;
}

function expressions(): Expression[] {
  const cases: Expression[] = [];
  let source = "";
  for (const line of readFileSync(new URL("./cases/expressions.txt", import.meta.url), "utf8").split("\n")) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    if (!line.startsWith(" ")) {
      source = line;
      continue;
    }
    const at = line.lastIndexOf(" => ");
    cases.push({ source, sql: line.slice(2, at), expected: line.slice(at + 4) });
  }
  return cases;
}

describe("expressions", () => {
  const cases = expressions();

  it("are at least 250, each with its source", () => {
    expect(cases.length).toBeGreaterThan(250);
    expect(cases.every((one) => /^(functions|language)\/\w+\.html/.test(one.source))).toBe(true);
  });

  it.each(cases)("$source: $sql", async ({ sql, expected }) => {
    const query = `SELECT ${sql} FROM t WHERE n = 7`;
    const outcome = /^(fails|refused)\b ?(.*)$/.exec(expected);
    if (outcome?.[1] === "refused") {
      expect(() => rewriteForDuckDB(query, { catalogue: CATALOGUE })).toThrow(outcome[2] as string);
      return;
    }
    if (outcome?.[1] === "fails") {
      const failure = await rowsOf(query).then(
        (rows) => `gave ${JSON.stringify(rows)}`,
        (error: Error & { code?: string }) =>
          error.code === undefined ? `failed: ${engineMessage(error.message)}` : `was refused: ${error.message}`,
      );
      expect(failure).toMatch(/^failed: /);
      expect(failure).toContain(outcome[2] as string);
      return;
    }
    expect((await rowsOf(query))[0]?.[0]).toEqual(JSON.parse(expected));
  });
});

describe("queries", () => {
  it.each(QUERIES)("$source: $name", async ({ sql, rows }) => {
    expect(await rowsOf(sql)).toEqual(rows);
  });
});

describe("refused constructs", () => {
  it.each(REFUSED)("$construct", ({ example }) => {
    try {
      rewriteForDuckDB(example, { catalogue: CATALOGUE });
    } catch (error) {
      expect(error).toMatchObject({ name: "Fault", code: "query.refused" });
      expect((error as { at?: { offset: number; length: number } }).at?.offset).toBeLessThanOrEqual(example.length);
      return;
    }
    expect.unreachable(`not refused: ${example}`);
  });
});
