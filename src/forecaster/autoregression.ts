import type { Lags } from "./lags.ts";
import { solveSymmetric } from "./linear.ts";
import type { Member } from "./member.ts";

/**
 * The normal equations of a linear autoregression on `lags`, which grow as windows are added: learning windows [0, a) and
 * then [a, b) costs as much as learning [0, b) once. That makes a refit for calibration, or at a later origin, cheap.
 */
export class LagEquations {
  readonly lags: Lags;
  readonly #filled: Float64Array;
  readonly #seen: Uint8Array;
  readonly #gram: Float64Array;
  readonly #rhs: Float64Array;
  /** By distance: for the longer lag of each pair, ascending, the pair's place in the matrix. */
  readonly #pairs = new Map<number, { readonly lag: number; readonly place: number }[]>();
  #end: number;

  /** `filled` is standardized and without gaps; `seen` is 1 where it was observed: only such windows are learned. */
  constructor(filled: Float64Array, seen: Uint8Array, lags: Lags) {
    this.lags = lags;
    this.#filled = filled;
    this.#seen = seen;
    const size = lags.length + 1;
    this.#gram = new Float64Array(size * size);
    this.#rhs = new Float64Array(size);
    lags.forEach((lag, i) => {
      for (let j = 0; j <= i; j++) {
        const distance = lag - lags[j]!;
        const pair = { lag, place: i * size + j };
        const known = this.#pairs.get(distance);
        if (known) known.push(pair);
        else this.#pairs.set(distance, [pair]);
      }
    });
    this.#end = lags.at(-1) ?? 0;
  }

  /** Adds the windows up to `end`; those that were added before are skipped. */
  learn(end: number): void {
    const from = this.#end;
    if (end <= from) return;
    this.#end = end;
    const { lags } = this;
    const size = lags.length + 1;
    const [gram, rhs, filled] = [this.#gram, this.#rhs, this.#filled];
    const seen = this.#seen;
    this.#addProducts(from, end);
    const targets = filled.slice(from, end);
    for (let t = from; t < end; t++) if (seen[t] !== 1) targets[t - from] = 0;
    lags.forEach((lag, k) => {
      rhs[k]! += dot(targets, filled.subarray(from - lag, end - lag));
    });
    for (const target of targets) rhs[size - 1]! += target;
    // The products above are of all windows; those that were not observed are taken out again.
    const row = new Float64Array(size).fill(1);
    for (let t = from; t < end; t++) {
      if (seen[t] === 1) continue;
      for (let k = 0; k < size - 1; k++) row[k] = filled[t - lags[k]!]!;
      for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) gram[i * size + j]! -= row[i]! * row[j]!;
    }
  }

  /**
   * Adds the products of all lagged windows in [from, end). Those of two pairs of lags that lie equally far apart are sums over
   * the same products but for the ends, so each distance is summed once and then shifted.
   */
  #addProducts(from: number, end: number): void {
    const { lags } = this;
    const size = lags.length + 1;
    const [gram, filled] = [this.#gram, this.#filled];
    lags.forEach((lag, i) => {
      let sum = 0;
      for (let t = from - lag; t < end - lag; t++) sum += filled[t]!;
      gram[(size - 1) * size + i]! += sum;
    });
    gram[size * size - 1]! += end - from;
    for (const [distance, places] of this.#pairs) {
      let at = places[0]!.lag;
      let sum = dot(filled.subarray(from - at, end - at), filled.subarray(from - at + distance, end - at + distance));
      for (const { lag, place } of places) {
        for (; at < lag; at++) {
          const [enters, leaves] = [from - at - 1, end - at - 1];
          sum += filled[enters]! * filled[enters + distance]! - filled[leaves]! * filled[leaves + distance]!;
        }
        gram[place]! += sum;
      }
    }
  }

  /** The ridge solution on a subset of the lags: a weight for each, then the constant. */
  solve(subset: Lags, ridge: number): Float64Array {
    const full = this.lags.length + 1;
    const picks = [...subset.map((lag) => this.lags.indexOf(lag)), full - 1];
    const size = picks.length;
    const gram = new Float64Array(size * size);
    for (let i = 0; i < size; i++)
      for (let j = 0; j <= i; j++) gram[i * size + j] = this.#gram[picks[i]! * full + picks[j]!]!;
    const diagonal = new Float64Array(size).fill(ridge);
    diagonal[size - 1] = 1e-6; // The constant is not shrunk.
    return solveSymmetric(
      gram,
      Float64Array.from(picks, (k) => this.#rhs[k]!),
      diagonal,
    );
  }
}

/** A linear autoregression with seasonal lags, fitted by ridge regression, forecasting by feeding itself. */
export class Autoregression implements Member {
  readonly #equations: LagEquations;
  readonly #filled: Float64Array;
  readonly #lags: Int32Array;
  readonly #ridge: number;
  #weights: Float64Array;

  constructor(filled: Float64Array, equations: LagEquations, lags: Lags, ridge: number) {
    this.#equations = equations;
    this.#filled = filled;
    this.#lags = Int32Array.from(lags);
    this.#ridge = ridge;
    this.#weights = new Float64Array(lags.length + 1);
  }

  learn(end: number): void {
    this.#equations.learn(end);
    this.#weights = this.#equations.solve([...this.#lags], this.#ridge);
  }

  forecast(origins: readonly number[], horizon: number): Float64Array[] {
    const [lags, weights, filled] = [this.#lags, this.#weights, this.#filled];
    const reach = lags.at(-1) ?? 0;
    const paths = origins.length;
    // All origins advance together, a row for each window and a column for each origin.
    const values = new Float64Array((reach + horizon) * paths);
    origins.forEach((origin, o) => {
      for (let t = 0; t < reach; t++) values[t * paths + o] = filled[origin - reach + t]!;
    });
    for (let t = reach; t < reach + horizon; t++) {
      const row = values.subarray(t * paths, (t + 1) * paths).fill(weights[lags.length]!);
      for (let k = 0; k < lags.length; k++) addScaled(row, weights[k]!, values, (t - lags[k]!) * paths);
      // Standardized values this far out are an explosion; the ensemble clamps them closer.
      for (let o = 0; o < paths; o++) row[o] = Math.min(Math.max(row[o]!, -EXPLODED), EXPLODED);
    }
    return origins.map((_, o) => {
      const path = new Float64Array(horizon);
      for (let h = 0; h < horizon; h++) path[h] = values[(reach + h) * paths + o]!;
      return path;
    });
  }
}

const EXPLODED = 1e3;

/** The scalar product. Four sums side by side, so that an addition need not wait for the one before. */
function dot(a: Float64Array, b: Float64Array): number {
  const whole = a.length - (a.length % 4);
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let t = 0; t < whole; t += 4) {
    s0 += a[t]! * b[t]!;
    s1 += a[t + 1]! * b[t + 1]!;
    s2 += a[t + 2]! * b[t + 2]!;
    s3 += a[t + 3]! * b[t + 3]!;
  }
  for (let t = whole; t < a.length; t++) s0 += a[t]! * b[t]!;
  return s0 + s1 + s2 + s3;
}

/** row += weight * values[offset, offset + row.length) */
function addScaled(row: Float64Array, weight: number, values: Float64Array, offset: number): void {
  for (let o = 0; o < row.length; o++) row[o]! += weight * values[offset + o]!;
}
