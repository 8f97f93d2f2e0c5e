/**
 * Steps 6 and 7 for the pump: closed windows wait until their forecast is there, are compared in order of time, and feed
 * the alarm rules; the rules open and follow incidents. Everything is written in the pump's transaction.
 */
import type { DuckDBAppender, DuckDBConnection } from "@duckdb/node-api";
import type { ChartPoint, SeriesChart } from "../backend.ts";
import { type AlarmState, evaluateRule, FRESH_RULE } from "../core/alert.ts";
import type { ClosedWindow } from "../core/analyze.ts";
import { type Comparison, compare } from "../core/compare.ts";
import type { ForecastTable } from "../core/forecast.ts";
import { openIncident, updateIncident } from "../core/incident.ts";
import { groupKey, parseGroupKey, parseSeriesId, seriesId } from "../core/series.ts";
import { type AlarmRule, byFields, FORECAST_MISSING, type PipelineSpec } from "../core/spec.ts";
import { DAY } from "../core/time.ts";
import type { Checkpoint, PendingWindow } from "./checkpoint.ts";
import type { IncidentBook } from "./incident-book.ts";
import { timestamp } from "./lake.ts";
import { append, rowsOf, tableName } from "./store.ts";

/** What the pump tells front ends after its transaction is through. */
export interface Compared {
  readonly alarms: readonly string[];
  readonly incidents: readonly { readonly id: string; readonly kind: "added" | "changed" }[];
}

type Slice = Pick<Checkpoint, "compared" | "pending" | "rules" | "missing" | "liveFrom">;

/** How much history a frozen chart shows before the incident. */
const FROZEN_BEFORE = 3 * DAY;

export class Comparer {
  readonly #spec: PipelineSpec;
  readonly #forecasts: ForecastTable;
  readonly #book: IncidentBook;
  /** For a group, whether its series can be in the newest forecast at all: a group younger than it cannot be. */
  readonly #sinceOf: (key: string) => number;

  constructor(spec: PipelineSpec, forecasts: ForecastTable, book: IncidentBook, sinceOf: (key: string) => number) {
    this.#spec = spec;
    this.#forecasts = forecasts;
    this.#book = book;
    this.#sinceOf = sinceOf;
  }

  /**
   * Compares the pending windows that start before `blockedFrom`, oldest first.
   * @param blockedFrom origin of the oldest training that is not through: windows from it on wait for its forecast.
   */
  async drain(
    writer: DuckDBConnection,
    state: Slice,
    blockedFrom: number,
  ): Promise<{ state: Slice; windows: number; told: Compared }> {
    const ready = state.pending.filter((w) => w.start < blockedFrom);
    const alarms = new Set<string>();
    const incidents = new Map<string, "added" | "changed">();
    if (ready.length === 0) return { state, windows: 0, told: { alarms: [], incidents: [] } };
    let next: Slice = { ...state, pending: state.pending.slice(ready.length) };
    let windows = 0;
    await append(writer, this.#spec.name, "comparison", async (appender) => {
      for (const tick of ready) {
        const live = state.liveFrom !== null && tick.start >= state.liveFrom;
        const compared = this.#compareTick(tick, live);
        for (const { comparison, group, events } of compared) this.#append(appender, comparison, group, events);
        windows += compared.length;
        next = { ...next, compared: tick.end };
        if (!live) continue;
        // The rules' incidents read the comparisons that are still in the appender.
        appender.flushSync();
        const comparisons = compared.map((c) => c.comparison);
        next = await this.#alert(writer, next, comparisons, tick.end, alarms, incidents);
        next = await this.#forecastMissing(writer, next, comparisons, tick.end, alarms);
      }
    });
    return {
      state: next,
      windows,
      told: { alarms: [...alarms], incidents: [...incidents].map(([id, kind]) => ({ id, kind })) },
    };
  }

  #compareTick(
    tick: PendingWindow,
    live: boolean,
  ): { comparison: Comparison; group: readonly string[]; events: number }[] {
    const fields = byFields(this.#spec);
    return tick.groups.flatMap(({ key, events, values }) => {
      const group = parseGroupKey(key, fields.length);
      return this.#spec.series.measures.map((measure, i) => {
        const series = seriesId(measure.name, fields, group);
        const band = live ? this.#forecasts.at(series, tick.start) : undefined;
        const window = { series, start: tick.start, end: tick.end };
        return { comparison: compare(window, values[i] ?? Number.NaN, band, measure.resolution), group, events };
      });
    });
  }

  #append(appender: DuckDBAppender, c: Comparison, group: readonly string[], events: number): void {
    appender.appendVarchar(c.series);
    appender.appendVarchar(parseSeriesId(c.series)!.measure);
    for (const part of group) appender.appendVarchar(part);
    appender.appendTimestamp(timestamp(c.start));
    appender.appendTimestamp(timestamp(c.end));
    for (const value of [c.actual, c.lower, c.median, c.upper, c.deviation]) {
      if (Number.isNaN(value)) appender.appendNull();
      else appender.appendDouble(value);
    }
    if (c.version === undefined) appender.appendNull();
    else appender.appendVarchar(c.version);
    appender.appendBigInt(BigInt(events));
    appender.endRow();
  }

  async #alert(
    writer: DuckDBConnection,
    state: Slice,
    comparisons: readonly Comparison[],
    at: number,
    alarms: Set<string>,
    incidents: Map<string, "added" | "changed">,
  ): Promise<Slice> {
    const rules = { ...state.rules };
    for (const rule of this.#spec.alarms) {
      const watched = comparisons.filter((c) => parseSeriesId(c.series)!.measure === rule.measure);
      const before = rules[rule.name] ?? FRESH_RULE;
      const seen = new Set(watched.map((c) => c.series));
      const gone = Object.keys(before.series).filter((id) => !seen.has(id));
      const outcome = evaluateRule(rule, before, watched, at, gone);
      rules[rule.name] = outcome.memory;
      if (outcome.transition) {
        alarms.add(rule.name);
        await this.#recordTransition(writer, rule.name, at, outcome.transition, outcome.contributors);
      }
      const id = await this.#follow(writer, rule, at, outcome, comparisons);
      if (id) incidents.set(id.id, incidents.get(id.id) ?? id.kind);
    }
    return { ...state, rules };
  }

  /** Opens, follows or resolves the rule's incident; says which one changed. */
  async #follow(
    writer: DuckDBConnection,
    rule: AlarmRule,
    at: number,
    outcome: ReturnType<typeof evaluateRule>,
    comparisons: readonly Comparison[],
  ): Promise<{ id: string; kind: "added" | "changed" } | undefined> {
    const inAlarm = outcome.memory.state === "ALARM";
    const open = this.#book.openOf(rule.name);
    const windows = comparisons.filter((c) => Number.isFinite(c.deviation));
    if (!open) {
      if (outcome.joined.length === 0 && outcome.transition?.to !== "ALARM") return undefined;
      if (!inAlarm) return undefined;
      const since = Math.min(at - rule.periods * this.#spec.series.every, ...outcome.joined.map((j) => j.from));
      const history = await this.#recent(writer, outcome.contributors, since, at);
      const record = openIncident(this.#spec.name, rule, at, outcome.joined, history);
      await this.#book.add(
        writer,
        record,
        await this.freeze(
          writer,
          record.contributors.map((c) => c.series),
          at,
        ),
      );
      return { id: record.id, kind: "added" };
    }
    const { joined, left } = outcome;
    const unknown = new Set(comparisons.filter((c) => c.version === undefined).map((c) => c.series));
    // A series that joins has deviated for some windows already: its worst may be one of them.
    const since = Math.min(at, ...joined.map((j) => j.from));
    const earlier = await this.#recent(
      writer,
      joined.map((j) => j.series),
      since,
      at,
    );
    const changed = updateIncident(open, rule, at, { joined, left, inAlarm, unknown }, [...earlier, ...windows]);
    if (JSON.stringify(changed) === JSON.stringify(open)) return undefined;
    await this.#book.save(writer, changed);
    return { id: changed.id, kind: "changed" };
  }

  async #forecastMissing(
    writer: DuckDBConnection,
    state: Slice,
    comparisons: readonly Comparison[],
    at: number,
    alarms: Set<string>,
  ): Promise<Slice> {
    const fields = byFields(this.#spec);
    const newest = this.#forecasts.newest;
    const lacking = comparisons.filter((c) => {
      if (c.version !== undefined) return false;
      // A group that appeared after the newest training has its first forecast with the next one.
      const by = Object.values(parseSeriesId(c.series)!.by);
      return !newest || fields.length === 0 || this.#sinceOf(groupKey(by)) < newest.origin;
    });
    const to: AlarmState = lacking.length > 0 ? "ALARM" : "OK";
    const series = lacking.map((c) => c.series);
    if (to === state.missing.state) return { ...state, missing: { ...state.missing, series } };
    const reason =
      to === "ALARM" ? `${series.length} series have no forecast for the window` : "Every series has a forecast";
    await this.#recordTransition(writer, FORECAST_MISSING, at, { from: state.missing.state, to, reason }, series);
    alarms.add(FORECAST_MISSING);
    return { ...state, missing: { state: to, since: at, series } };
  }

  async #recordTransition(
    writer: DuckDBConnection,
    alarm: string,
    at: number,
    transition: { from: AlarmState; to: AlarmState; reason: string },
    contributors: readonly string[],
  ): Promise<void> {
    await writer.run(`INSERT INTO ${this.#table("alarm_transition")} VALUES ($1, $2, $3, $4, $5, $6)`, [
      alarm,
      BigInt(at),
      transition.from,
      transition.to,
      transition.reason,
      JSON.stringify(contributors),
    ]);
  }

  /** The compared windows of some series since `since`, as the incident wants them. */
  async #recent(writer: DuckDBConnection, series: readonly string[], since: number, until: number) {
    if (series.length === 0) return [];
    const rows = await rowsOf(
      writer,
      `SELECT series, window_start, actual, median, deviation FROM ${this.#table("comparison")}
       WHERE window_start >= make_timestamp(CAST($1 AS BIGINT) * 1000) AND window_start < make_timestamp(CAST($2 AS BIGINT) * 1000)
         AND deviation IS NOT NULL AND list_contains(from_json($3, '["VARCHAR"]'), series)`,
      [BigInt(since), BigInt(until), JSON.stringify(series)],
    );
    return rows.map((r) => ({
      series: String(r.series),
      start: Number(r.window_start),
      actual: Number(r.actual ?? Number.NaN),
      median: Number(r.median ?? Number.NaN),
      deviation: Number(r.deviation),
    }));
  }

  /** The charts of some series as they are at `at`, with the forecast that lies ahead. */
  async freeze(writer: DuckDBConnection, series: readonly string[], at: number): Promise<SeriesChart[]> {
    const charts: SeriesChart[] = [];
    for (const id of series) {
      const rows = await rowsOf(
        writer,
        `SELECT window_start AS start, actual, lower, median, upper, deviation FROM ${this.#table("comparison")}
         WHERE series = $1 AND window_start >= make_timestamp(CAST($2 AS BIGINT) * 1000) ORDER BY window_start`,
        [id, BigInt(at - FROZEN_BEFORE)],
      );
      const points = rows.map((r) => ({ ...(r as unknown as Omit<ChartPoint, "late">), late: 0 }));
      charts.push({
        series: id,
        every: this.#spec.series.every,
        points: [...points, ...this.forecastAfter(id, at)],
        rules: this.#spec.alarms
          .filter((r) => r.measure === parseSeriesId(id)?.measure)
          .map(({ name, direction, threshold }) => ({ name, direction, threshold })),
        incidents: [],
      });
    }
    return charts;
  }

  /** The forecast of a series from `from` on, as far as it reaches. */
  forecastAfter(series: string, from: number): ChartPoint[] {
    const { every } = this.#spec.series;
    const points: ChartPoint[] = [];
    for (let start = from; points.length < 5_000; start += every) {
      const band = this.#forecasts.at(series, start);
      if (!band) break;
      points.push({
        start,
        actual: null,
        lower: band.lower,
        median: band.median,
        upper: band.upper,
        deviation: null,
        late: 0,
      });
    }
    return points;
  }

  #table(name: string): string {
    return tableName(this.#spec.name, name);
  }
}

/** A closed window as the checkpoint keeps it. */
export function toPending(window: ClosedWindow): PendingWindow {
  return {
    start: window.start,
    end: window.end,
    groups: window.groups.map((g) => ({
      key: g.key,
      events: g.events,
      values: g.values.map((x) => (Number.isFinite(x) ? x : null)),
    })),
  };
}
