/** Records as a document: a JSON array with comments that say where each came from. Pure. */
import type { PeekedRecord, RejectedRecord } from "../backend.ts";
import { plural } from "./format.ts";

/** The newest records of a stream, newest first. */
export function peekText(stream: string, records: readonly PeekedRecord[]): string {
  return list(
    `The ${plural(records.length, "newest record")} of ${stream}, newest first.`,
    records.map((r) => ({ ...r, notes: [`${iso(r.arrival)}  ${r.shard}  ${r.sequence}  key ${r.partitionKey}`] })),
  );
}

/** The records that could not be read as events, newest first, with their reasons. */
export function rejectedText(pipeline: string, records: readonly RejectedRecord[]): string {
  return list(
    `The ${plural(records.length, "newest rejected record")} of ${pipeline}, newest first. The table "rejected" has all.`,
    records.map((r) => ({ ...r, notes: [`${iso(r.arrival)}  ${r.sequence}`, `${r.reason}: ${r.detail}`] })),
  );
}

interface Entry {
  readonly notes: readonly string[];
  readonly data: string;
  readonly encoding: "utf8" | "base64";
}

function list(head: string, entries: readonly Entry[]): string {
  const parts = entries.map(({ notes, data, encoding }) => {
    const comments = encoding === "utf8" ? notes : [...notes, "not UTF-8: the bytes as base64"];
    return `${comments.map((c) => `  // ${c.replace(/\s/g, " ")}\n`).join("")}  ${jsonOf(data, encoding)}`;
  });
  return parts.length === 0 ? `// ${head}\n[]\n` : `// ${head}\n[\n${parts.join(",\n\n")}\n]\n`;
}

/** The data as it is where that is JSON, else as a JSON string; several lines of JSON become several entries. */
function jsonOf(data: string, encoding: "utf8" | "base64"): string {
  if (encoding === "base64") return JSON.stringify(data);
  const lines = data
    .trim()
    .split("\n")
    .map((line) => line.trim());
  return lines.every(isJson) ? lines.join(",\n  ") : JSON.stringify(data);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
