/**
 * The engine's database: one DuckDB file in the pipeline folder's `.forewatch/`, owned by one process. Its failures are
 * told in words that say what to do. What SQL may see of a pipeline lies in a schema of the pipeline's name, the engine's own
 * tables in one of that name with an underscore before it (no pipeline's name begins with one).
 */
import { type DuckDBAppender, type DuckDBConnection, DuckDBInstance, type DuckDBValue } from "@duckdb/node-api";
import { Fault } from "../core/fault.ts";
import { quoteIdentifier } from "../core/prepare.ts";

/** What a row's cell arrives as: numbers for all numeric types below 2^53, epoch ms for timestamps. */
export type Column = string | number | boolean | null | Uint8Array;
export type Row = Readonly<Record<string, Column>>;

/** The layout that this engine writes; a store of another one is refused, not guessed at. */
const LAYOUT = 1;

/** DuckDB's own share of memory; the engine stays below this plus its JavaScript heap. */
const MEMORY_LIMIT = "768MB";
const THREADS = 2;

export class Store {
  readonly #instance: DuckDBInstance;
  /** The connection of the pump: transactions run here and nowhere else. */
  readonly writer: DuckDBConnection;
  #turn: Promise<unknown> = Promise.resolve();
  /** Told when the database has shut itself down: only a new process can go on. */
  onFatal: (fault: Fault) => void = () => {};

  private constructor(instance: DuckDBInstance, writer: DuckDBConnection) {
    this.#instance = instance;
    this.writer = writer;
  }

  /** Opens the store in `file`, creating it when there is none. */
  static async open(file: string): Promise<Store> {
    let instance: DuckDBInstance;
    try {
      instance = await DuckDBInstance.create(file, {
        memory_limit: MEMORY_LIMIT,
        threads: String(THREADS),
        checkpoint_threshold: "64MB",
        autoinstall_known_extensions: "false",
        autoload_known_extensions: "false",
      });
    } catch (error) {
      throw openFault(error, file);
    }
    const writer = await instance.connect();
    const store = new Store(instance, writer);
    await writer.run("SET TimeZone = 'UTC'");
    await store.#checkLayout(file);
    return store;
  }

  /** A further connection, for reading beside the pump; the caller closes it. */
  async connect(): Promise<DuckDBConnection> {
    const connection = await this.#instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    return connection;
  }

  /** Runs `work` in one transaction on the writer: all of it or none of it. Transactions wait for each other. */
  transaction<T>(work: (writer: DuckDBConnection) => Promise<T>): Promise<T> {
    const next = this.#turn.then(async () => {
      await this.writer.run("BEGIN");
      try {
        const result = await work(this.writer);
        await this.writer.run("COMMIT");
        return result;
      } catch (error) {
        // A failed COMMIT has ended the transaction already; then there is nothing to roll back.
        await this.writer.run("ROLLBACK").catch(() => {});
        throw this.#fault(error);
      }
    });
    this.#turn = next.catch(() => {});
    return next;
  }

  /**
   * Does `work` on one thread, so that sums of floating-point numbers are added up in the order of the rows: their last bit
   * would otherwise hang on how threads share the rows, and a run that is repeated would not be the same.
   */
  async inOrder<T>(writer: DuckDBConnection, work: () => Promise<T>): Promise<T> {
    await writer.run("SET threads = 1");
    try {
      return await work();
    } finally {
      // On a connection of its own: the writer takes no statement once its transaction has failed.
      const other = await this.#instance.connect();
      await other.run(`SET threads = ${THREADS}`).finally(() => other.closeSync());
    }
  }

  /**
   * Does reading `work` in one transaction, on a connection of its own. A statement with values is planned before it runs,
   * and its plan packs columns by what is known of them then: a row that was committed in between would come out as garbage.
   */
  async snapshot<T>(work: (reader: DuckDBConnection) => Promise<T>): Promise<T> {
    const reader = await this.connect();
    try {
      await reader.run("BEGIN TRANSACTION READ ONLY");
      const result = await work(reader);
      await reader.run("COMMIT");
      return result;
    } catch (error) {
      throw this.#fault(error);
    } finally {
      reader.closeSync();
    }
  }

  /** The rows of one reading statement. */
  read(sql: string, values: DuckDBValue[] = []): Promise<Row[]> {
    return this.snapshot((reader) => rowsOf(reader, sql, values));
  }

  /** Moves what lies in the store's log into its file; beside a transaction it is left for later. */
  async checkpoint(): Promise<void> {
    const next = this.#turn.then(() => this.writer.run("CHECKPOINT").catch(() => {}));
    this.#turn = next;
    await next;
  }

  async close(): Promise<void> {
    await this.checkpoint();
    this.writer.closeSync();
    this.#instance.closeSync();
  }

  /** The failure in words; a database that will not answer any more is reported besides. */
  #fault(error: unknown): Fault {
    const fault = storeFault(error);
    if (fault.code === "engine.corrupt") this.onFatal(fault);
    return fault;
  }

  async #checkLayout(file: string): Promise<void> {
    await this.writer.run("CREATE TABLE IF NOT EXISTS main.meta (key VARCHAR, value VARCHAR)");
    const [row] = await rowsOf(this.writer, "SELECT value FROM main.meta WHERE key = 'layout'");
    if (row && row.value !== String(LAYOUT)) {
      throw new Fault(
        "engine.version",
        `${file} was written by another version of Forewatch (layout ${row.value}, this one reads ${LAYOUT}).`,
        {
          next: "Update Forewatch, or remove the .forewatch folder to start afresh.",
        },
      );
    }
    await this.writer.run(`CREATE TABLE IF NOT EXISTS main.pipeline (
      name VARCHAR, file VARCHAR, spec VARCHAR, live_from BIGINT, deployed_at BIGINT, trusted BOOLEAN)`);
    // Pipelines that were removed while their data stayed, with the file that the data fit.
    await this.writer.run("CREATE TABLE IF NOT EXISTS main.kept (name VARCHAR, spec VARCHAR)");
    // Last, so that a store whose making was cut short is made whole by the next start.
    if (!row) await this.writer.run("INSERT INTO main.meta VALUES ('layout', $1)", [String(LAYOUT)]);
  }
}

/** The rows of a statement on a given connection, inside its transaction. */
export async function rowsOf(connection: DuckDBConnection, sql: string, values: DuckDBValue[] = []): Promise<Row[]> {
  const result = await connection.runAndReadAll(sql, values);
  return result
    .getRowObjects()
    .map((row) => Object.fromEntries(Object.entries(row).map(([k, value]) => [k, plain(value)])));
}

/**
 * Appends rows inside the caller's transaction. When `fill` fails, nothing stays in the appender: what is left there would
 * be written when it is collected as garbage, outside of any transaction.
 */
export async function append<T>(
  writer: DuckDBConnection,
  pipeline: string,
  table: string,
  fill: (appender: DuckDBAppender) => T | Promise<T>,
): Promise<T> {
  const appender = await writer.createAppender(table, schemaOf(pipeline, table));
  try {
    const result = await fill(appender);
    appender.closeSync();
    return result;
  } catch (error) {
    appender.clear();
    throw error;
  }
}

/** What SQL may see; every other table is the engine's own. */
const PUBLIC = new Set(["raw", "rejected", "prepared", "forecast", "comparison", "incident"]);

/** The schema that a table of a pipeline lies in. */
export function schemaOf(pipeline: string, table: string): string {
  return PUBLIC.has(table) ? pipeline : `_${pipeline}`;
}

/** A table by its full name: `"flights"."raw"`, `"_flights"."raw_tail"`. */
export function tableName(pipeline: string, table: string): string {
  return `${quoteIdentifier(schemaOf(pipeline, table))}.${quoteIdentifier(table)}`;
}

/** Creates the pipeline's schemas where they are missing. */
export async function createSchemas(writer: DuckDBConnection, pipeline: string): Promise<void> {
  for (const name of [pipeline, `_${pipeline}`])
    await writer.run(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(name)}`);
}

/** Drops the pipeline's schemas and all that is in them. */
export async function dropSchemas(writer: DuckDBConnection, pipeline: string): Promise<void> {
  for (const name of [pipeline, `_${pipeline}`])
    await writer.run(`DROP SCHEMA IF EXISTS ${quoteIdentifier(name)} CASCADE`);
}

/** What a failure of DuckDB means to a person. */
export function storeFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (/no space left|disk full|ENOSPC|could not write|File too large/i.test(text)) {
    return new Fault("engine.disk-full", "The disk is full: nothing more can be stored.", {
      cause: error,
      next: "Free some space; what is in the stream waits and nothing is lost.",
    });
  }
  if (/invalidated because of a previous fatal error/i.test(text)) {
    return new Fault("engine.corrupt", "The store had to stop after a failure.", {
      cause: error,
      next: "The engine restarts by itself.",
    });
  }
  return new Fault("unexpected", text.split("\n")[0] ?? text, { cause: error });
}

function openFault(error: unknown, file: string): Fault {
  const text = error instanceof Error ? error.message : String(error);
  const holder = /PID (\d+)/.exec(text)?.[1];
  if (/could not set lock|being used by another process/i.test(text)) {
    return new Fault(
      "engine.locked",
      `Another engine${holder ? ` (process ${holder})` : ""} already works on this folder.`,
      {
        cause: error,
        next: "Use that one, or stop it first.",
      },
    );
  }
  if (/not a valid DuckDB|corrupt|checksum|serializ|Failure while replaying WAL|magic bytes/i.test(text)) {
    return new Fault("engine.corrupt", `The store ${file} cannot be read.`, {
      cause: error,
      next: "Move the .forewatch folder aside and deploy again; the lake's Parquet files in it stay readable.",
    });
  }
  if (/permission denied|read-only file system|is a directory/i.test(text)) {
    return new Fault("engine.folder", `The engine cannot open its store ${file}.`, {
      cause: error,
      next: "Check that it is a file which you may read and write, as its folder.",
    });
  }
  return storeFault(error);
}

function plain(value: DuckDBValue): Column {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "object" && "micros" in value && typeof value.micros === "bigint")
    return Number(value.micros / 1000n);
  if (typeof value === "object" && "bytes" in value && value.bytes instanceof Uint8Array) return value.bytes;
  return String(value);
}
