/**
 * The Firehose transform as a pure function of its event. The contract (Firehose Developer Guide, "Transform source data"): every
 * recordId comes back, as Ok, Dropped or ProcessingFailed, with base64 data, and the whole answer stays within six megabytes.
 */
import { createHash } from "node:crypto";
import { countRejected, type Event, type Rejection } from "../../src/core/collect.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { formatDay } from "../../src/core/time.ts";
import { hiveTimestamp } from "./checked.ts";
import { type CheckAll, sharing } from "./deadline.ts";
import type { FirehoseEvent, FirehoseRecord, FirehoseResult } from "./events.ts";

/** Lambda answers with 6,291,556 bytes at most; a little stays for the envelope. */
export const ANSWER_BYTES = 6_291_556 - 4_096;
/** What a record takes in the answer besides its data and id: quotes, names, the result's word. */
const RECORD_OVERHEAD = 64;

export interface Transformed {
  readonly records: FirehoseResult[];
  /** Objects for the rejected table: key below its prefix, and JSON lines. */
  readonly rejected: readonly { readonly key: string; readonly lines: string }[];
  readonly counts: {
    readonly events: number;
    readonly rejections: number;
    readonly dropped: number;
    /** Records that found no room in the answer; Firehose keeps them among the failed. */
    readonly overflowed: number;
  };
}

/** @param millis how long the records may take, however many of them hang. */
export async function transform(
  event: Pick<FirehoseEvent, "records">,
  spec: PipelineSpec,
  checkAll: CheckAll,
  millis = Number.POSITIVE_INFINITY,
): Promise<Transformed> {
  const toLine = lakeLine(spec);
  const records: FirehoseResult[] = [];
  const kept = new Kept();
  const counts = { events: 0, rejections: 0, dropped: 0, overflowed: 0 };
  // A record that does not fit goes back as it came, so the answer must always have room for that.
  let size = event.records.reduce((sum, r) => sum + sizeOf(r), 0);
  const incoming = event.records.map((record) => ({
    data: Buffer.from(record.data, "base64"),
    arrival: record.kinesisRecordMetadata?.approximateArrivalTimestamp ?? record.approximateArrivalTimestamp,
  }));
  const delivered = await checkAll(incoming, sharing(millis));
  for (const [i, { events, rejections, dropped }] of delivered.entries()) {
    const record = event.records[i]!;
    const { arrival, data } = incoming[i]!;
    const sequence = sequenceOf(record);
    const lines = events.map((e) => `${toLine(e, sequence, arrival)}\n`).join("");
    const out = Buffer.from(lines).toString("base64");
    if (size - record.data.length + out.length > ANSWER_BYTES) {
      counts.overflowed++;
      records.push({ recordId: record.recordId, result: "ProcessingFailed", data: record.data });
      continue;
    }
    size += out.length - record.data.length;
    records.push({ recordId: record.recordId, result: events.length > 0 ? "Ok" : "Dropped", data: out });
    counts.events += events.length;
    counts.rejections += countRejected(rejections);
    counts.dropped += dropped;
    kept.add(rejections, { sequence, arrival, data });
  }
  return { records, rejected: kept.objects(batchName(event.records)), counts };
}

/** Where rejections come from. */
interface Origin {
  readonly sequence: string;
  /** Epoch ms. */
  readonly arrival: number;
  /** The whole record. */
  readonly data: Uint8Array;
}

/** How long the rows are together that a batch writes about its rejections one by one; a batch itself has six megabytes at most. */
const REJECTED_TEXT = 8 * 2 ** 20;

/**
 * Rows for the rejected table, a list for each day of arrival. A row is longer than the line that it is about: were there one for each
 * line of records that are full of short broken ones, they would fill the memory. So beyond a length the rest of a record share a row
 * that has the record's bytes.
 */
class Kept {
  readonly #byDay = new Map<string, string[]>();
  #length = 0;

  add(rejections: readonly Rejection[], origin: Origin): void {
    for (const [i, rejection] of rejections.entries()) {
      if (i < rejections.length - 1 && this.#length > REJECTED_TEXT) {
        const others = countRejected(rejections.slice(i + 1));
        const detail = `${rejection.detail}; and ${others.toLocaleString("en")} more of this record, whose bytes these are`;
        this.#row({ ...rejection, detail, data: origin.data }, origin);
        return;
      }
      this.#row(rejection, origin);
    }
  }

  /** Key below the table's prefix, and JSON lines, of each object. */
  objects(batch: string): Transformed["rejected"] {
    return Array.from(this.#byDay, ([day, rows]) => ({
      key: `dt=${day}/${batch}.json.gz`,
      lines: `${rows.join("\n")}\n`,
    }));
  }

  #row({ reason, detail, data }: Rejection, { sequence, arrival }: Origin): void {
    const day = formatDay(arrival);
    const rows = this.#byDay.get(day) ?? [];
    if (rows.length === 0) this.#byDay.set(day, rows);
    const base64 = Buffer.from(data).toString("base64");
    const row = JSON.stringify({ reason, detail, arrival: hiveTimestamp(arrival), sequence, data: base64 });
    this.#length += row.length;
    rows.push(row);
  }
}

/** A function from an event to its row in the lake, a JSON object with the table's columns. */
function lakeLine(spec: PipelineSpec): (event: Event, sequence: string, arrival: number) => string {
  const columns = Object.entries(spec.source.fields).map(([name, type]) => ({
    name: name.toLowerCase(),
    isTime: type === "timestamp",
  }));
  return (event, sequence, arrival) => {
    const row: Record<string, unknown> = {};
    columns.forEach(({ name, isTime }, i) => {
      const value = event.values[i];
      // A column without a value is left out: null in Parquet either way, and shorter.
      if (value === null || value === undefined) return;
      row[name] = isTime ? hiveTimestamp(value as number) : value;
    });
    row._sequence = sequence;
    row._arrival = hiveTimestamp(arrival);
    return JSON.stringify(row);
  };
}

/** Records of a KPL aggregate share a sequence number and differ in the subsequence. */
function sequenceOf(record: FirehoseRecord): string {
  const metadata = record.kinesisRecordMetadata;
  if (!metadata) return record.recordId;
  const subsequence = String(metadata.subsequenceNumber ?? "");
  return subsequence === "" || subsequence === "0"
    ? metadata.sequenceNumber
    : `${metadata.sequenceNumber}.${subsequence}`;
}

/** The same for the same records, so that a batch that Firehose tries again overwrites its rejections, not doubles them. */
function batchName(records: readonly FirehoseRecord[]): string {
  const hash = createHash("sha256");
  for (const record of records) hash.update(`${record.recordId}\n`);
  return hash.digest("hex").slice(0, 32);
}

function sizeOf(record: FirehoseRecord): number {
  return record.recordId.length + record.data.length + RECORD_OVERHEAD;
}
