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
