/** Names that the templates and the handlers must agree on. Pure, so that both can import them. */

/** Dimensions of every comparison: the measure's name and the series' id. */
export const DIMENSIONS = { measure: "Measure", series: "Series" } as const;

/**
 * A series id as a CloudWatch dimension takes it: printable ASCII, at most 1,024 characters. Other letters are percent-encoded
 * as in an URI, and so is the percent sign, so that `parseMetricDimension` gives the id back.
 */
export function metricDimension(id: string): string {
  const encoded = id.replace(/[^\x20-\x7e]+|%/gu, (text) => (text === "%" ? "%25" : encodeURIComponent(text)));
  return encoded.length <= 1_024 ? encoded : encoded.slice(0, 1_024);
}

/** The series id that `metricDimension` encoded. */
export function parseMetricDimension(value: string): string {
  return value.includes("%") ? decodeURIComponent(value) : value;
}

/** What the events stream holds: the relay's, many in a JSON array, and the sweep's beats, one a record. */
export interface EventLine {
  /** Event time, epoch ms. */
  readonly time: number;
  /** `groupKey` of the event's group; null when no series counts it, and for a beat. */
  readonly key: string | null;
  /** The fields that measures are made of; 0 stands for a value that is only counted. */
  readonly fields: Readonly<Record<string, number>>;
}

/** What the Flink job puts into the windows stream. */
export type WindowRecord =
  | {
      readonly kind: "window";
      /** ISO 8601, UTC. */
      readonly start: string;
      readonly end: string;
      readonly key: string;
      readonly events: number;
      /** A value a measure; null or absent where there is none. */
      readonly measures: Readonly<Record<string, number | null>>;
    }
  | {
      /** A window in which something arrived is closed for every group. */
      readonly kind: "closed";
      readonly start: string;
      readonly end: string;
      readonly events: number;
      /** `groupHash` of each group that had events, without separator, in any order; absent from a job that did not tell. */
      readonly groups?: string | null;
      /** End of the window closed before this one; between the two nothing arrived. Null for the first that a job closed. */
      readonly after?: string | null;
    };

/** Names of the health metrics. */
export const HEALTH = {
  events: "Events",
  rejected: "Rejected",
  dropped: "Dropped",
  overflowed: "Overflowed",
  newestEvent: "NewestEvent",
  clock: "Clock",
  closed: "ClosedWindow",
  compared: "Compared",
  forecastMissing: "ForecastMissingWindows",
  tooOld: "TooOldForMetrics",
  unwritable: "UnwritableValues",
  unreadable: "UnreadableWindows",
  filled: "FilledWindows",
  turnedAway: "GroupsTurnedAway",
  published: "PublishedSeries",
  byDeepAr: "DeepArSeries",
  notForecast: "SeriesWithoutForecast",
} as const;
