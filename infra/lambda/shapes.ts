/**
 * Short marks of what the pipeline file made something for, so that what an earlier pipeline file made is not taken for what the
 * present one means: events on their way to the analysis, windows, forecasts. Pure.
 */
import { digest } from "../../src/core/digest.ts";
import { byFields, type PipelineSpec } from "../../src/core/spec.ts";

/** Hex digits of a mark that many records bear: of two changes in sixteen million, one is taken for none. */
const SHORT = 6;

/** What an event line holds: its key by these fields, and values of those that measures are made of. */
export function lineShape(spec: PipelineSpec): string {
  return digest(JSON.stringify([byFields(spec), measured(spec)])).slice(0, SHORT);
}

/** What a window's numbers are: of which span, by what they are split, and what each measure counts. */
export function windowShape(spec: PipelineSpec): string {
  const { every, measures } = spec.series;
  const named = measures.map((m) => [m.name, m.statistic, m.field]);
  return digest(JSON.stringify([every, byFields(spec), named])).slice(0, SHORT);
}

/** What a training's forecasts are of. */
export interface TrainedShape {
  /** Digest of what the series are split by. */
  readonly by: string;
  /** By measure, a digest of what it counts. */
  readonly measures: Readonly<Record<string, string>>;
}

export function trainedShape(spec: PipelineSpec): TrainedShape {
  const measures = spec.series.measures.map((m) => [m.name, digest(JSON.stringify([m.statistic, m.field]))] as const);
  return { by: digest(JSON.stringify(byFields(spec))), measures: Object.fromEntries(measures) };
}

/** The fields that measures are made of, each once, in an order that does not depend on the file's. */
function measured({ series }: PipelineSpec): string[] {
  return [...new Set(series.measures.map((m) => m.field))].filter((f) => f !== "*").sort();
}
