/** Records as a document: JSON with comments, one record after the other. Pure. */
import type { PeekedRecord, RejectedRecord } from "../backend.ts";
import { plural } from "./format.ts";

/** The newest records of a stream, newest first. */
export function peekText(stream: string, records: readonly PeekedRecord[]): string {
  const head = `// The ${plural(records.length, "newest record")} of ${stream}, newest first.`;
  const parts = records.map(
    (r) => `// ${iso(r.arrival)}  ${r.shard}  ${r.sequence}  key ${r.partitionKey}\n${data(r.data, r.encoding)}`,
  );
  return `${[head, ...parts].join("\n\n")}\n`;
}

/** The records that could not be read as events, newest first, with their reasons. */
export function rejectedText(pipeline: string, records: readonly RejectedRecord[]): string {
  const head = `// The ${plural(records.length, "newest rejected record")} of ${pipeline}, newest first. Query all of them in the table "rejected".`;
  const parts = records.map(
    (r) => `// ${iso(r.arrival)}  ${r.sequence}\n// ${r.reason}: ${r.detail}\n${data(r.data, r.encoding)}`,
  );
  return `${[head, ...parts].join("\n\n")}\n`;
}

function data(text: string, encoding: "utf8" | "base64"): string {
  return encoding === "utf8" ? text.trimEnd() : `// not UTF-8, here as base64\n${JSON.stringify(text)}`;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
