/**
 * Which rows a scroll position shows. Browsers cap an element's height at about 33 million px, so a tall grid's scroll
 * height is capped below that and its positions are scaled: the first pixel is the first row, the last pixel the last.
 */

/** Below every browser's cap. */
const MAX_HEIGHT = 15_000_000;

export interface Rows {
  readonly rowCount: number;
  /** CSS px. */
  readonly rowHeight: number;
  /** Height of the part that shows rows, CSS px. */
  readonly viewHeight: number;
}

export interface View {
  /** Rows [first, end) are at least partly in view. */
  readonly first: number;
  readonly end: number;
  /** Where the first row begins, CSS px from the top of the view: zero or negative. */
  readonly offset: number;
}

/** The height of the scrolled element. */
export function scrollHeight({ rowCount, rowHeight }: Rows): number {
  return Math.min(rowCount * rowHeight, MAX_HEIGHT);
}

/** The rows in view at a scroll position. */
export function viewAt(scrollTop: number, rows: Rows): View {
  const { rowCount, rowHeight, viewHeight } = rows;
  const top = scrollTop * scale(rows);
  const first = Math.max(0, Math.min(Math.floor(top / rowHeight), rowCount - 1));
  const offset = Math.min(0, first * rowHeight - top);
  const end = Math.min(rowCount, first + Math.ceil((viewHeight - offset) / rowHeight));
  return { first, end, offset };
}

/** The scroll position nearest to the present one at which `row` is wholly in view. */
export function scrollTo(row: number, scrollTop: number, rows: Rows): number {
  const factor = scale(rows);
  const top = scrollTop * factor;
  const rowTop = row * rows.rowHeight;
  if (rowTop < top) return rowTop / factor;
  const bottom = rowTop + rows.rowHeight - rows.viewHeight;
  return bottom > top ? bottom / factor : scrollTop;
}

/** Row px that a scroll px stands for. */
function scale(rows: Rows): number {
  const real = rows.rowCount * rows.rowHeight - rows.viewHeight;
  const scrolled = scrollHeight(rows) - rows.viewHeight;
  return scrolled > 0 && real > scrolled ? real / scrolled : 1;
}
