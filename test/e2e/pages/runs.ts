/** A host for the results page over a generated result: as many rows as asked, none of them stored. */
import type { Cell } from "../../../src/backend.ts";
import { Fault } from "../../../src/core/fault.ts";
import type { PageHandlers, RunInfo } from "../../../src/rpc/page.ts";
import { type Log, type Mood, moody, SETTINGS } from "./hosts.ts";

const COLUMNS = [
  { name: "hour", type: "timestamp" },
  { name: "origin", type: "varchar" },
  { name: "departures", type: "bigint" },
  { name: "mean_delay", type: "double" },
  { name: "note", type: "varchar" },
  { name: "routes", type: "array(varchar)" },
];
const AIRPORTS = ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"];

/** The row of a result of hourly departures; NULL, empty texts and structures among them. */
export function generatedRow(i: number): Cell[] {
  const at = new Date(Date.UTC(2001, 0, 1) + Math.floor(i / AIRPORTS.length) * 3_600_000);
  const airport = AIRPORTS[i % AIRPORTS.length]!;
  const hour = at.getUTCHours();
  const busy = Math.max(0, Math.round(40 * Math.sin(((hour - 5) / 18) * Math.PI) + ((i * 7_919) % 11) - 5));
  return [
    at.toISOString().slice(0, 19).replace("T", " "),
    airport,
    busy,
    busy === 0 ? null : Math.round((((i * 104_729) % 400) / 10 - 8) * 100) / 100,
    i % 9 === 0 ? "" : i % 4 === 0 ? null : `gate ${(i * 13) % 60}`,
    i % 5 === 0 ? [airport, AIRPORTS[(i + 3) % 8]!] : [],
  ];
}

export const FAILED = new Fault("query.failed", "Column 'orgin' cannot be resolved.", {
  next: "Did you mean “origin”?",
  at: { offset: 7, length: 5, line: 4, column: 8 },
});

export interface ResultsOptions {
  readonly mood?: Mood;
  readonly rowCount?: number;
  readonly log?: Log;
  readonly state?: RunInfo["state"];
}

export function resultsHost({
  mood = "full",
  rowCount = 1_000_000,
  log = [],
  state = "succeeded",
}: ResultsOptions = {}) {
  const rows = (offset: number, limit: number) =>
    Array.from({ length: Math.max(0, Math.min(limit, rowCount - offset)) }, (_, i) => generatedRow(offset + i));
  const sql =
    "SELECT date_trunc('hour', scheduled) AS hour, origin, count(*) AS departures,\n  avg(delay) AS mean_delay\nFROM raw GROUP BY 1, 2";
  const run: RunInfo = {
    run: "run-2",
    title: "Departures by hour and airport",
    sql,
    state,
    startedAt: 2_000,
    elapsed: state === "running" ? 3_200 : 1_284,
    ...(state === "succeeded" && {
      result: { query: "q-2", columns: COLUMNS, rows: rows(0, 200), rowCount, bytesScanned: 48_300_000 },
    }),
    ...(state === "failed" && { fault: FAILED.toData() }),
  };
  const older: RunInfo = {
    run: "run-1",
    title: "Busiest airports",
    sql: "SELECT origin, count(*) AS departures FROM raw GROUP BY 1",
    state: "succeeded",
    startedAt: 1_000,
    elapsed: 87,
    result: {
      query: "q-1",
      columns: [COLUMNS[1]!, COLUMNS[2]!],
      rows: AIRPORTS.map((airport, i) => [airport, 62_000 - i * 5_100]),
      rowCount: AIRPORTS.length,
      bytesScanned: 1_200_000,
    },
  };
  const note = (method: string) => (params: unknown) => {
    log.push({ method, params });
    return null;
  };
  const handlers: PageHandlers<"results"> = {
    "page.open": () => ({ subject: { pipeline: "flights" }, state: null, settings: SETTINGS }),
    "clipboard.write": note("clipboard.write"),
    "files.save": () => ({ saved: true }),
    "runs.list": () => moody(mood, () => [run, older], []),
    "runs.cancel": note("runs.cancel"),
    "runs.again": note("runs.again"),
    "runs.close": note("runs.close"),
    "history.open": note("history.open"),
    "runs.reveal": note("runs.reveal"),
    "queries.rows": (p) => {
      log.push({ method: "queries.rows", params: p });
      const all = rows(p.offset, p.limit);
      // The view "q-2 descending": the same rows, the last one first.
      if (p.query !== "q-2-descending") return all;
      return Array.from({ length: all.length }, (_, i) => generatedRow(rowCount - 1 - p.offset - i));
    },
    "queries.view": (p) => {
      log.push({ method: "queries.view", params: p });
      if (p.filter === "broken") throw new Fault("query.failed", "The filter could not be applied.");
      return p.order?.descending
        ? { query: "q-2-descending", rowCount }
        : { query: p.query, rowCount: p.filter ? Math.ceil(rowCount / 8) : rowCount };
    },
    "queries.release": note("queries.release"),
    "queries.exportTo": (p) => {
      log.push({ method: "queries.exportTo", params: p });
      return { saved: true };
    },
    "incidents.pin": (p) => {
      log.push({ method: "incidents.pin", params: p });
      return { pinned: true };
    },
  };
  return handlers;
}
