/** What a run amounted to: for people as a short report, for machines as JSON. */
import type { AccuracyReport, AlarmTransition, Backend, Counts, IncidentSummary } from "../backend.ts";
import { parseSeriesId, seriesLabel } from "../core/series.ts";
import { DAY, formatInstant } from "../core/time.ts";
import { count, type ProgressLine } from "./progress.ts";

export interface Summary {
  readonly pipeline: string;
  readonly until: string | null;
  readonly counts: Counts;
  readonly series: number;
  readonly trainings: number;
  readonly trainingsFailed: number;
  /** The backtest over the four weeks before the pipeline went live; null when there is too little history. */
  readonly backtest:
    | (Omit<AccuracyReport, "from" | "until" | "series"> & {
        readonly from: string;
        readonly until: string;
        readonly betterThanNaive: boolean;
      })
    | null;
  /** Share of the live windows inside their band, incidents included. */
  readonly liveCoverage: number | null;
  readonly alarms: readonly {
    readonly name: string;
    readonly state: string;
    readonly transitions: readonly (Omit<AlarmTransition, "at"> & { readonly at: string })[];
  }[];
  readonly incidents: readonly {
    readonly id: string;
    readonly title: string;
    readonly rule: string | null;
    readonly status: string;
    readonly severity: number;
    readonly firstWindow: string;
    readonly openedAt: string;
    readonly resolvedAt: string | null;
    readonly contributors: readonly string[];
    readonly by: readonly Readonly<Record<string, string>>[];
  }[];
  readonly seconds: number;
}

/** How far back the backtest goes from where the pipeline went live. */
const BACKTEST = 28 * DAY;

/** Gathers the summary from the backend. `seconds` is the run's time so far: the backtest comes on top. */
export async function summarizeRun(
  backend: Backend,
  name: string,
  { until, seconds, progress }: { until: number | undefined; seconds: number; progress: ProgressLine },
): Promise<Summary> {
  const status = await backend.stack.get(name);
  const jobs = await backend.forecasts.jobs(name, 1_000);
  const alarms = await backend.alarms.list(name);
  const incidents = await backend.incidents.list({ pipeline: name });
  const iso = (time: number | null) => (time === null ? null : formatInstant(time));
  return {
    pipeline: name,
    until: until === undefined ? null : formatInstant(until),
    counts: status.counts,
    series: status.series,
    trainings: jobs.length,
    trainingsFailed: jobs.filter((j) => j.state === "failed").length,
    backtest: await backtestBefore(backend, name, status.liveFrom, progress),
    liveCoverage: await liveCoverage(backend, name),
    alarms: await Promise.all(
      alarms.map(async (a) => ({
        name: a.name,
        state: a.state,
        transitions: (await backend.alarms.history(name, a.name, 100))
          .reverse()
          .map((t) => ({ ...t, at: formatInstant(t.at) })),
      })),
    ),
    incidents: incidents
      .toSorted((a, b) => a.openedAt - b.openedAt)
      .map((i: IncidentSummary) => ({
        id: i.id,
        title: i.title,
        rule: i.rule,
        status: i.status,
        severity: i.severity,
        firstWindow: formatInstant(i.from),
        openedAt: formatInstant(i.openedAt),
        resolvedAt: iso(i.resolvedAt),
        contributors: i.contributors.map((c) => c.series),
        by: i.contributors.map((c) => parseSeriesId(c.series)?.by ?? {}),
      })),
    seconds,
  };
}

/** Prints the summary for people. */
export function printSummary(s: Summary, out: NodeJS.WritableStream): void {
  const row = (name: string, value: string) => out.write(`  ${name.padEnd(18)} ${value}\n`);
  out.write(`\n${s.pipeline}${s.until ? ` until ${s.until}` : ""}\n\n`);
  row("Records", count(s.counts.records));
  row("Rejected", count(s.counts.rejected));
  row("Late", count(s.counts.late));
  row("Windows", `${count(s.counts.windows)} over ${s.series} series`);
  row("Trainings", `${s.trainings}${s.trainingsFailed > 0 ? ` (${s.trainingsFailed} failed)` : ""}`);
  if (s.backtest) {
    const { backtest: b } = s;
    row("Backtest", `${b.from.slice(0, 10)} to ${b.until.slice(0, 10)}, ${count(b.windows)} windows`);
    row("  MASE", `${number(b.mase)} (seasonal naive ${number(b.baseline.mase)})`);
    row("  sMAPE", `${number(b.smape)}% (seasonal naive ${number(b.baseline.smape)}%)`);
    row("  WQL", `${number(b.wql)} (seasonal naive ${number(b.baseline.wql)})`);
    row("  MSIS", `${number(b.msis)} (seasonal naive ${number(b.baseline.msis)})`);
    row("  Coverage", `${percent(b.coverage)} in the ${percent(b.band)} band`);
  }
  if (s.liveCoverage !== null) row("Live coverage", `${percent(s.liveCoverage)}, incidents included`);
  for (const a of s.alarms) {
    const raised = a.transitions.filter((t) => t.to === "ALARM").length;
    row(`Alarm ${a.name}`, `${a.state}, raised ${raised} time${raised === 1 ? "" : "s"}`);
  }
  row("Time", `${s.seconds.toFixed(1)} s`);
  out.write(s.incidents.length === 0 ? "\nNo incident.\n" : "\nIncidents\n");
  for (const i of s.incidents) {
    out.write(`  ${i.openedAt}  ${i.title}\n`);
    out.write(
      `    severity ${i.severity}, first window ${i.firstWindow}, ${i.status}${i.resolvedAt ? ` at ${i.resolvedAt}` : ""}\n`,
    );
    out.write(`    ${i.contributors.map((c) => seriesLabel(parseSeriesId(c)!)).join(", ")}\n`);
  }
}

async function backtestBefore(
  backend: Backend,
  name: string,
  liveFrom: number | null,
  progress: ProgressLine,
): Promise<Summary["backtest"]> {
  if (liveFrom === null) return null;
  const range = { from: liveFrom - BACKTEST, until: liveFrom };
  try {
    const report = await backend.forecasts.backtest(name, range, {
      onProgress: (p) => progress.show(p.message, p.done, p.total),
    });
    const { series: _series, from, until, ...rest } = report;
    const better = report.mase !== null && report.baseline.mase !== null && report.mase < report.baseline.mase;
    return { ...rest, from: formatInstant(from), until: formatInstant(until), betterThanNaive: better };
  } catch (error) {
    progress.note(`No backtest: ${(error as Error).message}`);
    return null;
  }
}

async function liveCoverage(backend: Backend, name: string): Promise<number | null> {
  const sql =
    "SELECT avg(CASE WHEN actual BETWEEN lower AND upper THEN 1e0 ELSE 0e0 END) AS share FROM comparison WHERE version IS NOT NULL AND actual IS NOT NULL";
  const { query, rows } = await backend.queries.run(name, { sql });
  await backend.queries.release(query);
  const share = rows[0]?.[0];
  return share === null || share === undefined ? null : Number(share);
}

function number(value: number | null): string {
  return value === null ? "-" : value.toFixed(3);
}

function percent(value: number | null): string {
  return value === null ? "-" : `${(value * 100).toFixed(1)}%`;
}
