/** The smallest and the largest values of a column's stretches. Missing values (NaN) do not count. */

/** Windows in a block. */
const BLOCK = 16;

/**
 * The extremes of a column's stretches. Once as many values have been looked through as there are, they are known by blocks,
 * and those of a stretch follow from its whole blocks and the few values at its ends: so a hundred thousand windows are
 * gone through within a frame of a gesture, and the first picture of a few of them does not wait for the others.
 */
export class Extremes {
  readonly #column: Float64Array;
  #looked = 0;
  #blocks: { readonly least: Float64Array; readonly greatest: Float64Array } | undefined;

  constructor(column: Float64Array) {
    this.#column = column;
  }

  /** Of the entries from `first` to before `end`; Infinity when there are none. */
  least(first: number, end: number): number {
    const blocks = this.#blocks ?? this.#look(end - first);
    const from = Math.ceil(first / BLOCK);
    const until = Math.floor(end / BLOCK);
    if (!blocks || from >= until) return least(this.#column, first, end);
    return Math.min(
      least(this.#column, first, from * BLOCK),
      least(blocks.least, from, until),
      least(this.#column, until * BLOCK, end),
    );
  }

  /** Of the entries from `first` to before `end`; −Infinity when there are none. */
  greatest(first: number, end: number): number {
    const blocks = this.#blocks ?? this.#look(end - first);
    const from = Math.ceil(first / BLOCK);
    const until = Math.floor(end / BLOCK);
    if (!blocks || from >= until) return greatest(this.#column, first, end);
    return Math.max(
      greatest(this.#column, first, from * BLOCK),
      greatest(blocks.greatest, from, until),
      greatest(this.#column, until * BLOCK, end),
    );
  }

  /** Counts the values that are looked through; makes the blocks when they are as many as there are. */
  #look(count: number) {
    if (this.#looked < this.#column.length) this.#looked += count;
    else this.#blocks = blocksOf(this.#column);
    return this.#blocks;
  }
}

function blocksOf(column: Float64Array) {
  const count = Math.floor(column.length / BLOCK);
  const out = { least: new Float64Array(count), greatest: new Float64Array(count) };
  for (let k = 0; k < count; k++) {
    out.least[k] = least(column, k * BLOCK, (k + 1) * BLOCK);
    out.greatest[k] = greatest(column, k * BLOCK, (k + 1) * BLOCK);
  }
  return out;
}

// Comparisons with NaN are false.

function least(column: Float64Array, first: number, end: number): number {
  let out = Number.POSITIVE_INFINITY;
  for (let i = first; i < end; i++) if (column[i]! < out) out = column[i]!;
  return out;
}

function greatest(column: Float64Array, first: number, end: number): number {
  let out = Number.NEGATIVE_INFINITY;
  for (let i = first; i < end; i++) if (column[i]! > out) out = column[i]!;
  return out;
}
