/** The ranges that the forecast page offers, and how keys and following move them. */
import { clampRange, type Range } from "../parts/chart/visible.ts";

const HOUR = 3_600_000;

/** Range presets; `all` is whatever there is. */
export const PRESETS = [
  { name: "6h", span: 6 * HOUR, label: "6 hours" },
  { name: "1d", span: 24 * HOUR, label: "1 day" },
  { name: "3d", span: 72 * HOUR, label: "3 days" },
  { name: "1w", span: 168 * HOUR, label: "1 week" },
  { name: "4w", span: 672 * HOUR, label: "4 weeks" },
  { name: "all", span: Number.POSITIVE_INFINITY, label: "All" },
] as const;

export type Preset = (typeof PRESETS)[number];

export interface Extent {
  /** All there is, the forecast included. */
  readonly all: Range;
  /** End of the newest window with an actual; null before the first. */
  readonly newest: number | null;
  /** Length of a window, ms. */
  readonly every: number;
}

/** The narrowest range: six windows. */
export function leastSpan({ every }: Extent): number {
  return 6 * every;
}

/** A preset's range: it ends after the newest window, with a sixth of it for the forecast ahead. */
export function presetRange(span: number, extent: Extent): Range {
  return clampRange(following({ from: 0, until: span }, extent), extent.all, leastSpan(extent));
}

/** The range of the same width in which the newest window is in view, five sixths to the right. */
export function following(range: Range, { all, newest }: Extent): Range {
  const width = Math.min(range.until - range.from, all.until - all.from);
  const until = Math.min(all.until, (newest ?? all.until) + width / 6);
  return { from: until - width, until };
}

/** The preset that a range shows, if it is one. */
export function presetOf(range: Range, extent: Extent): Preset | undefined {
  const width = range.until - range.from;
  const whole = extent.all.until - extent.all.from;
  if (Math.abs(width - whole) < extent.every) return PRESETS.at(-1);
  return PRESETS.find(({ span }) => Math.abs(width - span) < 1);
}

/** Moved by a share of its width, or zoomed about its middle. */
export function moved(range: Range, by: { readonly pan?: number; readonly zoom?: number }, extent: Extent): Range {
  const width = range.until - range.from;
  const shift = (by.pan ?? 0) * width;
  const middle = (range.from + range.until) / 2;
  const half = (width / 2) * (by.zoom ?? 1);
  return clampRange({ from: middle - half + shift, until: middle + half + shift }, extent.all, leastSpan(extent));
}

/** What a key asks of the page. */
export type KeyAction =
  | { readonly pan: number }
  | { readonly zoom: number }
  | { readonly read: number }
  | "previous"
  | "next"
  | "table"
  | "follow"
  | "multiples"
  | "search";

/** The page's keys. Keys with Ctrl, Alt or Meta belong to VS Code. */
export function keyAction(event: {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}): KeyAction | undefined {
  if (event.ctrlKey || event.altKey || event.metaKey) return undefined;
  switch (event.key) {
    case "ArrowLeft":
      return event.shiftKey ? { read: -1 } : { pan: -0.2 };
    case "ArrowRight":
      return event.shiftKey ? { read: 1 } : { pan: 0.2 };
    case "+":
    case "=":
      return { zoom: 1 / 1.5 };
    case "-":
    case "_":
      return { zoom: 1.5 };
    case "[":
      return "previous";
    case "]":
      return "next";
    case "t":
      return "table";
    case "f":
      return "follow";
    case "m":
      return "multiples";
    case "/":
      return "search";
    default:
      return undefined;
  }
}
