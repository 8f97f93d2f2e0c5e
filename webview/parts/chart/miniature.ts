/** A series in little, on a plain canvas: for small multiples and the overview, of which there are many at once. */
import type { ChartColumns } from "../../../src/rpc/page.ts";
import type { ChartTheme } from "./theme.ts";
import { type Point, type Range, visible } from "./visible.ts";

export interface MiniatureOptions {
  /** Draw the newest value's scale from this range only. */
  readonly range: Range;
  /** CSS px kept free at each edge. */
  readonly padding: number;
  /** Marks of breaching windows: their radius, CSS px. */
  readonly mark: number;
}

/** Draws the series into the whole canvas, at the screen's resolution. */
export function drawMiniature(
  canvas: HTMLCanvasElement,
  columns: ChartColumns,
  theme: ChartTheme,
  { range, padding, mark }: MiniatureOptions,
): void {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  if (!context || width === 0) return;
  context.scale(ratio, ratio);
  const part = visible(columns, range, Math.max(40, Math.round(width / 1.5)));
  const values = [...part.actual, ...part.lower, ...part.upper].map((p) => p.y).filter((y) => !Number.isNaN(y));
  if (values.length === 0) return;
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (low === high) {
    low -= 1;
    high += 1;
  }
  const x = (at: number) => ((at - range.from) / (range.until - range.from)) * width;
  const y = (value: number) => height - padding - ((value - low) / (high - low)) * (height - 2 * padding);

  context.fillStyle = theme.incident;
  for (const { from, until } of columns.incidents) {
    const end = until ?? range.until;
    context.fillRect(x(from), 0, Math.max(1, x(end) - x(from)), height);
  }
  context.fillStyle = theme.band;
  for (const [upper, lower] of stretches(part.upper, part.lower)) {
    context.beginPath();
    for (const p of upper) context.lineTo(x(p.x), y(p.y));
    for (const p of lower.reverse()) context.lineTo(x(p.x), y(p.y));
    context.fill();
  }
  context.strokeStyle = theme.actual;
  context.lineWidth = theme.kind === "contrast" ? 1.75 : 1.25;
  context.lineJoin = "round";
  context.beginPath();
  let pen = false;
  for (const p of part.actual) {
    if (Number.isNaN(p.y)) pen = false;
    else if (pen) context.lineTo(x(p.x), y(p.y));
    else {
      context.moveTo(x(p.x), y(p.y));
      pen = true;
    }
  }
  context.stroke();
  context.fillStyle = theme.breach;
  for (const p of part.breaching) {
    context.beginPath();
    context.arc(x(p.x), y(p.y), mark, 0, 2 * Math.PI);
    context.fill();
  }
}

/** The stretches in which both lines have values. */
function stretches(upper: readonly Point[], lower: readonly Point[]): [Point[], Point[]][] {
  const out: [Point[], Point[]][] = [];
  let open: [Point[], Point[]] | undefined;
  upper.forEach((top, i) => {
    const bottom = lower[i];
    if (!bottom || Number.isNaN(top.y) || Number.isNaN(bottom.y)) open = undefined;
    else {
      if (!open) {
        open = [[], []];
        out.push(open);
      }
      open[0].push(top);
      open[1].push(bottom);
    }
  });
  return out;
}
