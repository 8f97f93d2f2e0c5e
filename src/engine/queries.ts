/** The noun `queries`: SQL in Athena's dialect over a pipeline's lake. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import type {
  CallOptions,
  Cell,
  ExportFormat,
  Queries as QueriesPort,
  QueryRequest,
  QueryResult,
  QueryRun,
  TableInfo,
  ViewInfo,
  ViewRequest,
} from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { quoteIdentifier, quoteText } from "../core/prepare.ts";
import type { PipelineSpec } from "../core/spec.ts";
import {
  type Bound,
  bindWithMap,
  placeAt,
  type Rewritten,
  rewriteForDuckDB,
  SESSION,
  splitStatements,
} from "../sql/index.ts";
import type { Pipeline } from "./pipeline.ts";
import { queryFailure } from "./query-fault.ts";
import { givenSql, materialize, Results } from "./query-results.ts";
import type { Registry } from "./registry.ts";
import type { Store } from "./store.ts";
import { madeTables, tablesOf } from "./tables.ts";
import { cancelled, Turns } from "./turns.ts";

/** Rows of a result's first page. */
const PAGE = 200;
/** Statements that run at the same time; more wait their turn. */
const AT_ONCE = 2;
/** Runs that the history remembers. */
const REMEMBERED = 500;
/** Rewritten statements that are kept: the same ones are run again and again. */
const REWRITTEN = 100;
/** An interrupt that comes between two calls of DuckDB's is lost: it is sent again at this pace, ms. */
const INTERRUPT_AGAIN = 25;

export class Queries implements QueriesPort {
  readonly #store: Store;
  readonly #registry: Registry;
  /** Where `s3://` locations lie. */
  readonly #folder: string;
  readonly #results: Results;
  readonly #turns = new Turns(AT_ONCE);
  readonly #prepared = new Map<string, Map<string, string>>();
  /** By pipeline: a connection that waits for the next statement, as getting one ready takes longer than many statements. */
  readonly #spare = new Map<string, Promise<DuckDBConnection>>();
  readonly #made = new WeakMap<Pipeline, Promise<readonly TableInfo[]>>();
  /** By the tables that they were rewritten for: what statements became in DuckDB's dialect, the newest last. */
  readonly #rewritten = new WeakMap<Promise<readonly TableInfo[]>, Map<string, Rewritten>>();
  readonly #runs: { pipeline: string; run: QueryRun }[] = [];
  #closed = false;

  /** @param folder the engine's data folder */
  constructor(store: Store, registry: Registry, folder: string) {
    this.#store = store;
    this.#registry = registry;
    this.#folder = join(folder, "s3");
    this.#results = new Results(store);
  }

  async catalogue(pipeline: string): Promise<TableInfo[]> {
    const found = this.#registry.get(pipeline);
    return [...tablesOf(found.spec), ...(await this.#madeIn(found))];
  }

  async run(pipeline: string, request: QueryRequest, { signal }: CallOptions = {}): Promise<QueryResult> {
    const target = this.#registry.get(pipeline);
    const base = { query: randomUUID(), sql: request.sql, startedAt: Date.now() };
    this.#note(pipeline, { ...base, elapsed: 0, state: "running", rowCount: null, bytesScanned: null });
    let begun = performance.now();
    try {
      const result = await this.#turns.take(signal, async () => {
        begun = performance.now();
        return this.#execute(target, request, base.query, signal);
      });
      const { rowCount, bytesScanned } = result;
      const elapsed = performance.now() - begun;
      this.#note(pipeline, { ...base, elapsed, state: "succeeded", rowCount, bytesScanned });
      return { ...result, elapsed };
    } catch (error) {
      const fault = signal?.aborted ? cancelled() : Fault.from(error);
      this.#note(pipeline, {
        ...base,
        elapsed: performance.now() - begun,
        state: fault.code === "query.cancelled" ? "cancelled" : "failed",
        rowCount: null,
        bytesScanned: null,
        fault: fault.toData(),
      });
      throw fault;
    }
  }

  async rows(query: string, offset: number, limit: number): Promise<Cell[][]> {
    return this.#results.rows(query, offset, limit);
  }

  async view(query: string, request: ViewRequest, { signal }: CallOptions = {}): Promise<ViewInfo> {
    return this.#on(signal, (connection) => this.#results.view(connection, query, request));
  }

  async release(query: string): Promise<void> {
    await this.#results.release(query);
  }

  async estimate(): Promise<never> {
    throw new Fault("target.unsupported", "The local target does not bill by bytes, so there is nothing to estimate.");
  }

  async exportTo(
    query: string,
    request: { readonly file: string; readonly format: ExportFormat },
    { signal }: CallOptions = {},
  ): Promise<{ bytes: number }> {
    try {
      return await this.#on(signal, (connection) => this.#results.exportTo(connection, query, request));
    } catch (error) {
      const fault = Fault.from(error);
      if (fault.code === "query.cancelled") await rm(request.file, { force: true });
      if (error instanceof Fault && fault.code !== "query.failed") throw error;
      if (/no longer kept/.test(fault.message)) throw fault;
      throw new Fault("query.failed", `The result could not be written to ${request.file}.`, {
        cause: fault.cause ?? fault,
        next: "Choose another place.",
      });
    }
  }

  async history(pipeline: string, limit: number): Promise<QueryRun[]> {
    return this.#runs
      .filter((r) => r.pipeline === pipeline)
      .map((r) => r.run)
      .reverse()
      .slice(0, limit);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const spare of this.#spare.values()) (await spare.catch(() => undefined))?.closeSync();
    this.#spare.clear();
    await this.#results.close();
  }

  /** Runs a statement and keeps its rows; rejects with a place in the request's text where there is one. */
  async #execute(
    target: Pipeline,
    request: QueryRequest,
    query: string,
    signal: AbortSignal | undefined,
  ): Promise<QueryResult> {
    const { spec } = target;
    const { bound, offset } = bind(request);
    const toSource = (at: number) => offset + bound.map(at);
    const prepared = this.#preparedOf(spec.name);
    const connecting = this.#connection(spec);
    const rewriting = this.#rewrite(target, bound, request.sql, toSource, prepared).then(async (rewritten) => {
      refuseChanges(rewritten, spec);
      if (rewritten.writes !== undefined) await emptyFolder(rewritten.writes);
      if (rewritten.reads !== undefined) await requireFiles(rewritten.reads);
      return { rewritten, table: await this.#results.tableOf(query) };
    });
    const [ready, connected] = await Promise.allSettled([rewriting, connecting]);
    if (connected.status === "rejected") throw connected.reason;
    const connection = connected.value;
    if (ready.status === "rejected") {
      connection.closeSync();
      throw ready.reason;
    }
    const { rewritten, table } = ready.value;
    const pageSize = request.pageSize ?? PAGE;
    try {
      const { columns, rowCount, head } = await interruptible(connection, signal, () =>
        materialize(connection, rewritten, table, pageSize),
      );
      // What a name stands for has changed, and with it what other statements become.
      if (rewritten.prepare || rewritten.deallocate !== undefined || rewritten.table !== undefined)
        this.#made.delete(target);
      if (rewritten.prepare) prepared.set(rewritten.prepare.name, rewritten.prepare.text);
      if (rewritten.deallocate !== undefined) prepared.delete(rewritten.deallocate);
      this.#results.keep(query, columns, rowCount);
      const rows = head ?? (await this.#results.rows(query, 0, pageSize));
      return {
        query,
        columns: columns.map(({ name, type }) => ({ name, type })),
        rows,
        rowCount,
        elapsed: 0,
        bytesScanned: null,
      };
    } catch (error) {
      await this.#results.drop([query]);
      const { fault, position } = queryFailure(error);
      if (fault.code === "engine.corrupt") this.#store.onFatal(fault);
      if (position === undefined || fault.at !== undefined) throw fault;
      const place = rewritten.map(Math.max(0, position - givenSql(rewritten, table).before));
      const length = /^\w+/.exec(bound.text.slice(place))?.[0].length ?? 1;
      throw placed(fault, request.sql, toSource(place), length);
    } finally {
      connection.closeSync();
      // The answer goes first.
      setImmediate(() => this.#prepareSpare(spec));
    }
  }

  /** A connection for one statement: settings that it makes end with it. */
  async #connection(spec: PipelineSpec): Promise<DuckDBConnection> {
    const spare = this.#spare.get(spec.name);
    this.#spare.delete(spec.name);
    return (await spare?.catch(() => undefined)) ?? this.#connect(spec);
  }

  #prepareSpare(spec: PipelineSpec): void {
    if (this.#closed || this.#spare.has(spec.name)) return;
    const spare = this.#connect(spec);
    // Should it fail, the next statement tries for itself, and tells.
    spare.catch(() => {});
    this.#spare.set(spec.name, spare);
  }

  /** Does `work` on a connection of its own that `signal` interrupts, when it is its turn. */
  async #on<T>(signal: AbortSignal | undefined, work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    return this.#turns.take(signal, async () => {
      const connection = await this.#store.connect();
      try {
        await connection.run(SETTINGS);
        return await interruptible(connection, signal, () => work(connection));
      } catch (error) {
        throw signal?.aborted ? cancelled() : queryFailure(error).fault;
      } finally {
        connection.closeSync();
      }
    });
  }

  async #connect(spec: PipelineSpec): Promise<DuckDBConnection> {
    const connection = await this.#store.connect();
    await connection.run(`${SETTINGS}; SET search_path = ${quoteText(`${quoteIdentifier(spec.name)},main`)}`);
    return connection;
  }

  /** The tables and views that statements made beside the pipeline's own. */
  #madeIn(pipeline: Pipeline): Promise<readonly TableInfo[]> {
    let made = this.#made.get(pipeline);
    if (!made) {
      made = madeTables(this.#store, pipeline.spec);
      this.#made.set(pipeline, made);
    }
    return made;
  }

  /** A statement in DuckDB's dialect, as it was rewritten last where nothing that it hangs on has changed. */
  async #rewrite(
    target: Pipeline,
    bound: Bound,
    source: string,
    toSource: (offset: number) => number,
    prepared: ReadonlyMap<string, string>,
  ): Promise<Rewritten> {
    const made = this.#madeIn(target);
    let known = this.#rewritten.get(made);
    if (!known) {
      known = new Map();
      this.#rewritten.set(made, known);
    }
    const before = known.get(bound.text);
    if (before) return before;
    const rewritten = rewrite(bound, source, toSource, {
      catalogue: { tables: [...tablesOf(target.spec), ...(await made)] },
      prepared,
      locate: (location) => this.#locate(location),
    });
    known.set(bound.text, rewritten);
    for (const oldest of known.keys()) {
      if (known.size <= REWRITTEN) break;
      known.delete(oldest);
    }
    return rewritten;
  }

  /** The folder that stands for a bucket's path; none lies outside of the engine's own. */
  #locate(location: string): string {
    const path = resolve(this.#folder, location.replace(/^s3[an]?:\/\//, "").replaceAll("\\", "/"));
    if (!path.startsWith(`${this.#folder}${sep}`) || !/^s3[an]?:\/\/./.test(location))
      throw new Fault("query.refused", `The location ${location} is not in a bucket.`, {
        next: "Write s3://bucket/path/.",
      });
    return path;
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

  #note(pipeline: string, run: QueryRun): void {
    const at = this.#runs.findIndex((r) => r.run.query === run.query);
    if (at >= 0) this.#runs[at] = { pipeline, run };
    else this.#runs.push({ pipeline, run });
    if (this.#runs.length > REMEMBERED) this.#runs.shift();
  }
}

const SETTINGS = [...SESSION, "SET errors_as_json = true"].join("; ");

/** The one statement of a request with its parameters put in, and where it begins in the request's text. */
function bind({ sql, parameters = {} }: QueryRequest): { bound: Bound; offset: number } {
  const statements = splitStatements(sql);
  const [statement] = statements;
  if (!statement || statements.length > 1) {
    const what = statement ? "Run one statement at a time." : "There is no statement to run.";
    throw new Fault("query.refused", what, { next: "Select one statement." });
  }
  const missing = statement.parameters.find((p) => parameters[p.name] === undefined);
  if (missing)
    throw new Fault("query.refused", `The parameter :${missing.name} has no value.`, {
      next: "Give it one.",
      at: placeAt(sql, missing.offset, missing.length),
    });
  return { bound: bindWithMap(statement.text, parameters), offset: statement.offset };
}

/** Rewrites a bound statement; a refusal is placed in the request's text. */
function rewrite(
  bound: Bound,
  source: string,
  toSource: (offset: number) => number,
  context: Parameters<typeof rewriteForDuckDB>[1],
): Rewritten {
  try {
    return rewriteForDuckDB(bound.text, context);
  } catch (error) {
    const fault = Fault.from(error);
    if (fault.at === undefined) throw fault;
    const from = toSource(fault.at.offset);
    const until = toSource(fault.at.offset + fault.at.length);
    throw placed(fault, source, from, Math.max(0, until - from));
  }
}

/** The fault at a place in the source. */
function placed(fault: Fault, source: string, offset: number, length: number): Fault {
  return new Fault(fault.code, fault.message, {
    ...(fault.next !== undefined && { next: fault.next }),
    ...(fault.cause !== undefined && { cause: fault.cause }),
    at: placeAt(source, offset, Math.min(length, source.length - offset)),
  });
}

/** Does `work` on a connection, which `signal` interrupts until it has ended. */
async function interruptible<T>(
  connection: DuckDBConnection,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw cancelled();
  let timer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    connection.interrupt();
    timer ??= setInterval(interrupt, INTERRUPT_AGAIN);
  };
  signal?.addEventListener("abort", interrupt);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", interrupt);
  }
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

/** Makes the folder that a statement writes to; as in Athena it must be empty. */
async function emptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0)
    throw new Fault("query.refused", `The location is not empty: ${folder}.`, { next: "Use another location." });
}

/** A table over a location takes the rows that are there when it is made; hidden files are none. */
async function requireFiles(folder: string): Promise<void> {
  const found = existsSync(folder) ? await readdir(folder, { recursive: true, withFileTypes: true }) : [];
  if (!found.some((entry) => entry.isFile() && !/^[._]/.test(entry.name)))
    throw new Fault("query.refused", `There are no files at the location: ${folder}.`, {
      next: "Write them first, with UNLOAD.",
    });
}
