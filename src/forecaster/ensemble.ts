import { Autoregression, LagEquations } from "./autoregression.ts";
import { fillForward, observed } from "./history.ts";
import { type Lags, seasonalLags } from "./lags.ts";
import type { Member } from "./member.ts";
import { logScale, moments, rawScale, type Scale } from "./scale.ts";
import { SeasonalSmoothing } from "./smoothing.ts";

/** What the ensemble is told about a series. */
export interface EnsembleSetting {
  /** Season lengths in windows, none to two, ascending. */
  readonly seasons: readonly number[];
  /** How far ahead its members are fitted for. */
  readonly horizon: number;
  readonly resolution: number;
  /** The least possible value: zero or minus infinity. */
  readonly floor: number;
}

/**
 * Five members that err differently, and the median of their forecasts at each window: ridge autoregressions on two sets of
 * seasonal lags, and seasonal smoothing fitted for absolute and for squared errors. They learn on a logarithmic scale where the
 * history allows one, two of the autoregressions on the values themselves.
 */
export class Ensemble implements Member {
  readonly #members: readonly { readonly member: Member; readonly back: (z: number) => number }[];
  readonly #least: number;
  readonly #most: number;

  /** `trainedTo` is the least it will learn from. Scales and limits are taken from `values[0, end)`; later values are read only as the past of later origins. */
  constructor(values: Float64Array, trainedTo: number, end: number, setting: EnsembleSetting) {
    const { seasons, horizon } = setting;
    const seen = Uint8Array.from(values, (v) => (Number.isNaN(v) ? 0 : 1));
    const known = observed(values, 0, end);
    const log = setting.floor === 0 ? logScale(known, setting.resolution) : undefined;
    const main = standardize(values, end, seasons, log ?? rawScale);
    const raw = log ? standardize(values, end, seasons, rawScale) : main;

    const { wide, narrow } = seasonalLags(seasons, Math.floor(trainedTo / 2));
    const union: Lags = [...new Set([...wide, ...narrow])].sort((a, b) => a - b);
    const rawEquations = new LagEquations(raw.filled, seen, union);
    const mainEquations = log ? new LagEquations(main.filled, seen, wide) : rawEquations;
    this.#members = [
      ...(log ? [{ member: new Autoregression(main.filled, mainEquations, wide, RIDGE), back: main.back }] : []),
      { member: new Autoregression(raw.filled, rawEquations, wide, RIDGE), back: raw.back },
      { member: new Autoregression(raw.filled, rawEquations, narrow, RIDGE), back: raw.back },
      { member: new SeasonalSmoothing(main.filled, seen, seasons, horizon, "absolute"), back: main.back },
      { member: new SeasonalSmoothing(main.filled, seen, seasons, horizon, "squared"), back: main.back },
    ];

    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (const v of known) {
      least = Math.min(least, v);
      most = Math.max(most, v);
    }
    const range = most - least;
    this.#least = Math.max(setting.floor, least - range);
    this.#most = most + range;
  }

  learn(end: number): void {
    for (const { member } of this.#members) member.learn(end);
  }

  /** The median path for each origin, in the series' own unit; a member that runs away is held within twice the range seen. */
  forecast(origins: readonly number[], horizon: number): Float64Array[] {
    const paths = this.#members.map(({ member }) => member.forecast(origins, horizon));
    const votes = new Float64Array(this.#members.length);
    return origins.map((_, o) => {
      const path = new Float64Array(horizon);
      for (let h = 0; h < horizon; h++) {
        for (let m = 0; m < votes.length; m++) votes[m] = this.#hold(this.#members[m]!.back(paths[m]![o]![h]!));
        path[h] = medianInPlace(votes);
      }
      return path;
    });
  }

  #hold(value: number): number {
    return Math.min(Math.max(value, this.#least), this.#most);
  }
}

const RIDGE = 3;

/** A history on a scale: without gaps, mean 0 and deviation 1 over its first `end` windows, and the way back. */
function standardize(values: Float64Array, end: number, seasons: readonly number[], scale: Scale) {
  const scaled = values.map((v) => (Number.isNaN(v) ? v : scale.to(v)));
  const { mean, deviation } = moments(scaled.subarray(0, end));
  const filled = fillForward(
    scaled.map((z) => (z - mean) / deviation),
    seasons,
  );
  return { filled, back: (z: number) => scale.from(z * deviation + mean) };
}

/** The median; sorts `values`. */
function medianInPlace(values: Float64Array): number {
  values.sort();
  const half = values.length >> 1;
  return values.length % 2 === 1 ? values[half]! : (values[half - 1]! + values[half]!) / 2;
}
