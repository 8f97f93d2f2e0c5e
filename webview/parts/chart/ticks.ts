/** What axes name: round values, and instants that are round in the zone's calendar. */
import { formatClock, formatDate, type Zone } from "../format.ts";
import type { Range } from "./visible.ts";

/** The multiples of 1, 2 or 5 times a power of ten within [low, high], at most `most` + 1. */
export function roundValues(low: number, high: number, most: number): number[] {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toFixed(digits)));
}

export interface Instant {
  /** Epoch ms. */
  readonly at: number;
  readonly label: string;
  /** Where a larger unit begins: midnight among hours, the first among days, January among months. */
  readonly major: boolean;
}

/** The round instants within `range`, at most `most` + 1, in the zone's calendar: steps of hours begin at midnight. */
export function roundInstants(range: Range, zone: Zone, most: number): Instant[] {
  const rough = (range.until - range.from) / most;
  const step = STEPS.find(({ unit, count }) => count * LENGTHS[unit] >= rough) ?? {
    unit: "year" as const,
    count: Math.ceil(rough / LENGTHS.year),
  };
  const out: Instant[] = [];
  for (const at of MARCHES[step.unit](range.from, step.count, calendars[zone])) {
    if (at > range.until) break;
    // Where clocks are put forward, a time of day that there is not is the same instant as the next.
    if (at >= range.from && at !== out.at(-1)?.at) out.push({ at, ...name(at, step.unit, zone) });
  }
  return out;
}

type Unit = "second" | "day" | "month" | "year";

const DAY = 86_400_000;
const LENGTHS: Readonly<Record<Unit, number>> = { second: 1_000, day: DAY, month: 30.4 * DAY, year: 365.2 * DAY };

/** From the finest to the coarsest; those of hours divide the day. */
const STEPS: readonly { readonly unit: Unit; readonly count: number }[] = [
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800].map((count) => ({ unit: "second" as const, count })),
  ...[1, 2, 3, 6, 12].map((hours) => ({ unit: "second" as const, count: hours * 3_600 })),
  ...[1, 2, 7, 14].map((count) => ({ unit: "day" as const, count })),
  ...[1, 2, 3, 6].map((count) => ({ unit: "month" as const, count })),
];

interface Calendar {
  /** Year, month from 0, day of the month, hour. */
  parts(at: number): readonly [number, number, number, number];
  /** Fields beyond their ends run over into the next larger one. */
  instant(year: number, month: number, day?: number, hour?: number, second?: number): number;
}

const calendars: Readonly<Record<Zone, Calendar>> = {
  utc: {
    parts(at) {
      const d = new Date(at);
      return [d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate(), d.getUTCHours()];
    },
    instant: (year, month, day = 1, hour = 0, second = 0) => Date.UTC(year, month, day, hour, 0, second),
  },
  local: {
    parts(at) {
      const d = new Date(at);
      return [d.getFullYear(), d.getMonth(), d.getDate(), d.getHours()];
    },
    instant: (year, month, day = 1, hour = 0, second = 0) => new Date(year, month, day, hour, 0, second).getTime(),
  },
};

/** The multiples of `count` units from about `from` on, without end. */
type March = (from: number, count: number, calendar: Calendar) => Generator<number>;

const MARCHES: Readonly<Record<Unit, March>> = {
  *second(from, count, { parts, instant }) {
    const [year, month, day, hour] = parts(from);
    const begin = hour - (hour % Math.max(1, count / 3_600));
    for (let k = 0; ; k++) yield instant(year, month, day, begin, k * count);
  },
  *day(from, count, { parts, instant }) {
    const [year, month, day] = parts(from);
    // Days since a Monday, so that steps of weeks begin on Mondays.
    const since = Date.UTC(year, month, day) / DAY + 3;
    for (let k = -(since % count); ; k += count) yield instant(year, month, day + k);
  },
  *month(from, count, { parts, instant }) {
    const [year, month] = parts(from);
    for (let k = month - (month % count); ; k += count) yield instant(year, k);
  },
  *year(from, count, { parts, instant }) {
    const [year] = parts(from);
    for (let k = year - (year % count); ; k += count) yield instant(k, 0);
  },
};

function name(at: number, unit: Unit, zone: Zone): Omit<Instant, "at"> {
  const { parts, instant } = calendars[zone];
  const [year, month, day] = parts(at);
  const newYear = month === 0 && day === 1;
  if (unit === "second") {
    const midnight = at === instant(year, month, day);
    return { label: midnight ? formatDate(at, zone) : formatClock(at, zone), major: midnight };
  }
  if (unit === "day") return { label: formatDate(at, zone, { year: newYear }), major: day === 1 };
  return newYear
    ? { label: String(year), major: unit === "month" }
    : { label: formatDate(at, zone, { day: false }), major: false };
}
