/**
 * Step 5, analyze: events are folded into tumbling event-time windows, a window a group, and a window closes when the
 * watermark passes its end. Meant to agree with Flink's TUMBLE on the same events; the golden cases hold both to it.
 *
 * The clock of a stream is its newest event. The watermark trails it by `lateness`. When nothing arrives for `idle`, the
 * clock moves on by itself (`tick`), so that silence closes windows too: empty ones, for every group that is known.
 */
import type { Event, Value } from "./collect.ts";
import { emptyMoments, MOMENTS, observe, readStatistic } from "./moments.ts";
import { combinations, groupKey, mostGroups, windowStart } from "./series.ts";
import type { Measure, PipelineSpec } from "./spec.ts";

/**
 * What became of an event: in its window; after its window had closed; too far from the stream's clock to be true; or not
 * taken, because it may be that the stream has moved on (see `admit.ts`).
 */
export type Verdict = "counted" | "late" | "ahead" | "behind" | "suspect";

/** All groups of one closed window; groups in order of their keys. */
export interface ClosedWindow {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly ClosedGroup[];
}

export interface ClosedGroup {
  /** `groupKey` of the `by` values. */
  readonly key: string;
  readonly events: number;
  /** A value a measure, in the spec's order; NaN where there is none (the mean of nothing). */
  readonly values: readonly number[];
}

/** The analyzer's whole memory as JSON, so that a restart continues where it stopped. */
export interface AnalyzerState {
  /** What the cells below describe; a state of another shape gives a new analyzer its clock only. */
  readonly shape: string;
  readonly newest: number | null;
  readonly newestArrival: number;
  readonly watermark: number | null;
  readonly nextClose: number | null;
  readonly closedAny: boolean;
  readonly groups: readonly (readonly [key: string, since: number, lastSeen: number])[];
  readonly open: readonly (readonly [start: number, key: string, cells: readonly (number | string)[]])[];
}

const EVENTS = 0;

export class Analyzer {
  readonly #every: number;
  readonly #lateness: number;
  readonly #idle: number;
  readonly #ahead: number;
  readonly #behind: number;
  readonly #memory: number;
  readonly #measures: readonly Measure[];
  readonly #byAt: readonly number[];
  /** For each by field the allowed values; undefined: discovered. */
  readonly #allowed: readonly (ReadonlySet<string> | undefined)[];
  /** The fields that measures need, as positions in `Event.values`, and each measure's place in the cells. */
  readonly #fieldAt: number[] = [];
  readonly #cellOf: number[];
  readonly #shape: string;

  #newest: number | null = null;
  #newestArrival = 0;
  #watermark: number | null = null;
  #nextClose: number | null = null;
  #closedAny = false;
  readonly #groups = new Map<string, { since: number; lastSeen: number; listed: boolean }>();
  readonly #open = new Map<number, Map<string, Float64Array>>();
  readonly #mostGroups: number;
  #turnedAway = false;
  // The window of the last event: most events fall into the same one.
  #lastStart = Number.NaN;
  #lastWindow: Map<string, Float64Array> | undefined;

  constructor(spec: PipelineSpec, state?: AnalyzerState) {
    const { source, series, forecast } = spec;
    this.#every = series.every;
    this.#lateness = source.lateness;
    this.#idle = source.idle;
    this.#ahead = source.ahead;
    this.#behind = source.behind;
    this.#memory = forecast.history;
    this.#measures = series.measures;
    this.#mostGroups = mostGroups(series.measures.length);
    const names = Object.keys(source.fields);
    this.#byAt = series.by.map((b) => names.indexOf(b.field));
    this.#allowed = series.by.map((b) => (b.values ? new Set(b.values) : undefined));
    this.#cellOf = series.measures.map((m) => {
      if (m.field === "*") return -1;
      const at = names.indexOf(m.field);
      let i = this.#fieldAt.indexOf(at);
      if (i < 0) i = this.#fieldAt.push(at) - 1;
      return 1 + i * MOMENTS;
    });
    this.#shape = JSON.stringify([series.every, series.by, this.#fieldAt.map((at) => names[at])]);
    if (series.by.every((b) => b.values)) {
      for (const group of combinations(series.by.map((b) => b.values ?? []))) {
        this.#groups.set(groupKey(group), { since: Number.NEGATIVE_INFINITY, lastSeen: 0, listed: true });
      }
    }
    if (state) this.#restore(state);
  }

  /** Event time up to which windows are closed; null before the first event. */
  get watermark(): number | null {
    return this.#watermark;
  }

  get newest(): number | null {
    return this.#newest;
  }

  /** Whether `close` has something to give. */
  get closable(): boolean {
    return this.#nextClose !== null && this.#watermark !== null && this.#watermark >= this.#nextClose + this.#every;
  }

  /** Whether the stream has more groups than are watched. */
  get crowded(): boolean {
    return this.#turnedAway && this.#groups.size >= this.#mostGroups;
  }

  /** The groups known so far and, for discovered ones, the window in which each first appeared. */
  groups(): { key: string; since: number }[] {
    return [...this.#groups].map(([key, g]) => ({ key, since: g.since }));
  }

  /**
   * Takes one event in, in stream order.
   * @param arrival when the stream took it, epoch ms.
   * @param speed event seconds per wall second: 1 unless a replay says otherwise.
   */
  add(event: Event, arrival: number, speed = 1): Verdict {
    const { time } = event;
    const implausible = this.#implausible(time, arrival, speed);
    if (implausible) return implausible;
    const start = windowStart(time, this.#every);
    if (this.#watermark !== null && start + this.#every <= this.#watermark) return "late";
    if (this.#newest === null || time > this.#newest) this.#advance(time, arrival);
    else if (arrival > this.#newestArrival && time > this.#watermark!) this.#newestArrival = arrival;
    if (this.#nextClose === null || (start < this.#nextClose && !this.#closedAny)) this.#nextClose = start;
    const key = this.keyOf(event.values);
    if (key === undefined) return "counted";
    const cells = this.#cells(start, key);
    if (!cells) return "counted";
    cells[EVENTS]!++;
    for (let i = 0; i < this.#fieldAt.length; i++) {
      const value = event.values[this.#fieldAt[i]!];
      if (value !== null && value !== undefined) observe(cells, 1 + i * MOMENTS, typeof value === "number" ? value : 0);
    }
    return "counted";
  }

  /** Sets the clock on to `time`, an event's, because the stream has truly come that far. */
  moveOn(time: number, arrival: number): void {
    if (this.#newest === null || time > this.#newest) this.#advance(time, arrival);
  }

  /**
   * Lets the clock move on when nothing has arrived for `idle`.
   * @param now wall clock, epoch ms.
   * @param quietSince wall clock since when something could have arrived: the newest arrival or the engine's start.
   */
  tick(now: number, quietSince: number, speed = 1): void {
    if (this.#newest === null || this.#watermark === null) return;
    if ((now - Math.max(quietSince, this.#newestArrival)) * speed < this.#idle) return;
    const clock = this.#newest + (now - this.#newestArrival) * speed;
    this.#watermark = Math.max(this.#watermark, clock - this.#lateness);
  }

  /** Lets the clock move on to `time` because the source says that nothing earlier is to come: a replay that knows. */
  advanceTo(time: number): void {
    if (this.#watermark !== null) this.#watermark = Math.max(this.#watermark, time - this.#lateness);
  }

  /** The windows the watermark has passed, oldest first. */
  *close(): Generator<ClosedWindow> {
    while (this.closable) {
      const start = this.#skipLongSilence(this.#nextClose!);
      const end = start + this.#every;
      const cells = this.#open.get(start);
      const groups: ClosedGroup[] = [];
      for (const [key, group] of this.#groups) {
        if (group.since > start) continue;
        const cell = cells?.get(key);
        if (!group.listed && start - group.lastSeen > this.#memory) this.#groups.delete(key);
        else groups.push(this.#closeGroup(key, cell));
      }
      groups.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
      this.#open.delete(start);
      if (start === this.#lastStart) this.#lastStart = Number.NaN;
      this.#nextClose = end;
      this.#closedAny = true;
      yield { start, end, groups };
    }
  }

  state(): AnalyzerState {
    const open: (readonly [number, string, readonly (number | string)[]])[] = [];
    for (const [start, groups] of this.#open) {
      // JSON has no infinity, which the min and max of nothing are: it travels as text.
      for (const [key, cells] of groups)
        open.push([start, key, Array.from(cells, (c) => (Number.isFinite(c) ? c : String(c)))]);
    }
    return {
      shape: this.#shape,
      newest: this.#newest,
      newestArrival: this.#newestArrival,
      watermark: this.#watermark,
      nextClose: this.#nextClose,
      closedAny: this.#closedAny,
      groups: [...this.#groups].filter(([, g]) => !g.listed).map(([key, g]) => [key, g.since, g.lastSeen]),
      open,
    };
  }

  #restore(state: AnalyzerState): void {
    this.#newest = state.newest;
    this.#newestArrival = state.newestArrival;
    this.#watermark = state.watermark;
    this.#nextClose = state.nextClose;
    this.#closedAny = state.closedAny;
    if (state.shape !== this.#shape) {
      this.#beginAnew();
      return;
    }
    for (const [key, since, lastSeen] of state.groups) this.#groups.set(key, { since, lastSeen, listed: false });
    for (const [start, key, cells] of state.open) {
      this.#cells(start, key)?.set(cells.map(Number));
    }
  }

  /**
   * The pipeline has changed under the state, and the windows that are open were not folded in its way: the first window to
   * be closed is the next whole one, and what still comes for those before it is late.
   */
  #beginAnew(): void {
    if (this.#newest === null) return;
    this.#nextClose = windowStart(Math.max(this.#newest, this.#watermark!), this.#every) + this.#every;
    this.#watermark = this.#nextClose;
  }

  #implausible(time: number, arrival: number, speed: number): "ahead" | "behind" | "suspect" | undefined {
    if (this.#newest === null) return time > arrival + this.#ahead ? "ahead" : undefined;
    const clock = this.#newest + Math.max(0, arrival - this.#newestArrival) * speed;
    if (time > clock + this.#ahead) return time > arrival + this.#ahead ? "ahead" : "suspect";
    return time < this.#newest - this.#behind ? "behind" : undefined;
  }

  #advance(time: number, arrival: number): void {
    this.#newest = time;
    this.#newestArrival = arrival;
    const watermark = time - this.#lateness;
    if (this.#watermark === null || watermark > this.#watermark) this.#watermark = watermark;
  }

  /** The group an event belongs to, as `groupKey`; undefined when it belongs to none. */
  keyOf(values: readonly Value[]): string | undefined {
    if (this.#byAt.length === 1) {
      const value = values[this.#byAt[0]!];
      if (value === null || value === undefined) return undefined;
      const text = String(value);
      return this.#allowed[0] && !this.#allowed[0].has(text) ? undefined : text;
    }
    const parts: string[] = [];
    for (let i = 0; i < this.#byAt.length; i++) {
      const value = values[this.#byAt[i]!];
      if (value === null || value === undefined) return undefined;
      const text = String(value);
      if (this.#allowed[i] && !this.#allowed[i]!.has(text)) return undefined;
      parts.push(text);
    }
    return groupKey(parts);
  }

  /** What is folded of a group in a window; undefined when it is a new group and there are too many. */
  #cells(start: number, key: string): Float64Array | undefined {
    if (start !== this.#lastStart || !this.#lastWindow) {
      this.#lastStart = start;
      this.#lastWindow = this.#open.get(start);
      if (!this.#lastWindow) {
        this.#lastWindow = new Map();
        this.#open.set(start, this.#lastWindow);
      }
    }
    let cells = this.#lastWindow.get(key);
    if (!cells) {
      if (!this.#groups.has(key) && this.#groups.size >= this.#mostGroups) {
        this.#turnedAway = true;
        return undefined;
      }
      cells = new Float64Array(1 + this.#fieldAt.length * MOMENTS);
      for (let i = 0; i < this.#fieldAt.length; i++) emptyMoments(cells, 1 + i * MOMENTS);
      this.#lastWindow.set(key, cells);
      const group = this.#groups.get(key);
      if (!group) this.#groups.set(key, { since: start, lastSeen: start, listed: false });
      else {
        group.since = Math.min(group.since, start);
        group.lastSeen = Math.max(group.lastSeen, start);
      }
    }
    return cells;
  }

  #closeGroup(key: string, cells: Float64Array | undefined): ClosedGroup {
    const values = this.#measures.map((m, i) => {
      if (m.field === "*") return cells ? cells[EVENTS]! : 0;
      return readStatistic(m.statistic, cells, this.#cellOf[i]!);
    });
    return { key, events: cells ? cells[EVENTS]! : 0, values };
  }

  /** After a silence longer than the memory, closing every empty window of it would help nobody. */
  #skipLongSilence(start: number): number {
    const oldest = windowStart(this.#watermark! - this.#memory, this.#every);
    if (start >= oldest) return start;
    let first = oldest;
    for (const open of this.#open.keys()) first = Math.min(first, open);
    return Math.max(start, first);
  }
}
