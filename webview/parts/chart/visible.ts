/**
 * What of a series is drawn: the windows of a range; where they are too dense for lines, as columns of pixels. A column
 * spans from the smallest to the largest actual of its windows, so a spike of one window stays visible at any zoom; the
 * band keeps its envelope. Columns lie on a grid of absolute time, so that the picture does not shimmer while it is panned.
 */
import type { ChartColumns } from "../../../src/rpc/page.ts";
import { Extremes } from "./extremes.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Event time [from, until), epoch ms. */
export interface Range {
  readonly from: number;
  readonly until: number;
}

/** Places in ascending time, an entry each in every array: windows, or buckets of a column's width. NaN: no value. */
export interface Visible {
  /** Width of a bucket, ms; null: every window is a place of its own. */
  readonly bucket: number | null;
  /** A window's start, or a bucket's. */
  readonly at: Float64Array;
  /** The smallest and the largest actual: the same array when every window is a place of its own. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly lower: Float64Array;
  readonly median: Float64Array;
  readonly upper: Float64Array;
  /** The values at which an alarm counts a window as breaching, a line for each side that a rule watches. */
  readonly edges: readonly Float64Array[];
  /** Windows beyond the edge: of a bucket, the one that is farthest beyond. */
  readonly breaching: readonly Point[];
  /** Windows for which events came too late. */
  readonly late: readonly Point[];
  /** The smallest and the largest of the range's actuals and band; null when there are none. */
  readonly values: readonly [number, number] | null;
}

/** What there is room for. */
export interface Room {
  /** Columns of pixels. */
  readonly columns: number;
  /** As many windows at most are a place each, to be drawn as lines. */
  readonly lines: number;
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

/** What is visible of a series: its windows, or, if there are more than `room.lines`, buckets of a column each. */
export function visible(columns: ChartColumns, range: Range, room: Room): Visible {
  const { start } = columns;
  const first = indexAt(start, range.from);
  const end = indexAt(start, range.until);
  // One beyond each end, so that lines reach the edge; columns of many windows reach it by themselves.
  const beyond = end - first <= room.columns ? 1 : 0;
  const part: Part = { columns, first: Math.max(0, first - beyond), end: Math.min(start.length, end + beyond) };
  const values = valuesOf({ columns, first, end });
  if (end - first <= room.lines) return everyWindow(part, values);
  // A width is a span over a number of pixels: the same one differs in its last digits from frame to frame of a pan.
  return bucketed(part, values, Number(((range.until - range.from) / room.columns).toPrecision(9)));
}

/** The windows from `first` to before `end`. */
interface Part {
  readonly columns: ChartColumns;
  readonly first: number;
  readonly end: number;
}

function valuesOf({ columns, first, end }: Part): Visible["values"] {
  const known = extremesOf(columns);
  const shown = [known.actual, known.lower, known.upper];
  const least = Math.min(...shown.map((column) => column.least(first, end)));
  const greatest = Math.max(...shown.map((column) => column.greatest(first, end)));
  return least <= greatest ? [least, greatest] : null;
}

function everyWindow({ columns, first, end }: Part, values: Visible["values"]): Visible {
  const part = (column: Float64Array) => column.subarray(first, end);
  const [at, actual] = [part(columns.start), part(columns.actual)];
  const forecast = { lower: part(columns.lower), median: part(columns.median), upper: part(columns.upper) };
  const marks = (is: (i: number) => boolean) => {
    const out: Point[] = [];
    for (let i = 0; i < at.length; i++) if (is(i)) out.push({ x: at[i]!, y: actual[i]! });
    return out;
  };
  const deviation = part(columns.deviation);
  const late = part(columns.late);
  const edges = alarmEdges(columns.rules);
  const [least, greatest] = ordinary(edges);
  return {
    ...{ bucket: null, at, low: actual, high: actual, ...forecast, values },
    edges: edges.map((edge) => edgeLine(edge, forecast)),
    breaching: marks((i) => deviation[i]! < least || deviation[i]! > greatest),
    late: marks((i) => late[i]! > 0),
  };
}

/** The arrays that have an entry a place. */
type Places = Pick<Visible, "at" | "low" | "high" | "lower" | "median" | "upper">;

const places = (count: number): Places => {
  const array = () => new Float64Array(count);
  return { at: array(), low: array(), high: array(), lower: array(), median: array(), upper: array() };
};

const EXTREMES = ["actual", "lower", "median", "upper", "deviation", "late"] as const;

type KnownExtremes = Readonly<Record<(typeof EXTREMES)[number], Extremes>>;

const known = new WeakMap<ChartColumns, KnownExtremes>();

function extremesOf(columns: ChartColumns): KnownExtremes {
  let found = known.get(columns);
  if (!found) {
    found = Object.fromEntries(EXTREMES.map((name) => [name, new Extremes(columns[name])])) as KnownExtremes;
    known.set(columns, found);
  }
  return found;
}

function bucketed({ columns, first, end }: Part, values: Visible["values"], bucket: number): Visible {
  const { start, actual, every } = columns;
  const { actual: actuals, lower, median, upper, deviation, late } = extremesOf(columns);
  const edges = alarmEdges(columns.rules);
  const [least, greatest] = ordinary(edges);
  const out = places(Math.floor((start[end - 1]! - start[first]!) / bucket) + 2);
  const [breaching, lateOnes]: [Point[], Point[]] = [[], []];
  const mark = (into: Point[], i: number) => into.push({ x: start[i]!, y: actual[i]! });
  let n = 0;
  for (let i = first; i < end; n++) {
    const begin = Math.floor(start[i]! / bucket) * bucket;
    // Windows lie on a grid but for gaps: one step is enough, or nearly, to where the bucket ends.
    let next = Math.max(i + 1, Math.min(end, i + Math.ceil((begin + bucket - start[i]!) / every)));
    while (next < end && start[next]! < begin + bucket) next++;
    while (next > i + 1 && start[next - 1]! >= begin + bucket) next--;
    out.at[n] = begin;
    out.low[n] = finite(actuals.least(i, next));
    out.high[n] = finite(actuals.greatest(i, next));
    out.lower[n] = finite(lower.least(i, next));
    out.median[n] = finite((median.least(i, next) + median.greatest(i, next)) / 2);
    out.upper[n] = finite(upper.greatest(i, next));
    if (deviation.least(i, next) < least || deviation.greatest(i, next) > greatest)
      mark(breaching, worst(columns.deviation, i, next, [least, greatest]));
    if (late.greatest(i, next) > 0) mark(lateOnes, lastPositive(columns.late, i, next));
    i = next;
  }
  const joined = joinedUp(out, n, bucket, every);
  return {
    ...{ bucket, ...joined, breaching, late: lateOnes, values },
    edges: edges.map((edge) => edgeLine(edge, joined)),
  };
}

/** The extreme of no values is none. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN;
}

/** The index of the deviation that is farthest from the ordinary ones. */
function worst(deviation: Float64Array, first: number, end: number, [least, greatest]: readonly [number, number]) {
  let at = first;
  let far = 0;
  for (let i = first; i < end; i++) {
    const off = deviation[i]!;
    if ((off < least || off > greatest) && Math.abs(off) > far) {
      at = i;
      far = Math.abs(off);
    }
  }
  return at;
}

function lastPositive(column: Float64Array, first: number, end: number): number {
  let i = end - 1;
  while (i > first && !(column[i]! > 0)) i--;
  return i;
}

/** The first `count` buckets, and where windows are wider than buckets, those between two, on the line between them. */
function joinedUp(buckets: Places, count: number, bucket: number, every: number): Places {
  const { at } = buckets;
  const apart = (i: number) => Math.round((at[i]! - at[i - 1]!) / bucket);
  const neighbours = (i: number) => at[i]! - at[i - 1]! < every * 1.5 + bucket;
  let missing = 0;
  for (let i = 1; i < count; i++) if (neighbours(i)) missing += apart(i) - 1;
  const out = places(count + missing);
  const columns = Object.keys(out) as (keyof Places)[];
  let n = 0;
  for (let i = 0; i < count; i++) {
    const steps = i > 0 && neighbours(i) ? apart(i) : 1;
    for (let k = 1; k <= steps; k++, n++) {
      for (const name of columns) {
        const to = buckets[name][i]!;
        out[name][n] = k === steps ? to : buckets[name][i - 1]! + ((to - buckets[name][i - 1]!) * k) / steps;
      }
    }
  }
  return out;
}

/** By definition a deviation of −threshold lies at median − threshold × (median − lower). */
function edgeLine(
  { side, threshold }: Edge,
  { lower, median, upper }: Pick<Visible, "lower" | "median" | "upper">,
): Float64Array {
  return side === "below"
    ? median.map((middle, i) => middle - threshold * (middle - lower[i]!))
    : median.map((middle, i) => middle + threshold * (upper[i]! - middle));
}

/** How much of the values' span the alarm edges may add to the picture at each end: a far one would flatten the values. */
const EDGE_ROOM = 0.35;

/**
 * The values that the picture spans: those that are visible and, as far as there is room, the alarm edges, with a little
 * room about them; zero is not forced into it.
 */
export function valueRange({ values, edges }: Visible): [number, number] {
  if (!values) return [0, 1];
  const [least, greatest] = values;
  const most = (greatest - least) * EDGE_ROOM;
  const within = (value: number) => Math.max(least - most, Math.min(greatest + most, value));
  let [low, high] = values;
  for (const edge of edges) {
    for (const value of edge) {
      // Comparisons with NaN are false.
      if (value < low) low = within(value);
      else if (value > high) high = within(value);
    }
  }
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}

/** The first and the last window's time, the latter's end; null for an empty series. */
export function extent(columns: ChartColumns): Range | null {
  const { start, every } = columns;
  return start.length === 0 ? null : { from: start[0]!, until: start[start.length - 1]! + every };
}

/** The index of the newest window that has an actual; -1 before the first. */
export function newestIndex({ actual }: ChartColumns): number {
  let i = actual.length - 1;
  while (i >= 0 && Number.isNaN(actual[i]!)) i--;
  return i;
}

/** The end of the newest window that has an actual; null before the first. */
export function newestActual(columns: ChartColumns): number | null {
  const start = columns.start[newestIndex(columns)];
  return start === undefined ? null : start + columns.every;
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
