/** What a minimisation found. */
export interface Minimum {
  readonly at: Float64Array;
  readonly value: number;
}

/** When to stop: after so many steps, or when the simplex is as flat as `tolerance` (relative). */
export interface SimplexLimits {
  readonly steps: number;
  readonly tolerance: number;
}

/**
 * Minimises `loss` from `start` by the simplex method of Nelder and Mead (1965): no derivatives, few parameters.
 * `spread` is the first simplex's extent along each parameter. A loss that is NaN counts as infinite.
 */
export function minimise(
  loss: (at: Float64Array) => number,
  start: Float64Array,
  spread: Float64Array,
  limits: SimplexLimits,
): Minimum {
  const size = start.length;
  const judge = (at: Float64Array): Minimum => {
    const value = loss(at);
    return { at, value: Number.isNaN(value) ? Number.POSITIVE_INFINITY : value };
  };
  const corners = [judge(start.slice())];
  for (let i = 0; i < size; i++) corners.push(judge(start.map((v, j) => (j === i ? v + spread[i]! : v))));
  const byValue = (a: Minimum, b: Minimum) => a.value - b.value;

  for (let step = 0; step < limits.steps; step++) {
    corners.sort(byValue);
    const best = corners[0]!;
    const worst = corners[size]!;
    const second = corners[size - 1]!;
    if (worst.value - best.value <= limits.tolerance * (Math.abs(best.value) + 1e-12)) break;

    const centre = new Float64Array(size);
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) centre[j]! += corners[i]!.at[j]! / size;
    const along = (reach: number) => judge(centre.map((c, j) => c + reach * (worst.at[j]! - c)));

    const reflected = along(-1);
    if (reflected.value < best.value) {
      const expanded = along(-2);
      corners[size] = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < second.value) {
      corners[size] = reflected;
    } else {
      const contracted = along(reflected.value < worst.value ? -0.5 : 0.5);
      if (contracted.value < Math.min(reflected.value, worst.value)) corners[size] = contracted;
      else for (let i = 1; i <= size; i++) corners[i] = judge(corners[i]!.at.map((v, j) => (v + best.at[j]!) / 2));
    }
  }
  return corners.sort(byValue)[0]!;
}
