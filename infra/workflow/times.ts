/**
 * When a training happens on AWS, and how far its forecast has to reach. The engine's windows wait for the forecast of a training
 * that has begun; those of Flink do not, so that a forecast must also cover the time until the next one is in use.
 */
import type { PipelineSpec } from "../../src/core/spec.ts";
import { HOUR, MINUTE } from "../../src/core/time.ts";

/** How long after a window's end its events are in the lake: Firehose's buffers, the transform, a retry. */
export const LAKE_DELAY = 10 * MINUTE;

/** How long a training takes at most, in all but the greatest pipelines; most take half an hour. */
const TRAINING_TIME = 2 * HOUR;

/** How often a forecast is trained, ms: as the pipeline file says, and no oftener than a training takes. */
export function scheduleEvery({ forecast }: PipelineSpec): number {
  return Math.max(forecast.retrain, TRAINING_TIME);
}

/** Windows that a training forecasts: the horizon, or until the next training is in use where that is later. */
export function stepsToReach(spec: PipelineSpec): number {
  const { forecast, source, series } = spec;
  const next = scheduleEvery(spec) + source.lateness + LAKE_DELAY + TRAINING_TIME;
  // The origin is a window's start, up to a window before the newest events in the lake.
  return Math.max(forecast.horizon / series.every, 1 + Math.ceil(next / series.every));
}
