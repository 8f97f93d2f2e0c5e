/**
 * The lake of one pipeline: every event exactly once, and every rejected record. New rows lie in tables of the store (the
 * tail), in the transaction that also moves the stream's checkpoint; from time to time the tail is written to Parquet,
 * partitioned by the day of the event, and a list of the files is kept in the store. What SQL sees is files and tail
 * together. A file that is not on the list (a crash came between writing and listing) is removed at the next start.
 */
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import type { DuckDBAppender, DuckDBConnection } from "@duckdb/node-api";
import { DuckDBTimestampValue } from "@duckdb/node-api";
import type { Rejection, Value } from "../core/collect.ts";
import { quoteIdentifier, quoteText } from "../core/prepare.ts";
import type { FieldType, PipelineSpec } from "../core/spec.ts";
import { formatDay, MINUTE } from "../core/time.ts";
import { rowsOf, type Store, tableName } from "./store.ts";

/** Rows in the tail at which it is written out. */
const TAIL_ROWS = 150_000;
/** Age at which a smaller tail is written out. */
const TAIL_AGE = 10 * MINUTE;
/** Files of one partition at which they are merged. */
const MERGE_FILES = 12;

const SQL_TYPES: Readonly<Record<FieldType, string>> = {
  string: "VARCHAR",
  double: "DOUBLE",
  integer: "BIGINT",
  boolean: "BOOLEAN",
  timestamp: "TIMESTAMP",
};

type Kind = "raw" | "rejected";

export class Lake {
  readonly #store: Store;
  readonly #spec: PipelineSpec;
  readonly #folder: string;
  readonly #types: readonly FieldType[];
  #raw: DuckDBAppender | undefined;
  #rejected: DuckDBAppender | undefined;
  #tailRows = 0;
  #tailSince = 0;
  /** Files that a merge replaced; queries that began before may still read them, so they go one flush later. */
  #replaced: string[] = [];

  private constructor(store: Store, spec: PipelineSpec, folder: string) {
    this.#store = store;
    this.#spec = spec;
    this.#folder = folder;
    this.#types = Object.values(spec.source.fields);
  }

  /** Opens the lake in `folder`, creating tables as needed and removing files that no list names. */
  static async open(store: Store, spec: PipelineSpec, folder: string): Promise<Lake> {
    const lake = new Lake(store, spec, folder);
    await store.transaction((writer) => lake.#createTables(writer));
    await lake.#removeUnlisted();
    const [row] = await store.read(`SELECT count(*) AS n FROM ${lake.#table("raw_tail")}`);
    lake.#tailRows = Number(row?.n ?? 0);
    await store.transaction((writer) => lake.#createViews(writer));
    return lake;
  }

  /** Begins a batch on the writer, inside a transaction. */
  async begin(writer: DuckDBConnection): Promise<void> {
    this.#raw = await writer.createAppender("raw_tail", this.#spec.name);
    this.#rejected = await writer.createAppender("rejected_tail", this.#spec.name);
  }

  /** Adds an event; `late` says that its window had closed. */
  addEvent(values: readonly Value[], sequence: number, arrival: number, late: boolean): void {
    const appender = this.#raw!;
    for (let i = 0; i < this.#types.length; i++) appendValue(appender, values[i] ?? null, this.#types[i]!);
    appender.appendBigInt(BigInt(sequence));
    appender.appendTimestamp(timestamp(arrival));
    appender.appendBoolean(late);
    appender.endRow();
    this.#tailRows++;
  }

  addRejected(rejection: Rejection, sequence: number, arrival: number): void {
    const appender = this.#rejected!;
    appender.appendVarchar(rejection.reason);
    appender.appendVarchar(rejection.detail);
    appender.appendTimestamp(timestamp(arrival));
    appender.appendBigInt(BigInt(sequence));
    appender.appendBlob(rejection.data);
    appender.endRow();
    this.#tailRows++;
  }

  /** Ends the batch: its rows are in the transaction. */
  end(): void {
    this.#raw?.closeSync();
    this.#rejected?.closeSync();
    this.#raw = undefined;
    this.#rejected = undefined;
  }

  /** Drops a batch that failed. */
  abandon(): void {
    for (const appender of [this.#raw, this.#rejected]) {
      if (!appender) continue;
      // A broken appender refuses to close while it holds rows; they belong to a transaction that is rolled back anyway.
      appender.clear();
      appender.closeSync();
    }
    this.#raw = undefined;
    this.#rejected = undefined;
  }

  /** Whether the tail should be written out now. */
  due(now: number): boolean {
    if (this.#tailRows === 0) {
      this.#tailSince = now;
      return false;
    }
    return this.#tailRows >= TAIL_ROWS || now - this.#tailSince >= TAIL_AGE;
  }

  /**
   * Writes the tail to Parquet and merges partitions of many small files.
   * @param upTo the checkpoint's sequence: part of the files' names, so that names never repeat.
   */
  async flush(upTo: number, now: number): Promise<void> {
    await this.#dropReplaced();
    await this.#store.transaction(async (writer) => {
      await this.#writeOut(writer, "raw", upTo);
      await this.#writeOut(writer, "rejected", upTo);
      await this.#createViews(writer);
    });
    this.#tailRows = 0;
    this.#tailSince = now;
    await this.#merge(upTo);
  }

  /** Removes partitions of days before `time`. */
  async expire(time: number): Promise<number> {
    const limit = formatDay(time);
    const gone = await this.#store.transaction(async (writer) => {
      const rows = await rowsOf(writer, `SELECT path FROM ${this.#table("lake_file")} WHERE dt < $1`, [limit]);
      if (rows.length === 0) return [];
      await writer.run(`DELETE FROM ${this.#table("lake_file")} WHERE dt < $1`, [limit]);
      await this.#createViews(writer);
      return rows.map((r) => String(r.path));
    });
    this.#replaced.push(...gone);
    return gone.length;
  }

  /** Bytes of the lake's files; what a query that reads it all would scan. */
  async bytes(): Promise<number> {
    const [row] = await this.#store.read(`SELECT coalesce(sum(bytes), 0) AS bytes FROM ${this.#table("lake_file")}`);
    return Number(row?.bytes ?? 0);
  }

  #table(name: string): string {
    return tableName(this.#spec.name, name);
  }

  async #createTables(writer: DuckDBConnection): Promise<void> {
    const fields = Object.entries(this.#spec.source.fields).map(
      ([name, type]) => `${quoteIdentifier(name)} ${SQL_TYPES[type]}`,
    );
    await writer.run(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(this.#spec.name)}`);
    await writer.run(
      `CREATE TABLE IF NOT EXISTS ${this.#table("raw_tail")} (${fields.join(", ")}, _sequence BIGINT, _arrival TIMESTAMP, _late BOOLEAN)`,
    );
    await writer.run(
      `CREATE TABLE IF NOT EXISTS ${this.#table("rejected_tail")} (reason VARCHAR, detail VARCHAR, arrival TIMESTAMP, sequence BIGINT, data BLOB)`,
    );
    await writer.run(
      `CREATE TABLE IF NOT EXISTS ${this.#table("lake_file")} (path VARCHAR, kind VARCHAR, dt VARCHAR, file_rows BIGINT, bytes BIGINT)`,
    );
  }

  /** The views `raw` and `rejected`: the listed files and the tail. */
  async #createViews(writer: DuckDBConnection): Promise<void> {
    const files = await rowsOf(writer, `SELECT path, kind FROM ${this.#table("lake_file")} ORDER BY path`);
    for (const kind of ["raw", "rejected"] as const) {
      const tail = `SELECT *, ${this.#dayOf(kind)} AS dt FROM ${this.#table(`${kind}_tail`)}`;
      const paths = files.filter((f) => f.kind === kind).map((f) => quoteText(this.#absolute(String(f.path))));
      const stored = `SELECT * FROM read_parquet([${paths.join(", ")}], hive_partitioning = false, union_by_name = true)`;
      await writer.run(
        `CREATE OR REPLACE VIEW ${this.#table(kind)} AS ${paths.length > 0 ? `${stored} UNION ALL BY NAME ${tail}` : tail}`,
      );
    }
  }

  /** The partition of a row: an event's day, a rejected record's day of arrival. */
  #dayOf(kind: Kind): string {
    return `strftime(${kind === "raw" ? quoteIdentifier(this.#spec.source.time) : "arrival"}, '%Y-%m-%d')`;
  }

  async #writeOut(writer: DuckDBConnection, kind: Kind, upTo: number): Promise<void> {
    const tail = this.#table(`${kind}_tail`);
    const day = this.#dayOf(kind);
    const days = await rowsOf(writer, `SELECT ${day} AS dt, count(*) AS n FROM ${tail} GROUP BY 1 ORDER BY 1`);
    const order = kind === "raw" ? "_sequence" : "sequence";
    for (const { dt, n } of days) {
      const select = `SELECT *, ${day} AS dt FROM ${tail} WHERE ${day} = ${quoteText(String(dt))} ORDER BY ${order}`;
      await this.#writeFile(writer, kind, String(dt), `part-${upTo}.parquet`, select, Number(n));
    }
    if (days.length > 0) await writer.run(`DELETE FROM ${tail}`);
  }

  async #writeFile(
    writer: DuckDBConnection,
    kind: Kind,
    dt: string,
    name: string,
    select: string,
    rows: number,
  ): Promise<void> {
    const folder = join(this.#folder, kind, `dt=${dt}`);
    await mkdir(folder, { recursive: true });
    const path = join(folder, name);
    await writer.run(`COPY (${select}) TO ${quoteText(`${path}.tmp`)} (FORMAT parquet, COMPRESSION zstd)`);
    const bytes = await makeDurable(`${path}.tmp`);
    await rename(`${path}.tmp`, path);
    await writer.run(`INSERT INTO ${this.#table("lake_file")} VALUES ($1, $2, $3, $4, $5)`, [
      this.#listed(path),
      kind,
      dt,
      BigInt(rows),
      BigInt(bytes),
    ]);
  }

  async #merge(upTo: number): Promise<void> {
    const crowded = await this.#store.read(
      `SELECT kind, dt, count(*) AS files, sum(file_rows) AS n FROM ${this.#table("lake_file")}
       GROUP BY ALL HAVING count(*) >= ${MERGE_FILES} LIMIT 4`,
    );
    for (const { kind, dt, n } of crowded) {
      await this.#store.transaction(async (writer) => {
        const files = await rowsOf(writer, `SELECT path FROM ${this.#table("lake_file")} WHERE kind = $1 AND dt = $2`, [
          String(kind),
          String(dt),
        ]);
        const old = files.map((f) => String(f.path));
        const order = kind === "raw" ? "_sequence" : "sequence";
        const list = old.map((p) => quoteText(this.#absolute(p))).join(", ");
        const select = `SELECT * FROM read_parquet([${list}], hive_partitioning = false, union_by_name = true) ORDER BY ${order}`;
        await writer.run(`DELETE FROM ${this.#table("lake_file")} WHERE kind = $1 AND dt = $2`, [
          String(kind),
          String(dt),
        ]);
        await this.#writeFile(writer, kind as Kind, String(dt), `merged-${upTo}.parquet`, select, Number(n));
        await this.#createViews(writer);
        this.#replaced.push(...old);
      });
    }
  }

  async #dropReplaced(): Promise<void> {
    const listed = new Set(
      (await this.#store.read(`SELECT path FROM ${this.#table("lake_file")}`)).map((r) => String(r.path)),
    );
    for (const path of this.#replaced.splice(0)) if (!listed.has(path)) await rm(this.#absolute(path), { force: true });
  }

  async #removeUnlisted(): Promise<void> {
    const listed = new Set(
      (await this.#store.read(`SELECT path FROM ${this.#table("lake_file")}`)).map((r) => String(r.path)),
    );
    for (const kind of ["raw", "rejected"]) {
      const folder = join(this.#folder, kind);
      await mkdir(folder, { recursive: true });
      for (const name of await readdir(folder, { recursive: true })) {
        const path = join(folder, name);
        if (/\.parquet(\.tmp)?$/.test(name) && !listed.has(this.#listed(path))) await rm(path, { force: true });
      }
    }
  }

  /** Files are listed by paths inside the lake's folder, so that the folder can be moved. */
  #listed(path: string): string {
    return relative(this.#folder, path).replaceAll("\\", "/");
  }

  #absolute(listed: string): string {
    return join(this.#folder, listed);
  }
}

export function timestamp(millis: number): DuckDBTimestampValue {
  return new DuckDBTimestampValue(BigInt(millis) * 1000n);
}

function appendValue(appender: DuckDBAppender, value: Value, type: FieldType): void {
  if (value === null) appender.appendNull();
  else if (type === "string") appender.appendVarchar(value as string);
  else if (type === "double") appender.appendDouble(value as number);
  else if (type === "integer") appender.appendBigInt(BigInt(value as number));
  else if (type === "boolean") appender.appendBoolean(value as boolean);
  else appender.appendTimestamp(timestamp(value as number));
}

/** Waits until the file is on the disk: its rows leave the store with the next commit. Returns its bytes. */
async function makeDurable(path: string): Promise<number> {
  const file = await open(path, "r+");
  try {
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
