/**
 * The noun `queries`: SQL in Athena's dialect over a pipeline's lake. A result is a temporary table on a connection of its
 * own, which DuckDB spills to disk when large; pages are read from it on demand.
 */
import { randomUUID } from "node:crypto";
import { mkdir, stat } from "node:fs/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import type {
  CallOptions,
  Cell,
  Queries as QueriesPort,
  QueryRequest,
  QueryResult,
  QueryRun,
  TableInfo,
} from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { quoteIdentifier, quoteText } from "../core/prepare.ts";
import type { PipelineSpec } from "../core/spec.ts";
import {
  bindParameters,
  engineMessage,
  type Rewritten,
  rewriteForDuckDB,
  SESSION,
  splitStatements,
} from "../sql/index.ts";
import type { Registry } from "./registry.ts";
import { type Store, storeFault } from "./store.ts";
import { tablesOf } from "./tables.ts";

/** Results kept for paging. */
const KEEP = 50;
const PAGE = 200;

interface Held {
  readonly connection: DuckDBConnection;
  readonly run: QueryRun;
}

export class Queries implements QueriesPort {
  readonly #store: Store;
  readonly #registry: Registry;
  readonly #held = new Map<string, Held>();
  readonly #prepared = new Map<string, Map<string, string>>();
  readonly #runs: { pipeline: string; run: QueryRun }[] = [];

  constructor(store: Store, registry: Registry) {
    this.#store = store;
    this.#registry = registry;
  }

  async catalogue(pipeline: string): Promise<TableInfo[]> {
    return tablesOf(this.#registry.get(pipeline).spec);
  }

  async run(pipeline: string, request: QueryRequest, { signal }: CallOptions = {}): Promise<QueryResult> {
    const { spec } = this.#registry.get(pipeline);
    const query = randomUUID();
    const startedAt = Date.now();
    const begun = performance.now();
    const base = { query, sql: request.sql, startedAt };
    this.#note(pipeline, { ...base, elapsed: 0, state: "running", rowCount: null, bytesScanned: null });
    const connection = await this.#connect(spec);
    const interrupt = () => connection.interrupt();
    signal?.addEventListener("abort", interrupt);
    try {
      if (signal?.aborted) throw new Fault("query.cancelled", "The query was cancelled.");
      const prepared = this.#preparedOf(pipeline);
      const rewritten = rewriteForDuckDB(bind(request), { catalogue: { tables: tablesOf(spec) }, prepared });
      refuseChanges(rewritten, spec);
      if (rewritten.prepare) prepared.set(rewritten.prepare.name, rewritten.prepare.text);
      if (rewritten.deallocate !== undefined) prepared.delete(rewritten.deallocate);
      await materialize(connection, rewritten);
      const rowCount = Number((await connection.runAndReadAll(`SELECT count(*) FROM temp.result`)).getRows()[0]![0]);
      const run: QueryRun = {
        ...base,
        elapsed: performance.now() - begun,
        state: "succeeded",
        rowCount,
        bytesScanned: null,
      };
      this.#note(pipeline, run);
      this.#hold(query, { connection, run });
      const columns = await columnsOf(connection, rewritten);
      const rows = await this.rows(query, 0, request.pageSize ?? PAGE);
      return { query, columns, rows, rowCount, elapsed: run.elapsed, bytesScanned: null };
    } catch (error) {
      connection.closeSync();
      const fault = signal?.aborted ? new Fault("query.cancelled", "The query was cancelled.") : queryFault(error);
      const state = fault.code === "query.cancelled" ? "cancelled" : "failed";
      this.#note(pipeline, {
        ...base,
        elapsed: performance.now() - begun,
        state,
        rowCount: null,
        bytesScanned: null,
        fault: fault.toData(),
      });
      throw fault;
    } finally {
      signal?.removeEventListener("abort", interrupt);
    }
  }

  async rows(query: string, offset: number, limit: number): Promise<Cell[][]> {
    const { connection } = this.#get(query);
    const from = Math.max(0, Math.floor(offset));
    const page = await connection.runAndReadAll(
      `SELECT * FROM temp.result WHERE rowid >= ${from} AND rowid < ${from + Math.max(0, Math.floor(limit))} ORDER BY rowid`,
    );
    return page.getRowsJson() as Cell[][];
  }

  async release(query: string): Promise<void> {
    const held = this.#held.get(query);
    this.#held.delete(query);
    held?.connection.closeSync();
  }

  async exportTo(
    query: string,
    { file, format }: { readonly file: string; readonly format: "csv" | "parquet" | "json" },
  ): Promise<{ bytes: number }> {
    const { connection } = this.#get(query);
    const how = { csv: "FORMAT csv, HEADER", parquet: "FORMAT parquet", json: "FORMAT json, ARRAY" }[format];
    try {
      await connection.run(`COPY (SELECT * FROM temp.result ORDER BY rowid) TO ${quoteText(file)} (${how})`);
    } catch (error) {
      throw new Fault("query.failed", `The result could not be written to ${file}.`, {
        cause: error,
        next: "Choose another place.",
      });
    }
    return { bytes: (await stat(file)).size };
  }

  async history(pipeline: string, limit: number): Promise<QueryRun[]> {
    return this.#runs
      .filter((r) => r.pipeline === pipeline)
      .map((r) => r.run)
      .reverse()
      .slice(0, limit);
  }

  async close(): Promise<void> {
    for (const { connection } of this.#held.values()) connection.closeSync();
    this.#held.clear();
  }

  /** The statements that PREPARE has named, a pipeline's each. */
  #preparedOf(pipeline: string): Map<string, string> {
    let prepared = this.#prepared.get(pipeline);
    if (!prepared) {
      prepared = new Map();
      this.#prepared.set(pipeline, prepared);
    }
    return prepared;
  }

  async #connect(spec: PipelineSpec): Promise<DuckDBConnection> {
    const connection = await this.#store.connect();
    for (const setting of SESSION) await connection.run(setting);
    await connection.run(`SET search_path = ${quoteText(`${quoteIdentifier(spec.name)},main`)}`);
    return connection;
  }

  #get(query: string): Held {
    const held = this.#held.get(query);
    if (!held) throw new Fault("query.failed", "This result is no longer kept.", { next: "Run the query again." });
    return held;
  }

  #hold(query: string, held: Held): void {
    this.#held.set(query, held);
    for (const old of [...this.#held.keys()].slice(0, -KEEP)) void this.release(old);
  }

  #note(pipeline: string, run: QueryRun): void {
    const at = this.#runs.findIndex((r) => r.run.query === run.query);
    if (at >= 0) this.#runs[at] = { pipeline, run };
    else this.#runs.push({ pipeline, run });
    if (this.#runs.length > 500) this.#runs.shift();
  }
}

/** The one statement of a request, with its `:name` parameters put in. */
function bind({ sql, parameters = {} }: QueryRequest): string {
  const statements = splitStatements(sql);
  const [statement] = statements;
  if (!statement || statements.length > 1) {
    const what = statement ? "Run one statement at a time." : "There is no statement to run.";
    throw new Fault("query.refused", what, { next: "Select one statement." });
  }
  const missing = statement.parameters.find((p) => parameters[p.name] === undefined);
  if (missing)
    throw new Fault("query.refused", `The parameter :${missing.name} has no value.`, { next: "Give it one." });
  return bindParameters(sql, parameters).trim().replace(/;\s*$/, "");
}

/** What the pipeline keeps is its own: statements may make tables beside it, but not change it. */
function refuseChanges({ sql, table }: Rewritten, spec: PipelineSpec): void {
  const own = tablesOf(spec).find((t) => t.name === table?.toLowerCase());
  if (own)
    throw new Fault("query.refused", `The table ${own.name} is the pipeline's own; queries only read it.`, {
      next: "Use a table of another name.",
    });
  if (/^EXPLAIN ANALYZE\s+(?!SELECT|WITH|VALUES|TABLE|\()/i.test(sql))
    throw new Fault("query.refused", "EXPLAIN ANALYZE runs the statement, and this one changes something.", {
      next: "Use EXPLAIN alone.",
    });
}

/** Runs a rewritten statement into the connection's table `temp.result`. */
async function materialize(connection: DuckDBConnection, rewritten: Rewritten): Promise<void> {
  const { sql, kind, columns: known, writes } = rewritten;
  if (writes !== undefined) await mkdir(writes, { recursive: true });
  // EXPLAIN is a query too, but no table can be made of it; its columns are not known before.
  if (kind === "query" && known !== undefined) {
    await connection.run(`CREATE TEMP TABLE result AS ${sql}`);
    return;
  }
  const result = await connection.runAndReadAll(sql);
  const names = result.deduplicatedColumnNames();
  const columns = names.length > 0 ? names : ["rows"];
  await connection.run(`CREATE TEMP TABLE result (${columns.map((n) => `${quoteIdentifier(n)} VARCHAR`).join(", ")})`);
  for (const row of result.getRowsJson()) {
    const values = columns.map((_, i) =>
      row[i] === null || row[i] === undefined ? "NULL" : quoteText(String(row[i])),
    );
    await connection.run(`INSERT INTO temp.result VALUES (${values.join(", ")})`);
  }
}

/** What the columns are called in Athena: as the rewriter knows them, else by DuckDB's types. */
async function columnsOf(connection: DuckDBConnection, rewritten: Rewritten): Promise<QueryResult["columns"]> {
  const described = await connection.runAndReadAll("DESCRIBE temp.result");
  return described.getRowObjectsJson().map((c, i) => {
    const known = rewritten.kind === "query" ? rewritten.columns?.[i] : undefined;
    return { name: known?.name ?? String(c.column_name), type: known?.type ?? athenaType(String(c.column_type)) };
  });
}

/** DuckDB's name of a type in Athena's words. */
function athenaType(type: string): string {
  const known: Record<string, string> = {
    VARCHAR: "varchar",
    BLOB: "varbinary",
    TIMESTAMP: "timestamp(3)",
    "TIMESTAMP WITH TIME ZONE": "timestamp(3) with time zone",
    HUGEINT: "decimal(38,0)",
    FLOAT: "real",
  };
  if (type.endsWith("[]")) return `array(${athenaType(type.slice(0, -2))})`;
  return known[type] ?? type.toLowerCase();
}

function queryFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const fault = storeFault(error);
  if (fault.code !== "unexpected") return fault;
  const whole = error instanceof Error ? error.message : String(error);
  const text = (engineMessage(whole).split("\n")[0] ?? whole).replace(/^[A-Z][A-Za-z ]+ Error: /, "");
  return new Fault("query.failed", text, { cause: error, next: "Correct the statement and run it again." });
}
