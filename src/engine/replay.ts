/**
 * A process that sends a file's rows to the endpoint, as any producer would: HTTP, PutRecords, in event-time order, as
 * fast as the stream takes them or at a multiple of real time.
 */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import type { SendRequest } from "../backend.ts";
import { Fault, type FaultData } from "../core/fault.ts";
import { quoteIdentifier, quoteText } from "../core/prepare.ts";
import type { PipelineSpec } from "../core/spec.ts";
import { DAY } from "../core/time.ts";
import { type Batch, Producer } from "./producer.ts";

/** What the engine asks of this process. */
export interface ReplayTask {
  readonly endpoint: string;
  readonly stream: string;
  readonly request: SendRequest;
  readonly source: PipelineSpec["source"];
  /** Field whose value is the partition key; null: the row's number. */
  readonly key: string | null;
}

export type ReplayMessage =
  | { readonly kind: "progress"; readonly sent: number; readonly total: number; readonly at: number | null }
  /** Everything before this event time is in the stream: only told at a chosen speed. */
  | { readonly kind: "reached"; readonly time: number }
  | { readonly kind: "done"; readonly sent: number; readonly seconds: number }
  | { readonly kind: "failed"; readonly fault: FaultData };

/** PutRecords takes so many. */
const BATCH = 500;
/** At a chosen speed, what is due is sent so often, ms. */
const PACE = 50;

process.once("message", (task: ReplayTask) => {
  replay(task).then(
    (done) => tell({ kind: "done", ...done }),
    (error: unknown) => tell({ kind: "failed", fault: Fault.from(error).toData() }),
  );
});
process.on("disconnect", () => process.exit(1));

async function replay(task: ReplayTask): Promise<{ sent: number; seconds: number }> {
  const { request } = task;
  const begun = Date.now();
  const instance = await DuckDBInstance.create(":memory:", { threads: "1", memory_limit: "512MB" });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const table = tableOf(task, await columnsOf(connection, request.file));
  const { first, last, total } = await extent(connection, table);
  let sent = 0;
  let told = 0;
  let at: number | null = null;
  const progress = () => {
    if (Date.now() - told < 100) return;
    told = Date.now();
    tell({ kind: "progress", sent, total, at });
  };
  const producer = new Producer(task.endpoint, task.stream, (records) => {
    sent += records;
    progress();
  });
  let ahead: ReturnType<typeof batchesBetween> | undefined;
  const paceFrom = { wall: Date.now(), event: request.from ?? first };
  for (let day = first - (first % DAY); day <= last; day += DAY) {
    const [from, until] = [Math.max(day, first), Math.min(day + DAY, last + 1)];
    at = day;
    if (request.speed === "max") {
      const batches = await (ahead ?? batchesBetween(connection, table, from, until));
      // The next day is put together while this one is sent.
      ahead = until > last ? undefined : batchesBetween(connection, table, until, Math.min(until + DAY, last + 1));
      ahead?.catch(() => {});
      for (const batch of batches) await producer.put(batch);
    } else {
      const rows = await rowsBetween(connection, table, from, until);
      let next = 0;
      while (next < rows.length) {
        const clock = paceFrom.event + (Date.now() - paceFrom.wall) * request.speed;
        let end = next;
        while (end < rows.length && end - next < BATCH && rows[end]![1] <= clock) end++;
        if (end > next) {
          at = rows[end - 1]![1];
          const due = rows.slice(next, end);
          await producer.put({ records: due.map(([record]) => record).join(","), count: due.length });
        }
        if (end < rows.length && rows[end]![1] > clock) {
          await producer.flush();
          tell({ kind: "reached", time: Math.floor(clock) });
          await new Promise((resolve) => setTimeout(resolve, PACE));
        }
        next = end;
      }
    }
    progress();
  }
  await producer.flush();
  tell({ kind: "progress", sent, total, at });
  await producer.close();
  return { sent, seconds: (Date.now() - begun) / 1_000 };
}

/** The file as a relation of `event_time`, `record` (an entry of PutRecords, as JSON) and the file's order. */
function tableOf({ request, source, key }: ReplayTask, present: ReadonlySet<string>): string {
  const columns = request.columns ?? {};
  // A field that the file does not have is one that the events do not have: enrich may add it.
  const of = (field: string) => columns[field] ?? (present.has(field.toLowerCase()) ? quoteIdentifier(field) : "NULL");
  if (request.time === undefined && of(source.time) === "NULL") {
    throw new Fault("input.invalid", `The file has no column "${source.time}", the event time.`, {
      next: "Rename its column, or send a file that has it.",
    });
  }
  const time = `CAST(${request.time ?? of(source.time)} AS TIMESTAMP)`;
  const object = Object.keys(source.fields).map((field) => {
    const value = field === source.time ? `strftime(${time}, '%Y-%m-%dT%H:%M:%SZ')` : of(field);
    return `${quoteIdentifier(field)} := ${value}`;
  });
  const where = [
    ...(request.from === undefined ? [] : [`${time} >= make_timestamp(${Math.floor(request.from)} * 1000)`]),
    ...(request.until === undefined ? [] : [`${time} < make_timestamp(${Math.floor(request.until)} * 1000)`]),
  ];
  const partitionKey = key === null ? "'0'" : `coalesce(CAST(${of(key)} AS VARCHAR), '-')`;
  const data = `to_base64(encode(CAST(to_json(struct_pack(${object.join(", ")})) AS VARCHAR)))`;
  const record = `concat('{"Data":"', ${data}, '","PartitionKey":', CAST(to_json(${partitionKey}) AS VARCHAR), '}')`;
  return `(SELECT ${time} AS event_time, ${record} AS record, ${rowNumber(request.file)} AS row_number
    FROM ${reader(request.file)}${where.length > 0 ? ` WHERE ${where.join(" AND ")}` : ""})`;
}

/** The file's columns, in lower case: SQL's names have none. */
async function columnsOf(connection: DuckDBConnection, file: string): Promise<ReadonlySet<string>> {
  try {
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${reader(file)}`);
    return new Set(described.getRowObjectsJson().map((c) => String(c.column_name).toLowerCase()));
  } catch (error) {
    throw new Fault("input.invalid", `${file} cannot be read.`, {
      cause: error,
      next: "Check that the file is whole.",
    });
  }
}

function reader(file: string): string {
  if (/\.parquet$/i.test(file)) return `read_parquet(${quoteText(file)}, file_row_number = true)`;
  if (/\.(csv|tsv)(\.gz)?$/i.test(file)) return `read_csv_auto(${quoteText(file)})`;
  if (/\.(json|jsonl|ndjson)(\.gz)?$/i.test(file)) return `read_json_auto(${quoteText(file)})`;
  throw new Fault("input.invalid", `${file} is not a file that can be sent.`, {
    next: "Give a Parquet, CSV, JSON or JSON-lines file.",
  });
}

function rowNumber(file: string): string {
  return /\.parquet$/i.test(file) ? "file_row_number" : "row_number() OVER ()";
}

async function extent(
  connection: DuckDBConnection,
  table: string,
): Promise<{ first: number; last: number; total: number }> {
  try {
    const result = await connection.runAndReadAll(
      `SELECT CAST(epoch_ms(min(event_time)) AS DOUBLE), CAST(epoch_ms(max(event_time)) AS DOUBLE), CAST(count(*) AS DOUBLE) FROM ${table}`,
    );
    const [first, last, total] = result.getRows()[0] as [number | null, number | null, number];
    return { first: first ?? 0, last: last ?? -1, total };
  } catch (error) {
    throw new Fault("input.invalid", "The file does not fit the pipeline's fields.", {
      cause: error,
      next: "Give a column for each field, or an expression.",
    });
  }
}

/** The records of a span in the order of their events, in the batches that they are sent in: put together where they lie. */
async function batchesBetween(
  connection: DuckDBConnection,
  table: string,
  from: number,
  until: number,
): Promise<Batch[]> {
  const result = await connection.runAndReadAll(
    // The one thread meets the rows in their order, and so puts them together: ordering each batch anew would cost a third more.
    `SELECT string_agg(record, ','), CAST(count(*) AS DOUBLE)
     FROM (SELECT record, row_number() OVER () - 1 AS n
           FROM (SELECT record ${within(table, from, until)} ORDER BY event_time, row_number))
     GROUP BY n // ${BATCH} ORDER BY n // ${BATCH}`,
  );
  return result.getRows().map(([records, count]) => ({ records: String(records), count: Number(count) }));
}

/** The records of a span with their event times, in their order. */
async function rowsBetween(
  connection: DuckDBConnection,
  table: string,
  from: number,
  until: number,
): Promise<(readonly [record: string, time: number])[]> {
  const result = await connection.runAndReadAll(
    `SELECT record, CAST(epoch_ms(event_time) AS DOUBLE) ${within(table, from, until)} ORDER BY event_time, row_number`,
  );
  return result.getRows() as unknown as (readonly [string, number])[];
}

function within(table: string, from: number, until: number): string {
  return `FROM ${table} WHERE event_time >= make_timestamp(${from} * 1000) AND event_time < make_timestamp(${until} * 1000)`;
}

function tell(message: ReplayMessage): void {
  process.send?.(message);
}
