/**
 * Training's second half: DeepAR beside the ensemble on the windows that both were kept from, series by series, by the weighted
 * quantile loss of the band's levels. The better one goes live; the choice and both numbers are in the report.
 */
import { bandLevels, type ForecastVersion, type SeriesForecast, versionName } from "../../src/core/forecast.ts";
import type { PreparedSeries } from "../../src/core/prepare.ts";
import type { Measure, PipelineSpec } from "../../src/core/spec.ts";
import { backtest, type ForecastOptions, forecast } from "../../src/forecaster/index.ts";
import { AccuracyTally } from "../../src/forecaster/metrics.ts";
import { predictionLength } from "../workflow/deepar.ts";
import { stepsToReach } from "../workflow/times.ts";

/** What DeepAR said of one series: a list a level. */
export interface DeepArForecast {
  /** Of the test window, made without it. */
  readonly held: readonly (readonly number[])[];
  /** From the origin on. */
  readonly live: readonly (readonly number[])[];
}

/** Why a series has the forecast it has; losses are null where there was nothing to measure. */
export interface Choice {
  readonly series: string;
  readonly chosen: string;
  readonly reason: string;
  readonly loss: { readonly deepar: number | null; readonly ensemble: number | null; readonly baseline: number | null };
}

export interface Judgement {
  readonly version: ForecastVersion;
  readonly choices: readonly Choice[];
  /** Series that nothing could be forecast for, with the reason. */
  readonly failures: readonly string[];
}

/** The forecasts of one transform's output, a JSON line a prediction, two a series; undefined where they are no numbers. */
export function parsePredictions(
  spec: PipelineSpec,
  ids: readonly string[],
  lines: readonly string[],
): Map<string, DeepArForecast> {
  if (lines.length !== 2 * ids.length) {
    throw new RangeError(`DeepAR predicted ${lines.length} series where ${2 * ids.length} were asked for.`);
  }
  const predictions = lines.map((l) =>
    quantilesOf(spec, JSON.parse(l) as { quantiles?: Record<string, unknown> } | null),
  );
  const found = new Map<string, DeepArForecast>();
  ids.forEach((id, i) => {
    const held = predictions[2 * i];
    const live = predictions[2 * i + 1];
    if (held && live) found.set(id, { held, live });
  });
  return found;
}

/**
 * Judges series and makes a version of them. One that nothing could be forecast for is in it all the same, with no window: whoever
 * compares must know that its forecast is missing, and not take it for a series that came after the training.
 */
export function judge(
  spec: PipelineSpec,
  origin: number,
  series: readonly PreparedSeries[],
  predictions: ReadonlyMap<string, DeepArForecast>,
): Judgement {
  const forecasts: Record<string, SeriesForecast> = {};
  const choices: Choice[] = [];
  const failures: string[] = [];
  const levels = bandLevels(spec.forecast.band);
  for (const one of series) {
    try {
      const { chosen, choice } = judgeSeries(spec, one, predictions.get(one.id));
      forecasts[one.id] = chosen;
      choices.push(choice);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(`${one.id}: ${reason}`);
      forecasts[one.id] = { method: "none", reason, quantiles: levels.map(() => []) };
    }
  }
  return {
    version: {
      format: 1,
      pipeline: spec.name,
      version: versionName(origin),
      origin,
      every: spec.series.every,
      levels,
      series: forecasts,
    },
    choices,
    failures,
  };
}

/** The judgements of a training's parts, in their order, as one. */
export function merge(parts: readonly [Judgement, ...Judgement[]]): Judgement {
  return {
    version: { ...parts[0].version, series: Object.assign({}, ...parts.map((p) => p.version.series)) },
    choices: parts.flatMap((p) => p.choices),
    failures: parts.flatMap((p) => p.failures),
  };
}

function judgeSeries(spec: PipelineSpec, series: PreparedSeries, deepar: DeepArForecast | undefined) {
  const options = forecastOptions(spec, series.measure);
  const past = { start: series.start, every: series.every, values: series.values };
  const live = forecast(past, options);
  const own: SeriesForecast = {
    method: live.method,
    ...(live.reason !== undefined && { reason: live.reason }),
    quantiles: live.quantiles.map((q) => Array.from(q)),
  };
  const losses = lossesOf(spec, series, deepar, options);
  const name = live.method;
  const chosen = (forecast: SeriesForecast, reason: string) => ({
    chosen: forecast,
    choice: { series: series.id, chosen: forecast.method, reason, loss: losses },
  });
  if (!deepar) return chosen(own, `DeepAR gave no forecast; ${name} stands in`);
  if (losses.deepar === null || losses.ensemble === null)
    return chosen(own, `The test window holds nothing to measure by; ${name} stays`);
  if (losses.deepar >= losses.ensemble) return chosen(own, `${name} lost less on the test window`);
  if (losses.baseline !== null && losses.deepar >= losses.baseline)
    return chosen(own, `DeepAR lost no less on the test window than repeating the last season; ${name} stays`);
  return chosen(extend(deepar.live, own), "DeepAR lost less on the test window");
}

/** DeepAR's forecast, and where it does not reach, the ensemble's. */
function extend(live: readonly (readonly number[])[], own: SeriesForecast): SeriesForecast {
  const steps = live[0]!.length;
  const reach = own.quantiles[0]!.length;
  return {
    method: "deepar",
    ...(reach > steps && { reason: `from window ${steps + 1} on: ${own.method}` }),
    quantiles: live.map((q, l) => [...q, ...own.quantiles[l]!.slice(steps)]),
  };
}

/** Weighted quantile losses on the last windows of the history, each forecast from before them. */
function lossesOf(
  spec: PipelineSpec,
  series: PreparedSeries,
  deepar: DeepArForecast | undefined,
  options: ForecastOptions,
): Choice["loss"] {
  const steps = predictionLength(spec);
  const at = series.values.length - steps;
  const actual = series.values.subarray(Math.max(0, at));
  if (at < 2 || actual.every((v) => Number.isNaN(v))) return { deepar: null, ensemble: null, baseline: null };
  const report = backtest(
    { start: series.start, every: series.every, values: series.values },
    { ...options, horizon: steps, from: series.start + at * series.every, step: steps },
  );
  return {
    deepar: deepar ? loss(options.levels!, actual, deepar.held) : null,
    ensemble: finite(report.accuracy.wql),
    baseline: finite(report.baseline.wql),
  };
}

function loss(
  levels: readonly number[],
  actual: Float64Array,
  quantiles: readonly (readonly number[])[],
): number | null {
  const tally = new AccuracyTally(levels);
  const middle = levels.indexOf(0.5);
  actual.forEach((value, t) => {
    tally.add(value, quantiles[middle]![t]!, (l) => quantiles[l]![t]!, 1);
  });
  return finite(tally.accuracy.wql);
}

/** The ensemble's options for a measure: the local target's, but for how far it reaches. */
export function forecastOptions(spec: PipelineSpec, measure: Measure): ForecastOptions {
  const { every } = spec.series;
  const { band, seasons } = spec.forecast;
  const kind = measure.statistic === "count" ? "count" : ["sum", "stddev"].includes(measure.statistic) ? "sum" : "real";
  return {
    horizon: stepsToReach(spec),
    levels: bandLevels(band),
    seasons: seasons === "auto" ? "auto" : seasons.map((s) => Math.round(s / every)),
    kind,
    ...(measure.resolution > 0 && { resolution: measure.resolution }),
  };
}

/** A list a level of as many numbers as are predicted, in order; undefined when any of them is none. */
function quantilesOf(
  spec: PipelineSpec,
  prediction: { readonly quantiles?: Record<string, unknown> } | null,
): number[][] | undefined {
  const steps = predictionLength(spec);
  const lists = bandLevels(spec.forecast.band).map((level) => prediction?.quantiles?.[String(level)]);
  if (!lists.every((l): l is number[] => Array.isArray(l) && l.length === steps && l.every((v) => Number.isFinite(v))))
    return undefined;
  // Sample quantiles of few paths can cross in the last digit; a band whose edges cross is none.
  return lists.map((list, l) =>
    list.map((value, t) => (l === 0 ? value : Math.max(value, ...lists.slice(0, l).map((q) => q[t]!)))),
  );
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
