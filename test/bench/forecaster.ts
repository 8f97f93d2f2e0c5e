/**
 * The forecaster's figures: time a series for eight weeks of hourly and of 5-minute windows, beside a seasonal ARIMA (npm `arima`,
 * compiled from C) in the same run; and accuracy on real flights of February 2001, beside the seasonal naive forecast.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DuckDBInstance, type DuckDBValue } from "@duckdb/node-api";
import {
  type Accuracy,
  backtest,
  type ForecastOptions,
  forecast,
  type TimeSeries,
} from "../../src/forecaster/index.ts";
import type { BenchRow } from "./endpoint.ts";

export async function benchForecaster(): Promise<{ rows: BenchRow[] }> {
  const hourly = eightWeeks(24);
  const hourlyMs = medianMs(15, () => forecast(hourly, { horizon: 48, seasons: [24, 168], kind: "sum" }));
  const fine = eightWeeks(288);
  const fineMs = medianMs(5, () => forecast(fine, { horizon: 576, seasons: [288, 2016], kind: "sum" }));
  const rows: BenchRow[] = [
    {
      name: "Forecaster: 8 weeks hourly, 48 hours ahead",
      value: `${hourlyMs.toFixed(0)} ms a series (median)`,
      target: "<= 100 ms",
      ok: hourlyMs <= 100,
    },
    {
      name: "Forecaster: 8 weeks of 5 minutes, day and week, 48 hours ahead",
      value: `${fineMs.toFixed(0)} ms a series (median)`,
      target: "<= 1,000 ms",
      ok: fineMs <= 1000,
    },
    peerRow(hourly, hourlyMs),
    ...accuracyRows(await flights()),
  ];
  return { rows };
}

/** The ratio to a seasonal ARIMA(2,0,1)(1,1,1) on the same hourly series. */
function peerRow(series: TimeSeries, ownMs: number): BenchRow {
  const name = `Forecaster: beside SARIMA (npm ${PEER} ${PEER_VERSION}), point forecasts only`;
  const folder = mkdtempSync(join(tmpdir(), "forewatch-bench-"));
  try {
    writeFileSync(join(folder, "package.json"), '{"private":true}');
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--silent", `${PEER}@${PEER_VERSION}`], {
      cwd: folder,
      stdio: "ignore",
    });
    const Arima = createRequire(join(folder, "package.json"))(PEER) as new (options: object) => ArimaModel;
    const values = [...series.values];
    const peerMs = medianMs(3, () =>
      new Arima({ p: 2, d: 0, q: 1, P: 1, D: 1, Q: 1, s: 24, verbose: false }).train(values).predict(48),
    );
    const ratio = peerMs / ownMs;
    return {
      name,
      value: `${ratio.toFixed(1)} times as fast (${peerMs.toFixed(0)} ms)`,
      target: ">= 2",
      ok: ratio >= 2,
    };
  } catch (error) {
    return { name, value: `not measured: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface ArimaModel {
  train(values: number[]): ArimaModel;
  predict(horizon: number): [number[], number[]];
}

const PEER = "arima";
const PEER_VERSION = "0.2.8";

interface FlightSeries {
  readonly measure: string;
  readonly kind: NonNullable<ForecastOptions["kind"]>;
  readonly series: TimeSeries;
}

/** February 2001 from the history since January: 48 hours ahead, an origin a day, trained once a week, band 0.98. */
function accuracyRows(flights: readonly FlightSeries[]): BenchRow[] {
  const reports = flights.map(({ series, kind, measure }) => ({
    measure,
    report: backtest(series, {
      horizon: 48,
      seasons: [24, 168],
      kind,
      from: Date.UTC(2001, 1, 1),
      to: Date.UTC(2001, 2, 1),
      step: 24,
      refitEvery: 168,
    }),
  }));
  const rowsOf = (name: string, chosen: typeof reports): BenchRow[] => {
    const mean = (which: "accuracy" | "baseline", key: keyof Accuracy) =>
      chosen.reduce((sum, { report }) => sum + report[which][key] / chosen.length, 0);
    const against = (key: keyof Accuracy, digits: number): BenchRow => {
      const [own, naive] = [mean("accuracy", key), mean("baseline", key)];
      return {
        name: `Flights, February, ${name}: ${key.toUpperCase()}`,
        value: `${own.toFixed(digits)} (seasonal naive ${naive.toFixed(digits)})`,
        target: "below seasonal naive",
        ok: own < naive,
      };
    };
    const coverage = 100 * mean("accuracy", "coverage");
    return [
      against("mase", 3),
      against("smape", 1),
      against("wql", 3),
      against("msis", 2),
      {
        name: `Flights, February, ${name}: coverage of the 98% band`,
        value: `${coverage.toFixed(1)}% (seasonal naive ${(100 * mean("baseline", "coverage")).toFixed(1)}%)`,
        target: "95% to 100%",
        ok: Math.abs(coverage - 98) <= 3,
      },
    ];
  };
  return [
    ...rowsOf(`${reports.length} series`, reports),
    ...["departures", "mean_delay", "delay_spread"].flatMap((measure) =>
      rowsOf(
        measure,
        reports.filter((r) => r.measure === measure),
      ),
    ),
  ];
}

/** Hourly departures, mean and spread of delays at eight airports, from the bundled data set. */
async function flights(): Promise<FlightSeries[]> {
  const file = resolve("node_modules/vega-datasets/data/flights-3m.parquet").replaceAll("'", "''");
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  try {
    const reader = await connection.runAndReadAll(`
      with flights as (
        select date_trunc('hour', date) as hour, origin, delay from '${file}'
        where origin in ('ATL', 'BOS', 'DFW', 'EWR', 'JFK', 'LAX', 'LGA', 'ORD') and date < '2001-03-01'
      ), hours as (
        select unnest(generate_series(timestamp '2001-01-01', timestamp '2001-02-28 23:00', interval 1 hour)) as hour
      ), origins as (select distinct origin from flights)
      select origin, count(delay)::double, avg(delay)::double, stddev_samp(delay)::double
      from hours cross join origins left join flights using (hour, origin)
      group by origin, hour order by origin, hour`);
    const byOrigin = new Map<string, DuckDBValue[][]>();
    for (const row of reader.getRows()) {
      const rows = byOrigin.get(String(row[0])) ?? [];
      rows.push(row);
      byOrigin.set(String(row[0]), rows);
    }
    const column = (rows: DuckDBValue[][], index: number): TimeSeries => ({
      start: Date.UTC(2001, 0, 1),
      every: 3_600_000,
      values: Float64Array.from(rows, (row) => (row[index] === null ? Number.NaN : Number(row[index]))),
    });
    return [...byOrigin.values()].flatMap((rows) => [
      { measure: "departures", kind: "count" as const, series: column(rows, 1) },
      { measure: "mean_delay", kind: "real" as const, series: column(rows, 2) },
      { measure: "delay_spread", kind: "sum" as const, series: column(rows, 3) },
    ]);
  } finally {
    connection.closeSync();
  }
}

/** Eight weeks of a daily and a weekly pattern with autocorrelated noise, `day` windows a day. */
function eightWeeks(day: number): TimeSeries {
  let state = 1;
  let error = 0;
  const values = Float64Array.from({ length: 56 * day }, (_, t) => {
    state = (state * 48271) % 2147483647;
    error = 0.7 * error + 5 * (state / 2147483647 - 0.5);
    const weekend = Math.floor(t / day) % 7 >= 5 ? 0.7 : 1;
    return Math.max(0, weekend * (60 + 35 * Math.sin((2 * Math.PI * t) / day)) + error);
  });
  return { start: 0, every: 86_400_000 / day, values };
}

function medianMs(rounds: number, run: () => unknown): number {
  run();
  const times = Array.from({ length: rounds }, () => {
    const begun = performance.now();
    run();
    return performance.now() - begun;
  });
  return times.sort((a, b) => a - b)[rounds >> 1]!;
}
