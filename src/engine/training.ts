/**
 * Steps 3 and 4 for the pump: at a training's origin the preparation query freezes the series into a Parquet file, inside
 * the pump's transaction, so that the training sees the same history whenever it runs. The forecasts are made by the
 * worker pool and kept as a forecast file (the format both targets share) and as rows of the table `forecast`.
 */
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { AccuracySummary, CallOptions, TrainingJob } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import {
  bandLevels,
  encodeForecast,
  type ForecastVersion,
  parseForecast,
  type SeriesForecast,
} from "../core/forecast.ts";
import type { Exclusion } from "../core/labels.ts";
import { type PreparedSeries, prepareSql, quoteText, toSeries } from "../core/prepare.ts";
import { parseSeriesId, windowStart } from "../core/series.ts";
import { byFields, type Measure, type PipelineSpec } from "../core/spec.ts";
import type { BacktestReport, ForecastOptions } from "../forecaster/index.ts";
import { ensureFolder, putInPlace, writeDurably } from "./durable.ts";
import { timestamp } from "./lake.ts";
import { append, rowsOf, type Store, tableName } from "./store.ts";
import type { TrainPool, TrainTask } from "./train-pool.ts";

/** The states of a training that has not ended, for SQL. */
const UNFINISHED = ["queued", "preparing", "training"].map(quoteText).join(", ");

/** What a training is, as the store keeps it. */
export interface TrainingRecord {
  readonly job: TrainingJob;
  readonly version: string;
}

export class Training {
  readonly #store: Store;
  readonly #spec: PipelineSpec;
  readonly #folder: string;
  readonly #pool: TrainPool;

  /** @param folder where the pipeline keeps its data. */
  constructor(store: Store, spec: PipelineSpec, folder: string, pool: TrainPool) {
    this.#store = store;
    this.#spec = spec;
    this.#folder = folder;
    this.#pool = pool;
  }

  /** Gives SQL the table `prepared`: the newest training's series, and before the first one its columns without rows. */
  async open(): Promise<void> {
    const [newest] = await this.#store.read(
      `SELECT version FROM ${this.#table("training")} ORDER BY origin DESC, started_at DESC LIMIT 1`,
    );
    const file = newest && this.#preparedFile(String(newest.version));
    await this.#store.transaction((writer) => this.#showPrepared(writer, file && existsSync(file) ? file : undefined));
  }

  /** Runs the preparation query for a training at `origin` and puts the training on the list, inside a transaction. */
  async plan(
    writer: DuckDBConnection,
    origin: number,
    version: string,
    requestedBy: TrainingJob["requestedBy"],
    now: number,
  ): Promise<TrainingRecord> {
    const span = { from: windowStart(origin - this.#spec.forecast.history, this.#spec.series.every), until: origin };
    const file = this.#preparedFile(version);
    await ensureFolder(join(this.#folder, "prepared"));
    const query = prepareSql(this.#spec, span, tableName(this.#spec.name, "raw"));
    await writer.run("SET integer_division = true");
    await this.#store.inOrder(writer, () =>
      writer.run(`COPY (${query}) TO ${quoteText(`${file}.tmp`)} (FORMAT parquet, COMPRESSION zstd)`),
    );
    await putInPlace(`${file}.tmp`, file);
    await this.#showPrepared(writer, file);
    const job: TrainingJob = {
      id: `${this.#spec.name}-${version}`,
      pipeline: this.#spec.name,
      state: "queued",
      origin,
      requestedBy,
      startedAt: now,
      endedAt: null,
      seriesDone: 0,
      seriesTotal: 0,
      accuracy: null,
    };
    const record = { job, version };
    await writer.run(`INSERT INTO ${this.#table("training")} VALUES ($1, $2, $3, $4, $5, $6)`, [
      job.id,
      version,
      BigInt(origin),
      BigInt(now),
      job.state,
      JSON.stringify(record),
    ]);
    return record;
  }

  /** The series that a planned training learns from. */
  async prepared(record: TrainingRecord): Promise<PreparedSeries[]> {
    const { origin } = record.job;
    const span = { from: windowStart(origin - this.#spec.forecast.history, this.#spec.series.every), until: origin };
    return this.#series(`read_parquet(${quoteText(this.#preparedFile(record.version))})`, span);
  }

  /** Forecasts every prepared series; series that cannot be forecast are left out, and are then `forecast-missing`. */
  async run(
    record: TrainingRecord,
    exclusions: readonly Exclusion[],
    options: Required<CallOptions>,
  ): Promise<{ version: ForecastVersion; failures: readonly string[]; accuracy: AccuracySummary | null }> {
    const { every } = this.#spec.series;
    const series = await this.prepared(record);
    if (series.length === 0) {
      throw new Fault("forecast.failed", "There is nothing to learn from: no event lies in the history.", {
        next: "Send records first, then train again.",
      });
    }
    const tasks = series.map(
      (s): TrainTask => ({
        kind: "forecast",
        series: { start: s.start, every, values: s.values },
        options: this.#options(
          s.measure,
          exclusions.filter((e) => e.series === undefined || e.series === s.id),
        ),
      }),
    );
    const replies = await this.#pool.run(tasks, options.signal, (done) => {
      options.onProgress({ message: `Training ${this.#spec.name}`, done, total: series.length });
    });
    const failures: string[] = [];
    const forecasts: Record<string, SeriesForecast> = {};
    replies.forEach((reply, i) => {
      const id = series[i]!.id;
      if (!reply.forecast) failures.push(`${id}: ${reply.failure ?? "no forecast"}`);
      else {
        const { method, reason, quantiles } = reply.forecast;
        forecasts[id] = {
          method,
          ...(reason !== undefined && { reason }),
          quantiles: quantiles.map((q) => Array.from(q)),
        };
      }
    });
    if (failures.length === series.length)
      throw new Fault("forecast.failed", "No series could be forecast.", {
        cause: failures[0],
        next: "See the training's log.",
      });
    const levels = bandLevels(this.#spec.forecast.band);
    const version: ForecastVersion = {
      format: 1,
      pipeline: this.#spec.name,
      version: record.version,
      origin: record.job.origin,
      every,
      levels,
      series: forecasts,
    };
    const held = replies.flatMap((reply) => (reply.forecast?.holdout ? [reply.forecast.holdout] : []));
    return { version, failures, accuracy: held.length === 0 ? null : heldOut(held) };
  }

  /** Keeps a forecast: its file, then, inside the transaction, its rows. */
  async keep(writer: DuckDBConnection, version: ForecastVersion): Promise<void> {
    const file = this.#forecastFile(version.version);
    await ensureFolder(join(this.#folder, "forecasts"));
    await writeDurably(file, encodeForecast(version));
    await writer.run(`DELETE FROM ${this.#table("forecast")} WHERE version = $1`, [version.version]);
    await append(writer, this.#spec.name, "forecast", (appender) => {
      for (const [id, forecast] of Object.entries(version.series)) {
        const key = parseSeriesId(id)!;
        const [lower, median, upper] = [
          forecast.quantiles[0]!,
          forecast.quantiles[version.levels.indexOf(0.5)]!,
          forecast.quantiles.at(-1)!,
        ];
        for (let step = 0; step < median.length; step++) {
          appender.appendVarchar(id);
          appender.appendVarchar(key.measure);
          for (const part of Object.values(key.by)) appender.appendVarchar(part);
          appender.appendTimestamp(timestamp(version.origin + step * version.every));
          for (const q of [lower, median, upper]) appender.appendDouble(q[step]!);
          appender.appendVarchar(version.version);
          appender.appendVarchar(forecast.method);
          appender.endRow();
        }
      }
    });
  }

  async save(writer: DuckDBConnection, record: TrainingRecord): Promise<void> {
    await writer.run(`UPDATE ${this.#table("training")} SET state = $2, record = $3 WHERE id = $1`, [
      record.job.id,
      record.job.state,
      JSON.stringify(record),
    ]);
  }

  /** The trainings that have not ended, oldest origin first. All of them: a pump that catches up plans hundreds ahead. */
  async unfinished(): Promise<TrainingRecord[]> {
    const rows = await this.#store.read(
      `SELECT record FROM ${this.#table("training")} WHERE state IN (${UNFINISHED}) ORDER BY origin, started_at`,
    );
    return rows.map((r) => JSON.parse(String(r.record)) as TrainingRecord);
  }

  /** The trainings of the pipeline, newest first. */
  async list(limit: number): Promise<TrainingRecord[]> {
    const rows = await this.#store.read(
      `SELECT record FROM ${this.#table("training")} ORDER BY started_at DESC, origin DESC LIMIT ${Math.floor(limit)}`,
    );
    return rows.map((r) => JSON.parse(String(r.record)) as TrainingRecord);
  }

  /** The forecasts that windows from `from` on may need, and the newest in any case, oldest first. */
  async versions(from: number): Promise<ForecastVersion[]> {
    const rows = await this.#store.read(
      `SELECT version FROM ${this.#table("training")} WHERE state = 'succeeded'
       AND origin >= least($1, (SELECT max(origin) FROM ${this.#table("training")} WHERE state = 'succeeded')) ORDER BY origin, version`,
      [BigInt(from - this.#spec.forecast.horizon)],
    );
    const versions = await Promise.all(
      rows.map(async (r) => parseForecast(await readFile(this.#forecastFile(String(r.version)), "utf8"))),
    );
    // One of windows of another length, from before the pipeline file changed, forecasts none of these.
    return versions.filter((version) => version.every === this.#spec.series.every);
  }

  /** Removes the frozen series of trainings before `origin`, but for the newest. */
  async tidy(origin: number): Promise<void> {
    const rows = await this.#store.read(
      `SELECT version FROM ${this.#table("training")} WHERE origin < $1 AND state NOT IN (${UNFINISHED})`,
      [BigInt(origin)],
    );
    for (const { version } of rows) await rm(this.#preparedFile(String(version)), { force: true });
  }

  /** Rolling-origin backtest of every series over [from, until), trained weekly, an origin a day. */
  async backtest(
    range: { readonly from: number; readonly until: number },
    exclusions: readonly Exclusion[],
    options: Required<CallOptions>,
  ) {
    const { every } = this.#spec.series;
    const { history, horizon, retrain } = this.#spec.forecast;
    const span = { from: windowStart(range.from - history, every), until: windowStart(range.until, every) };
    const series = await this.#series(`(${prepareSql(this.#spec, span, tableName(this.#spec.name, "raw"))})`, span);
    const step = Math.max(1, Math.min(Math.round(retrain / every), Math.round(horizon / every)));
    const tasks = series.map(
      (s): TrainTask => ({
        kind: "backtest",
        series: { start: s.start, every, values: s.values },
        options: {
          ...this.#options(
            s.measure,
            exclusions.filter((e) => e.series === undefined || e.series === s.id),
          ),
          from: range.from,
          to: span.until,
          step,
          refitEvery: 7 * step,
        },
      }),
    );
    const replies = await this.#pool.run(tasks, options.signal, (done) =>
      options.onProgress({ message: "Backtest", done, total: tasks.length }),
    );
    return series.flatMap((s, i) => (replies[i]?.backtest ? [{ series: s.id, report: replies[i].backtest }] : []));
  }

  #options(measure: Measure, exclude: readonly Exclusion[]): ForecastOptions {
    const { every } = this.#spec.series;
    const { horizon, band, seasons } = this.#spec.forecast;
    return {
      horizon: Math.round(horizon / every),
      levels: bandLevels(band),
      seasons: seasons === "auto" ? "auto" : seasons.map((s) => Math.round(s / every)),
      kind:
        measure.statistic === "count"
          ? "count"
          : measure.statistic === "sum" || measure.statistic === "stddev"
            ? "sum"
            : "real",
      ...(measure.resolution > 0 && { resolution: measure.resolution }),
      exclude: exclude.map(({ from, to }) => ({ from, to })),
    };
  }

  async #series(source: string, span: { from: number; until: number }): Promise<PreparedSeries[]> {
    const fields = byFields(this.#spec);
    const rows = await this.#store.snapshot(async (reader) => {
      await reader.run("SET integer_division = true");
      return rowsOf(reader, `SELECT * FROM ${source}`);
    });
    const prepared = rows.map((row) => ({
      start: Number(row.window_start),
      group: fields.map((f) => String(row[f])),
      // The last bits of a floating-point sum hang on how the rows were spread over files; a forecast must not.
      values: this.#spec.series.measures.map((m) =>
        row[m.name] === null || row[m.name] === undefined ? null : Number(Number(row[m.name]).toPrecision(12)),
      ),
    }));
    return toSeries(this.#spec, prepared, span);
  }

  async #showPrepared(writer: DuckDBConnection, file: string | undefined): Promise<void> {
    const empty = prepareSql(this.#spec, { from: 0, until: 0 }, this.#table("raw"));
    const rows = file === undefined ? empty : `SELECT * FROM read_parquet(${quoteText(file)})`;
    await writer.run("SET integer_division = true");
    await writer.run(`CREATE OR REPLACE VIEW ${this.#table("prepared")} AS ${rows}`);
  }

  #preparedFile(version: string): string {
    return join(this.#folder, "prepared", `${fileName(version)}.parquet`);
  }

  #forecastFile(version: string): string {
    return join(this.#folder, "forecasts", `${fileName(version)}.json`);
  }

  #table(name: string): string {
    return tableName(this.#spec.name, name);
  }
}

/** The accuracy on the windows that trainings hold out: only what they measure there, the rest is a backtest's. */
function heldOut(held: readonly { readonly mase: number; readonly baseline: number }[]): AccuracySummary {
  const none = { smape: null, wql: null, coverage: null, msis: null };
  return {
    mase: mean(held.map((h) => h.mase)),
    ...none,
    baseline: { mase: mean(held.map((h) => h.baseline)), ...none },
  };
}

/** Means over the series' accuracies, each beside its baseline; null where no series has a value. */
export function summarize(
  reports: readonly { readonly report: Pick<BacktestReport, "accuracy" | "baseline"> }[],
): AccuracySummary {
  const of = (pick: "accuracy" | "baseline") => {
    const all = reports.map((r) => r.report[pick]);
    return {
      mase: mean(all.map((a) => a.mase)),
      smape: mean(all.map((a) => a.smape)),
      wql: mean(all.map((a) => a.wql)),
      coverage: mean(all.map((a) => a.coverage)),
      msis: mean(all.map((a) => a.msis)),
    };
  };
  return { ...of("accuracy"), baseline: of("baseline") };
}

function mean(values: readonly number[]): number | null {
  const real = values.filter((x) => Number.isFinite(x));
  return real.length === 0 ? null : real.reduce((sum, x) => sum + x, 0) / real.length;
}

/** Colons are not allowed in file names on Windows. */
function fileName(version: string): string {
  return version.replaceAll(":", "");
}
