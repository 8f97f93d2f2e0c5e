/** What the compare handler makes of window records: comparisons, and the data that CloudWatch takes of them. Pure. */
import { compare, metricsOf } from "../../src/core/compare.ts";
import type { ForecastTable } from "../../src/core/forecast.ts";
import { parseGroupKey, seriesId } from "../../src/core/series.ts";
import { byFields, type PipelineSpec } from "../../src/core/spec.ts";
import { DAY, HOUR } from "../../src/core/time.ts";
import { metricDimension, type WindowRecord } from "./names.ts";
import type { Datum } from "./ports.ts";

/** CloudWatch takes data from two weeks back to two hours ahead (API reference, PutMetricData). */
const OLDEST = 14 * DAY - 5 * 60_000;
const NEWEST = 2 * HOUR - 5 * 60_000;

/**
 * CloudWatch takes values up to 2^360, and from 2^-360 on; one beyond them makes it refuse all data of the request (User Guide,
 * "Publish custom metrics"; API reference, MetricDatum).
 */
const GREATEST = 2 ** 360;
const LEAST = 2 ** -360;

export interface Compared {
  readonly data: Datum[];
  readonly compared: number;
  readonly forecastMissing: number;
  /** Windows that CloudWatch would not take any more. */
  readonly tooOld: number;
  /** Values that CloudWatch has no room for; they are left out, and the window's other data written. */
  readonly unwritable: number;
}

/** A record of the windows stream, from its text; throws a RangeError when it is none. */
export function parseWindowRecord(text: string): WindowRecord {
  const record = JSON.parse(text) as Partial<WindowRecord> | null;
  if (!isKnown(record) || Number.isNaN(Date.parse(record.start ?? "")) || Number.isNaN(Date.parse(record.end ?? ""))) {
    throw new RangeError(`This is no record of a window: ${text.slice(0, 200)}`);
  }
  return record as WindowRecord;
}

function isKnown(record: Partial<WindowRecord> | null): record is Partial<WindowRecord> {
  if (record?.kind === "closed") return true;
  return (
    record?.kind === "window" && typeof record.key === "string" && typeof (record.measures ?? undefined) === "object"
  );
}

/** A function that compares one group's window, at a wall-clock time `now` (epoch ms). */
export function comparer(
  spec: PipelineSpec,
): (window: Extract<WindowRecord, { kind: "window" }>, forecast: ForecastTable, now: number) => Compared {
  const fields = byFields(spec);
  return (window, forecast, now) => {
    const start = Date.parse(window.start);
    const end = Date.parse(window.end);
    if (end < now - OLDEST || end > now + NEWEST)
      return { data: [], compared: 0, forecastMissing: 0, tooOld: 1, unwritable: 0 };
    const data: Datum[] = [];
    let unwritable = 0;
    let forecastMissing = 0;
    for (const measure of spec.series.measures) {
      const id = seriesId(measure.name, fields, parseGroupKey(window.key, fields.length));
      const value = window.measures[measure.name];
      const actual = typeof value === "number" ? value : Number.NaN;
      const comparison = compare({ series: id, start, end }, actual, forecast.at(id, start), measure.resolution);
      if (comparison.version === undefined) forecastMissing++;
      const series = metricDimension(id);
      const rules = spec.alarms.filter((rule) => rule.measure === measure.name);
      for (const { name, value } of metricsOf(comparison, rules))
        if (Math.abs(value) > GREATEST) unwritable++;
        else data.push({ name, measure: measure.name, series, time: end, value: Math.abs(value) < LEAST ? 0 : value });
    }
    return { data, compared: spec.series.measures.length, forecastMissing, tooOld: 0, unwritable };
  };
}
