/** A series in little, on a plain canvas: for small multiples and the overview, of which there are many at once. */
import type { ChartColumns } from "../../../src/rpc/page.ts";
import { drawIncidents, drawSeries, type Frame } from "./draw.ts";
import type { ChartTheme } from "./theme.ts";
import { type Range, valueRange, visible } from "./visible.ts";

export interface MiniatureOptions {
  readonly range: Range;
  /** CSS px kept free above and beneath. */
  readonly padding: number;
  /** Radius of the marks of breaching windows, CSS px. */
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
  drawLittle(context, { left: 0, right: width, top: 0, bottom: height }, columns, theme, { range, padding, mark });
}

/** Draws the series into a part of a canvas, CSS px. */
export function drawLittle(
  context: CanvasRenderingContext2D,
  place: Pick<Frame, "left" | "right" | "top" | "bottom">,
  columns: ChartColumns,
  theme: ChartTheme,
  { range, padding, mark }: MiniatureOptions,
): void {
  const width = place.right - place.left;
  const part = visible(columns, range, { columns: width, lines: width / 3 });
  const [low, high] = valueRange(part);
  const whole: Frame = { ...place, range, low, high };
  drawIncidents(context, whole, columns, theme);
  const inner = { ...whole, top: place.top + padding, bottom: place.bottom - padding };
  drawSeries(context, inner, part, { theme, whole: false, mark });
}
