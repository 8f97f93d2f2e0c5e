/** Numbers, instants and ages as people read them in lists. Pure, so that views and tests share it. */
import { DAY, HOUR, MINUTE, SECOND } from "../core/time.ts";

export type TimeZone = "utc" | "local";

/**
 * Made when first used: the first formatter of a process reads tables for tens of milliseconds, which the extension's
 * activation need not wait for. Making any takes a hundred times as long as using it.
 */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const count = once(() => new Intl.NumberFormat("en-US"));

/** 1903322 as `1,903,322`. */
export function formatCount(number: number): string {
  return count().format(number);
}

/** `1 record`, `2 records`; `many` for words that do not just take an s. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const compact = once(() => new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 }));

/** Records a second: `0/s`, `3.4/s`, `1.2K/s`. */
export function formatRate(perSecond: number): string {
  return `${compact().format(perSecond)}/s`;
}

/** Bytes in the units that disks and bills use: `13.2 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit]}`;
}

/** How long ago: `now`, `12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`. */
export function formatAge(at: number, now: number): string {
  const age = now - at;
  if (age < 2 * SECOND) return "now";
  if (age < MINUTE) return `${Math.floor(age / SECOND)} s ago`;
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min ago`;
  if (age < DAY) return `${Math.floor(age / HOUR)} h ago`;
  return `${Math.floor(age / DAY)} d ago`;
}

/** A span of time by its largest unit or two: `45 s`, `12 min`, `6 h`, `2 d 4 h`. */
export function formatSpan(millis: number): string {
  if (millis < SECOND) return `${Math.round(millis)} ms`;
  if (millis < MINUTE) return `${Number((millis / SECOND).toPrecision(2))} s`;
  if (millis < HOUR) return `${Math.floor(millis / MINUTE)} min`;
  if (millis < DAY) return join(Math.floor(millis / HOUR), "h", Math.floor((millis % HOUR) / MINUTE), "min");
  return join(Math.floor(millis / DAY), "d", Math.floor((millis % DAY) / HOUR), "h");
}

function join(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** An instant of event time, with the year only where it is not this one: `5 Mar 2001, 06:00`. */
export function formatTime(at: number, zone: TimeZone, now = Date.now()): string {
  const year = new Date(at).getUTCFullYear() !== new Date(now).getUTCFullYear();
  return timeFormat(zone, year).format(at);
}

/** A tree of 500 series uses them a thousand times. */
const TIME_FORMATS = new Map<string, Intl.DateTimeFormat>();

function timeFormat(zone: TimeZone, year: boolean): Intl.DateTimeFormat {
  const key = `${zone} ${year}`;
  const known = TIME_FORMATS.get(key);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    ...(year && { year: "numeric" }),
    hour: "2-digit",
    minute: "2-digit",
    ...(zone === "utc" && { timeZone: "UTC" }),
  });
  TIME_FORMATS.set(key, made);
  return made;
}

const significant = once(() => new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 }));

/** A value of a measure: at most four significant digits, `no value` where there is none. */
export function formatValue(value: number | null): string {
  if (value === null) return "no value";
  return significant().format(value);
}

/** A deviation as a multiple of the band's half width, signed: `-4.2`. */
export function formatDeviation(deviation: number | null): string {
  if (deviation === null) return "no deviation";
  return `${deviation > 0 ? "+" : deviation < 0 ? "−" : ""}${Math.abs(deviation).toFixed(1)}`;
}

/** A share of 1 as `97.5%`. */
export function formatShare(share: number | null): string {
  return share === null ? "unknown" : `${Number((share * 100).toFixed(1))}%`;
}

/** Text that Markdown shows as it stands. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$]/g, "\\$&");
}
