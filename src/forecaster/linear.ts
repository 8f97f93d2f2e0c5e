/**
 * Solves the symmetric positive definite system (A + diag) x = b by Cholesky decomposition.
 * `gram` holds A row by row, its lower triangle is enough, and is left as it is. A pivot that rounding made non-positive is
 * raised, so a singular system gives a small solution instead of a NaN.
 */
export function solveSymmetric(gram: Float64Array, rhs: Float64Array, diagonal: Float64Array): Float64Array {
  const size = rhs.length;
  const lower = gram.slice();
  for (let j = 0; j < size; j++) {
    const rowJ = j * size;
    let pivot = lower[rowJ + j]! + diagonal[j]!;
    const floor = 1e-10 * (Math.abs(pivot) + 1e-10);
    for (let k = 0; k < j; k++) pivot -= lower[rowJ + k]! ** 2;
    const root = Math.sqrt(Math.max(pivot, floor));
    lower[rowJ + j] = root;
    for (let i = j + 1; i < size; i++) {
      const rowI = i * size;
      let sum = lower[rowI + j]!;
      for (let k = 0; k < j; k++) sum -= lower[rowI + k]! * lower[rowJ + k]!;
      lower[rowI + j] = sum / root;
    }
  }
  const x = rhs.slice();
  for (let i = 0; i < size; i++) {
    let sum = x[i]!;
    for (let k = 0; k < i; k++) sum -= lower[i * size + k]! * x[k]!;
    x[i] = sum / lower[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    let sum = x[i]!;
    for (let k = i + 1; k < size; k++) sum -= lower[k * size + i]! * x[k]!;
    x[i] = sum / lower[i * size + i]!;
  }
  return x;
}
