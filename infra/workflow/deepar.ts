/**
 * What SageMaker's DeepAR is told: its families of series, hyperparameters and settings, from the pipeline file.
 * Sources: SageMaker Developer Guide, "DeepAR Forecasting Algorithm", "DeepAR Hyperparameters", "DeepAR Inference Formats".
 */
import { bandLevels } from "../../src/core/forecast.ts";
import type { Measure, PipelineSpec } from "../../src/core/spec.ts";
import { DAY, HOUR, MINUTE } from "../../src/core/time.ts";

/** DeepAR learns one distribution for all its series, so counts and real values are trained apart. */
export const FAMILIES = ["counts", "reals"] as const;
export type Family = (typeof FAMILIES)[number];

export function familyOf(measure: Pick<Measure, "statistic">): Family {
  return measure.statistic === "count" ? "counts" : "reals";
}

/** Families that the pipeline has measures of. */
export function familiesOf(spec: PipelineSpec): Family[] {
  return FAMILIES.filter((f) => spec.series.measures.some((m) => familyOf(m) === f));
}

/** DeepAR predicts 400 windows at most; beyond them the forecast is the ensemble's. */
export const MOST_STEPS = 400;

export function predictionLength(spec: PipelineSpec): number {
  return Math.min(MOST_STEPS, spec.forecast.horizon / spec.series.every);
}

/** A window's length in DeepAR's words: `5min`, `1H`, `1D`. */
export function timeFrequency(every: number): string {
  if (every % DAY === 0) return `${every / DAY}D`;
  if (every % HOUR === 0) return `${every / HOUR}H`;
  return `${every / MINUTE}min`;
}

/** Hyperparameters, all of them text, as SageMaker takes them. */
export function hyperparameters(spec: PipelineSpec, family: Family): Record<string, string> {
  const steps = predictionLength(spec);
  return {
    time_freq: timeFrequency(spec.series.every),
    prediction_length: String(steps),
    // The lags that DeepAR adds by itself reach back a year; the context need only cover the near past.
    context_length: String(steps),
    likelihood: family === "counts" ? "negative-binomial" : "student-T",
    epochs: "100",
    early_stopping_patience: "10",
    num_cells: "40",
    num_layers: "2",
    mini_batch_size: "128",
    learning_rate: "0.001",
    dropout_rate: "0.1",
    cardinality: spec.series.measures.filter((m) => familyOf(m) === family).length > 1 ? "auto" : "",
  };
}

/** What follows from the pipeline file: with another value the predictions would not be those that are asked for. */
export const FIXED_HYPERPARAMETERS: readonly string[] = [
  "time_freq",
  "prediction_length",
  "cardinality",
  "num_dynamic_feat",
  "test_quantiles",
];

/** The environment of the batch transform: how many paths are drawn, and which quantiles of them are told. */
export function inferenceConfig(spec: PipelineSpec): string {
  return JSON.stringify({
    num_samples: 400,
    output_types: ["quantiles"],
    quantiles: bandLevels(spec.forecast.band).map(String),
  });
}
