/**
 * What of a series is drawn: the windows of a range, thinned to what the pixels can show. A bucket of windows keeps its
 * smallest and its largest actual, so a spike of one window stays visible at any zoom; the band keeps its envelope.
 * Buckets lie on a grid of absolute time, so that the picture does not shimmer while it is panned.
 */
import type { ChartColumns } from "../../../src/rpc/page.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Event time [from, until), epoch ms. */
export interface Range {
  readonly from: number;
  readonly until: number;
}

export interface Visible {
  readonly actual: readonly Point[];
  readonly lower: readonly Point[];
  readonly median: readonly Point[];
  readonly upper: readonly Point[];
  /** The values at which an alarm counts a window as breaching, a line for each side that a rule watches. */
  readonly edges: readonly (readonly Point[])[];
  /** Windows beyond the edge. */
  readonly breaching: readonly Point[];
  /** Windows for which events came too late. */
  readonly late: readonly Point[];
  /** Whether windows were merged. */
  readonly thinned: boolean;
}

export interface Edge {
  readonly side: "below" | "above";
  /** Deviation, in half bands. */
  readonly threshold: number;
}

/** The sides and thresholds that the series' rules watch; the tightest where several watch the same side. */
export function alarmEdges(rules: ChartColumns["rules"]): Edge[] {
  return (["below", "above"] as const).flatMap((side) => {
    const thresholds = rules.filter((r) => r.direction === side || r.direction === "both").map((r) => r.threshold);
    return thresholds.length > 0 ? [{ side, threshold: Math.min(...thresholds) }] : [];
  });
}

/** Is a window beyond what the rules allow? Without a rule: outside the band. */
export function isBreaching(deviation: number, edges: readonly Edge[]): boolean {
  if (edges.length === 0) return Math.abs(deviation) > 1;
  return edges.some(({ side, threshold }) => (side === "below" ? deviation < -threshold : deviation > threshold));
}

/** The first index whose start is at or after `at`. */
export function indexAt(start: Float64Array, at: number): number {
  let low = 0;
  let high = start.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (start[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the window nearest to `at`; -1 when there is none. */
export function nearestIndex(start: Float64Array, at: number): number {
  const next = indexAt(start, at);
  if (next === 0) return start.length > 0 ? 0 : -1;
  if (next === start.length) return start.length - 1;
  return at - start[next - 1]! <= start[next]! - at ? next - 1 : next;
}

/** The windows of `range` (and one beyond each end, so that lines reach the edge) in at most about 2 × `buckets` points. */
export function visible(columns: ChartColumns, range: Range, buckets: number): Visible {
  const { start } = columns;
  const first = Math.max(0, indexAt(start, range.from) - 1);
  const end = Math.min(start.length, indexAt(start, range.until) + 1);
  const edges = alarmEdges(columns.rules);
  return end - first <= buckets * 2
    ? everyWindow(columns, first, end, edges)
    : thinned(columns, first, end, edges, (range.until - range.from) / buckets);
}

function everyWindow(columns: ChartColumns, first: number, end: number, edges: readonly Edge[]): Visible {
  const { start, actual, lower, median, upper, deviation, late } = columns;
  const out = collector(edges);
  for (let i = first; i < end; i++) {
    const x = start[i]!;
    out.actual.push({ x, y: actual[i]! });
    out.lower.push({ x, y: lower[i]! });
    out.median.push({ x, y: median[i]! });
    out.upper.push({ x, y: upper[i]! });
    out.edge(x, median[i]!, lower[i]!, upper[i]!);
    if (isBreaching(deviation[i]!, edges)) out.breaching.push({ x, y: actual[i]! });
    if (late[i]! > 0) out.late.push({ x, y: actual[i]! });
  }
  return { ...out, thinned: false };
}

function thinned(columns: ChartColumns, first: number, end: number, edges: readonly Edge[], width: number): Visible {
  const { start, actual, lower, median, upper, deviation, late } = columns;
  const out = collector(edges);
  let i = first;
  while (i < end) {
    const bucket = Math.floor(start[i]! / width);
    const x = start[i]!;
    let low = -1;
    let high = -1;
    let worst = -1;
    let lateAt = -1;
    let bottom = Number.NaN;
    let top = Number.NaN;
    let sum = 0;
    let forecasts = 0;
    for (; i < end && Math.floor(start[i]! / width) === bucket; i++) {
      const value = actual[i]!;
      if (!Number.isNaN(value)) {
        if (low < 0 || value < actual[low]!) low = i;
        if (high < 0 || value > actual[high]!) high = i;
      }
      if (!Number.isNaN(median[i]!)) {
        sum += median[i]!;
        forecasts++;
        if (!(lower[i]! >= bottom)) bottom = lower[i]!;
        if (!(upper[i]! <= top)) top = upper[i]!;
      }
      if (isBreaching(deviation[i]!, edges) && (worst < 0 || Math.abs(deviation[i]!) > Math.abs(deviation[worst]!)))
        worst = i;
      if (late[i]! > 0) lateAt = i;
    }
    if (low < 0) out.actual.push({ x, y: Number.NaN });
    else {
      const [a, b] = low < high ? [low, high] : [high, low];
      out.actual.push({ x: start[a]!, y: actual[a]! });
      if (a !== b) out.actual.push({ x: start[b]!, y: actual[b]! });
    }
    const middle = forecasts > 0 ? sum / forecasts : Number.NaN;
    out.lower.push({ x, y: bottom });
    out.median.push({ x, y: middle });
    out.upper.push({ x, y: top });
    out.edge(x, middle, bottom, top);
    if (worst >= 0) out.breaching.push({ x: start[worst]!, y: actual[worst]! });
    if (lateAt >= 0) out.late.push({ x: start[lateAt]!, y: actual[lateAt]! });
  }
  return { ...out, thinned: true };
}

function collector(edges: readonly Edge[]) {
  const lines: Point[][] = edges.map(() => []);
  const none = (): Point[] => [];
  return {
    ...{ actual: none(), lower: none(), median: none(), upper: none(), breaching: none(), late: none() },
    edges: lines,
    /** By definition a deviation of −threshold lies at median − threshold × (median − lower). */
    edge(x: number, median: number, lower: number, upper: number): void {
      edges.forEach(({ side, threshold }, i) => {
        const y = side === "below" ? median - threshold * (median - lower) : median + threshold * (upper - median);
        lines[i]!.push({ x, y });
      });
    },
  };
}

/** The first and the last window's time, the latter's end; null for an empty series. */
export function extent(columns: ChartColumns): Range | null {
  const { start, every } = columns;
  return start.length === 0 ? null : { from: start[0]!, until: start[start.length - 1]! + every };
}

/** The end of the newest window that has an actual; null before the first. */
export function newestActual(columns: ChartColumns): number | null {
  for (let i = columns.start.length - 1; i >= 0; i--) {
    if (!Number.isNaN(columns.actual[i]!)) return columns.start[i]! + columns.every;
  }
  return null;
}

/** `range` moved, and if need be narrowed or widened about its middle, to lie within `limits` and be at least `least` wide. */
export function clampRange(range: Range, limits: Range, least: number): Range {
  const span = Math.min(Math.max(range.until - range.from, least), Math.max(limits.until - limits.from, least));
  const middle = (range.from + range.until) / 2;
  const from = Math.max(limits.from, Math.min(middle - span / 2, limits.until - span));
  return { from, until: from + span };
}

/** The columns with newer windows put in place of those from the first newer one's start on. */
export function mergeTail(columns: ChartColumns, tail: ChartColumns): ChartColumns {
  const from = tail.start[0];
  if (from === undefined) return { ...columns, incidents: tail.incidents, rules: tail.rules };
  const kept = indexAt(columns.start, from);
  const join = (a: Float64Array, b: Float64Array) => {
    const out = new Float64Array(kept + b.length);
    out.set(a.subarray(0, kept));
    out.set(b, kept);
    return out;
  };
  return {
    ...tail,
    start: join(columns.start, tail.start),
    actual: join(columns.actual, tail.actual),
    lower: join(columns.lower, tail.lower),
    median: join(columns.median, tail.median),
    upper: join(columns.upper, tail.upper),
    deviation: join(columns.deviation, tail.deviation),
    late: join(columns.late, tail.late),
  };
}
