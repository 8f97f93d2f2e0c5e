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
  #end: number;

  /** `filled` is standardized and without gaps; `seen` is 1 where it was observed: only such windows are learned. */
  constructor(filled: Float64Array, seen: Uint8Array, lags: Lags) {
    this.lags = lags;
    this.#filled = filled;
    this.#seen = seen;
    const size = lags.length + 1;
    this.#gram = new Float64Array(size * size);
    this.#rhs = new Float64Array(size);
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
    const ones = new Float64Array(end - from).fill(1);
    const columns = [...lags.map((lag) => filled.subarray(from - lag, end - lag)), ones];
    const targets = filled.subarray(from, end);
    const seen = this.#seen.subarray(from, end);
    // Column by column instead of window by window: sums stay in registers, which is several times as fast.
    for (let i = 0; i < size; i++) {
      const column = columns[i]!.map((v, t) => (seen[t] === 1 ? v : 0));
      rhs[i]! += dot(column, targets);
      for (let j = 0; j <= i; j++) gram[i * size + j]! += dot(column, columns[j]!);
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
    return origins.map((_, o) => Float64Array.from({ length: horizon }, (_, h) => values[(reach + h) * paths + o]!));
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
