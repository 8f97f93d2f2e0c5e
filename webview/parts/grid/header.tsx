/** The grid's header: names, types, sorting, and the handles that resize. */
import type { GridColumn } from "./column.ts";
import type { Sorting } from "./sorting.ts";

interface Props {
  readonly columns: readonly GridColumn[];
  readonly sorting?: Sorting | null;
  readonly onSort?: (column: number) => void;
  readonly onResize?: (column: number, width: number) => void;
  readonly template: string;
  readonly height: number;
  readonly width: number;
  readonly numbered: boolean;
}

const LEAST_WIDTH = 48;
/** What an arrow key on a handle changes, px. */
const STEP = 16;

export function GridHeader({ columns, sorting, onSort, onResize, template, height, width, numbered }: Props) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: part of an ARIA grid
    // biome-ignore lint/a11y/useFocusableInteractive: its buttons are
    <div
      role="row"
      aria-rowindex={1}
      class="grid-head"
      style={{ gridTemplateColumns: template, height: `${height}px`, width: `${width}px` }}
    >
      {numbered && (
        // biome-ignore lint/a11y/useSemanticElements: part of an ARIA grid
        // biome-ignore lint/a11y/useFocusableInteractive: it does nothing
        <div role="columnheader" class="grid-number">
          <span class="visually-hidden">Row</span>
        </div>
      )}
      {columns.map((column, i) => {
        const sorted = sorting?.column === i ? (sorting.descending ? "descending" : "ascending") : "none";
        const content = (
          <>
            <span class="grid-name">{column.name}</span>
            {sorted !== "none" && <span class="grid-sort">{sorted === "ascending" ? "▲" : "▼"}</span>}
            {column.type && <span class="grid-type">{column.type}</span>}
          </>
        );
        return (
          // biome-ignore lint/a11y/useSemanticElements: part of an ARIA grid
          // biome-ignore lint/a11y/useFocusableInteractive: its button is
          <div
            key={i}
            role="columnheader"
            class={`grid-column ${column.numeric ? "numeric" : ""}`}
            aria-colindex={i + 1}
            aria-sort={onSort ? sorted : undefined}
          >
            {onSort && column.sortable !== false ? (
              <button type="button" class="grid-title" onClick={() => onSort(i)} title={`Sort by ${column.name}`}>
                {content}
              </button>
            ) : (
              <div class="grid-title">{content}</div>
            )}
            {onResize && <ResizeHandle column={column} onResize={(to) => onResize(i, to)} />}
          </div>
        );
      })}
    </div>
  );
}

interface HandleProps {
  readonly column: GridColumn;
  readonly onResize: (width: number) => void;
}

function ResizeHandle({ column, onResize }: HandleProps) {
  const resize = (to: number) => onResize(Math.max(LEAST_WIDTH, Math.round(to)));
  const onPointerDown = (event: PointerEvent) => {
    const handle = event.currentTarget as HTMLElement;
    const from = event.clientX;
    const { width } = column;
    handle.setPointerCapture(event.pointerId);
    const move = (next: PointerEvent) => resize(width + next.clientX - from);
    const end = () => {
      handle.removeEventListener("pointermove", move);
      handle.removeEventListener("pointerup", end);
      handle.removeEventListener("pointercancel", end);
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", end);
    handle.addEventListener("pointercancel", end);
    event.stopPropagation();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={`Width of ${column.name}`}
      aria-valuenow={column.width}
      aria-valuemin={LEAST_WIDTH}
      tabIndex={0}
      class="grid-handle"
      onPointerDown={onPointerDown}
      onKeyDown={(event) => {
        if (event.key === "ArrowLeft") resize(column.width - STEP);
        else if (event.key === "ArrowRight") resize(column.width + STEP);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    ></div>
  );
}
