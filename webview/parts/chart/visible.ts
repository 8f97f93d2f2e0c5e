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
  const [least, most] = ordinary(edges);
  return deviation < least || deviation > most;
}

/** The deviations that do not breach: from the first to the second. */
function ordinary(edges: readonly Edge[]): [number, number] {
  if (edges.length === 0) return [-1, 1];
  const of = (side: Edge["side"]) => edges.find((edge) => edge.side === side)?.threshold ?? Number.POSITIVE_INFINITY;
  return [-of("below"), of("above")];
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

function thinned(columns: ChartColumns, first: number, end: number, edges: readonly Edge[], asked: number): Visible {
  const out = collector(edges);
  const { width, buckets } = bucketsOf(columns, asked);
  for (let i = first; i < end; ) {
    const at = Math.floor(columns.start[i]! / width);
    let bucket = buckets.get(at);
    if (!bucket) {
      bucket = merge(columns, at, width, edges);
      buckets.set(at, bucket);
    }
    out.actual.push(...bucket.actual);
    out.lower.push(bucket.lower);
    out.median.push(bucket.median);
    out.upper.push(bucket.upper);
    bucket.edges.forEach((point, k) => {
      out.edges[k]!.push(point);
    });
    if (bucket.breaching) out.breaching.push(bucket.breaching);
    if (bucket.late) out.late.push(bucket.late);
    i = bucket.end;
  }
  return { ...out, thinned: true };
}

/** The windows of [at, at + 1) widths, merged. */
interface Bucket {
  /** The index of the first window after it. */
  readonly end: number;
  readonly actual: readonly Point[];
  readonly lower: Point;
  readonly median: Point;
  readonly upper: Point;
  readonly edges: readonly Point[];
  readonly breaching: Point | undefined;
  readonly late: Point | undefined;
}

/** What was merged last for a chart: while it is panned the width stays, and only buckets that come into view are new. */
const merged = new WeakMap<ChartColumns, Buckets>();

interface Buckets {
  readonly width: number;
  readonly buckets: Map<number, Bucket>;
}

function bucketsOf(columns: ChartColumns, width: number): Buckets {
  const known = merged.get(columns);
  // A width is a span over a number of pixels: the same one differs in its last digits from frame to frame.
  if (known && Math.abs(known.width / width - 1) < 1e-9) return known;
  const made = { width, buckets: new Map<number, Bucket>() };
  merged.set(columns, made);
  return made;
}

function merge(columns: ChartColumns, at: number, width: number, edges: readonly Edge[]): Bucket {
  const { start, actual, lower, median, upper, deviation, late } = columns;
  const [least, most] = ordinary(edges);
  // The division decides, as for the caller: a product may differ from it in the last digit.
  let i = Math.max(0, indexAt(start, at * width) - 1);
  while (Math.floor(start[i]! / width) < at) i++;
  const x = start[i]!;
  let low = -1;
  let high = -1;
  let worst = -1;
  let lateAt = -1;
  let bottom = Number.NaN;
  let top = Number.NaN;
  let sum = 0;
  let forecasts = 0;
  for (; i < start.length && Math.floor(start[i]! / width) === at; i++) {
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
    const off = deviation[i]!;
    if ((off < least || off > most) && (worst < 0 || Math.abs(off) > Math.abs(deviation[worst]!))) worst = i;
    if (late[i]! > 0) lateAt = i;
  }
  const point = (k: number): Point => ({ x: start[k]!, y: actual[k]! });
  const middle = forecasts > 0 ? sum / forecasts : Number.NaN;
  return {
    end: i,
    actual:
      low < 0
        ? [{ x, y: Number.NaN }]
        : low === high
          ? [point(low)]
          : [point(Math.min(low, high)), point(Math.max(low, high))],
    lower: { x, y: bottom },
    median: { x, y: middle },
    upper: { x, y: top },
    edges: edges.map((edge) => ({ x, y: edgeAt(edge, middle, bottom, top) })),
    breaching: worst < 0 ? undefined : point(worst),
    late: lateAt < 0 ? undefined : point(lateAt),
  };
}

/** By definition a deviation of −threshold lies at median − threshold × (median − lower). */
function edgeAt({ side, threshold }: Edge, median: number, lower: number, upper: number): number {
  return side === "below" ? median - threshold * (median - lower) : median + threshold * (upper - median);
}

function collector(edges: readonly Edge[]) {
  const lines: Point[][] = edges.map(() => []);
  const none = (): Point[] => [];
  return {
    ...{ actual: none(), lower: none(), median: none(), upper: none(), breaching: none(), late: none() },
    edges: lines,
    edge(x: number, median: number, lower: number, upper: number): void {
      edges.forEach((edge, i) => {
        lines[i]!.push({ x, y: edgeAt(edge, median, lower, upper) });
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

/** The multiples of 1, 2 or 5 times a power of ten within [low, high], at most `most` + 1. */
export function roundValues(low: number, high: number, most: number): number[] {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toFixed(digits)));
}
