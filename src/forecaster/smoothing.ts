import type { Member } from "./member.ts";
import { minimise } from "./simplex.ts";

/** How forecast errors count when the parameters are chosen. */
export type Loss = "absolute" | "squared";

/** Level, seasonal profiles and last error: all that exponential smoothing carries from window to window. */
interface State {
  level: number;
  error: number;
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/**
 * Exponential smoothing with up to two seasons and a first-order autoregressive error (Taylor, "Short-term electricity demand
 * forecasting using double seasonal exponential smoothing", 2003), additive, in error-correction form. Its four parameters (gains
 * of level and both seasons, and the error's persistence) minimise the error over the whole horizon, not just of the next window.
 * A missing window moves nothing but the fading error.
 */
export class SeasonalSmoothing implements Member {
  readonly #values: Float64Array;
  readonly #seen: Uint8Array;
  readonly #periods: readonly [number, number];
  readonly #horizon: number;
  readonly #loss: Loss;
  readonly #state: State;
  #initial: State | undefined;
  #parameters: Float64Array | undefined;
  #learned = 0;

  /** `seasons` has none, one or two lengths; `horizon` is how far the fit looks ahead. */
  constructor(values: Float64Array, seen: Uint8Array, seasons: readonly number[], horizon: number, loss: Loss) {
    this.#values = values;
    this.#seen = seen;
    this.#periods = [seasons[0] ?? 1, seasons[1] ?? 1];
    this.#horizon = Math.max(1, Math.min(horizon, 2 * (seasons[0] ?? 12)));
    this.#loss = loss;
    const [first, second] = this.#periods;
    this.#state = { level: 0, error: 0, first: new Float64Array(first), second: new Float64Array(second) };
  }

  learn(end: number): void {
    if (this.#parameters && end < this.#learned * RELEARN_GROWTH) return;
    this.#initial ??= this.#estimate(end);
    const loss = (at: Float64Array) => this.#error(gains(at), end);
    if (this.#parameters) {
      this.#parameters = minimise(loss, this.#parameters, REFINE_SPREAD, { steps: 40, tolerance: 1e-4 }).at;
    } else {
      const losses = STARTS.map(loss);
      const start = STARTS[losses.indexOf(Math.min(...losses))] ?? STARTS[0]!;
      this.#parameters = minimise(loss, start, SPREAD, { steps: 80, tolerance: 3e-4 }).at;
    }
    this.#learned = end;
  }

  forecast(origins: readonly number[], horizon: number): Float64Array[] {
    const paths: Float64Array[] = [];
    const gain = gains(this.#parameters ?? STARTS[0]!);
    let from = this.#restart();
    for (const origin of origins) {
      this.#advance(gain, from, origin);
      from = origin;
      const path = new Float64Array(horizon);
      const { level, first, second } = this.#state;
      let { error } = this.#state;
      for (let k = 0; k < horizon; k++) {
        error *= gain.persistence;
        path[k] = level + first[(origin + k) % first.length]! + second[(origin + k) % second.length]! + error;
      }
      paths.push(path);
    }
    return paths;
  }

  /** Puts the state back to the beginning. */
  #restart(): number {
    const initial = this.#initial;
    if (initial) {
      this.#state.level = initial.level;
      this.#state.error = 0;
      this.#state.first.set(initial.first);
      this.#state.second.set(initial.second);
    }
    return 0;
  }

  /** Runs the state over windows [from, to) and returns the sum of their one-step losses. */
  #advance(gain: Gains, from: number, to: number): number {
    const [values, seen, squared] = [this.#values, this.#seen, this.#loss === "squared"];
    const { first, second } = this.#state;
    let { level, error } = this.#state;
    let i = from % first.length;
    let j = from % second.length;
    // A cycle of one window is no season.
    const firstGain = first.length > 1 ? gain.first : 0;
    const secondGain = second.length > 1 ? gain.second : 0;
    let sum = 0;
    for (let t = from; t < to; t++) {
      const carried = gain.persistence * error;
      if (seen[t] === 1) {
        error = values[t]! - (level + first[i]! + second[j]! + carried);
        level += gain.level * error;
        first[i]! += firstGain * error;
        second[j]! += secondGain * error;
        sum += squared ? error * error : Math.abs(error);
      } else {
        error = carried;
      }
      if (++i === first.length) i = 0;
      if (++j === second.length) j = 0;
    }
    this.#state.level = level;
    this.#state.error = error;
    return sum;
  }

  /** The mean loss over the horizon from origins spread over [0, end), plus a little of the mean one-step loss. */
  #error(gain: Gains, end: number): number {
    const [values, seen, squared] = [this.#values, this.#seen, this.#loss === "squared"];
    const { first, second } = this.#state;
    const warm = Math.min(Math.max(first.length, second.length), end >> 2);
    const stride = Math.max(1, Math.floor(this.#horizon / HORIZON_SAMPLES));
    // Half a season and one more, so that the origins visit every phase.
    const step = Math.max(Math.floor(first.length / 2) + 1, Math.floor((end - warm) / MOST_ORIGINS) | 1);
    let ahead = 0;
    let count = 0;
    let from = this.#restart();
    this.#advance(gain, from, warm);
    from = warm;
    let oneStep = 0;
    for (let origin = warm + step; origin < end; origin += step) {
      oneStep += this.#advance(gain, from, origin);
      from = origin;
      const reach = Math.min(this.#horizon, end - origin);
      let { error } = this.#state;
      const level = this.#state.level;
      const fading = gain.persistence ** stride;
      error *= gain.persistence;
      // The phases are counted on: a division for each would cost more than all the rest.
      let i = origin % first.length;
      let j = origin % second.length;
      for (let t = origin; t < origin + reach; t += stride, error *= fading) {
        if (seen[t] === 1) {
          const miss = values[t]! - (level + first[i]! + second[j]! + error);
          ahead += squared ? miss * miss : Math.abs(miss);
          count++;
        }
        for (i += stride; i >= first.length; ) i -= first.length;
        for (j += stride; j >= second.length; ) j -= second.length;
      }
    }
    return (count > 0 ? ahead / count : 0) + ONE_STEP_SHARE * (oneStep / Math.max(1, end - warm));
  }

  /** The state before the first window: averages by phase over the first cycles. */
  #estimate(end: number): State {
    const [values, seen] = [this.#values, this.#seen];
    const [first, second] = this.#periods;
    const span = Math.min(end, 3 * Math.max(first, second));
    const level = phaseMeans(1, span, (t) => (seen[t] === 1 ? values[t]! : Number.NaN), 0)[0]!;
    const rest = (t: number) => (seen[t] === 1 ? values[t]! - level : Number.NaN);
    const firstMeans = first > 1 ? phaseMeans(first, span, rest, 0) : new Float64Array(1);
    // Half a pseudo-observation of zero shrinks the second profile, whose phases are seen only a few times.
    const secondMeans =
      second > 1 ? phaseMeans(second, span, (t) => rest(t) - firstMeans[t % first]!, 0.5) : new Float64Array(1);
    const opening = phaseMeans(
      1,
      Math.min(end, Math.max(first, 4)),
      (t) => rest(t) - firstMeans[t % first]! - secondMeans[t % second]!,
      1,
    )[0]!;
    return { level: level + opening, error: 0, first: firstMeans, second: secondMeans };
  }
}

interface Gains {
  readonly level: number;
  readonly first: number;
  readonly second: number;
  readonly persistence: number;
}

/** The smoothing gains that unbounded parameters stand for. */
function gains(at: Float64Array): Gains {
  const [level, first, second, persistence] = Array.from(at, (v) => 1 / (1 + Math.exp(-v)));
  return { level: level!, first: first!, second: second!, persistence: 0.99 * persistence! };
}

/** Where the search begins: slow and fast level, little and much persistence. */
const STARTS = [
  [-3, -2.2, -2.2, 2],
  [-1.5, -1.5, -3, 0],
  [-5, -2.2, -2.2, 2],
  [-5, -3, -3, 0.5],
].map((v) => Float64Array.from(v));
const SPREAD = Float64Array.of(1, 1, 1, -1);
const REFINE_SPREAD = Float64Array.of(0.3, 0.3, 0.3, -0.3);

/** The search is repeated only once the history has grown by this factor: four parameters change slowly. */
const RELEARN_GROWTH = 1.9;
const HORIZON_SAMPLES = 16;
const MOST_ORIGINS = 64;
const ONE_STEP_SHARE = 0.15;

/** The mean of `value` at each phase of a cycle, over windows [0, span); `prior` zeros are counted in. */
function phaseMeans(period: number, span: number, value: (t: number) => number, prior: number): Float64Array {
  const sums = new Float64Array(period);
  const counts = new Float64Array(period).fill(prior);
  for (let t = 0; t < span; t++) {
    const v = value(t);
    if (Number.isNaN(v)) continue;
    sums[t % period]! += v;
    counts[t % period]! += 1;
  }
  return sums.map((sum, i) => (counts[i]! > 0 ? sum / counts[i]! : 0));
}
