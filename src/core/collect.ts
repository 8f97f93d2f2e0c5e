/**
 * Step 1, collect: the bytes of a record become events, or a rejection that says why and keeps the bytes.
 * A record holds one JSON object, or several, one a line (producers batch to save cost). Each stands or falls by itself.
 */
import type { FieldType, PipelineSpec } from "./spec.ts";
import { parseInstant } from "./time.ts";

/** A value of a field: timestamps are epoch ms; null where the event has none. */
export type Value = string | number | boolean | null;

/** An event that fits the pipeline file: `values` in the order of its fields. */
export interface Event {
  readonly time: number;
  readonly values: readonly Value[];
}

/** Why an event was turned away; the word stands in the `rejected` table. */
export type RejectReason =
  | "malformed-json"
  | "not-an-object"
  | "not-utf8"
  | "too-large"
  | "time-missing"
  | "time-unparsable"
  | "time-ahead"
  | "time-behind"
  | "wrong-type"
  | "enrich-failed"
  | "enrich-timeout"
  | "enrich-invalid";

/** Something that could not be taken: its reason, what exactly, and its bytes as they came. */
export interface Rejection {
  readonly reason: RejectReason;
  readonly detail: string;
  readonly data: Uint8Array;
  /** How many events are turned away by it, where they are several that enrich made of one. */
  readonly count?: number;
}

/** How many events, or records that are none, these rejections turn away. */
export function countRejected(rejections: readonly Pick<Rejection, "count">[]): number {
  return rejections.reduce((sum, { count = 1 }) => sum + count, 0);
}

/** A JSON object of a record, with the bytes it was read from. */
export interface ParsedObject {
  readonly object: Readonly<Record<string, unknown>>;
  readonly data: Uint8Array;
}

/** Firehose refuses records above 1,000 KiB, so both targets do. */
export const MAX_EVENT_BYTES = 1_000 * 1_024;

const NEWLINE = 10;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The JSON objects in a record's bytes; what is not one goes to `reject`.
 * @param text the bytes as text, where the caller has them decoded already.
 */
export function parseRecord(data: Uint8Array, reject: (rejection: Rejection) => void, text?: string): ParsedObject[] {
  if (data.length > MAX_EVENT_BYTES) {
    const [bytes, most] = [data.length, MAX_EVENT_BYTES].map((n) => n.toLocaleString("en"));
    reject({ reason: "too-large", detail: `the record has ${bytes} bytes; delivery takes ${most} at most`, data });
    return [];
  }
  const whole = parseJson(data, text);
  if (whole.ok) return toObject(whole.value, data, reject);
  const batch = lines(data);
  if (!batch.some(looksLikeEvent)) {
    reject({ reason: whole.reason, detail: isBlank(data) ? "the record is empty" : whole.detail, data });
    return [];
  }
  return batch.flatMap((line) => {
    const parsed = parseJson(line);
    if (parsed.ok) return toObject(parsed.value, line, reject);
    reject({ reason: parsed.reason, detail: parsed.detail, data: line });
    return [];
  });
}

/** A function that checks objects against the pipeline's fields: an Event, or the reason why it is none. */
export function eventReader(
  source: PipelineSpec["source"],
): (object: Readonly<Record<string, unknown>>) => Event | Omit<Rejection, "data"> {
  const names = Object.keys(source.fields);
  const types = Object.values(source.fields);
  const timeAt = names.indexOf(source.time);
  return (object) => {
    const values = new Array<Value>(names.length);
    const given = object[source.time];
    if (given === undefined || given === null) {
      return { reason: "time-missing", detail: `the event has no "${source.time}"` };
    }
    const time = instantIn(given);
    if (Number.isNaN(time)) return { reason: "time-unparsable", detail: `"${source.time}" is ${show(given)}` };
    for (let i = 0; i < names.length; i++) {
      if (i === timeAt) {
        values[i] = time;
        continue;
      }
      const raw = object[names[i]!];
      if (raw === undefined || raw === null) {
        values[i] = null;
        continue;
      }
      const value = readValue(raw, types[i]!);
      if (value === undefined) {
        return { reason: "wrong-type", detail: `"${names[i]}" should be ${TYPE_WORDS[types[i]!]}, not ${show(raw)}` };
      }
      values[i] = value;
    }
    return { time, values };
  };
}

const TYPE_WORDS: Readonly<Record<FieldType, string>> = {
  string: "text",
  double: "a number",
  integer: "a whole number",
  boolean: "true or false",
  timestamp: "an ISO 8601 time or epoch seconds or milliseconds, from year 1 to 9999",
};

function readValue(raw: unknown, type: FieldType): Value | undefined {
  switch (type) {
    case "string":
      return typeof raw === "string" ? raw : undefined;
    case "double":
      return typeof raw === "number" && Number.isFinite(raw) ? raw : undefined;
    case "integer":
      return Number.isSafeInteger(raw) ? (raw as number) : undefined;
    case "boolean":
      return typeof raw === "boolean" ? raw : undefined;
    case "timestamp": {
      const time = instantIn(raw);
      return Number.isNaN(time) ? undefined : time;
    }
  }
}

const FIRST_INSTANT = Date.parse("0001-01-01T00:00:00Z");
const LAST_INSTANT = Date.parse("9999-12-31T23:59:59.999Z");

/** An instant of the years that the lake's formats write, or NaN: microseconds taken for milliseconds are of the year 33658. */
function instantIn(raw: unknown): number {
  const time = parseInstant(raw);
  return time >= FIRST_INSTANT && time <= LAST_INSTANT ? time : Number.NaN;
}

type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: RejectReason; readonly detail: string };

function parseJson(data: Uint8Array, decoded?: string): Parsed {
  let text: string;
  try {
    text = decoded ?? utf8.decode(data);
  } catch {
    return { ok: false, reason: "not-utf8", detail: "the bytes are not UTF-8 text" };
  }
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, reason: "malformed-json", detail: (error as Error).message };
  }
}

function toObject(value: unknown, data: Uint8Array, reject: (rejection: Rejection) => void): ParsedObject[] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return [{ object: value as Record<string, unknown>, data }];
  }
  reject({ reason: "not-an-object", detail: `an event is a JSON object, not ${show(value)}`, data });
  return [];
}

/** The lines of a record that hold anything, without their line feeds. */
function lines(data: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let start = 0; start < data.length; ) {
    let end = data.indexOf(NEWLINE, start);
    if (end < 0) end = data.length;
    const line = data.subarray(start, end);
    if (!isBlank(line)) found.push(line);
    start = end + 1;
  }
  return found;
}

/**
 * Whether a line is an object by itself. A record without any such line is one broken object over several lines, not a
 * batch: it is rejected whole, not torn into lines.
 */
function looksLikeEvent(line: Uint8Array): boolean {
  const first = line.find((byte) => !isSpace(byte));
  const last = line.findLast((byte) => !isSpace(byte));
  return first === OPEN_BRACE && last === CLOSE_BRACE;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every(isSpace);
}

function isSpace(byte: number): boolean {
  return byte === 32 || byte === 13 || byte === 9 || byte === NEWLINE;
}

/** A value for a message, at most 80 characters; never throws, whatever an enrich function made. */
function show(value: unknown): string {
  let text: string;
  try {
    text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  } catch {
    // Circular, or a BigInt.
    text = typeof value === "bigint" ? `${value}n` : Object.prototype.toString.call(value);
  }
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
