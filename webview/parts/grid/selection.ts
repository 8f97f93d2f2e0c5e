/** The selected cells: a rectangle between where the selection began and where it is now. */

export interface Place {
  readonly row: number;
  readonly column: number;
}

export interface Selection {
  readonly anchor: Place;
  readonly focus: Place;
}

export interface Rectangle {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export interface Size {
  readonly rows: number;
  readonly columns: number;
  /** Rows that Page Up and Page Down move by. */
  readonly page: number;
}

/** The rectangle, its ends included. */
export function rectangle({ anchor, focus }: Selection): Rectangle {
  return {
    top: Math.min(anchor.row, focus.row),
    bottom: Math.max(anchor.row, focus.row),
    left: Math.min(anchor.column, focus.column),
    right: Math.max(anchor.column, focus.column),
  };
}

/** What a key makes of the selection, as grids have it everywhere; undefined when the key is none of theirs. */
export function moveSelection(
  selection: Selection,
  key: { readonly key: string; readonly shift: boolean; readonly ctrl: boolean },
  size: Size,
): Selection | undefined {
  if (key.key.toLowerCase() === "a" && key.ctrl)
    return { anchor: { row: 0, column: 0 }, focus: { row: size.rows - 1, column: size.columns - 1 } };
  const moved = target(selection.focus, key, size);
  if (!moved) return undefined;
  const focus = {
    row: Math.max(0, Math.min(size.rows - 1, moved.row)),
    column: Math.max(0, Math.min(size.columns - 1, moved.column)),
  };
  return { anchor: key.shift ? selection.anchor : focus, focus };
}

function target(
  { row, column }: Place,
  { key, ctrl }: { readonly key: string; readonly ctrl: boolean },
  { rows, columns, page }: Size,
): Place | undefined {
  switch (key) {
    case "ArrowDown":
      return { row: ctrl ? rows - 1 : row + 1, column };
    case "ArrowUp":
      return { row: ctrl ? 0 : row - 1, column };
    case "ArrowRight":
      return { row, column: ctrl ? columns - 1 : column + 1 };
    case "ArrowLeft":
      return { row, column: ctrl ? 0 : column - 1 };
    case "PageDown":
      return { row: row + page, column };
    case "PageUp":
      return { row: row - page, column };
    case "Home":
      return { row: ctrl ? 0 : row, column: 0 };
    case "End":
      return { row: ctrl ? rows - 1 : row, column: columns - 1 };
    default:
      return undefined;
  }
}
