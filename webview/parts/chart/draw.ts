/**
 * A series on a canvas: incidents, band, alarm edges, median, actual, breaching and late windows. The main chart, the small
 * multiples and the overview are all drawn here.
 *
 * Windows that are places of their own are lines. Buckets are columns of pixels from their lowest to their highest value:
 * what the lines through them would cover, at a tenth of the cost, since no outline of a thousand peaks has to be filled.
 */
import type { ChartColumns } from "../../../src/rpc/page.ts";
import type { ChartTheme } from "./theme.ts";
import { newestActual, type Point, type Range, type Visible } from "./visible.ts";

/** Where a range of time and a range of values lie on the canvas, CSS px. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly range: Range;
  /** The values at the bottom and at the top. */
  readonly low: number;
  readonly high: number;
}

export interface Look {
  readonly theme: ChartTheme;
  /** Whether median, alarm edges and the band's outline are drawn too: there is no room for them in little. */
  readonly whole: boolean;
  /** Radius of the marks of breaching and late windows, CSS px. */
  readonly mark: number;
}

/** More marks than this are drawn small and plain: as many large ones could not be told apart, and cost most of a frame. */
const MOST_MARKS = 150;
/** CSS px that a window must have before lines are dashed: shorter steps would not show the dashes, which cost the most. */
const DASH_ROOM = 2;
/** CSS px that a window must have before each gets a point. */
const POINT_ROOM = 12;

type Context = CanvasRenderingContext2D;

/** Draws the incidents' times, which end at the newest window while they are open. */
export function drawIncidents(context: Context, frame: Frame, series: ChartColumns, theme: ChartTheme): void {
  const { x } = mapping(frame);
  const newest = newestActual(series);
  context.save();
  clip(context, frame);
  for (const { from, until } of series.incidents) {
    const end = Math.max(until ?? newest ?? from, from + series.every);
    const [left, width] = [x(from), Math.max(1, x(end) - x(from))];
    context.fillStyle = theme.incident;
    context.fillRect(left, frame.top, width, frame.bottom - frame.top);
    if (theme.kind === "contrast") {
      context.strokeStyle = theme.breach;
      context.lineWidth = 1;
      context.strokeRect(left, frame.top, width, frame.bottom - frame.top);
    }
  }
  context.restore();
}

/** Draws where the newest window begins, when the forecast goes on after it. */
export function drawNow(context: Context, frame: Frame, series: ChartColumns, theme: ChartTheme): void {
  const newest = newestActual(series);
  if (newest === null || newest > (series.start.at(-1) ?? 0)) return;
  const x = mapping(frame).x(newest - series.every);
  if (x < frame.left || x > frame.right) return;
  context.save();
  context.strokeStyle = theme.now;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(x, frame.top);
  context.lineTo(x, frame.bottom);
  context.stroke();
  context.restore();
}

/** Draws what is visible of a series. */
export function drawSeries(context: Context, frame: Frame, part: Visible, look: Look): void {
  const { theme, whole, mark } = look;
  const thick = theme.kind === "contrast" ? 1 : 0;
  const pen = part.bucket === null ? lines(context, frame, part.at) : columns(context, frame, part.at, part.bucket);
  context.save();
  clip(context, frame);
  context.lineJoin = "round";
  pen.band(part.lower, part.upper, theme.band);
  if (whole) {
    if (part.bucket === null) {
      pen.line(part.lower, part.lower, { color: theme.bandLine, width: 1 });
      pen.line(part.upper, part.upper, { color: theme.bandLine, width: 1 });
    }
    for (const edge of part.edges) pen.line(edge, edge, { color: theme.edge, width: 1, dash: [2, 3] });
    pen.line(part.median, part.median, { color: theme.expected, width: 1.25 + thick, dash: [5, 4] });
  }
  pen.line(part.low, part.high, { color: theme.actual, width: (whole ? 1.75 : 1.25) + thick });
  if (whole && part.at.length * POINT_ROOM < frame.right - frame.left) {
    context.fillStyle = theme.actual;
    const points = Array.from(part.at, (x, i): Point => ({ x, y: part.low[i]! }));
    marks(context, frame, points, disc(2), false);
  }
  context.restore();

  const many = part.breaching.length + part.late.length > MOST_MARKS;
  const outlined = whole && !many;
  context.save();
  context.strokeStyle = theme.background;
  context.lineWidth = 1.5;
  context.fillStyle = theme.breach;
  marks(context, frame, part.breaching, many ? square(1.5) : disc(mark), outlined);
  context.fillStyle = theme.late;
  if (whole) marks(context, frame, part.late, diamond(many ? 2.5 : mark + 1), outlined);
  context.restore();
}

interface Stroke {
  readonly color: string;
  readonly width: number;
  /** Stroke and gap, CSS px. Where there is no room for dashes the line is fainter, so that it weighs much the same. */
  readonly dash?: readonly [number, number];
}

/** How strong a line is that should be dashed and is not. */
function strength(dash: Stroke["dash"]): number {
  return dash ? Math.sqrt(dash[0] / (dash[0] + dash[1])) : 1;
}

/** How a series' lines and its band are put on the canvas. */
interface Pen {
  /** A line through values, or through the spans from `low` to `high`. */
  line(low: Float64Array, high: Float64Array, stroke: Stroke): void;
  band(lower: Float64Array, upper: Float64Array, color: string): void;
}

/** Every window by itself: lines from one to the next, broken where there is no value. */
function lines(context: Context, frame: Frame, at: Float64Array): Pen {
  const { x, y } = mapping(frame);
  return {
    line(values, _, { color, width, dash }) {
      context.strokeStyle = color;
      context.lineWidth = width;
      const dashed = at.length * DASH_ROOM <= frame.right - frame.left;
      context.setLineDash(dash && dashed ? [...dash] : []);
      context.globalAlpha = dashed ? 1 : strength(dash);
      context.beginPath();
      let broken = true;
      for (let i = 0; i < at.length; i++) {
        const value = values[i]!;
        if (!Number.isNaN(value)) {
          if (broken) context.moveTo(x(at[i]!), y(value));
          else context.lineTo(x(at[i]!), y(value));
        }
        broken = Number.isNaN(value);
      }
      context.stroke();
      context.setLineDash([]);
      context.globalAlpha = 1;
    },
    band(lower, upper, color) {
      const there = (i: number) => i < at.length && !Number.isNaN(lower[i]!) && !Number.isNaN(upper[i]!);
      context.fillStyle = color;
      for (let first = 0; first < at.length; first++) {
        if (!there(first)) continue;
        let end = first;
        context.beginPath();
        for (; there(end); end++) context.lineTo(x(at[end]!), y(upper[end]!));
        for (let i = end - 1; i >= first; i--) context.lineTo(x(at[i]!), y(lower[i]!));
        context.fill();
        first = end;
      }
    },
  };
}

/** Buckets: each fills the pixels from its beginning to the next one's. */
function columns(context: Context, frame: Frame, at: Float64Array, bucket: number): Pen {
  const { x: place, y } = mapping(frame);
  // Whole device pixels: neighbours neither overlap nor leave a seam, and no edge has to be blended, which costs the most.
  const ratio = context.getTransform().a || 1;
  const whole = (length: number) => Math.round(length * ratio) / ratio;
  const fill = (i: number, top: number, bottom: number) => {
    const [left, upper] = [whole(place(at[i]!)), whole(top)];
    context.fillRect(left, upper, whole(place(at[i]! + bucket)) - left, Math.max(1 / ratio, whole(bottom) - upper));
  };
  return {
    line(low, high, { color, width, dash }) {
      context.fillStyle = color;
      context.globalAlpha = strength(dash);
      let last = { top: Number.NaN, bottom: Number.NaN };
      for (let i = 0; i < at.length; i++) {
        const own = { top: y(high[i]!), bottom: y(low[i]!) };
        // Where the line jumps from one bucket to the next, this one's column reaches to the other's end.
        const joins = i > 0 && at[i]! - at[i - 1]! < bucket * 1.5;
        const top = joins && last.bottom < own.top ? last.bottom : own.top;
        const bottom = joins && last.top > own.bottom ? last.top : own.bottom;
        if (!Number.isNaN(own.top)) fill(i, top - width / 2, bottom + width / 2);
        last = own;
      }
      context.globalAlpha = 1;
    },
    band(lower, upper, color) {
      context.fillStyle = color;
      for (let i = 0; i < at.length; i++) {
        const [top, bottom] = [y(upper[i]!), y(lower[i]!)];
        if (!Number.isNaN(top) && !Number.isNaN(bottom)) fill(i, top, bottom);
      }
    },
  };
}

/** Time and value to the canvas. */
function mapping({ left, right, top, bottom, range, low, high }: Frame) {
  const perMs = (right - left) / (range.until - range.from);
  const perUnit = (bottom - top) / (high - low);
  return {
    x: (at: number) => left + (at - range.from) * perMs,
    y: (value: number) => bottom - (value - low) * perUnit,
  };
}

function clip(context: Context, { left, right, top, bottom }: Frame): void {
  context.beginPath();
  context.rect(left, top, right - left, bottom - top);
  context.clip();
}

/** Traces a mark's outline about a place. */
type Shape = (context: Context, x: number, y: number) => void;

const disc =
  (radius: number): Shape =>
  (context, x, y) =>
    context.arc(x, y, radius, 0, 2 * Math.PI);

const square =
  (half: number): Shape =>
  (context, x, y) =>
    context.rect(x - half, y - half, 2 * half, 2 * half);

const diamond =
  (half: number): Shape =>
  (context, x, y) => {
    context.moveTo(x, y - half);
    context.lineTo(x + half, y);
    context.lineTo(x, y + half);
    context.lineTo(x - half, y);
    context.closePath();
  };

/** Fills a shape at each point within the frame's range. */
function marks(context: Context, frame: Frame, points: readonly Point[], shape: Shape, outlined: boolean): void {
  const { x, y } = mapping(frame);
  const { from, until } = frame.range;
  for (const point of points) {
    if (point.x < from || point.x > until || Number.isNaN(point.y)) continue;
    context.beginPath();
    shape(context, x(point.x), y(point.y));
    context.fill();
    if (outlined) context.stroke();
  }
}
