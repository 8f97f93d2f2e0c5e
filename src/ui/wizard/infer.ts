/** What a sample's rows say of their fields: types, the event time, what to split by and what to measure. Pure. */
import type { FieldType, Statistic } from "../../core/spec.ts";
import { DAY, HOUR, MINUTE, parseInstant } from "../../core/time.ts";

/** A row of a sample: JSON values, or text as CSV has it. */
export type Row = Readonly<Record<string, unknown>>;

export interface FieldGuess {
  readonly name: string;
  readonly type: FieldType;
  /** Different values in the sample. */
  readonly distinct: number;
  /** Rows in which it has no value, of all. */
  readonly missing: number;
  readonly examples: readonly string[];
}

export interface Guess {
  readonly rows: number;
  readonly fields: readonly FieldGuess[];
  /** Columns that cannot be fields: their names are no identifiers, or their values are lists and objects. */
  readonly left: readonly string[];
  /** Fields that can be the event time, likeliest first. */
  readonly times: readonly string[];
  /** Fields to split by, likeliest first. */
  readonly splits: readonly string[];
  /** Numeric fields to measure. */
  readonly numbers: readonly string[];
}

export interface MeasureGuess {
  readonly name: string;
  readonly statistic: Statistic;
  readonly field: string;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
const EXAMPLES = 3;
/** More values than this make too many series to begin with. */
const SPLIT_LIMIT = 60;

/** Reads the fields out of a sample's rows. */
export function inferFields(rows: readonly Row[]): Guess {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const fields: FieldGuess[] = [];
  const left: string[] = [];
  for (const name of names) {
    const values = rows.map((row) => row[name]).filter((v) => v !== undefined && v !== null && v !== "");
    const type = IDENTIFIER.test(name) ? typeOf(values, name) : undefined;
    if (type === undefined) {
      left.push(name);
      continue;
    }
    const texts = values.map(String);
    fields.push({
      name,
      type,
      distinct: new Set(texts).size,
      missing: rows.length - values.length,
      examples: [...new Set(texts)].slice(0, EXAMPLES),
    });
  }
  return {
    rows: rows.length,
    fields,
    left,
    times: fields
      .filter((f) => f.type === "timestamp")
      .sort((a, b) => timeScore(b, rows.length) - timeScore(a, rows.length))
      .map((f) => f.name),
    splits: fields
      .filter((f) => splittable(f, rows.length))
      .sort((a, b) => a.distinct - b.distinct)
      .map((f) => f.name),
    numbers: fields.filter((f) => (f.type === "double" || f.type === "integer") && !isId(f.name)).map((f) => f.name),
  };
}

/** Measures that make sense without knowing more: how many events, and each number's mean, or its sum when it adds up. */
export function proposeMeasures(guess: Guess): MeasureGuess[] {
  const events: MeasureGuess = { name: "events", statistic: "count", field: "*" };
  const numbers = guess.numbers.map((field): MeasureGuess => {
    const adds = /amount|total|revenue|price|cost|qty|quantity|bytes|count|sales|units/i.test(field);
    return { name: adds ? `total_${field}` : `mean_${field}`, statistic: adds ? "sum" : "avg", field };
  });
  return [events, ...numbers];
}

/** A window that holds some tens of events on average: the shortest of the usual ones that does. */
export function proposeWindow(times: readonly number[]): number {
  const sane = times.filter((t) => Number.isFinite(t));
  const usual = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, DAY];
  if (sane.length < 2) return HOUR;
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const t of sane) [first, last] = [Math.min(first, t), Math.max(last, t)];
  const spacing = (last - first) / (sane.length - 1);
  return usual.find((window) => window >= 30 * spacing) ?? DAY;
}

function typeOf(values: readonly unknown[], name: string): FieldType | undefined {
  if (values.length === 0) return "string";
  if (values.some((v) => typeof v === "object")) return undefined;
  if (values.every((v) => typeof v === "boolean" || v === "true" || v === "false")) return "boolean";
  const numeric = values.every((v) => typeof v === "number" || typeof v === "bigint" || isNumber(v));
  if (numeric) {
    const numbers = values.map(Number);
    if (isEpoch(numbers) && /time|date|stamp|_at$|^at$|^ts$|epoch|when/i.test(name)) return "timestamp";
    return numbers.every(Number.isSafeInteger) ? "integer" : "double";
  }
  if (values.every((v) => typeof v === "string" && !Number.isNaN(parseInstant(v)))) return "timestamp";
  return "string";
}

function isNumber(value: unknown): boolean {
  return typeof value === "string" && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value.trim());
}

/** Between the years 2000 and 2100, in seconds or milliseconds. */
function isEpoch(numbers: readonly number[]): boolean {
  const within = (low: number, high: number) => numbers.every((n) => n >= low && n < high);
  return within(946_684_800, 4_102_444_800) || within(946_684_800_000, 4_102_444_800_000);
}

function timeScore(field: FieldGuess, rows: number): number {
  const named = /^(event_?time|timestamp|time|ts|scheduled|occurred_at|created_at|date)$/i.test(field.name) ? 1 : 0;
  return named - (2 * field.missing) / Math.max(1, rows);
}

function splittable(field: FieldGuess, rows: number): boolean {
  if (field.type !== "string" && field.type !== "boolean") return false;
  return field.distinct >= 2 && field.distinct <= Math.min(SPLIT_LIMIT, rows / 3) && !isId(field.name);
}

function isId(name: string): boolean {
  return /^id$|_id$|uuid|Id$/.test(name);
}
