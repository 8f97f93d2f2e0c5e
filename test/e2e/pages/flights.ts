/**
 * Data for the pages: hourly departures and mean delays of eight airports, counted from the three million real flights of
 * vega-datasets, with a simple band about them (same hour of the week, four weeks back). Times are UTC.
 */
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import type { ChartPoint, SeriesChart, SeriesInfo } from "../../../src/backend.ts";

const HOUR = 3_600_000;
const WEEK = 168 * HOUR;
const AIRPORTS = ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"];
export const MEASURES = ["departures", "mean_delay"] as const;

/** The newest closed window: in the evening of the storm's second day. */
export const NEWEST = Date.UTC(2001, 2, 6, 18);
const HORIZON = 48 * HOUR;
export const STORM = { from: Date.UTC(2001, 2, 5, 6), opened: Date.UTC(2001, 2, 5, 9) };
export const STRUCK = ["BOS", "EWR", "JFK"];

export interface Recorded {
  readonly series: readonly SeriesInfo[];
  readonly charts: ReadonlyMap<string, SeriesChart>;
}

/** Reads the flights and makes the series of `until`, the forecast reaching two days further. */
export async function recordedFlights(until = NEWEST): Promise<Recorded> {
  const rows = await hourly(until);
  const charts = new Map<string, SeriesChart>();
  for (const measure of MEASURES) {
    for (const airport of AIRPORTS) {
      const id = `${measure}{origin=${airport}}`;
      const values = rows.get(airport) ?? new Map<number, { departures: number; mean_delay: number | null }>();
      charts.set(id, chart(id, measure, airport, until, values));
    }
  }
  const series = [...charts.values()].map((each): SeriesInfo => {
    const [measure, airport] = /^(.*)\{origin=(.*)\}$/.exec(each.series)!.slice(1) as [string, string];
    const last = each.points.findLast((point) => point.actual !== null) ?? null;
    return { id: each.series, measure, by: { origin: airport }, last, method: "ensemble", reason: null };
  });
  return { series, charts };
}

async function hourly(until: number) {
  const file = fileURLToPath(new URL("../../../node_modules/vega-datasets/data/flights-3m.parquet", import.meta.url));
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(
      `SELECT origin, epoch_ms(date_trunc('hour', date))::DOUBLE AS hour, count(*)::DOUBLE AS departures, avg(delay)::DOUBLE AS mean_delay
       FROM '${file}' WHERE origin IN (${AIRPORTS.map((a) => `'${a}'`).join(", ")}) AND date < epoch_ms(${until})
       GROUP BY 1, 2`,
    );
    const out = new Map<string, Map<number, { departures: number; mean_delay: number | null }>>();
    for (const row of reader.getRowObjectsJS()) {
      const airport = String(row.origin);
      const of = out.get(airport) ?? new Map();
      out.set(airport, of);
      of.set(Number(row.hour), { departures: Number(row.departures), mean_delay: row.mean_delay as number | null });
    }
    return out;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function chart(
  id: string,
  measure: (typeof MEASURES)[number],
  airport: string,
  until: number,
  values: ReadonlyMap<number, { departures: number; mean_delay: number | null }>,
): SeriesChart {
  const from = Date.UTC(2001, 0, 1);
  const actualAt = (at: number) => values.get(at)?.[measure] ?? (measure === "departures" ? 0 : null);
  const points: ChartPoint[] = [];
  for (let at = from; at < until + HORIZON; at += HOUR) {
    const past = [1, 2, 3, 4].flatMap((k) => {
      const value = at - k * WEEK >= from && at - k * WEEK < until ? actualAt(at - k * WEEK) : null;
      return value === null ? [] : [value];
    });
    const forecast = past.length >= 3 ? band(past, measure) : null;
    const actual = at < until ? actualAt(at) : null;
    const half =
      forecast &&
      actual !== null &&
      (actual >= forecast.median ? forecast.upper - forecast.median : forecast.median - forecast.lower);
    points.push({
      start: at,
      actual,
      lower: forecast?.lower ?? null,
      median: forecast?.median ?? null,
      upper: forecast?.upper ?? null,
      deviation: forecast && actual !== null && half ? (actual - forecast.median) / half : null,
      late: at === Date.UTC(2001, 2, 5, 14) && airport === "BOS" ? 3 : 0,
    });
  }
  const struck = measure === "departures" && STRUCK.includes(airport);
  return {
    series: id,
    every: HOUR,
    points,
    rules: measure === "departures" ? [{ name: "departures-low", direction: "below", threshold: 1 }] : [],
    incidents: struck ? [{ id: "inc-1", title: "Departures below forecast", from: STORM.from, until: null }] : [],
  };
}

function band(past: readonly number[], measure: string) {
  const sorted = [...past].sort((a, b) => a - b);
  const median = (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
  const spread = Math.sqrt(past.reduce((sum, v) => sum + (v - median) ** 2, 0) / past.length);
  const half = measure === "departures" ? Math.max(2.5, median * 0.28, spread * 2.2) : Math.max(9, spread * 2.2);
  const lower = measure === "departures" ? Math.max(median - half, -1) : median - half;
  return { median, lower, upper: median + half };
}

/** A chart of `count` minutes with daily shape, noise, gaps and a few spikes of one window: for sizes the flights lack. */
export function longChart(count: number): SeriesChart {
  let seed = 42;
  const noise = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648 - 0.5;
  };
  const every = 60_000;
  const from = Date.UTC(2001, 0, 1);
  const points = Array.from({ length: count }, (_, i): ChartPoint => {
    const median = 400 + 180 * Math.sin((i / 1_440) * 2 * Math.PI) + 60 * Math.sin((i / 10_080) * 2 * Math.PI);
    const spike = i % 25_013 === 12_345 ? 900 : 0;
    const gap = i % 20_000 < 40;
    const actual = gap ? null : Math.max(0, median + noise() * 90 + spike);
    const deviation = actual === null ? null : (actual - median) / 70;
    return { start: from + i * every, actual, lower: median - 70, median, upper: median + 70, deviation, late: 0 };
  });
  const rules = [{ name: "high", direction: "above" as const, threshold: 2 }];
  return { series: "requests{site=main}", every, points, rules, incidents: [] };
}

/** The same series as when none of them has been trained. */
export function withoutForecast({ series, charts }: Recorded): Recorded {
  const bare = <T extends ChartPoint>(p: T): T => ({ ...p, lower: null, median: null, upper: null, deviation: null });
  return {
    series: series.map((each) => ({ ...each, last: each.last && bare(each.last), method: null })),
    charts: new Map([...charts].map(([id, chart]) => [id, { ...chart, points: chart.points.map(bare) }])),
  };
}

/** A hundred thousand windows of one series, among five hundred. */
export function manySeries(): Recorded {
  const chart = longChart(100_000);
  const info = (site: string): SeriesInfo => ({
    ...{ id: `requests{site=${site}}`, measure: "requests", by: { site } },
    ...{ last: chart.points.at(-1) ?? null, method: "ensemble", reason: null },
  });
  const sites = Array.from({ length: 499 }, (_, i) => `site-${i + 1}`);
  return { series: ["main", ...sites].map(info), charts: new Map([[chart.series, chart]]) };
}
