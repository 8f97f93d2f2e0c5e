/**
 * The generated job in real Apache Flink, of the version that is deployed, against core/analyze on the same events. Flink reads
 * what the relay writes from a file and writes windows to files: the SQL, the watermark, the windows and the arithmetic are those
 * of the deployment; only the two connectors are others, because the Kinesis connector needs its jar.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { flinkJob } from "../../infra/flink/job.ts";
import { parseWindowRecord } from "../../infra/lambda/comparing.ts";
import type { WindowRecord } from "../../infra/lambda/names.ts";
import { eventLine } from "../../infra/lambda/relaying.ts";
import { Analyzer } from "../../src/core/analyze.ts";
import { eventReader } from "../../src/core/collect.ts";
import { type PipelineSpec, requireSpec } from "../../src/core/spec.ts";
import { pyflink } from "./pyflink.ts";

const flink = pyflink();
const folder = mkdtempSync(join(tmpdir(), "forewatch-flink-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2001, 2, 5);

/** What the stream holds: events, and beats, which have a time and nothing else. */
type Item = Readonly<Record<string, unknown>> | { readonly beat: number };

interface Case {
  readonly name: string;
  readonly spec: PipelineSpec;
  readonly items: readonly Item[];
}

function spec(over: object): PipelineSpec {
  const file = {
    name: "golden",
    source: {
      time: "t",
      fields: { t: "timestamp", g: "string", n: "integer", x: "double", ok: "boolean" },
      lateness: "10m",
    },
    series: {
      every: "1h",
      by: { g: ["a", "b"] },
      measures: {
        events: { count: "*" },
        with_x: { count: "x" },
        flags: { count: "ok" },
        total: { sum: "x" },
        mean: { avg: "x" },
        least: { min: "x" },
        most: { max: "n" },
        spread: { stddev: "x" },
      },
    },
    forecast: { history: "8w", horizon: "48h" },
    ...over,
  };
  return requireSpec(JSON.stringify(file));
}

const at = (minutes: number, ms = 0) => START + minutes * MINUTE + ms;
const BORDERS: Item[] = [
  { t: at(5), g: "a", x: 1, n: 3 },
  { t: at(59, 59_999), g: "a", x: 2.5 },
  { t: at(60), g: "a", x: 100 },
  // The watermark is now 00:59:59.999: the first window is open still.
  { t: at(69, 59_999), g: "b", x: 4 },
  { t: at(0), g: "b", x: 7, ok: false },
  // And now 01:00: it is closed, and this is late.
  { t: at(70), g: "b", x: 4 },
  { t: at(59, 59_999), g: "a", x: 1_000 },
  { t: at(0), g: "b", x: 1_000 },
  { t: at(61), g: "a", x: -3, n: -5, ok: true },
];
const NOTHING: Item[] = [
  { t: at(1), g: "a" },
  { t: at(2), g: "z", x: 5 },
  { t: at(3), x: 5 },
  { t: at(4), g: "b", x: null, n: 2 },
  { t: at(5), g: "a", x: 3 },
];
const SAME: Item[] = Array.from({ length: 50 }, (_, i) => ({ t: at(i), g: "a", x: 0.1 }));
const SILENCE: Item[] = [
  { t: at(5), g: "a", x: 1 },
  { beat: at(65) },
  { beat: at(69, 59_999) },
  { t: at(50), g: "a", x: 2 },
  { beat: at(70) },
  { t: at(50), g: "a", x: 500 },
  { beat: at(300) },
  { t: at(299), g: "b", x: 9 },
];
const DISORDER: Item[] = fc
  .sample(
    fc.tuple(
      fc.nat(40),
      fc.nat(90),
      fc.constantFrom("a", "b", "c"),
      fc.option(fc.double({ min: -1e3, max: 1e3, noNaN: true })),
    ),
    { numRuns: 4_000, seed: 11 },
  )
  .map(([jump, back, g, x], i) => ({ t: at(i / 4 - (jump === 0 ? back : back / 60)), g, x, n: i % 7 }));

const CASES: readonly Case[] = [
  { name: "windows' borders and late events, to the millisecond", spec: spec({}), items: BORDERS },
  { name: "values that are not there, groups that are not listed", spec: spec({}), items: NOTHING },
  { name: "equal values have no spread", spec: spec({}), items: SAME },
  { name: "beats close windows in silence", spec: spec({}), items: SILENCE },
  { name: "eleven hours in disorder", spec: spec({}), items: DISORDER },
  {
    name: "discovered groups of two fields, five-minute windows",
    spec: spec({
      series: { every: "5m", by: ["g", "ok"], measures: { events: { count: "*" }, total: { sum: "x" } } },
      forecast: { history: "1w", horizon: "1d", retrain: "1d" },
    }),
    items: DISORDER.map((e, i) => ({ ...e, ok: i % 3 === 0 ? null : i % 2 === 0 })),
  },
  {
    name: "no groups, no lateness, windows of a day",
    spec: requireSpec(
      JSON.stringify({
        name: "daily",
        source: { time: "t", fields: { t: "timestamp", x: "double" }, lateness: "0s" },
        series: { every: "1d", measures: { total: { sum: "x" }, mean: { avg: "x" } } },
        forecast: { history: "52w", horizon: "2d", retrain: "1d" },
      }),
    ),
    items: DISORDER.map((e) => ({ t: (e as { t: number }).t * 1, x: (e as { x: number }).x })),
  },
];

/** core/analyze over the items; windows of groups that had events, and how many events were late. */
function byCore({ spec, items }: Case) {
  const read = eventReader(spec.source);
  const analyzer = new Analyzer(spec);
  const rows: string[] = [];
  let late = 0;
  const take = () => {
    for (const window of analyzer.close()) {
      for (const group of window.groups) {
        if (group.events > 0) rows.push(row(window.start, window.end, group.key, group.events, group.values));
      }
    }
  };
  for (const item of items) {
    if ("beat" in item) {
      // The clock at the beat: as if it were the newest event, which is what it is for Flink.
      analyzer.tick(START + ((item.beat as number) - analyzer.newest!), 0);
    } else {
      const event = read(item);
      if ("reason" in event) throw new Error(`${event.reason}: ${event.detail}`);
      if (analyzer.add(event, START) === "late") late++;
    }
    take();
  }
  analyzer.tick(START + 400 * 24 * HOUR, 0);
  take();
  return { rows: rows.sort(), late };
}

/** A window as text, its numbers to eight decimals: Flink adds in another order. */
function row(
  start: number,
  end: number,
  key: string,
  events: number,
  values: readonly (number | null | undefined)[],
): string {
  const shown = values.map((v) =>
    v === null || v === undefined || Number.isNaN(v) ? "-" : String(Math.round(v * 1e8) / 1e8 + 0),
  );
  return [new Date(start).toISOString(), new Date(end).toISOString(), key, events, ...shown].join(" ");
}

async function byFlink(one: Case, python: string, index: number) {
  const work = join(folder, String(index));
  const [input, output] = [join(work, "in"), join(work, "out")];
  mkdirSync(input, { recursive: true });
  cpSync(join(import.meta.dirname, "../../infra/flink/main.py"), join(work, "main.py"));
  const format = { connector: "filesystem", format: "json" };
  const job = flinkJob(one.spec, {
    source: { ...format, path: `file://${input}`, "json.ignore-parse-errors": "true" },
    sink: { ...format, path: `file://${output}`, "json.timestamp-format.standard": "ISO-8601" },
  });
  writeFileSync(
    join(work, "job.json"),
    JSON.stringify({ ...job, settings: { ...job.settings, "parallelism.default": "1" } }),
  );
  const properties = join(work, "properties.json");
  writeFileSync(properties, JSON.stringify([{ PropertyGroupId: "Pipeline", PropertyMap: {} }]));
  const read = eventReader(one.spec.source);
  const toLine = eventLine(one.spec);
  const lines = one.items.map((item) => {
    if ("beat" in item) return { time: item.beat, key: null, fields: {} };
    const event = read(item);
    if ("reason" in event) throw new Error(event.detail);
    return toLine(event);
  });
  writeFileSync(join(input, "events.json"), lines.map((l) => `${JSON.stringify(l)}\n`).join(""));
  await promisify(execFile)(python, [join(work, "main.py")], {
    cwd: work,
    timeout: 900_000,
    maxBuffer: 64 * 1_024 * 1_024,
    env: { ...process.env, FOREWATCH_PROPERTIES: properties, FOREWATCH_WAIT: "1" },
  });
  const records = readdirSync(output, { recursive: true, encoding: "utf8" })
    .filter((file) => /part-/.test(file))
    .flatMap((file) => readFileSync(join(output, file), "utf8").split("\n"))
    .filter((line) => line !== "")
    .map(parseWindowRecord);
  const windows = records.filter((r): r is Extract<WindowRecord, { kind: "window" }> => r.kind === "window");
  return {
    rows: windows
      .map((w) =>
        row(
          Date.parse(w.start),
          Date.parse(w.end),
          w.key,
          w.events,
          one.spec.series.measures.map((m) => w.measures[m.name]),
        ),
      )
      .sort(),
    closed: records.filter((r) => r.kind === "closed"),
  };
}

describe("Apache Flink 2.2.1 makes the windows that core/analyze makes", () => {
  test.for(CASES.map((one, index) => ({ ...one, index })))("$name", { timeout: 1_000_000 }, async (one, { skip }) => {
    if ("lacking" in flink) return skip(flink.lacking);
    const core = byCore(one);
    const { rows, closed } = await byFlink(one, flink.python, one.index);
    expect(rows).toEqual(core.rows);
    expect(rows.length).toBeGreaterThan(0);
    // Every window that any group had events in is told to be closed, once.
    const ends = closed.map((c) => c.end);
    expect(new Set(ends).size).toBe(ends.length);
    for (const r of rows) expect(ends.map((e) => new Date(e).toISOString())).toContain(r.split(" ")[1]);
    if (one.items === BORDERS) expect(core.late).toBe(2);
  });
});
