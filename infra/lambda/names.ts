/** Names that the templates and the handlers must agree on. Pure, so that both can import them. */
import { createHash } from "node:crypto";

/** Dimensions of every comparison: the measure's name and the series' id. */
export const DIMENSIONS = { measure: "Measure", series: "Series" } as const;

/** A dimension's value has so many characters at most (CloudWatch API reference, Dimension). */
const DIMENSION_LENGTH = 1_024;
const DIGEST_LENGTH = 16;

/**
 * A series id as a CloudWatch dimension takes it: printable ASCII, at most 1,024 characters. Other letters are percent-encoded
 * as in an URI, and so is the percent sign, so that `parseMetricDimension` gives the id back. An id that is too long, or no text
 * that can be encoded (half of a surrogate pair), ends with a digest of it, so that no two become one.
 */
export function metricDimension(id: string): string {
  const whole = encoded(id);
  if (whole.length <= DIMENSION_LENGTH && !UNENCODABLE.test(id)) return whole;
  const digest = createHash("sha256").update(Buffer.from(id, "utf16le")).digest("hex").slice(0, DIGEST_LENGTH);
  let cut = "";
  // By characters: a part of one could not be decoded.
  for (const character of id) {
    const next = cut + encoded(character);
    if (next.length > DIMENSION_LENGTH - DIGEST_LENGTH - 1) break;
    cut = next;
  }
  return `${cut}~${digest}`;
}

/** The series id that `metricDimension` encoded; of one that it cut, what it left of it. */
export function parseMetricDimension(value: string): string {
  return value.includes("%") ? decodeURIComponent(value) : value;
}

/** The text with U+FFFD for each half of a surrogate pair, which has no UTF-8; every service would write something else for it. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

const UNENCODABLE = /\p{Surrogate}/u;

function encoded(text: string): string {
  return wellFormed(text).replace(/[^\x20-\x7e]+|%/gu, (letters) =>
    letters === "%" ? "%25" : encodeURIComponent(letters),
  );
}

/** What the events stream holds: the relay's, many in a JSON array, and the sweep's beats, one a record. */
export interface EventLine {
  /** Event time, epoch ms. */
  readonly time: number;
  /** `groupKey` of the event's group; null when no series counts it, and for a beat. */
  readonly key: string | null;
  /** `lineShape` of the pipeline file that made it; the analysis passes over lines of another. */
  readonly shape: string;
  /** The fields that measures are made of; 0 stands for a value that is only counted. */
  readonly fields: Readonly<Record<string, number>>;
}

/** What the Flink job puts into the windows stream. */
export type WindowRecord = WindowSpan &
  (
    | {
        readonly kind: "window";
        readonly key: string;
        /** A value a measure; null or absent where there is none, and text (`Infinity`, `NaN`) where it is no number. */
        readonly measures: Readonly<Record<string, number | string | null>>;
      }
    | {
        /** A window in which something arrived is closed for every group. */
        readonly kind: "closed";
        /** `groupHash` of each group that had events, without separator, in any order; null when they are too many. */
        readonly groups?: string | null;
        /** End of the window closed before this one; between the two nothing arrived. Null for the first that a job closed. */
        readonly after?: string | null;
      }
  );

interface WindowSpan {
  /** ISO 8601, UTC. */
  readonly start: string;
  readonly end: string;
  readonly events: number;
  /** `windowShape` of the pipeline file that the job was made of. */
  readonly shape?: string | null;
  /** Start of the first window that the job closed: those next to it may be short of events from before the job's first. */
  readonly since?: string | null;
}

/** Names of the health metrics. */
export const HEALTH = {
  events: "Events",
  rejected: "Rejected",
  dropped: "Dropped",
  overflowed: "Overflowed",
  newestEvent: "NewestEvent",
  onTime: "OnTimeArrival",
  clock: "ClockDelay",
  closed: "ClosedWindow",
  compared: "Compared",
  forecastMissing: "ForecastMissingWindows",
  tooOld: "TooOldForMetrics",
  unwritable: "UnwritableValues",
  unreadable: "UnreadableWindows",
  filled: "FilledWindows",
  turnedAway: "GroupsTurnedAway",
  withoutAlarm: "GroupsWithoutAlarm",
  published: "PublishedSeries",
  byDeepAr: "DeepArSeries",
  notForecast: "SeriesWithoutForecast",
} as const;
