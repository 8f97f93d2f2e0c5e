/**
 * A grid that draws only the rows in view, so that a million are as smooth as a hundred. It knows cells by row and column;
 * where they come from, and whether they are there yet, is its user's. Screen readers get an ARIA grid with the true counts.
 */
import { useCallback, useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import type { GridColumn } from "./column.ts";
import { GridHeader } from "./header.tsx";
import { scrollHeight, scrollTo, viewAt } from "./scroll.ts";
import { moveSelection, type Rectangle, rectangle, type Selection } from "./selection.ts";
import type { Sorting } from "./sorting.ts";

export interface GridCell {
  readonly text: string;
  readonly tone?: "null" | "empty" | "bad" | "muted";
}

interface Props {
  readonly label: string;
  readonly columns: readonly GridColumn[];
  readonly rowCount: number;
  /** Undefined: not there yet. */
  readonly cell: (row: number, column: number) => GridCell | undefined;
  /** Rows [first, end) are in view. */
  readonly onView?: (first: number, end: number) => void;
  readonly sorting?: Sorting | null;
  readonly onSort?: (column: number) => void;
  readonly onResize?: (column: number, width: number) => void;
  readonly onSelect?: (selection: Rectangle) => void;
  readonly onCopy?: (selection: Rectangle) => void;
  readonly onActivate?: (row: number) => void;
  /** Number the rows at the left. */
  readonly numbered?: boolean;
}

export const ROW_HEIGHT = 24;
const HEADER_HEIGHT = { plain: 30, typed: 42 };
/** Rows drawn beyond the view, so that a scroll finds them there. */
const OVERSCAN = 4;

export function Grid(props: Props) {
  const { label, columns, rowCount, cell, onView, onSelect, onCopy, onActivate, numbered = false } = props;
  const id = useId();
  const cellId = (row: number, column: number) => `${id}-${row}-${column}`;
  const scroller = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ top: 0, height: 400 });
  const [selection, setSelection] = useState<Selection | null>(null);
  const dragging = useRef(false);
  const headerHeight = columns.some((column) => column.type) ? HEADER_HEIGHT.typed : HEADER_HEIGHT.plain;
  const gutter = numbered ? Math.max(36, 20 + rowCount.toLocaleString("en-US").length * 8) : 0;
  const width = gutter + columns.reduce((sum, column) => sum + column.width, 0);
  const rows = { rowCount, rowHeight: ROW_HEIGHT, viewHeight: Math.max(0, place.height - headerHeight) };
  const view = viewAt(place.top, rows);

  useLayoutEffect(() => {
    const element = scroller.current!;
    const measure = () => setPlace({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);

  useEffect(() => {
    onView?.(view.first, view.end);
  }, [view.first, view.end, onView]);

  const select = useCallback(
    (next: Selection) => {
      setSelection(next);
      onSelect?.(rectangle(next));
    },
    [onSelect],
  );

  const reveal = (next: Selection) => {
    const element = scroller.current!;
    const top = scrollTo(next.focus.row, element.scrollTop, rows);
    if (top !== element.scrollTop) element.scrollTop = top;
    const left = gutter + columns.slice(0, next.focus.column).reduce((sum, column) => sum + column.width, 0);
    const right = left + (columns[next.focus.column]?.width ?? 0);
    if (left - gutter < element.scrollLeft) element.scrollLeft = left - gutter;
    else if (right > element.scrollLeft + element.clientWidth) element.scrollLeft = right - element.clientWidth;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (rowCount === 0 || event.target !== event.currentTarget) return;
    const ctrl = event.ctrlKey || event.metaKey;
    const start: Selection = selection ?? {
      anchor: { row: view.first, column: 0 },
      focus: { row: view.first, column: 0 },
    };
    if (ctrl && event.key.toLowerCase() === "c") onCopy?.(rectangle(start));
    else if (event.key === "Enter") onActivate?.(start.focus.row);
    else if (event.key === "Escape" && selection) setSelection(null);
    else {
      const page = Math.max(1, Math.floor(rows.viewHeight / ROW_HEIGHT) - 1);
      const size = { rows: rowCount, columns: columns.length, page };
      const next = selection
        ? moveSelection(start, { key: event.key, shift: event.shiftKey, ctrl }, size)
        : event.key.startsWith("Arrow")
          ? start
          : moveSelection(start, { key: event.key, shift: event.shiftKey, ctrl }, size);
      if (!next) return;
      select(next);
      reveal(next);
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const cellAt = (event: PointerEvent) => {
    const target = (event.target as HTMLElement).closest<HTMLElement>("[data-row]");
    return target ? { row: Number(target.dataset.row), column: Number(target.dataset.column ?? -1) } : null;
  };
  const onPointerDown = (event: PointerEvent) => {
    const at = cellAt(event);
    if (!at || event.button !== 0) return;
    dragging.current = true;
    if (at.column < 0)
      return select({ anchor: { row: at.row, column: 0 }, focus: { row: at.row, column: columns.length - 1 } });
    select({ anchor: event.shiftKey && selection ? selection.anchor : at, focus: at });
  };
  const onPointerMove = (event: PointerEvent) => {
    if (!dragging.current || event.buttons === 0 || !selection) return;
    const at = cellAt(event);
    if (!at || at.column < 0 || (at.row === selection.focus.row && at.column === selection.focus.column)) return;
    select({ anchor: selection.anchor, focus: at });
  };

  const chosen = selection && rectangle(selection);
  const first = Math.max(0, view.first - OVERSCAN);
  const end = Math.min(rowCount, view.end + OVERSCAN);
  const template = `${gutter > 0 ? `${gutter}px ` : ""}${columns.map((column) => `${column.width}px`).join(" ")}`;
  const drawn = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table cannot draw only its rows in view
    <div
      ref={scroller}
      class="grid"
      role="grid"
      tabIndex={0}
      aria-label={label}
      aria-rowcount={rowCount + 1}
      aria-colcount={columns.length}
      aria-multiselectable="true"
      aria-activedescendant={
        selection && selection.focus.row >= first && selection.focus.row < end
          ? cellId(selection.focus.row, selection.focus.column)
          : undefined
      }
      onKeyDown={onKeyDown}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => {
        dragging.current = false;
      }}
      onDblClick={(event) => {
        const target = (event.target as HTMLElement).closest<HTMLElement>("[data-row]");
        if (target) onActivate?.(Number(target.dataset.row));
      }}
    >
      <GridHeader {...props} template={template} height={headerHeight} numbered={numbered} width={width} />
      <div role="presentation" class="grid-sizer" style={{ height: `${scrollHeight(rows)}px`, width: `${width}px` }}>
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <div
          role="rowgroup"
          class="grid-body"
          style={{ transform: `translateY(${place.top + view.offset - (view.first - first) * ROW_HEIGHT}px)` }}
        >
          {drawn.map((row) => (
            // biome-ignore lint/a11y/useFocusableInteractive: the grid holds the focus and names its active cell
            // biome-ignore lint/a11y/useSemanticElements: as above
            <div
              key={row}
              role="row"
              class="grid-row"
              aria-rowindex={row + 2}
              style={{ gridTemplateColumns: template, height: `${ROW_HEIGHT}px` }}
            >
              {numbered && (
                // biome-ignore lint/a11y/useSemanticElements: as above
                // biome-ignore lint/a11y/useFocusableInteractive: as above
                <div role="rowheader" class="grid-number" data-row={row}>
                  {(row + 1).toLocaleString("en-US")}
                </div>
              )}
              {columns.map((column, i) => {
                const content = cell(row, i);
                const inside =
                  chosen && row >= chosen.top && row <= chosen.bottom && i >= chosen.left && i <= chosen.right;
                const focused = selection?.focus.row === row && selection.focus.column === i;
                return (
                  // biome-ignore lint/a11y/useSemanticElements: as above
                  // biome-ignore lint/a11y/useFocusableInteractive: as above
                  <div
                    key={i}
                    id={cellId(row, i)}
                    role="gridcell"
                    data-row={row}
                    data-column={i}
                    aria-colindex={i + 1}
                    aria-selected={inside ? "true" : undefined}
                    class={[
                      "grid-cell",
                      column.numeric ? "numeric" : "",
                      content?.tone ?? "",
                      inside ? "selected" : "",
                      focused ? "focused" : "",
                    ].join(" ")}
                    title={content && content.text.length * 7 > column.width ? content.text.slice(0, 2_000) : undefined}
                  >
                    {content ? content.text.slice(0, 500) : <span class="skeleton" />}
                  </div>
                );
              })}
            </div>
          ))}
        </div>
      </div>
      {rowCount === 0 && (
        <div class="grid-empty muted">
          <Icon name="table" /> No rows
        </div>
      )}
    </div>
  );
}
