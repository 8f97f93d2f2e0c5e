/** The noun `forecasts`: trainings, the series' charts, backtests. */
import type { AccuracyReport, ChartPoint, Forecasts, SeriesChart, SeriesInfo } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { groupKey, parseSeriesId } from "../core/series.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Registry } from "./registry.ts";
import { type Row, type Store, tableName } from "./store.ts";
import { summarize } from "./training.ts";

const NEVER = new AbortController().signal;

export function forecastsOf(registry: Registry, store: Store): Forecasts {
  return {
    async jobs(name, limit) {
      const pipeline = registry.get(name);
      const live = new Map(pipeline.pump.trainings.map((r) => [r.job.id, r.job]));
      return (await pipeline.training.list(limit)).map((r) => live.get(r.job.id) ?? r.job);
    },

    train: (name, options = {}) =>
      registry
        .running(name)
        .pump.train({ signal: options.signal ?? NEVER, onProgress: options.onProgress ?? (() => {}) }),

    async cancel(job) {
      if (!registry.list().some((p) => p.started && p.pump.cancel(job))) {
        throw new Fault("forecast.not-found", "That training is not running any more.");
      }
    },

    async series(name) {
      const pipeline = registry.get(name);
      const rows = await store.read(
        `SELECT series, ${POINT} FROM ${tableName(name, "comparison")} QUALIFY row_number() OVER (PARTITION BY series ORDER BY window_start DESC) = 1 ORDER BY series`,
      );
      const newest = pipeline.pump.forecasts.newest;
      return rows.map((row): SeriesInfo => {
        const id = String(row.series);
        const key = parseSeriesId(id)!;
        const made = newest?.series[id];
        return {
          id,
          measure: key.measure,
          by: key.by,
          last: pointOf(row),
          method: made?.method ?? null,
          reason: made?.reason ?? null,
        };
      });
    },

    async chart(name, series, { from, until }): Promise<SeriesChart> {
      const pipeline = registry.get(name);
      const key = parseSeriesId(series);
      const measure = pipeline.spec.series.measures.find((m) => m.name === key?.measure);
      if (!key || !measure)
        throw new Fault("forecast.not-found", `There is no series ${series}.`, { next: "Choose one of the list." });
      const rows = await store.read(
        `SELECT ${POINT}, coalesce(l.late, 0) AS late FROM ${tableName(name, "comparison")} c
         LEFT JOIN (SELECT window_start, sum(events) AS late FROM ${tableName(name, "late_window")} WHERE series_group = $4 GROUP BY 1) l USING (window_start)
         WHERE series = $1 AND c.window_start >= make_timestamp(CAST($2 AS BIGINT) * 1000) AND c.window_start < make_timestamp(CAST($3 AS BIGINT) * 1000) ORDER BY c.window_start`,
        [series, BigInt(Math.floor(from)), BigInt(Math.floor(until)), groupKey(Object.values(key.by))],
      );
      const points = rows.map(pointOf);
      const next =
        points.length > 0
          ? points.at(-1)!.start + pipeline.spec.series.every
          : (pipeline.pump.checkpoint.compared ?? from);
      const ahead = pipeline.started
        ? pipeline.pump.comparer.forecastAfter(series, next).filter((p) => p.start < until)
        : [];
      const incidents = (await pipeline.book.list(100)).filter((r) => r.contributors.some((c) => c.series === series));
      return {
        series,
        every: pipeline.spec.series.every,
        points: [...points, ...ahead],
        rules: pipeline.spec.alarms
          .filter((r) => r.measure === measure.name)
          .map(({ name: rule, direction, threshold }) => ({ name: rule, direction, threshold })),
        incidents: incidents.map((r) => {
          const own = r.contributors.find((c) => c.series === series)!;
          return { id: r.id, title: r.title, from: own.from, until: own.recoveredAt ?? r.resolvedAt };
        }),
      };
    },

    async backtest(name, range, options = {}): Promise<AccuracyReport> {
      const pipeline: Pipeline = registry.running(name);
      const exclusions = await pipeline.exclusions(range.from);
      const reports = await pipeline.training.backtest(range, exclusions, {
        signal: options.signal ?? NEVER,
        onProgress: options.onProgress ?? (() => {}),
      });
      if (reports.length === 0)
        throw new Fault("forecast.failed", "No series has enough history for this backtest.", {
          next: "Choose a later span.",
        });
      return {
        ...summarize(reports),
        from: range.from,
        until: range.until,
        band: pipeline.spec.forecast.band,
        windows: reports.reduce((n, r) => n + r.report.accuracy.windows, 0),
        series: reports.map((r) => ({ series: r.series, ...summarize([r]) })),
      };
    },
  };
}

const POINT = "window_start AS start, actual, lower, median, upper, deviation";

function pointOf(row: Row): ChartPoint {
  const number = (name: string) => (row[name] === null || row[name] === undefined ? null : Number(row[name]));
  return {
    start: Number(row.start),
    actual: number("actual"),
    lower: number("lower"),
    median: number("median"),
    upper: number("upper"),
    deviation: number("deviation"),
    late: number("late") ?? 0,
  };
}
