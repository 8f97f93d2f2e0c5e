/** Durations and instants as the pipeline file and the events write them. All instants are epoch milliseconds, UTC. */

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const WEEK = 7 * DAY;

const UNITS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY, w: WEEK };

/** Milliseconds of a duration such as `90s`, `10m`, `1h`, `2d`, `8w`; undefined if it is not one. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(s|m|h|d|w)$/.exec(text.trim());
  if (!match) return undefined;
  const exact = Number(match[1]) * (UNITS[match[2]!] ?? Number.NaN);
  // 4.1 h is 14,759,999.999999998 ms in binary: what is meant is whole.
  const millis = Math.round(exact);
  return Number.isSafeInteger(millis) && Math.abs(exact - millis) < 1e-6 ? millis : undefined;
}

/** The shortest way to write a duration of whole seconds: 3,600,000 is `1h`. */
export function formatDuration(millis: number): string {
  for (const [unit, size] of Object.entries(UNITS).reverse()) {
    if (millis >= size && millis % size === 0) return `${millis / size}${unit}`;
  }
  return `${millis / SECOND}s`;
}

// Zone optional: a time without one is UTC, on both targets.
const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/** Numbers below this are epoch seconds, from it on epoch milliseconds: as seconds it is the year 5138. */
const SECONDS_LIMIT = 1e11;

/**
 * The instant that an event's time field gives: ISO 8601 text (UTC unless it names an offset), or epoch seconds or
 * milliseconds as a number or as digits. NaN when it is none of these, or no real date (30 February).
 */
export function parseInstant(value: unknown): number {
  if (typeof value === "number") return fromEpoch(value);
  if (typeof value !== "string") return Number.NaN;
  const plain = plainInstant(value);
  if (plain !== undefined) return plain;
  const match = ISO.exec(value);
  if (!match) return /^\d{9,13}(\.\d+)?$/.test(value) ? fromEpoch(Number(value)) : Number.NaN;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  const hour = Number(match[4] ?? 0);
  const minute = Number(match[5] ?? 0);
  const second = Number(match[6] ?? 0);
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) return Number.NaN;
  const millis = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  const date = new Date(0);
  // Not Date.UTC, which takes the year 99 for 1999.
  date.setUTCFullYear(year, month - 1, day);
  // 30 February becomes 2 March: such a date is refused, not moved.
  if (date.getUTCDate() !== day) return Number.NaN;
  return date.setUTCHours(hour, minute, second, millis) - offsetMillis(match[8]);
}

const DASH = 45;
const COLON = 58;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * The form that nearly every producer writes, `2001-03-05T06:00:00Z`, without the cost of a pattern; undefined for any other,
 * and for what is no date: the pattern then decides.
 */
function plainInstant(text: string): number | undefined {
  if (text.length !== 20 || text.charCodeAt(19) !== 90 || text.charCodeAt(10) !== 84) return undefined;
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return undefined;
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return undefined;
  const year = 100 * digits(text, 0) + digits(text, 2);
  const month = digits(text, 5);
  const day = digits(text, 8);
  const hour = digits(text, 11);
  const minute = digits(text, 14);
  const second = digits(text, 17);
  // Written so that NaN, which is what no digits give, fails each of them. February's 29th is left to the pattern.
  if (!(year >= 100 && month >= 1 && month <= 12 && day >= 1 && day <= DAYS_IN_MONTH[month - 1]!)) return undefined;
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** The number that two decimal digits make; NaN if they are none. */
function digits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : Number.NaN;
}

/** An instant as ISO 8601 in UTC, without milliseconds when they are zero. */
export function formatInstant(millis: number): string {
  return new Date(millis).toISOString().replace(".000Z", "Z");
}

/** The day of an instant, `2001-03-05`: the lake's partition. */
export function formatDay(millis: number): string {
  return new Date(millis).toISOString().slice(0, 10);
}

function fromEpoch(value: number): number {
  if (!Number.isFinite(value) || value < 0) return Number.NaN;
  // A double holds epoch seconds to a tenth of a microsecond: .123 must not become .122 for being a hair below it.
  const millis = Math.floor(value < SECONDS_LIMIT ? value * SECOND + 5e-4 : value);
  return millis <= 8.64e15 ? millis : Number.NaN;
}

/** Milliseconds east of UTC; NaN for an offset of a day or more. */
function offsetMillis(zone: string | undefined): number {
  if (zone === undefined || zone === "Z" || zone === "z") return 0;
  const sign = zone.startsWith("-") ? -1 : 1;
  const digits = zone.slice(1).replace(":", "");
  const [hours, minutes] = [Number(digits.slice(0, 2)), Number(digits.slice(2, 4) || 0)];
  return hours < 24 && minutes < 60 ? sign * (hours * HOUR + minutes * MINUTE) : Number.NaN;
}
