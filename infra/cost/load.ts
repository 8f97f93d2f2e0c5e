import type { PipelineSpec } from "../../src/core/spec.ts";

/** What the pipeline file does not say. */
export interface Load {
  /** Records a second that producers put. */
  readonly recordsPerSecond: number;
  /** Bytes of a record. */
  readonly recordBytes: number;
  /** Events in a record; producers batch to save Firehose's rounding. */
  readonly eventsPerRecord?: number;
  /** Groups, where the file lists no values; default as many as are given, else `ASSUMED_GROUPS`, which is warned of. */
  readonly groups?: number;
  /** How many of these groups are given to the templates, which make alarms for them; default none. */
  readonly groupsGiven?: number;
  /** Who manages the incidents; default ops-center. */
  readonly incidents?: "incident-manager" | "ops-center";
  /** Region the stack is for; default that of the prices. */
  readonly region?: string;
  /** Bytes that people's queries read a month, besides the trainings'; default 0. */
  readonly queriedBytes?: number;
}

export const ASSUMED_GROUPS = 10;

/** Groups that the pipeline file lists; undefined when some are discovered. */
export function combinationsCount(spec: PipelineSpec): number | undefined {
  let count = 1;
  for (const { values } of spec.series.by) {
    if (!values) return undefined;
    count *= values.length;
  }
  return count;
}

export function recordsPerMonth(load: Load): number {
  return load.recordsPerSecond * 730 * 3_600;
}

/** Letters of a group's value, where the file lists none. */
const VALUE_LETTERS = 12;
/** Letters of the mark of what a line holds. */
const SHAPE_LETTERS = 6;

/**
 * Bytes of an event on its way to the analysis: its time, its group and the fields that measures are made of, as JSON. Of a small
 * event that is more than came in, and of a wide one less.
 */
export function eventBytes(spec: PipelineSpec): number {
  const key = spec.series.by.map(({ values = ["x".repeat(VALUE_LETTERS)] }) => {
    const mean = values.reduce((sum, value) => sum + value.length, 0) / values.length;
    return "x".repeat(Math.round(mean));
  });
  const measured = new Set(spec.series.measures.flatMap((m) => (m.field === "*" ? [] : [m.field])));
  const fields = Object.fromEntries([...measured].map((name) => [name, 123.5]));
  const line = { time: Date.UTC(2026, 0), key: key.join("|"), shape: "x".repeat(SHAPE_LETTERS), fields };
  return new TextEncoder().encode(`${JSON.stringify(line)},`).length;
}

/**
 * Shards that a load needs: one takes a thousand records or a megabyte a second, and a quarter is kept free. The stream of events has
 * as many, because what was one shard stays one, so it counts too.
 */
export function shardsFor(spec: PipelineSpec, load: Load): number {
  const { recordsPerSecond, recordBytes, eventsPerRecord = 1 } = load;
  const bytes = Math.max(recordBytes, eventsPerRecord * eventBytes(spec));
  const busy = Math.max(recordsPerSecond / 1_000, (recordsPerSecond * bytes) / 2 ** 20);
  return Math.max(Math.ceil(busy * 1.25), 1);
}
