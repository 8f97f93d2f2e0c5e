/**
 * What running a statement costs over what DuckDB itself takes for it: the engine in its own process, asked over its socket, and
 * DuckDB in this one, on a copy of the same store with the settings that the engine gives it. They take turns, so that what
 * else the machine does meets both; the shortest run of each counts.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Backend, TableInfo } from "../../../src/backend.ts";
import type * as Sql from "../../../src/sql/index.ts";
import { SESSION } from "../../../src/sql/session.ts";
import { splitStatements } from "../../../src/sql/split.ts";
import { startTestEngine } from "../../support/engine-process.ts";
import type { BenchRow } from "../endpoint.ts";
import { bundled, ROOT } from "./bundled.ts";
import { copySampleLake } from "./lake.ts";
import { best, row } from "./rows.ts";

const FOLDER = join(ROOT, "infra/sample/sql");
const ROUNDS = 25;
const MILLION = `SELECT x * 1000 + y AS n, (x * 7919 + y * 104729) % 1000003 AS shuffled, 'row ' || CAST(y AS varchar) AS name
FROM UNNEST(sequence(0, 999)) AS a(x) CROSS JOIN UNNEST(sequence(0, 999)) AS b(y) ORDER BY 1`;

export interface Ran {
  readonly rows: BenchRow[];
  readonly tables: readonly TableInfo[];
  /** The shortest time of SELECT 1, from the editor's side of the socket and back, ms. */
  readonly one: number;
}

export async function benchRunning(folder: string): Promise<Ran> {
  const mine = join(folder, "engine");
  const other = join(folder, "duckdb");
  await copySampleLake(mine);
  await copySampleLake(other, "store");
  const engine = await startTestEngine(mine);
  try {
    const { queries } = engine.backend;
    const tables = await queries.catalogue("flights");
    const duck = await openDuckDB(join(other, ".forewatch", "store.duckdb"), tables);
    try {
      // Results are kept until others take their place: letting go of one is no part of running a statement.
      const run = (sql: string) => queries.run("flights", { sql });
      const one = await best(20, () => run("SELECT 1"));
      const times: { name: string; engine: number; duckdb: number }[] = [];
      for (const { name, text } of sampleStatements()) {
        const ask = duck.prepare(text);
        const time = { name, engine: Number.POSITIVE_INFINITY, duckdb: Number.POSITIVE_INFINITY };
        for (let i = 0; i < ROUNDS; i++) {
          time.engine = Math.min(time.engine, await best(1, () => run(text)));
          time.duckdb = Math.min(time.duckdb, await best(1, ask));
        }
        times.push(time);
      }
      return { rows: [overhead(times), ...(await benchMillion(queries))], tables, one };
    } finally {
      duck.close();
    }
  } finally {
    await engine.end();
  }
}

function sampleStatements(): { name: string; text: string }[] {
  return ["delays", "feed-health", "storm"]
    .flatMap((file) => splitStatements(readFileSync(join(FOLDER, `${file}.sql`), "utf8")))
    .map(({ name, text }) => ({ name: name ?? text, text }));
}

function overhead(times: readonly { name: string; engine: number; duckdb: number }[]): BenchRow {
  const sum = (side: "engine" | "duckdb") => times.reduce((total, time) => total + time[side], 0);
  const ratio = sum("engine") / sum("duckdb");
  const each = times.map(
    ({ name, engine, duckdb }) => `${name.split(":")[0]} ${engine.toFixed(1)} over ${duckdb.toFixed(1)} ms`,
  );
  return {
    name: `The sample's ${times.length} queries over DuckDB's own time`,
    value: `${ratio.toFixed(2)} times (${each.join(", ")})`,
    target: "<= 1.15 times",
    ok: ratio <= 1.15,
  };
}

interface DuckDB {
  /** How a statement of Athena's is asked of DuckDB: rewritten beforehand, all of its rows read. */
  prepare(sql: string): () => Promise<unknown>;
  close(): void;
}

async function openDuckDB(store: string, tables: readonly TableInfo[]): Promise<DuckDB> {
  const sql = createRequire(import.meta.url)(await bundled("src/sql/index.ts", "sql-index.cjs")) as typeof Sql;
  const instance = await DuckDBInstance.create(store, { memory_limit: "768MB", threads: "2" });
  const connection = await instance.connect();
  for (const setting of SESSION) await connection.run(setting);
  await connection.run(sql.MACROS);
  await connection.run(`SET search_path = '"flights",main'`);
  return {
    prepare(statement) {
      const rewritten = sql.rewriteForDuckDB(statement, { catalogue: { tables } }).sql;
      return async () => (await connection.runAndReadAll(rewritten)).getRowsJson();
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function benchMillion(queries: Backend["queries"]): Promise<BenchRow[]> {
  const { query } = await queries.run("flights", { sql: MILLION });
  const page = await best(5, () => queries.rows(query, 500_000, 200));
  const sort = await best(2, () => queries.view(query, { order: { column: 1, descending: true }, filter: "" }));
  await queries.release(query);
  return [
    row("A page from the middle of a million rows", page, 100),
    row("A million rows sorted into a view", sort, 2_000),
  ];
}
