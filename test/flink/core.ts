/** What the tests hold Flink to: core/analyze over the same items, and both results as comparable text. */

import { parseWindowRecord } from "../../infra/lambda/comparing.ts";
import type { EventLine, WindowRecord } from "../../infra/lambda/names.ts";
import { eventLine } from "../../infra/lambda/relaying.ts";
import { Analyzer, type AnalyzerState } from "../../src/core/analyze.ts";
import { type Event, eventReader } from "../../src/core/collect.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";

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

/** Windows of groups that had events, one text each, and what else there is to tell. */
export interface Windows {
  readonly rows: readonly string[];
  readonly late: number;
}

const LONG = 400 * 86_400_000;

/**
 * core/analyze over a case, or over several of which each goes on with the memory of the one before it.
 * @param drained whether the input ends, which closes what is open; else only what the items close is there.
 */
export function byCore(stages: Stage | readonly Stage[], drained: boolean): Windows {
  const rows: string[] = [];
  let late = 0;
  let state: AnalyzerState | undefined;
  for (const [i, { spec, items }] of [stages].flat().entries()) {
    const read = eventReader(spec.source);
    const analyzer = new Analyzer(spec, state);
    const take = () => {
      for (const { start, end, groups } of analyzer.close()) {
        for (const g of groups) if (g.events > 0) rows.push(row(start, end, g.key, g.events, g.values));
      }
    };
    for (const item of items) {
      // The clock at the beat: as if it were the newest event, which is what it is for Flink. No item is implausible: each
      // arrives when it happens.
      if ("beat" in item) analyzer.tick(item.beat as number, 0);
      else {
        const event = eventOf(read(item));
        if (analyzer.add(event, event.time) === "late") late++;
      }
      take();
    }
    if (drained && i === [stages].flat().length - 1 && analyzer.newest !== null) {
      analyzer.tick(analyzer.newest + LONG, 0);
      take();
    }
    state = analyzer.state();
  }
  return { rows: rows.sort(), late };
}

/** What the relay makes of the items, and the sweep of the beats. */
function linesOf({ spec, items }: Stage): EventLine[] {
  const read = eventReader(spec.source);
  const toLine = eventLine(spec);
  return items.map((item) =>
    "beat" in item ? { time: item.beat as number, key: null, fields: {} } : toLine(eventOf(read(item))),
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

/** Windows that Flink wrote, as `byCore` has them; and the ends of those that it told to be closed. */
export function byFlink(spec: PipelineSpec, records: readonly string[]): { rows: string[]; closed: string[] } {
  const parsed = records.map(parseWindowRecord);
  const windows = parsed.filter((r): r is Extract<WindowRecord, { kind: "window" }> => r.kind === "window");
  return {
    rows: windows
      .map((w) => {
        const values = spec.series.measures.map((m) => w.measures[m.name]);
        return row(Date.parse(w.start), Date.parse(w.end), w.key, w.events, values);
      })
      .sort(),
    closed: parsed
      .filter((r) => r.kind === "closed")
      .map((c) => new Date(c.end).toISOString())
      .sort(),
  };
}

/** The window's end of a row. */
export function endOf(row: string): string {
  return row.split(" ")[1]!;
}

/** A window as text, its numbers to nine significant digits (and as many decimals): Flink adds in another order. */
function row(
  start: number,
  end: number,
  key: string,
  events: number,
  values: readonly (number | null | undefined)[],
): string {
  const shown = values.map((v) =>
    v === null || v === undefined || Number.isNaN(v)
      ? "-"
      : String(Math.round(Number(v.toPrecision(9)) * 1e8) / 1e8 + 0),
  );
  return [new Date(start).toISOString(), new Date(end).toISOString(), key, events, ...shown].join(" ");
}

function eventOf(read: ReturnType<ReturnType<typeof eventReader>>): Event {
  if ("reason" in read) throw new Error(`${read.reason}: ${read.detail}`);
  return read;
}
