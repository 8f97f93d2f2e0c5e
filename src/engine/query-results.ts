/**
 * The results that queries gave and front ends still show: tables in a database of their own in memory, which DuckDB spills
 * to disk when large. Pages, sorted and filtered views and exports read them by their row ids, which are in the result's order.
 */
import { randomUUID } from "node:crypto";
import { stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { DuckDBConnection } from "@duckdb/node-api";
import { type Cell, type ExportFormat, PLAN_COLUMN, type ViewOrder } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { quoteIdentifier, quoteText } from "../core/prepare.ts";
import type { ResultColumn, Rewritten } from "../sql/index.ts";
import type { Store } from "./store.ts";

/** Statements whose results are kept; the oldest goes when another comes. */
const KEEP = 50;
/** Views of one result that are kept. */
const VIEWS = 4;
/** What results may take on disk, and of what is free at most this share. */
const SPILL_BYTES = 16e9;
const SPILL_SHARE = 0.25;

const DATABASE = "kept_results";

/** A column as a result has it. */
export interface KeptColumn {
  readonly name: string;
  readonly type: string;
  /** Its name in the table, where names are unique. */
  readonly stored: string;
  /** The zone in which a timestamp with time zone is shown. */
  readonly zone?: string;
}

interface Kept {
  readonly columns: readonly KeptColumn[];
  readonly rowCount: number;
  /** The result that this is a view of. */
  readonly of?: string;
}

export class Results {
  readonly #store: Store;
  readonly #spillBytes: number;
  /** In order of age, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  #opened: Promise<DuckDBConnection> | undefined;

  /** @param spillBytes what results may take on disk at most */
  constructor(store: Store, spillBytes = SPILL_BYTES) {
    this.#store = store;
    this.#spillBytes = spillBytes;
  }

  /** The table that a statement's rows are to be written to, before it runs. */
  async tableOf(query: string): Promise<string> {
    await this.#reader();
    return `${DATABASE}.main.${quoteIdentifier(query)}`;
  }

  /** Keeps the table that was written for `query`. */
  keep(query: string, columns: readonly KeptColumn[], rowCount: number): void {
    this.#kept.set(query, { columns, rowCount });
    const whole = [...this.#kept].filter(([, kept]) => kept.of === undefined).map(([id]) => id);
    for (const old of whole.slice(0, -KEEP)) void this.release(old);
  }

  /** What a statement that succeeded had for columns. */
  columnsOf(query: string): readonly KeptColumn[] {
    return this.#get(query).columns;
  }

  async rows(query: string, offset: number, limit: number): Promise<Cell[][]> {
    const { columns } = this.#get(query);
    if (columns.length === 0) return [];
    const from = Math.max(0, Math.floor(offset));
    const reader = await this.#reader();
    const page = await reader.runAndReadAll(
      `SELECT ${columns.map(shown).join(", ")} FROM ${await this.tableOf(query)}
       WHERE rowid >= ${from} AND rowid < ${from + Math.max(0, Math.floor(limit))} ORDER BY rowid`,
    );
    return page.getRowsJson() as Cell[][];
  }

  /**
   * Sorts and filters a kept result into a view of it; `connection` does the work, so that it can be interrupted.
   * @throws Fault "input.invalid" when there is no such column
   */
  async view(
    connection: DuckDBConnection,
    query: string,
    request: { readonly order: ViewOrder | null; readonly filter: string },
  ): Promise<{ query: string; rowCount: number }> {
    const { columns, of } = this.#get(query);
    const whole = of ?? query;
    const { order, filter } = request;
    const by = order === null ? undefined : columns[order.column];
    if (order !== null && by === undefined)
      throw new Fault("input.invalid", `The result has no column ${order.column + 1}.`, { next: "Choose another." });
    const id = randomUUID();
    const where = filter === "" ? "" : ` WHERE ${columns.map((c) => contains(c, filter)).join(" OR ")}`;
    const direction = order?.descending ? "DESC" : "ASC";
    const sorted = by === undefined ? "rowid" : `${quoteIdentifier(by.stored)} ${direction} NULLS LAST, rowid`;
    const made = await connection.runAndReadAll(
      `CREATE TABLE ${await this.tableOf(id)} AS SELECT * FROM ${await this.tableOf(whole)}${where} ORDER BY ${sorted}`,
    );
    const rowCount = Number(made.getRows()[0]?.[0] ?? 0);
    // The result may have gone while its view was made.
    if (!this.#kept.has(whole)) {
      await connection.run(`DROP TABLE IF EXISTS ${await this.tableOf(id)}`);
      throw gone();
    }
    this.#kept.set(id, { columns, rowCount, of: whole });
    const views = [...this.#kept].filter(([, kept]) => kept.of === whole).map(([view]) => view);
    for (const old of views.slice(0, -VIEWS)) await this.release(old);
    return { query: id, rowCount };
  }

  /** Lets go of a result with its views, or of one view. */
  async release(query: string): Promise<void> {
    const ids = [...this.#kept].filter(([id, kept]) => id === query || kept.of === query).map(([id]) => id);
    for (const id of ids) this.#kept.delete(id);
    await this.drop(ids);
  }

  /** Drops tables, kept or begun. */
  async drop(queries: readonly string[]): Promise<void> {
    if (queries.length === 0) return;
    const reader = await this.#reader();
    for (const query of queries) await reader.run(`DROP TABLE IF EXISTS ${await this.tableOf(query)}`);
  }

  /** Writes the whole of a result or a view to a file. */
  async exportTo(
    connection: DuckDBConnection,
    query: string,
    { file, format }: { readonly file: string; readonly format: ExportFormat },
  ): Promise<{ bytes: number }> {
    const { columns } = this.#get(query);
    const how = { csv: "FORMAT csv, HEADER", parquet: "FORMAT parquet", json: "FORMAT json, ARRAY" }[format];
    // Parquet has types of its own; files have no two columns of one name.
    const list = columns.map((c) => {
      const value = format === "parquet" ? quoteIdentifier(c.stored) : shown(c);
      return `${value} AS ${quoteIdentifier(c.stored)}`;
    });
    if (list.length === 0)
      throw new Fault("input.invalid", "This statement gave no rows to write.", { next: "Export a query's result." });
    await connection.run(
      `COPY (SELECT ${list.join(", ")} FROM ${await this.tableOf(query)} ORDER BY rowid) TO ${quoteText(file)} (${how})`,
    );
    return { bytes: (await stat(file)).size };
  }

  async close(): Promise<void> {
    this.#kept.clear();
    const reader = await this.#opened?.catch(() => undefined);
    reader?.closeSync();
  }

  /** The connection that reads pages; with it comes the database. */
  #reader(): Promise<DuckDBConnection> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open(): Promise<DuckDBConnection> {
    const connection = await this.#store.connect();
    await connection.run(`ATTACH IF NOT EXISTS ':memory:' AS ${DATABASE}`);
    const { bavail, bsize } = await statfs(tmpdir());
    const bytes = Math.floor(Math.min(this.#spillBytes, bavail * bsize * SPILL_SHARE));
    await connection.run(`SET GLOBAL max_temp_directory_size = '${bytes}B'`);
    return connection;
  }

  #get(query: string): Kept {
    const kept = this.#kept.get(query);
    if (!kept) throw gone();
    return kept;
  }
}

interface Materialized {
  readonly columns: KeptColumn[];
  readonly rowCount: number;
  /** The first rows, where they are shown just as they lie there. */
  readonly head?: Cell[][];
}

/**
 * Writes a statement's rows to `table`, by `CREATE TABLE AS` where it has rows, and gives its columns, their count, and of the
 * rows up to `first`. A statement that only does something leaves one row with the number of rows it touched, or none.
 */
export async function materialize(
  connection: DuckDBConnection,
  rewritten: Rewritten,
  table: string,
  first: number,
): Promise<Materialized> {
  const { columns: known } = rewritten;
  if (hasRows(rewritten)) {
    const made = await connection.runAndReadAll(givenSql(rewritten, table).sql);
    const rowCount = Number(made.getRows()[0]?.[0] ?? 0);
    const head = await connection.runAndReadAll(
      `SELECT * FROM ${table} WHERE rowid < ${Math.max(0, Math.floor(first))} ORDER BY rowid`,
    );
    const types = head.columnTypes().map(String);
    const columns = head.columnNames().map((stored, i) => {
      const zone = known?.[i]?.zone ?? (/WITH TIME ZONE$/.test(types[i] ?? "") ? "UTC" : undefined);
      return {
        name: known?.[i]?.name ?? stored,
        type: known?.[i]?.type ?? athenaType(types[i] ?? ""),
        stored,
        ...(zone !== undefined && { zone }),
      };
    });
    const plain = columns.every((column) => shown(column) === quoteIdentifier(column.stored));
    return { columns, rowCount, ...(plain && { head: head.getRowsJson() as Cell[][] }) };
  }
  const result = await connection.runAndReadAll(rewritten.sql);
  const rows = result.getRowsJson() as Cell[][];
  if (/^EXPLAIN\b/i.test(rewritten.sql)) {
    const lines = rows.flatMap((row) => String(row.at(-1) ?? "").split("\n"));
    return writeTexts(connection, table, PLAN_COLUMN, lines);
  }
  if (result.columnNames()[0] !== "Count") return { columns: [], rowCount: 0 };
  await connection.run(`${createPrefix(table)}SELECT CAST(${Number(rows[0]?.[0] ?? 0)} AS BIGINT) AS "rows"`);
  return { columns: [{ name: "rows", type: "bigint", stored: "rows" }], rowCount: 1 };
}

async function writeTexts(connection: DuckDBConnection, table: string, name: string, texts: readonly string[]) {
  const values = texts.map((text) => `(${quoteText(text)})`).join(", ");
  await connection.run(`CREATE TABLE ${table} AS SELECT * FROM (VALUES ${values}) AS lines(${quoteIdentifier(name)})`);
  return { columns: [{ name, type: "varchar", stored: name }], rowCount: texts.length };
}

function createPrefix(table: string): string {
  return `CREATE TABLE ${table} AS `;
}

/** Whether a statement gives rows of its own, which are kept. */
function hasRows({ columns, kind }: Rewritten): boolean {
  return columns !== undefined || kind === "show" || kind === "describe";
}

/**
 * What DuckDB is given for a statement whose rows go to `table`, and how far on in it the rewritten statement begins: DuckDB
 * tells places in the whole.
 */
export function givenSql(rewritten: Rewritten, table: string): { readonly sql: string; readonly before: number } {
  if (!hasRows(rewritten)) return { sql: rewritten.sql, before: 0 };
  const prefix = createPrefix(table) + castPrefix(rewritten);
  return { sql: `${prefix}${rewritten.sql}${castSuffix(rewritten)}`, before: prefix.length };
}

/** Rows are cast where a table could not hold them. */
function castPrefix({ columns = [] }: Rewritten): string {
  if (columns.every((column) => column.stored === undefined)) return "";
  const list = columns.map((column: ResultColumn, i) => {
    const value = column.stored === undefined ? `c${i}` : `CAST(c${i} AS ${column.stored})`;
    return `${value} AS ${quoteIdentifier(column.name)}`;
  });
  return `SELECT ${list.join(", ")} FROM (`;
}

function castSuffix({ columns = [] }: Rewritten): string {
  if (columns.every((column) => column.stored === undefined)) return "";
  return `\n) AS result(${columns.map((_, i) => `c${i}`).join(", ")})`;
}

/** The column as the grid shows it: intervals and instants as Athena writes them, these in their zone with its name behind. */
function shown({ stored, type, zone }: KeptColumn): string {
  const column = quoteIdentifier(stored);
  if (type === "interval day to second") return `trino.interval_text(${column})`;
  if (type === "interval year to month") {
    const months = `(year(${column}) * 12 + month(${column}))`;
    return `CASE WHEN ${months} < 0 THEN '-' ELSE '' END || abs(${months}) // 12 || '-' || abs(${months}) % 12`;
  }
  if (zone === undefined || !type.endsWith("with time zone")) return column;
  const digits = /\((\d+)\)/.exec(type)?.[1];
  const format = Number(digits ?? 3) > 3 ? "%Y-%m-%d %H:%M:%S.%f" : "%Y-%m-%d %H:%M:%S.%g";
  return `strftime(timezone(${quoteText(zone)}, ${column}), '${format}') || ${quoteText(` ${zone}`)}`;
}

function contains(column: KeptColumn, filter: string): string {
  return `contains(lower(CAST(${shown(column)} AS VARCHAR)), ${quoteText(filter.toLowerCase())})`;
}

function gone(): Fault {
  return new Fault("query.failed", "This result is no longer kept.", { next: "Run the query again." });
}

/** DuckDB's name of a type in Athena's words. */
export function athenaType(type: string): string {
  const known: Record<string, string> = {
    VARCHAR: "varchar",
    BLOB: "varbinary",
    TIMESTAMP: "timestamp(3)",
    "TIMESTAMP WITH TIME ZONE": "timestamp(3) with time zone",
    HUGEINT: "decimal(38,0)",
    FLOAT: "real",
  };
  if (type.endsWith("[]")) return `array(${athenaType(type.slice(0, -2))})`;
  const map = /^MAP\((\w+), (.+)\)$/.exec(type);
  if (map) return `map(${athenaType(map[1] as string)}, ${athenaType(map[2] as string)})`;
  return known[type] ?? type.toLowerCase().replace(/^struct\(/, "row(");
}
