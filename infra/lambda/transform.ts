/**
 * The Firehose transform as a pure function of its event. The contract (Firehose Developer Guide, "Transform source data"): every
 * recordId comes back, as Ok, Dropped or ProcessingFailed, with base64 data, and the whole answer stays within six megabytes.
 */
import { createHash } from "node:crypto";
import type { Event } from "../../src/core/collect.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { formatDay } from "../../src/core/time.ts";
import { hiveTimestamp } from "./checked.ts";
import { type Check, checkAll, sharing } from "./deadline.ts";
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
export function transform(
  event: Pick<FirehoseEvent, "records">,
  spec: PipelineSpec,
  check: Check,
  millis = Number.POSITIVE_INFINITY,
): Transformed {
  const toLine = lakeLine(spec);
  const records: FirehoseResult[] = [];
  const rejectedByDay = new Map<string, string[]>();
  const counts = { events: 0, rejections: 0, dropped: 0, overflowed: 0 };
  // A record that does not fit goes back as it came, so the answer must always have room for that.
  let size = event.records.reduce((sum, r) => sum + sizeOf(r), 0);
  const incoming = event.records.map((record) => ({
    data: Buffer.from(record.data, "base64"),
    arrival: record.approximateArrivalTimestamp,
  }));
  for (const [i, { events, rejections, dropped }] of checkAll(check, incoming, sharing(millis)).entries()) {
    const record = event.records[i]!;
    const { arrival } = incoming[i]!;
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
    counts.rejections += rejections.length;
    counts.dropped += dropped;
    for (const rejection of rejections) {
      const day = formatDay(arrival);
      const list = rejectedByDay.get(day) ?? [];
      if (list.length === 0) rejectedByDay.set(day, list);
      list.push(
        JSON.stringify({
          reason: rejection.reason,
          detail: rejection.detail,
          arrival: hiveTimestamp(arrival),
          sequence,
          data: Buffer.from(rejection.data).toString("base64"),
        }),
      );
    }
  }
  const batch = batchName(event.records);
  const rejected = [...rejectedByDay].map(([day, list]) => ({
    key: `dt=${day}/${batch}.json.gz`,
    lines: `${list.join("\n")}\n`,
  }));
  return { records, rejected, counts };
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
