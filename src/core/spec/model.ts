/** The complete pipeline: every default filled in, durations in milliseconds. What all of Forewatch works from. */

import { DAY, HOUR } from "../time.ts";

export const FIELD_TYPES = ["string", "double", "integer", "boolean", "timestamp"] as const;
/** The type of a field: text, 64-bit float, whole number, truth value, instant. */
export type FieldType = (typeof FIELD_TYPES)[number];

export const STATISTICS = ["count", "sum", "avg", "min", "max", "stddev"] as const;
/** What a measure computes over a window; stddev is the sample standard deviation. */
export type Statistic = (typeof STATISTICS)[number];

/** A statistic of a field; `count` of `*` counts events, of a field its non-null values. */
export interface Measure {
  readonly name: string;
  readonly statistic: Statistic;
  /** The field, or `*` for `count`. */
  readonly field: string;
  /** The smallest half width of a band, in the measure's unit: 1 for a count unless given. */
  readonly resolution: number;
}

/** A field to split by; without `values` its values are discovered in the data. */
export interface ByField {
  readonly field: string;
  readonly values?: readonly string[];
}

export const DIRECTIONS = ["below", "above", "both"] as const;
export type Direction = (typeof DIRECTIONS)[number];
export const MISSING = ["breaching", "notBreaching", "ignore", "missing"] as const;
/** How a window without a value counts; the names are those of CloudWatch's TreatMissingData, the meaning is `watchedValue`'s. */
export type MissingData = (typeof MISSING)[number];

/** The greatest deviation that is told apart, and what silence counts as where it breaches; CloudWatch takes values up to 2^360. */
export const GREATEST_DEVIATION = 1e6;

/** Severity as Incident Manager's impact: 1 critical to 5 no impact. */
export type Severity = 1 | 2 | 3 | 4 | 5;

export interface AlarmRule {
  readonly name: string;
  readonly measure: string;
  readonly direction: Direction;
  /** Deviation beyond which a window is breaching: 1 is the edge of the band. */
  readonly threshold: number;
  /** A series contributes when `datapoints` of the last `periods` windows breach. */
  readonly datapoints: number;
  readonly periods: number;
  readonly missing: MissingData;
  readonly severity: Severity;
  /** Path of a Markdown file, relative to the pipeline file. */
  readonly runbook?: string;
  /** The incident is resolved by itself after the alarm has been OK this long, ms; 0: only a person resolves it. */
  readonly resolveAfter: number;
}

export interface AwsTarget {
  readonly account: string;
  readonly region: string;
  readonly profile?: string;
  readonly incidents: "auto" | "incident-manager" | "ops-center";
}

/** A complete pipeline: every default filled in, durations in ms. */
export interface PipelineSpec {
  readonly name: string;
  readonly source: {
    readonly time: string;
    readonly fields: Readonly<Record<string, FieldType>>;
    readonly lateness: number;
    readonly idle: number;
    /** An event further than this ahead of the stream's clock is rejected. */
    readonly ahead: number;
    /** An event further than this behind the stream's clock is rejected. */
    readonly behind: number;
    readonly shards: number;
  };
  readonly enrich?: string;
  readonly series: {
    readonly every: number;
    readonly by: readonly ByField[];
    readonly measures: readonly Measure[];
  };
  readonly forecast: {
    readonly history: number;
    readonly horizon: number;
    readonly band: number;
    /** Season lengths in ms, ascending; or found in the data. */
    readonly seasons: readonly number[] | "auto";
    readonly retrain: number;
    readonly exclude?: string;
  };
  readonly alarms: readonly AlarmRule[];
  readonly sql?: string;
  readonly retention: { readonly stream: number; readonly lake: number };
  readonly targets: Readonly<Record<string, AwsTarget>>;
}

/** The most windows a horizon may have: a week of five-minute windows. */
export const HORIZON_WINDOWS = 2_016;

/**
 * How far ahead a pipeline of windows of `every` ms forecasts, and how often it trains, unless its file says: 48 hours (of
 * one-minute windows 33, for more than `HORIZON_WINDOWS` there may not be), and once a day, but at least once a horizon.
 */
export function forecastDefaults(
  every: number,
  horizon?: number,
): { readonly horizon: number; readonly retrain: number } {
  const reach = horizon ?? Math.min(2 * DAY, Math.floor((HORIZON_WINDOWS * every) / HOUR) * HOUR);
  const windows = Math.max(1, Math.floor(Math.min(DAY, reach) / every));
  return { horizon: reach, retrain: windows * every };
}

/** The fields a series is split by, in order. */
export function byFields(spec: PipelineSpec): readonly string[] {
  return spec.series.by.map((b) => b.field);
}

/** The pipeline's own alarm, raised when a window closes that has no forecast. */
export const FORECAST_MISSING = "forecast-missing";
