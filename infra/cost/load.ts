import type { PipelineSpec } from "../../src/core/spec.ts";

/** What the pipeline file does not say. */
export interface Load {
  /** Records a second that producers put. */
  readonly recordsPerSecond: number;
  /** Bytes of a record. */
  readonly recordBytes: number;
  /** Events in a record; producers batch to save Firehose's rounding. */
  readonly eventsPerRecord?: number;
  /** Groups, where the file lists no values; default 10. */
  readonly groups?: number;
  /** Bytes that people's queries read a month, besides the trainings'; default 0. */
  readonly queriedBytes?: number;
}

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

/** Shards that a load needs: one takes a thousand records or a megabyte a second, and a quarter is kept free. */
export function shardsFor(load: Load): number {
  const busy = Math.max(load.recordsPerSecond / 1_000, (load.recordsPerSecond * load.recordBytes) / 2 ** 20);
  return Math.max(Math.ceil(busy * 1.25), 1);
}
