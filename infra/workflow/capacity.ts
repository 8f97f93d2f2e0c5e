/**
 * How many series one training can publish. A single function judges and forecasts them all, one after another, in the fifteen
 * minutes that Lambda gives it; more than that is refused beforehand instead of failing every night.
 */
import { Fault } from "../../src/core/fault.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";

/** Half of the function's 900 s: data differ, and processors do. */
const BUDGET_SECONDS = 450;
/**
 * Seconds that the ensemble takes for a series, backtest and forecast: they grow with its history up to some eight weeks of hours,
 * beyond which its members look no further back, and with its horizon. Measured on histories of 364 to 8,064 windows (0.04 to
 * 0.5 s), within a third.
 */
const HISTORY_SECONDS = 0.25;
const HISTORY_WINDOWS = 1_344;
const STEP_SECONDS = 0.0005;
/** Rows of the preparation, a window of a group each, that the function's memory holds; an estimate, at 250 bytes a row. */
const ROWS = 4_000_000;

/** The most series of a pipeline that a training publishes. */
export function mostSeries({ series, forecast }: PipelineSpec): number {
  const windows = forecast.history / series.every;
  const steps = forecast.horizon / series.every;
  const seconds = HISTORY_SECONDS * Math.min(1, windows / HISTORY_WINDOWS) + STEP_SECONDS * steps;
  const inMemory = Math.floor(ROWS / windows) * series.measures.length;
  return Math.min(Math.floor(BUDGET_SECONDS / seconds), inMemory);
}

/** @throws Fault `target.unsupported` when so many series are more than a training publishes. */
export function checkCapacity(spec: PipelineSpec, count: number): void {
  const most = mostSeries(spec);
  if (count <= most) return;
  throw new Fault(
    "target.unsupported",
    `${count} series are more than a training on AWS can publish in its fifteen minutes: with this history and horizon, ${most}.`,
    { next: "Forecast fewer groups or measures, shorten the history or the horizon, or make several pipelines of it." },
  );
}
