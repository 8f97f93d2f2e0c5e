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
  readonly #row: Float64Array;
  #end: number;

  /** `filled` is standardized and without gaps; `seen` is 1 where it was observed: only such windows are learned. */
  constructor(filled: Float64Array, seen: Uint8Array, lags: Lags) {
    this.lags = lags;
    this.#filled = filled;
    this.#seen = seen;
    const size = lags.length + 1;
    this.#gram = new Float64Array(size * size);
    this.#rhs = new Float64Array(size);
    this.#row = new Float64Array(size).fill(1);
    this.#end = lags.at(-1) ?? 0;
  }

  /** Adds the windows up to `end`; those that were added before are skipped. */
  learn(end: number): void {
    const { lags } = this;
    const size = lags.length + 1;
    const [gram, rhs, row, filled] = [this.#gram, this.#rhs, this.#row, this.#filled];
    for (let t = this.#end; t < end; t++) {
      if (this.#seen[t] === 0) continue;
      const target = filled[t]!;
      for (let k = 0; k < size - 1; k++) row[k] = filled[t - lags[k]!]!;
      for (let i = 0; i < size; i++) {
        const value = row[i]!;
        rhs[i]! += value * target;
        const offset = i * size;
        for (let j = 0; j <= i; j++) gram[offset + j]! += value * row[j]!;
      }
    }
    this.#end = Math.max(this.#end, end);
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
    const [lags, weights] = [this.#lags, this.#weights];
    const reach = lags.at(-1) ?? 0;
    const path = new Float64Array(reach + horizon);
    return origins.map((origin) => {
      path.set(this.#filled.subarray(origin - reach, origin));
      for (let t = reach; t < path.length; t++) {
        let sum = weights[lags.length]!;
        for (let k = 0; k < lags.length; k++) sum += weights[k]! * path[t - lags[k]!]!;
        // Standardized values this far out are an explosion; the ensemble clamps them closer.
        path[t] = Math.min(Math.max(sum, -EXPLODED), EXPLODED);
      }
      return path.slice(reach);
    });
  }
}

const EXPLODED = 1e3;
