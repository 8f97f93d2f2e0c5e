/**
 * The explorer's tree from a snapshot of the target and the pipeline files of the workspace: five sections in the order in
 * which data flows. Pure; `view.ts` shows it.
 */
import type { AlarmInfo, IncidentSummary, PipelineStatus, SeriesInfo, TrainingJob } from "../../backend.ts";
import { seriesLabel } from "../../core/series.ts";
import {
  formatAge,
  formatCount,
  formatDeviation,
  formatRate,
  formatShare,
  formatSpan,
  formatTime,
  formatValue,
  plural,
  type TimeZone,
} from "../format.ts";
import type { ExplorerFace } from "../ids.ts";
import { type PastRun, pastWords } from "../queries/words.ts";
import type { Snapshot } from "../snapshot.ts";
import { COLORS, type Icon, RUN_ICONS, type TreeNode } from "./node.ts";
import { alarmTooltip, incidentTooltip, jobTooltip, pipelineTooltip, seriesTooltip } from "./tooltips.ts";

/** A pipeline file of the workspace, as the explorer needs it. */
export interface PipelineFile {
  readonly file: string;
  /** The pipeline's name; the file's name when the file is too broken to tell. */
  readonly name: string;
  readonly valid: boolean;
  readonly queries: readonly QueryFile[];
}

/** A file of the pipeline's prep queries. */
export interface QueryFile {
  readonly file: string;
  /** Path relative to the pipeline's SQL folder. */
  readonly path: string;
  readonly statements: readonly { readonly title: string; readonly offset: number; readonly description?: string }[];
}

export interface ExplorerInput {
  readonly snapshot: Snapshot;
  readonly files: readonly PipelineFile[];
  readonly now: number;
  readonly timeZone: TimeZone;
  /** The newest run of a file's statement, if it has been run. */
  readonly lastRun?: (file: string, title: string) => (PastRun & { readonly failure?: string }) | undefined;
}

/** The circumstances that decide which face the explorer shows. */
export interface Circumstances {
  readonly folder: boolean;
  readonly trusted: boolean;
  /** Has the workspace been searched for pipeline files? */
  readonly searched: boolean;
  readonly target: "idle" | "starting" | "connected" | "slow" | "restarting" | "failed";
  /** Has a first snapshot been read? */
  readonly read: boolean;
  readonly deployed: number;
  readonly files: readonly { readonly valid: boolean }[];
}

/** The face that fits; a tree that was read stays up while the engine restarts. */
export function explorerFace(c: Circumstances): ExplorerFace {
  if (!c.folder) return "noFolder";
  if (!c.trusted) return "untrusted";
  if (c.target === "failed") return "failed";
  if (c.deployed > 0) return "ready";
  if (!c.searched) return "reading";
  if (c.target === "starting" || (c.target === "connected" && !c.read)) return "starting";
  if (c.files.length === 0) return "noPipeline";
  return c.files.some((f) => f.valid) ? "notDeployed" : "broken";
}

/** The five sections. */
export function buildTree(input: ExplorerInput): readonly TreeNode[] {
  return [streams(input), queries(input), forecasts(input), alarms(input), incidents(input)];
}

function section(id: string, label: string, icon: string, children: readonly TreeNode[], description = ""): TreeNode {
  return {
    id,
    context: "section",
    label,
    description,
    icon: { id: icon },
    ref: {},
    children,
    expanded: true,
  };
}

/** The pipeline's name where there are several, so that equal names can be told apart. */
function owner(input: ExplorerInput, pipeline: string): string | undefined {
  const names = new Set([...input.snapshot.pipelines.map((p) => p.name), ...input.files.map((f) => f.name)]);
  return names.size > 1 ? pipeline : undefined;
}

function words(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" · ");
}

// ---- streams -------------------------------------------------------------------------------------------------------

const PIPELINE_ICONS: Readonly<Record<PipelineStatus["state"], Icon>> = {
  running: { id: "pulse", color: COLORS.good },
  deploying: { id: "sync~spin", color: COLORS.busy },
  removing: { id: "sync~spin", color: COLORS.idle },
  degraded: { id: "warning", color: COLORS.warning },
  failed: { id: "error", color: COLORS.bad },
  stopped: { id: "circle-outline", color: COLORS.idle },
};

function streams(input: ExplorerInput): TreeNode {
  const { snapshot, files, now } = input;
  const running = snapshot.pipelines.map((pipeline): TreeNode => {
    const stream = snapshot.streams.find((s) => s.pipeline === pipeline.name);
    const state = pipeline.state === "running" ? undefined : pipeline.state;
    const flow = stream && [formatRate(stream.rate), plural(stream.records, "record")];
    const age = stream?.newestArrival ? formatAge(stream.newestArrival, now) : undefined;
    const rejected = pipeline.counts.rejected;
    return {
      id: `stream:${pipeline.name}`,
      context: "stream",
      label: stream?.name ?? pipeline.name,
      description: words(state, ...(flow ?? []), age),
      tooltip: pipelineTooltip(pipeline, stream, input),
      icon: PIPELINE_ICONS[pipeline.state],
      ref: {
        pipeline: pipeline.name,
        ...(stream && { stream: stream.name }),
        ...(pipeline.file !== undefined && { file: pipeline.file }),
      },
      command: "peekStream",
      ...(rejected > 0 && {
        children: [
          {
            id: `rejected:${pipeline.name}`,
            context: "rejected",
            label: "Rejected records",
            description: formatCount(rejected),
            tooltip: "Records that could not be read as events, with the reason and the original bytes.",
            icon: { id: "warning", color: COLORS.warning },
            ref: { pipeline: pipeline.name },
            command: "showRejected",
          },
        ],
      }),
    };
  });
  const deployed = new Set(snapshot.pipelines.map((p) => p.name));
  const waiting = files
    .filter((f) => !deployed.has(f.name))
    .map(
      (f): TreeNode => ({
        id: `file:${f.file}`,
        context: "pipeline",
        label: f.name,
        description: f.valid ? "not deployed" : "has errors",
        icon: f.valid ? { id: "circle-outline", color: COLORS.idle } : { id: "error", color: COLORS.bad },
        ref: { file: f.file, pipeline: f.name },
        command: "openPipelineFile",
      }),
    );
  const rate = snapshot.streams.reduce((sum, s) => sum + s.rate, 0);
  return section("streams", "Streams", "broadcast", [...running, ...waiting], formatRate(rate));
}

// ---- prep queries --------------------------------------------------------------------------------------------------

function queries(input: ExplorerInput): TreeNode {
  const written = input.files.flatMap((pipeline) =>
    pipeline.queries.map((query): TreeNode => {
      const statements = query.statements.map((s): TreeNode => statementNode(input, pipeline, query, s));
      return {
        id: `query:${query.file}`,
        context: "queryFile",
        label: query.path,
        description: words(owner(input, pipeline.name), plural(statements.length, "statement")),
        icon: { id: "database" },
        ref: { pipeline: pipeline.name, file: query.file, offset: 0 },
        command: "openStatement",
        children: statements,
      };
    }),
  );
  const empty: TreeNode = {
    id: "queries:none",
    context: "queriesEmpty",
    label: "No query yet",
    description: "click to write one",
    icon: { id: "add" },
    ref: {},
    command: "newQuery",
  };
  const generated = input.files.filter((f) => f.valid).map((f) => preparationNode(input, f));
  const nodes = [...generated, ...(written.length > 0 ? written : [empty])];
  return section("queries", "Prep queries", "server-process", nodes);
}

function statementNode(
  input: ExplorerInput,
  pipeline: PipelineFile,
  query: QueryFile,
  { title, offset, description }: QueryFile["statements"][number],
): TreeNode {
  const last = input.lastRun?.(query.file, title);
  const tooltip = [description, last?.failure].filter((part) => part !== undefined).join("\n\n");
  return {
    id: `statement:${query.file}:${offset}`,
    context: "statement",
    label: title,
    ...(last && { description: pastWords(last, input.now) }),
    ...(tooltip !== "" && { tooltip }),
    icon: last ? RUN_ICONS[last.state] : { id: "symbol-method" },
    ref: { pipeline: pipeline.name, file: query.file, offset },
    command: "openStatement",
  };
}

/** The query that the pipeline's file makes, which each training runs. */
function preparationNode(input: ExplorerInput, pipeline: PipelineFile): TreeNode {
  return {
    id: `preparation:${pipeline.name}`,
    context: "preparation",
    label: "Preparation query",
    description: words(owner(input, pipeline.name), "generated"),
    tooltip: "The query behind every training: the lake's events as series. Generated from the pipeline file.",
    icon: { id: "file-code" },
    ref: { pipeline: pipeline.name, file: pipeline.file },
    command: "openPreparation",
  };
}

// ---- forecast jobs -------------------------------------------------------------------------------------------------

const JOB_ICONS: Readonly<Record<TrainingJob["state"], Icon>> = {
  queued: { id: "clock", color: COLORS.busy },
  preparing: { id: "sync~spin", color: COLORS.busy },
  training: { id: "sync~spin", color: COLORS.busy },
  succeeded: { id: "pass", color: COLORS.good },
  failed: { id: "error", color: COLORS.bad },
  cancelled: { id: "circle-slash", color: COLORS.idle },
};

export function isRunning(job: TrainingJob): boolean {
  return job.state === "queued" || job.state === "preparing" || job.state === "training";
}

function forecasts(input: ExplorerInput): TreeNode {
  const { snapshot } = input;
  const series = snapshot.pipelines.map((p) => seriesGroup(input, p.name, snapshot.series.get(p.name) ?? []));
  const jobs = snapshot.jobs.map((job): TreeNode => {
    const running = isRunning(job);
    return {
      id: `job:${job.id}`,
      context: running ? "jobRunning" : "job",
      label: formatTime(job.origin, input.timeZone, input.now),
      description: words(owner(input, job.pipeline), jobState(job)),
      tooltip: jobTooltip(job, input),
      icon: JOB_ICONS[job.state],
      ref: { pipeline: job.pipeline, job: job.id },
      command: "showForecast",
    };
  });
  const none: TreeNode = {
    id: "jobs:none",
    context: "hint",
    label: "No training yet",
    description: "the first one starts when the history is in",
    icon: { id: "info" },
    ref: {},
  };
  const newest = snapshot.jobs.find((job) => job.state === "succeeded");
  return section(
    "forecasts",
    "Forecast jobs",
    "graph-line",
    [...series.filter((s) => (s.children?.length ?? 0) > 0), ...(jobs.length > 0 ? jobs : [none])],
    newest ? jobState(newest) : "",
  );
}

function jobState(job: TrainingJob): string {
  if (job.state === "training") return `training ${job.seriesDone} of ${job.seriesTotal}`;
  if (job.state !== "succeeded") return job.state;
  const { accuracy } = job;
  if (!accuracy || accuracy.mase === null) return "ready";
  const coverage = accuracy.coverage === null ? undefined : `${formatShare(accuracy.coverage)} in band`;
  return words(`MASE ${accuracy.mase.toFixed(2)}`, coverage);
}

function seriesGroup(input: ExplorerInput, pipeline: string, list: readonly SeriesInfo[]): TreeNode {
  const nodes = list.map((info): TreeNode => {
    const last = info.last;
    const outside = last?.deviation != null && Math.abs(last.deviation) > 1;
    return {
      id: `series:${pipeline}:${info.id}`,
      context: "series",
      label: seriesLabel(info),
      description: last ? lastWords(last) : "no window yet",
      tooltip: seriesTooltip(info, input),
      // What was not compared is not healthy: a full dot says that there was a forecast, and that it held.
      icon:
        last?.deviation == null
          ? { id: "circle-outline", color: COLORS.idle }
          : outside
            ? { id: "triangle-up", color: COLORS.bad }
            : { id: "circle-filled", color: COLORS.good },
      ref: { pipeline, series: info.id },
      command: "showForecast",
    };
  });
  const outside = list.filter((s) => s.last?.deviation != null && Math.abs(s.last.deviation) > 1).length;
  return {
    id: `series:${pipeline}`,
    context: "seriesGroup",
    label: "Series",
    description: words(
      owner(input, pipeline),
      formatCount(list.length),
      outside > 0 ? `${outside} outside` : undefined,
    ),
    icon: { id: "list-tree" },
    ref: { pipeline },
    children: nodes,
  };
}

function lastWords({ actual, deviation }: NonNullable<SeriesInfo["last"]>): string {
  if (actual === null) return formatValue(actual);
  return words(formatValue(actual), deviation === null ? "no forecast" : `${formatDeviation(deviation)} of band`);
}

// ---- alarms --------------------------------------------------------------------------------------------------------

export const ALARM_ICONS: Readonly<Record<AlarmInfo["state"], Icon>> = {
  OK: { id: "bell", color: COLORS.good },
  ALARM: { id: "bell-dot", color: COLORS.bad },
  INSUFFICIENT_DATA: { id: "question", color: COLORS.idle },
};
export const ALARM_WORDS: Readonly<Record<AlarmInfo["state"], string>> = {
  OK: "OK",
  ALARM: "ALARM",
  INSUFFICIENT_DATA: "waiting for data",
};

function alarms(input: ExplorerInput): TreeNode {
  const list = input.snapshot.alarms;
  const nodes = list.map(
    (alarm): TreeNode => ({
      id: `alarm:${alarm.pipeline}:${alarm.name}`,
      context: "alarm",
      label: alarm.name,
      description: words(owner(input, alarm.pipeline), alarmState(alarm, input)),
      tooltip: alarmTooltip(alarm, input),
      icon: ALARM_ICONS[alarm.state],
      ref: {
        pipeline: alarm.pipeline,
        alarm: alarm.name,
        ...(alarm.contributors[0] !== undefined && { series: alarm.contributors[0] }),
      },
      command: "showForecast",
      ...(alarm.contributors.length > 0 && {
        children: alarm.contributors.map(
          (series): TreeNode => ({
            id: `contributor:${alarm.pipeline}:${alarm.name}:${series}`,
            context: "series",
            label: labelOf(series, input.snapshot.series.get(alarm.pipeline)),
            icon: { id: "triangle-up", color: COLORS.bad },
            ref: { pipeline: alarm.pipeline, series },
            command: "showForecast",
          }),
        ),
      }),
    }),
  );
  const raised = list.filter((a) => a.state === "ALARM").length;
  const well = list.length > 0 && list.every((a) => a.state === "OK");
  return section("alarms", "Alarms", "bell", nodes, raised > 0 ? `${raised} in ALARM` : well ? "all OK" : "");
}

function alarmState(alarm: AlarmInfo, input: ExplorerInput): string {
  const state = ALARM_WORDS[alarm.state];
  if (alarm.state !== "ALARM") return state;
  const since = alarm.since === null ? undefined : `since ${formatTime(alarm.since, input.timeZone, input.now)}`;
  return words(state, alarm.contributors.length > 0 ? `${alarm.contributors.length} series` : undefined, since);
}

function labelOf(series: string, list: readonly SeriesInfo[] | undefined): string {
  const info = list?.find((s) => s.id === series);
  return info ? seriesLabel(info) : series;
}

// ---- incidents -----------------------------------------------------------------------------------------------------

const SEVERITY_COLORS = {
  1: COLORS.bad,
  2: COLORS.bad,
  3: COLORS.warning,
  4: COLORS.busy,
  5: COLORS.idle,
} as const;

function incidents(input: ExplorerInput): TreeNode {
  const list = input.snapshot.incidents;
  const node = (incident: IncidentSummary): TreeNode => ({
    id: `incident:${incident.id}`,
    context: incident.status === "open" ? "incidentOpen" : "incidentResolved",
    label: incident.title,
    description: words(`SEV ${incident.severity}`, owner(input, incident.pipeline), incidentSince(incident, input)),
    tooltip: incidentTooltip(incident, input),
    icon:
      incident.status === "open"
        ? { id: "flame", color: SEVERITY_COLORS[incident.severity] }
        : { id: "pass", color: COLORS.idle },
    ref: { pipeline: incident.pipeline, incident: incident.id },
    command: "showIncident",
  });
  const open = list.filter((i) => i.status === "open");
  const resolved = list.filter((i) => i.status === "resolved");
  const none: TreeNode = {
    id: "incidents:none",
    context: "hint",
    label: "No open incident",
    description: "nothing has left its forecast",
    icon: { id: "pass", color: COLORS.good },
    ref: {},
  };
  const group: TreeNode = {
    id: "incidents:resolved",
    context: "incidentGroup",
    label: "Resolved",
    description: formatCount(resolved.length),
    icon: { id: "archive" },
    ref: {},
    children: resolved.map(node),
  };
  return section(
    "incidents",
    "Incidents",
    "flame",
    [...(open.length > 0 ? open.map(node) : [none]), ...(resolved.length > 0 ? [group] : [])],
    open.length > 0 ? `${open.length} open` : "",
  );
}

function incidentSince(incident: IncidentSummary, input: ExplorerInput): string {
  const from = formatTime(incident.from, input.timeZone, input.now);
  if (incident.status === "open") return `since ${from}`;
  return words(from, incident.resolvedAt === null ? undefined : spanOf(incident.from, incident.resolvedAt));
}

/** How long it lasted; nothing when the two instants come from different clocks (a person resolves a replay today). */
function spanOf(from: number, until: number): string | undefined {
  const span = until - from;
  return span > 0 && span < 400 * 86_400_000 ? formatSpan(span) : undefined;
}
