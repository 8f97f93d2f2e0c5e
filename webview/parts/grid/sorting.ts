/** How clicks on a column's head change the sorting. */
export interface Sorting {
  readonly column: number;
  readonly descending: boolean;
}

/** A first click sorts ascending, the next descending, the third not at all. */
export function nextSorting(old: Sorting | null, column: number): Sorting | null {
  if (old?.column !== column) return { column, descending: false };
  return old.descending ? null : { column, descending: true };
}
