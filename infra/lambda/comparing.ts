/** What the compare handler makes of window records: comparisons, and the data that CloudWatch takes of them. Pure. */
import { compare, metricsOf } from "../../src/core/compare.ts";
import type { ForecastTable } from "../../src/core/forecast.ts";
import { parseGroupKey, seriesId } from "../../src/core/series.ts";
import { byFields, type PipelineSpec } from "../../src/core/spec.ts";
import { DAY, HOUR, MINUTE } from "../../src/core/time.ts";
import { HASH_DIGITS, type KnownGroup } from "./known.ts";
import { metricDimension, type WindowRecord } from "./names.ts";
import type { Datum } from "./ports.ts";

/**
 * CloudWatch takes data from two weeks back to two hours ahead (API reference, PutMetricData), and a request with any beyond not at
 * all. It may be written a call's whole time after it was made, and by another's clock.
 */
const OLDEST = 14 * DAY - 20 * MINUTE;
const NEWEST = 2 * HOUR - 5 * MINUTE;

/**
 * CloudWatch takes values up to 2^360, and from 2^-360 on; one beyond them makes it refuse all data of the request (User Guide,
 * "Publish custom metrics"; API reference, MetricDatum).
 */
const GREATEST = 2 ** 360;
const LEAST = 2 ** -360;

export type ClosedRecord = Extract<WindowRecord, { kind: "closed" }>;

/** A window of one group, as far as it is compared. */
export interface GroupWindow {
  /** Epoch ms. */
  readonly start: number;
  readonly end: number;
  readonly key: string;
  /** A value a measure; null or absent where there is none, and text where it is no number. */
  readonly measures: Readonly<Record<string, number | string | null>>;
}

export interface Compared {
  readonly data: readonly Datum[];
  /** Series that had no forecast for the window. */
  readonly forecastMissing: number;
  /** Values that are no numbers, or that CloudWatch has no room for; they are left out, and the window's other data written. */
  readonly unwritable: number;
}

/** Whether CloudWatch takes data of a window that ends at `end`, at a wall-clock time `now`; both epoch ms. */
export function takesTime(end: number, now: number): boolean {
  return end >= now - OLDEST && end <= now + NEWEST;
}

/** A record of the windows stream, from its text; throws a RangeError when it is none. */
export function parseWindowRecord(text: string): WindowRecord {
  const record = JSON.parse(text) as Partial<WindowRecord> | null;
  if (!isKnown(record) || !isTime(record.start) || !isTime(record.end) || !isTime(record.since ?? record.start)) {
    throw new RangeError(`This is no record of a window: ${text.slice(0, 200)}`);
  }
  return record as WindowRecord;
}

function isKnown(record: Partial<WindowRecord> | null): record is Partial<WindowRecord> {
  if (record?.kind === "closed") return GROUPS.test(record.groups ?? "") && isTime(record.after ?? record.end);
  if (record?.kind !== "window" || typeof record.key !== "string") return false;
  const measures: unknown = record.measures ?? undefined;
  return typeof measures === "object" && !Array.isArray(measures);
}

function isTime(value: unknown): boolean {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}

const GROUPS = new RegExp(`^([0-9a-f]{${HASH_DIGITS}})*$`);

/**
 * Start of the first window that a job has all events of, epoch ms; minus infinity when the record does not tell. A job that begins
 * anew, or for the first time, finds in its stream no event from before some moment. The first that it finds is on time, so it lies
 * behind that moment by `lateness` at most: only what begins later than that after it is whole.
 */
export function firstWhole({ source, series }: PipelineSpec, { since }: Pick<WindowRecord, "since">): number {
  if (typeof since !== "string") return Number.NEGATIVE_INFINITY;
  return Date.parse(since) + series.every * (1 + Math.ceil(source.lateness / series.every));
}

/** A function that compares a window of one group. */
export function comparer(spec: PipelineSpec): (window: GroupWindow, forecast: ForecastTable) => Compared {
  const fields = byFields(spec);
  const measures = spec.series.measures.map((measure) => ({
    ...measure,
    rules: spec.alarms.filter((rule) => rule.measure === measure.name),
  }));
  return ({ start, end, key, measures: values }, forecast) => {
    const data: Datum[] = [];
    let unwritable = 0;
    let forecastMissing = 0;
    const group = parseGroupKey(key, fields.length);
    for (const { name: measure, resolution, rules } of measures) {
      const id = seriesId(measure, fields, group);
      const value = values[measure];
      const actual = typeof value === "number" ? value : Number.NaN;
      // Not silence: there were values, and what was made of them is no number. No rule is told anything.
      const isNoNumber = typeof value === "string";
      if (isNoNumber) unwritable++;
      const comparison = compare({ series: id, start, end }, actual, forecast.at(id, start), resolution);
      if (comparison.version === undefined) forecastMissing++;
      const series = metricDimension(id);
      for (const { name, value } of metricsOf(comparison, isNoNumber ? [] : rules))
        if (Math.abs(value) > GREATEST) unwritable++;
        else data.push({ name, measure, series, time: end, value: Math.abs(value) < LEAST ? 0 : value });
    }
    return { data, forecastMissing, unwritable };
  };
}

/**
 * Series windows that one record fills at most: two weeks of hours of a thousand series, forty windows of as many as there may be.
 * They take a whole processor 50 s, and the function has a part of one.
 */
export const MOST_FILLED = 400_000;

/**
 * The windows that a closed record says were empty: of its own window, those of the known groups that are not in its list, and of each
 * window between the one that was closed before it and its own, those of all. Newest first, as far back as CloudWatch takes data, and
 * none that the job may lack events of. The same record and forecasts give the same windows, so that one that comes again changes nothing.
 * @returns how many more there would have been, but for `MOST_FILLED` and CloudWatch's two weeks.
 */
export function* emptyWindows(
  spec: PipelineSpec,
  record: ClosedRecord,
  known: readonly KnownGroup[],
  now: number,
): Generator<GroupWindow, number> {
  const { every, measures: all } = spec.series;
  const measures = Object.fromEntries(
    all.map((m) => [m.name, m.statistic === "count" || m.statistic === "sum" ? 0 : null]),
  );
  const there = new Set<string>(record.groups?.match(new RegExp(`.{${HASH_DIGITS}}`, "g")));
  const own = Date.parse(record.start);
  const after = typeof record.after === "string" ? Date.parse(record.after) : own;
  const first = Math.max(Math.min(after, own), firstWhole(spec, record));
  if (first > own) return 0;
  const oldest = Math.max(first, now - OLDEST - every);
  const beyond = Math.max(0, Math.ceil((Math.min(oldest, own) - first) / every)) * known.length;
  let left = Math.floor(MOST_FILLED / all.length);
  let start = own;
  for (; start >= oldest && left > 0; start -= every) {
    const end = start + every;
    // Of a window whose groups are not told, nobody knows which had nothing.
    if (!takesTime(end, now) || (start === own && typeof record.groups !== "string")) continue;
    for (const { key, hash, since } of known) {
      if (since > start || (start === own && there.has(hash))) continue;
      yield { start, end, key, measures };
      left--;
    }
  }
  return beyond + (start < oldest ? 0 : (Math.floor((start - oldest) / every) + 1) * known.length);
}
