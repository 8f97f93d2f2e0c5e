/**
 * The lake of one pipeline: every event exactly once, and every rejected record. New rows lie in tables of the store (the
 * tail), in the transaction that also moves the stream's checkpoint; from time to time the tail is written to Parquet,
 * partitioned by the day of the event, and a list of the files is kept in the store. What SQL sees is files and tail
 * together. A file that is not on the list (a crash came between writing and listing) is removed at the next start.
 */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import {
  BLOB,
  BOOLEAN,
  DOUBLE,
  DuckDBBlobValue,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBTimestampValue,
  type DuckDBType,
  type DuckDBValue,
  VARCHAR,
} from "@duckdb/node-api";
import type { Rejection, Value } from "../core/collect.ts";
import { quoteIdentifier, quoteText } from "../core/prepare.ts";
import type { FieldType, PipelineSpec } from "../core/spec.ts";
import { DAY, formatDay, MINUTE } from "../core/time.ts";
import { ensureFolder, putInPlace } from "./durable.ts";
import { append, createSchemas, rowsOf, type Store, tableName } from "./store.ts";

/** Rows in the tail at which it is written out. */
const TAIL_ROWS = 150_000;
/** Age at which a smaller tail is written out. */
const TAIL_AGE = 10 * MINUTE;
/** Files of one partition at which they are merged. */
const MERGE_FILES = 12;
/** The first day that a partition can be of: what is kept for longer than that is kept for good. */
const FIRST_DAY = Date.parse("0001-01-01");

/**
 * How a field lies in the tail. Times and whole numbers lie there as doubles, exact up to 2^53: a double costs a fraction of
 * what a timestamp or a big integer costs to hand over. What SQL sees has the field's own type.
 */
const TAIL_TYPES: Readonly<Record<FieldType, { readonly sql: string; readonly duck: DuckDBType }>> = {
  string: { sql: "VARCHAR", duck: VARCHAR },
  double: { sql: "DOUBLE", duck: DOUBLE },
  integer: { sql: "DOUBLE", duck: DOUBLE },
  boolean: { sql: "BOOLEAN", duck: BOOLEAN },
  timestamp: { sql: "DOUBLE", duck: DOUBLE },
};

/** Rows of a DuckDB vector. */
const VECTOR = 2_048;

const REJECTED_TYPES: readonly DuckDBType[] = [VARCHAR, VARCHAR, DOUBLE, DOUBLE, BLOB];

type Kind = "raw" | "rejected";

/** An event on its way to the tail. */
interface TailEvent {
  readonly values: readonly Value[];
  readonly sequence: number;
  readonly arrival: number;
  readonly late: boolean;
}

export class Lake {
  readonly #store: Store;
  readonly #spec: PipelineSpec;
  readonly #folder: string;
  readonly #rawTypes: readonly DuckDBType[];
  #batch: { events: TailEvent[]; rejected: DuckDBValue[][] } = { events: [], rejected: [] };
  #tailRows = 0;
  #tailSince = 0;
  /** Files that a merge replaced; queries that began before may still read them, so they go one flush later. */
  #replaced: string[] = [];

  /** @param folder where its files lie. It serves nothing before `open`. */
  constructor(store: Store, spec: PipelineSpec, folder: string) {
    this.#store = store;
    this.#spec = spec;
    this.#folder = folder;
    this.#rawTypes = [
      ...Object.values(spec.source.fields).map((type) => TAIL_TYPES[type].duck),
      DOUBLE,
      DOUBLE,
      BOOLEAN,
    ];
  }

  /** Creates tables as needed and removes files that no list names. */
  async open(): Promise<void> {
    await this.#store.transaction((writer) => this.#createTables(writer));
    await this.#removeUnlisted();
    // The tail is as old as its oldest row: however often the engine is restarted, it is written out in time.
    const [row] = await this.#store.read(
      `SELECT count(*) AS n, min(arrival) AS since FROM (SELECT _arrival AS arrival FROM ${this.#table("raw_tail")}
       UNION ALL SELECT arrival FROM ${this.#table("rejected_tail")})`,
    );
    this.#tailRows = Number(row?.n ?? 0);
    this.#tailSince = Number(row?.since ?? 0);
    await this.#store.transaction((writer) => this.#createViews(writer));
  }

  /** Adds an event to the batch; `late` says that its window had closed. */
  addEvent(values: readonly Value[], sequence: number, arrival: number, late: boolean): void {
    this.#batch.events.push({ values, sequence, arrival, late });
  }

  addRejected({ reason, detail, data }: Rejection, sequence: number, arrival: number): void {
    this.#batch.rejected.push([reason, detail, arrival, sequence, new DuckDBBlobValue(data)]);
  }

  /** Writes the batch to the tail, inside the caller's transaction. */
  async write(writer: DuckDBConnection): Promise<void> {
    const { events, rejected } = this.#batch;
    this.abandon();
    await this.#append(writer, "raw_tail", this.#rawTypes, events.length, [
      ...Object.keys(this.#spec.source.fields).map((_, f) => (i: number) => events[i]!.values[f]!),
      (i) => events[i]!.sequence,
      (i) => events[i]!.arrival,
      (i) => events[i]!.late,
    ]);
    await this.#append(
      writer,
      "rejected_tail",
      REJECTED_TYPES,
      rejected.length,
      REJECTED_TYPES.map((_, c) => (i: number) => rejected[i]![c]!),
    );
    this.#tailRows += events.length + rejected.length;
  }

  /** Forgets a batch whose transaction failed. */
  abandon(): void {
    this.#batch = { events: [], rejected: [] };
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

  /**
   * Removes days before a time, whether their rows lie in files or in the tail: of events by their own time, of rejected
   * records by their arrival, for many of them have no time.
   */
  async expire(before: Readonly<Record<Kind, number>>): Promise<number> {
    const gone = await this.#store.transaction(async (writer) => {
      const days = [before.raw, before.rejected].map((time) => Math.floor(Math.max(time, FIRST_DAY) / DAY) * DAY);
      await writer.run(
        `DELETE FROM ${this.#table("raw_tail")} WHERE ${quoteIdentifier(this.#spec.source.time)} < ${days[0]}`,
      );
      await writer.run(`DELETE FROM ${this.#table("rejected_tail")} WHERE arrival < ${days[1]}`);
      const old = `(kind = 'raw' AND dt < $1) OR (kind = 'rejected' AND dt < $2)`;
      const limits = days.map(formatDay);
      const rows = await rowsOf(writer, `SELECT path FROM ${this.#table("lake_file")} WHERE ${old}`, limits);
      if (rows.length === 0) return [];
      await writer.run(`DELETE FROM ${this.#table("lake_file")} WHERE ${old}`, limits);
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
      ([name, type]) => `${quoteIdentifier(name)} ${TAIL_TYPES[type].sql}`,
    );
    await createSchemas(writer, this.#spec.name);
    await writer.run(
      `CREATE TABLE IF NOT EXISTS ${this.#table("raw_tail")} (${fields.join(", ")}, _sequence DOUBLE, _arrival DOUBLE, _late BOOLEAN)`,
    );
    await writer.run(
      `CREATE TABLE IF NOT EXISTS ${this.#table("rejected_tail")} (reason VARCHAR, detail VARCHAR, arrival DOUBLE, sequence DOUBLE, data BLOB)`,
    );
    await writer.run(
      `CREATE TABLE IF NOT EXISTS ${this.#table("lake_file")} (path VARCHAR, kind VARCHAR, dt VARCHAR, file_rows BIGINT, bytes BIGINT)`,
    );
  }

  /** The views `raw` and `rejected`: the listed files and the tail. */
  async #createViews(writer: DuckDBConnection): Promise<void> {
    // By day and place in the stream, so that a scan meets a window's rows in the stream's order, however they were flushed.
    const files = await rowsOf(
      writer,
      `SELECT path, kind FROM ${this.#table("lake_file")}
       ORDER BY dt, CAST(regexp_extract(path, '-(\\d+)\\.parquet$', 1) AS BIGINT)`,
    );
    for (const kind of ["raw", "rejected"] as const) {
      const tail = this.#tail(kind);
      const paths = files.filter((f) => f.kind === kind).map((f) => quoteText(this.#absolute(String(f.path))));
      const stored = `SELECT * FROM read_parquet([${paths.join(", ")}], hive_partitioning = false, union_by_name = true)`;
      await writer.run(
        `CREATE OR REPLACE VIEW ${this.#table(kind)} AS ${paths.length > 0 ? `${stored} UNION ALL BY NAME ${tail}` : tail}`,
      );
    }
  }

  /** The tail's rows with the types and the partition that SQL sees: an event's day, a rejected record's day of arrival. */
  #tail(kind: Kind, where = ""): string {
    const time = (column: string) => `make_timestamp(CAST(${column} * 1000 AS BIGINT))`;
    const day = (column: string) => `strftime(${time(column)}, '%Y-%m-%d') AS dt`;
    if (kind === "rejected") {
      return `SELECT reason, detail, ${time("arrival")} AS arrival, CAST(sequence AS BIGINT) AS sequence, data, ${day("arrival")}
        FROM ${this.#table("rejected_tail")} ${where}`;
    }
    const fields = Object.entries(this.#spec.source.fields).map(([name, type]) => {
      const column = quoteIdentifier(name);
      if (type === "timestamp") return `${time(column)} AS ${column}`;
      return type === "integer" ? `CAST(${column} AS BIGINT) AS ${column}` : column;
    });
    return `SELECT ${fields.join(", ")}, CAST(_sequence AS BIGINT) AS _sequence, ${time("_arrival")} AS _arrival, _late,
      ${day(quoteIdentifier(this.#spec.source.time))} FROM ${this.#table("raw_tail")} ${where}`;
  }

  async #append(
    writer: DuckDBConnection,
    table: string,
    types: readonly DuckDBType[],
    rows: number,
    columns: readonly ((row: number) => DuckDBValue)[],
  ): Promise<void> {
    if (rows === 0) return;
    await append(writer, this.#spec.name, table, (appender) => {
      for (let from = 0; from < rows; from += VECTOR) {
        const until = Math.min(rows, from + VECTOR);
        const chunk = DuckDBDataChunk.create(types, until - from);
        columns.forEach((cell, c) => {
          const vector = chunk.getColumnVector(c);
          for (let i = from; i < until; i++) vector.setItem(i - from, cell(i));
          vector.flush();
        });
        appender.appendDataChunk(chunk);
      }
    });
  }

  async #writeOut(writer: DuckDBConnection, kind: Kind, upTo: number): Promise<void> {
    const tail = this.#table(`${kind}_tail`);
    const time = kind === "raw" ? quoteIdentifier(this.#spec.source.time) : "arrival";
    const day = `CAST(floor(${time} / ${DAY}) AS BIGINT)`;
    const days = await rowsOf(writer, `SELECT ${day} AS day, count(*) AS n FROM ${tail} GROUP BY 1 ORDER BY 1`);
    for (const { day: number, n } of days) {
      const from = Number(number) * DAY;
      // A range, so that a day's rows are found by their block's bounds. The tail is in the stream's order, and DuckDB keeps it.
      const select = this.#tail(kind, `WHERE ${time} >= ${from} AND ${time} < ${from + DAY}`);
      await this.#writeFile(writer, kind, formatDay(from), `part-${upTo}.parquet`, select, Number(n));
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
    await ensureFolder(folder);
    const path = join(folder, name);
    await writer.run(`COPY (${select}) TO ${quoteText(`${path}.tmp`)} (FORMAT parquet, COMPRESSION zstd)`);
    // Before it is listed: its rows leave the store with the next commit.
    const bytes = await putInPlace(`${path}.tmp`, path);
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
