/** A scale that members learn on: monotone, with its inverse. */
export interface Scale {
  readonly name: "raw" | "log";
  to(value: number): number;
  from(scaled: number): number;
}

/** The measure's own unit. */
export const rawScale: Scale = { name: "raw", to: (v) => v, from: (z) => z };

/**
 * A logarithmic scale, log(value + shift), for a history without negative values; undefined where it has some or is zero
 * throughout. The shift is nothing for values well above zero. Where zeros or tiny values occur it keeps them from dominating:
 * 1 for a count of few events, more for larger ones.
 */
export function logScale(observed: Float64Array, resolution: number): Scale | undefined {
  let least = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (const v of observed) {
    least = Math.min(least, v);
    sum += v / observed.length;
  }
  if (!(least >= 0) || !(sum > 0)) return undefined;
  const shift = least > 0.01 * sum ? 0 : Math.max(resolution, SHIFT_OF_MEAN * sum);
  return {
    name: "log",
    to: (v) => Math.log(Math.max(v + shift, Number.MIN_VALUE)),
    from: (z) => Math.max(0, Math.exp(Math.min(z, 700)) - shift),
  };
}

const SHIFT_OF_MEAN = 0.05;

/** Where values lie: mean and standard deviation of the observed ones; the deviation is 1 if they are all equal. */
export function moments(values: Float64Array): { readonly mean: number; readonly deviation: number } {
  let count = 0;
  let mean = 0;
  let squares = 0;
  for (const v of values) {
    if (Number.isNaN(v)) continue;
    count++;
    const delta = v - mean;
    mean += delta / count;
    squares += delta * (v - mean);
  }
  const deviation = Math.sqrt(squares / Math.max(1, count));
  return { mean, deviation: deviation > 0 && Number.isFinite(deviation) ? deviation : 1 };
}
