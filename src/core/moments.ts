/**
 * The running description of a set of numbers, kept flat in a Float64Array so that a million observations cost no
 * allocation: count, mean and sum of squared differences (Welford 1962), compensated sum (Neumaier 1974), least, greatest.
 * Two descriptions merge into the one of both sets (Chan, Golub, LeVeque 1979).
 */
import type { Statistic } from "./spec.ts";

/** Cells that one description takes. */
export const MOMENTS = 7;
const N = 0;
const MEAN = 1;
const M2 = 2;
const SUM = 3;
const CARRY = 4;
const MIN = 5;
const MAX = 6;

/** Writes the description of the empty set at `at`. */
export function emptyMoments(cells: Float64Array, at: number): void {
  cells.fill(0, at, at + MOMENTS);
  cells[at + MIN] = Number.POSITIVE_INFINITY;
  cells[at + MAX] = Number.NEGATIVE_INFINITY;
}

/** Adds one number to the description at `at`. */
export function observe(cells: Float64Array, at: number, x: number): void {
  const n = cells[at + N]! + 1;
  cells[at + N] = n;
  const delta = x - cells[at + MEAN]!;
  const mean = cells[at + MEAN]! + delta / n;
  cells[at + MEAN] = mean;
  cells[at + M2]! += delta * (x - mean);
  addToSum(cells, at, x);
  if (x < cells[at + MIN]!) cells[at + MIN] = x;
  if (x > cells[at + MAX]!) cells[at + MAX] = x;
}

/** Merges the description at `from` of `other` into the one at `at`. */
export function mergeMoments(cells: Float64Array, at: number, other: Float64Array, from: number): void {
  const n1 = cells[at + N]!;
  const n2 = other[from + N]!;
  if (n2 === 0) return;
  const n = n1 + n2;
  const delta = other[from + MEAN]! - cells[at + MEAN]!;
  cells[at + N] = n;
  cells[at + MEAN]! += (delta * n2) / n;
  cells[at + M2]! += other[from + M2]! + (delta * delta * n1 * n2) / n;
  addToSum(cells, at, other[from + SUM]!);
  cells[at + CARRY]! += other[from + CARRY]!;
  cells[at + MIN] = Math.min(cells[at + MIN]!, other[from + MIN]!);
  cells[at + MAX] = Math.max(cells[at + MAX]!, other[from + MAX]!);
}

/**
 * A statistic of the description at `at`; `cells` undefined is the empty set. Count and sum of nothing are 0, all else
 * of nothing is NaN, and so is the sample standard deviation of a single number.
 */
export function readStatistic(statistic: Statistic, cells: Float64Array | undefined, at: number): number {
  const n = cells ? cells[at + N]! : 0;
  if (statistic === "count") return n;
  if (!cells || n === 0) return statistic === "sum" ? 0 : Number.NaN;
  switch (statistic) {
    case "sum":
      return cells[at + SUM]! + cells[at + CARRY]!;
    case "avg":
      return (cells[at + SUM]! + cells[at + CARRY]!) / n;
    case "min":
      return cells[at + MIN]!;
    case "max":
      return cells[at + MAX]!;
    case "stddev":
      return n < 2 ? Number.NaN : Math.sqrt(Math.max(0, cells[at + M2]! / (n - 1)));
  }
}

function addToSum(cells: Float64Array, at: number, x: number): void {
  const sum = cells[at + SUM]!;
  const total = sum + x;
  cells[at + CARRY]! += Math.abs(sum) >= Math.abs(x) ? sum - total + x : x - total + sum;
  cells[at + SUM] = total;
}
