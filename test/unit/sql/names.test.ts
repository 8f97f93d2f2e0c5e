/** Columns named like words that the grammar gives a meaning elsewhere: each keeps its name wherever a column may stand. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { NonReservedContext } from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import { beforeAll, describe, expect, it } from "vitest";
import { type Catalogue, rewriteForDuckDB } from "../../../src/sql/index.ts";
import { openDatabase } from "./database.ts";

/** Words that DuckDB keeps for itself and Trino's grammar has no meaning for, from `duckdb_keywords()`. */
const FOREIGN =
  `analyse anti asof asymmetric binary check collate collation concurrently freeze generated glob ilike initially isnull
  lambda lateral leading notnull overlaps pivot pivot_longer pivot_wider placing positional primary qualify references semi similar
  struct summarize symmetric unpack unpivot user variadic`.split(/\s+/);

/** Every word that Trino's grammar takes as a name without quotes, in lower case. */
const WORDS = [
  ...new Set([
    ...Object.getOwnPropertyNames(NonReservedContext.prototype)
      .filter((name) => name.startsWith("KW_"))
      .map((name) => name.slice(3).toLowerCase()),
    ...FOREIGN,
  ]),
];

let connection: DuckDBConnection;

beforeAll(async () => {
  connection = await openDatabase(`CREATE TABLE words(${WORDS.map((word) => `"${word}" INTEGER`).join(", ")});`);
  await connection.run(`INSERT INTO words VALUES (${WORDS.map((_, i) => i).join(", ")})`);
});

const CATALOGUE: Catalogue = {
  tables: [{ name: "words", columns: WORDS.map((name) => ({ name, type: "integer" })) }],
};

async function run(sql: string): Promise<{ names: readonly string[]; rows: unknown[][] }> {
  const { sql: text, columns } = rewriteForDuckDB(sql, { catalogue: CATALOGUE });
  const reader = await connection.runAndReadAll(text);
  if (columns !== undefined) expect(columns.map((column) => column.name)).toEqual(reader.columnNames());
  return { names: reader.columnNames(), rows: reader.getRowsJson() };
}

describe("a column named like a word of the grammar", () => {
  it("are many", () => {
    expect(WORDS.length).toBeGreaterThan(150);
    expect(WORDS).toEqual(
      expect.arrayContaining(["time", "value", "type", "date", "key", "day", "timestamp", "level"]),
    );
  });

  it("is refused where the grammar takes it for something else", () => {
    expect(() => rewriteForDuckDB("SELECT all FROM words", { catalogue: CATALOGUE })).toThrow("Unexpected 'FROM'");
  });

  // SELECT all is SELECT ALL to the grammar; in quotes it is a name like any other.
  const named = WORDS.map((word, i) => ({ word: word === "all" ? '"all"' : word, name: word, i }));
  it.each(named)("$word", async ({ word, name, i }) => {
    const asked = { names: [name], rows: [[i]] };
    expect(await run(`SELECT ${word} FROM words`)).toEqual(asked);
    expect(await run(`SELECT w.${word} FROM words w WHERE w.${word} = ${i} ORDER BY ${word}`)).toEqual(asked);
    expect(await run(`SELECT ${i} AS ${word}`)).toEqual(asked);
    expect(await run(`SELECT ${word}.${word} FROM words AS ${word}`)).toEqual(asked);
    expect(await run(`SELECT ${word} FROM (VALUES ${i}) AS x(${word})`)).toEqual(asked);
    expect(
      (await run(`WITH a AS (SELECT ${word} FROM words) SELECT max(${word}) FROM a GROUP BY ${word}`)).rows,
    ).toEqual([[i]]);
    await run(`CREATE TABLE made_${i} AS SELECT ${word}, ${word} + 1 AS more FROM words`);
    const made = await connection.runAndReadAll(`SELECT * FROM made_${i}`);
    expect(made.columnNames()).toEqual([name, "more"]);
  });
});
