/** What the tests hold Flink to: core/analyze over the same items, and both results as comparable text. */

import { parseWindowRecord } from "../../infra/lambda/comparing.ts";
import { groupHash } from "../../infra/lambda/known.ts";
import type { EventLine } from "../../infra/lambda/names.ts";
import { eventLine } from "../../infra/lambda/relaying.ts";
import { lineShape, windowShape } from "../../infra/lambda/shapes.ts";
import { Analyzer, type AnalyzerState } from "../../src/core/analyze.ts";
import { type Event, eventReader } from "../../src/core/collect.ts";
import { windowStart } from "../../src/core/series.ts";
import type { Measure, PipelineSpec } from "../../src/core/spec.ts";

/** What the stream holds: events, and beats, which have a time (epoch ms) and nothing else. */
export type Item = Readonly<Record<string, unknown>> | { readonly beat: number };

/** What came while a pipeline was deployed. */
export interface Stage {
  readonly spec: PipelineSpec;
  readonly items: readonly Item[];
}

export interface Case extends Stage {
  readonly name: string;
}

/** What a job writes, one text each: windows of groups that had events, and windows in which anything arrived. */
export interface Windows {
  readonly rows: readonly string[];
  readonly closed: readonly string[];
  /** Events and beats that the closed windows hold. */
  readonly arrived: number;
}

/**
 * core/analyze over a case, or over several of which each goes on with the memory of the one before it.
 * @param drained whether the input ends, which closes what is open; else only what the items close is there.
 */
export function byCore(stages: Stage | readonly Stage[], drained: boolean): Windows & { readonly late: number } {
  const rows: string[] = [];
  const closed: string[] = [];
  /** Events and beats by their windows' starts. */
  const arrived = new Map<number, number>();
  let after: number | null = null;
  let since: number | undefined;
  let total = 0;
  let late = 0;
  let state: AnalyzerState | undefined;
  for (const [i, { spec, items }] of [stages].flat().entries()) {
    const read = eventReader(spec.source);
    const analyzer = new Analyzer(spec, state);
    const take = () => {
      for (const { start, end, groups } of analyzer.close()) {
        const there = groups.filter((g) => g.events > 0);
        for (const g of there) rows.push(row(spec, { start, end, key: g.key, events: g.events, values: g.values }));
        const events = arrived.get(start);
        if (events === undefined) continue;
        const hashes = there.map((g) => groupHash(g.key)).join("");
        since ??= start;
        closed.push(closing({ start, end, events, groups: hashes, after, since }));
        after = end;
        total += events;
      }
    };
    const arrive = (time: number) => {
      const start = windowStart(time, spec.series.every);
      arrived.set(start, (arrived.get(start) ?? 0) + 1);
    };
    for (const item of items) {
      // The clock at the beat: as if it were the newest event, which is what it is for Flink. No item is implausible: each
      // arrives when it happens.
      if ("beat" in item) {
        arrive(item.beat as number);
        analyzer.tick(item.beat as number, 0);
      } else {
        const event = eventOf(read(item));
        if (analyzer.add(event, event.time) === "late") late++;
        else arrive(event.time);
      }
      take();
    }
    if (drained && i === [stages].flat().length - 1 && analyzer.newest !== null) {
      // So far that every window in which anything arrived is closed, and what is open needs no tick of less than the silence.
      const end = Math.max(...arrived.keys()) + spec.series.every + spec.source.lateness;
      analyzer.tick(Math.max(end, analyzer.newest + spec.source.idle), 0);
      take();
    }
    state = analyzer.state();
  }
  return { rows: rows.sort(), closed: closed.sort(), arrived: total, late };
}

/** What the relay makes of the items, and the sweep of the beats. */
function linesOf({ spec, items }: Stage): EventLine[] {
  const read = eventReader(spec.source);
  const toLine = eventLine(spec);
  return items.map((item) =>
    "beat" in item
      ? { time: item.beat as number, key: null, shape: lineShape(spec), fields: {} }
      : toLine(eventOf(read(item))),
  );
}

/** Events a record holds at most; any number that makes some cases need several. */
const PACK = 50;

/** The records of the events stream: the relay's, of many events each in a JSON array, and the sweep's, of one beat. */
export function recordsOf(one: Stage): string[] {
  const records: string[] = [];
  let pack: EventLine[] = [];
  const close = () => {
    if (pack.length > 0) records.push(JSON.stringify(pack));
    pack = [];
  };
  linesOf(one).forEach((line, i) => {
    const isBeat = "beat" in one.items[i]!;
    if (isBeat || pack.length === PACK) close();
    if (isBeat) records.push(JSON.stringify(line));
    else pack.push(line);
  });
  close();
  return records;
}

/** What Flink wrote, as `byCore` has it. */
export function byFlink(spec: PipelineSpec, records: readonly string[]): Windows {
  const rows: string[] = [];
  const closed: string[] = [];
  let arrived = 0;
  for (const r of records.map(parseWindowRecord)) {
    const [start, end, since] = [Date.parse(r.start), Date.parse(r.end), Date.parse(r.since!)];
    if (r.shape !== windowShape(spec) || !(since <= start)) throw new Error(`Not this job's: ${JSON.stringify(r)}`);
    if (r.kind === "window") {
      const values = spec.series.measures.map((m) => r.measures[m.name]);
      rows.push(row(spec, { start, end, key: r.key, events: r.events, values }));
    } else {
      const after = r.after === null ? null : Date.parse(r.after!);
      closed.push(closing({ start, end, events: r.events, groups: r.groups, after, since }));
      arrived += r.events;
    }
  }
  return { rows: rows.sort(), closed: closed.sort(), arrived };
}

/** Whether as much is there. */
export function reaches(made: Windows, expected: Windows): boolean {
  return made.rows.length >= expected.rows.length && made.closed.length >= expected.closed.length;
}

interface Closing {
  readonly start: number;
  readonly end: number;
  readonly events: number;
  /** As in a record. */
  readonly groups: string | null | undefined;
  readonly after: number | null;
  /** Start of the job's first window. */
  readonly since: number;
}

/** That a window is closed, as text: who had events in any order, everything else as it is. */
function closing({ start, end, events, groups, after, since }: Closing): string {
  const hashes = typeof groups === "string" ? `[${(groups.match(/.{1,12}/g) ?? []).sort().join(" ")}]` : String(groups);
  const before = after === null ? "nothing" : new Date(after).toISOString();
  return `${new Date(start).toISOString()} ${new Date(end).toISOString()} ${events} after ${before} since ${new Date(since).toISOString()} ${hashes}`;
}

interface Row {
  readonly start: number;
  readonly end: number;
  readonly key: string;
  readonly events: number;
  /** In the order of the measures. */
  readonly values: readonly (number | string | null | undefined)[];
}

/** A window as text, its numbers as far as two ways of adding them up agree. */
function row(spec: PipelineSpec, one: Row): string {
  const { start, end, key, events, values } = one;
  const shown = spec.series.measures.map((m, i) => {
    const value = values[i];
    // Flink writes what is no number as text, and the engine has none.
    if (typeof value !== "number" || Number.isNaN(value)) return "-";
    return rounded(value, quantum(spec, m, one), m.statistic === "stddev" ? 6 : 9);
  });
  return [new Date(start).toISOString(), new Date(end).toISOString(), key, events, ...shown].join(" ");
}

/** To nine significant digits, six of a spread, and no finer than `step`. */
function rounded(value: number, step: number, digits: number): string {
  return String(Number((step === 0 ? value : Math.round(value / step) * step).toPrecision(digits)) + 0);
}

/** A power of ten that is all of a sum's or a spread's rounding: of its field's greatest value, where least and greatest are told. */
function quantum(spec: PipelineSpec, { statistic, field }: Measure, { events, values }: Row): number {
  if (statistic === "count" || statistic === "min" || statistic === "max") return 0;
  const sizes = spec.series.measures.flatMap((m, i) =>
    m.field === field && (m.statistic === "min" || m.statistic === "max") ? [Math.abs(Number(values[i] ?? 0))] : [],
  );
  if (sizes.length < 2) return 1e-8;
  // Where there is no value, one side has none at all and the other what is no number.
  const rounding =
    Math.max(...sizes.map((size) => (Number.isNaN(size) ? 0 : size))) *
    (statistic === "stddev" ? 1e-17 : 1e-13 * events);
  return rounding === 0 ? 0 : 10 ** Math.max(-300, Math.ceil(Math.log10(rounding)));
}

function eventOf(read: ReturnType<ReturnType<typeof eventReader>>): Event {
  if ("reason" in read) throw new Error(`${read.reason}: ${read.detail}`);
  return read;
}
