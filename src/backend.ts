/**
 * The port: what every front end (the editor, the command line, a test) may ask of a target, and what it is told.
 * The local target and AWS implement the same `Backend`; a noun a member. Everything that crosses it is plain data that
 * JSON carries unchanged: instants are epoch ms (UTC), a missing number is null, failures are `Fault`s.
 * A method that a target cannot serve rejects with `target.unsupported`.
 */
import type { AlarmState } from "./core/alert.ts";
import type { FaultData } from "./core/fault.ts";
import type { IncidentRecord } from "./core/incident.ts";
import type { Direction, FieldType, PipelineSpec, Severity } from "./core/spec.ts";

export type { Contributor, TimelineEntry } from "./core/incident.ts";

export interface Backend {
  readonly target: TargetInfo;
  readonly stack: Stack;
  readonly streams: Streams;
  readonly queries: Queries;
  readonly forecasts: Forecasts;
  readonly alarms: Alarms;
  readonly incidents: Incidents;
  /** Calls `listener` for every change until disposed; changes carry identity, not content: read again what you show. */
  onChange(listener: (change: Change) => void): Subscription;
  /** Lets go of the target; the local engine stops when its last front end has gone. */
  close(): Promise<void>;
}

export interface Subscription {
  dispose(): void;
}

/** Given with long calls: `signal` cancels, `onProgress` is told how far the work is. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  /** What is being done now, for people. */
  readonly message: string;
  readonly done?: number;
  readonly total?: number;
}

/** `billedBy` says what the target bills a query by, where it does: then `queries.estimate` tells the price before. */
export type TargetInfo =
  | { readonly kind: "local"; readonly folder: string; readonly version: string; readonly endpoint?: string }
  | {
      readonly kind: "aws";
      readonly account: string;
      readonly region: string;
      readonly profile?: string;
      readonly billedBy?: "bytes";
    };

/** What has changed. `pipeline` names where; `id` the thing, where there is one. */
export interface Change {
  readonly noun: "stack" | "stream" | "query" | "forecast" | "alarm" | "incident" | "window";
  readonly pipeline: string;
  readonly id?: string;
  readonly kind: "added" | "changed" | "removed";
  /** With noun "window": the end of the newest compared window. */
  readonly until?: number;
}

// ---- stack ---------------------------------------------------------------------------------------------------------

export interface Stack {
  list(): Promise<PipelineSummary[]>;
  get(pipeline: string): Promise<PipelineStatus>;
  /** What `deploy` would do, without doing it. */
  preview(request: DeployRequest): Promise<StackPlan>;
  deploy(request: DeployRequest, options?: CallOptions): Promise<PipelineStatus>;
  /** Stops the pipeline; data stays unless `deleteData`. */
  remove(pipeline: string, request: { readonly deleteData: boolean }, options?: CallOptions): Promise<void>;
}

export interface DeployRequest {
  /** The pipeline file's path; enrich, labels, runbooks and SQL are read beside it. */
  readonly file: string;
  /** The event time from which windows are compared; before it, events are history. Unset: from the first forecast on. */
  readonly liveFrom?: number;
  /** May the pipeline's own code (enrich) run? Only in a trusted workspace. */
  readonly trusted: boolean;
}

export interface StackPlan {
  readonly pipeline: string;
  readonly changes: readonly PlannedChange[];
  /** What stands in the way, in the user's words; empty when the deployment can go ahead. */
  readonly lacks: readonly FaultData[];
  /** US dollars a month; null on a target that costs nothing. */
  readonly monthlyCost: CostEstimate | null;
}

export interface PlannedChange {
  readonly action: "add" | "change" | "replace" | "remove" | "keep";
  /** One of the seven steps. */
  readonly step: "collect" | "deliver" | "prepare" | "forecast" | "analyze" | "compare" | "alert";
  readonly what: string;
  readonly detail?: string;
}

export interface CostEstimate {
  readonly total: number;
  readonly pricesOf: string;
  readonly services: readonly { readonly service: string; readonly cost: number; readonly lever?: string }[];
  /** Where the load asks for more than the pipeline file creates, in words. */
  readonly warnings: readonly string[];
}

export type PipelineState = "deploying" | "running" | "degraded" | "failed" | "removing" | "stopped";

export interface PipelineSummary {
  readonly name: string;
  readonly state: PipelineState;
  readonly file?: string;
  /** Why the state is not `running`. */
  readonly fault?: FaultData;
  readonly openIncidents: number;
}

export interface PipelineStatus extends PipelineSummary {
  readonly spec: PipelineSpec;
  readonly liveFrom: number | null;
  /** Event time up to which windows are closed; null before the first event. */
  readonly watermark: number | null;
  readonly newestEvent: number | null;
  /** How far the pump is behind the stream, in records. */
  readonly behind: number;
  readonly counts: Counts;
  readonly series: number;
}

/** Totals since the pipeline was deployed. */
export interface Counts {
  /** Records taken from the stream. */
  readonly records: number;
  /** Events that these held and that reached the lake. */
  readonly events: number;
  readonly rejected: number;
  /** Events that enrich dropped on purpose. */
  readonly dropped: number;
  /** Events that came after their window had closed. */
  readonly late: number;
  /** Windows closed, over all series. */
  readonly windows: number;
  readonly compared: number;
}

// ---- streams -------------------------------------------------------------------------------------------------------

export interface Streams {
  list(): Promise<StreamInfo[]>;
  /** The newest records, newest first. */
  peek(stream: string, request: { readonly limit: number }): Promise<PeekedRecord[]>;
  rejected(pipeline: string, request: { readonly limit: number }): Promise<RejectedRecord[]>;
  /** Puts the records into the stream; resolves when all are durable. */
  put(
    stream: string,
    records: readonly { readonly data: string; readonly partitionKey?: string }[],
  ): Promise<{ accepted: number }>;
  /** Puts the rows of a file into the stream in event-time order, at a chosen speed; a later `send` waits for its end. */
  send(stream: string, request: SendRequest, options?: CallOptions): Promise<SendResult>;
}

export interface StreamInfo {
  readonly name: string;
  readonly pipeline: string;
  readonly arn: string;
  readonly shards: number;
  readonly records: number;
  readonly bytes: number;
  /** Records a second, over the last ten seconds. */
  readonly rate: number;
  readonly newestArrival: number | null;
  /** URL to give to an SDK as its endpoint; null on AWS. */
  readonly endpoint: string | null;
}

export interface PeekedRecord {
  readonly sequence: string;
  readonly shard: string;
  readonly partitionKey: string;
  readonly arrival: number;
  /** The data as text if it is UTF-8, else base64. */
  readonly data: string;
  readonly encoding: "utf8" | "base64";
}

export interface RejectedRecord {
  readonly sequence: string;
  readonly arrival: number;
  readonly reason: string;
  readonly detail: string;
  readonly data: string;
  readonly encoding: "utf8" | "base64";
}

export interface SendRequest {
  /** A Parquet, CSV, JSON or JSON-lines file. */
  readonly file: string;
  /** SQL expression a field, over the file's columns; default: columns of the fields' names. */
  readonly columns?: Readonly<Record<string, string>>;
  /** The file's column with the event time; default: the spec's time field. */
  readonly time?: string;
  readonly from?: number;
  readonly until?: number;
  /** Event seconds per second; "max" sends as fast as the stream takes it. */
  readonly speed: number | "max";
}

export interface SendResult {
  readonly sent: number;
  readonly seconds: number;
}

// ---- queries -------------------------------------------------------------------------------------------------------

export interface Queries {
  /** The tables a pipeline's queries may use. */
  catalogue(pipeline: string): Promise<TableInfo[]>;
  /** Runs one statement in Athena's dialect; resolves with the first page when the statement has ended. */
  run(pipeline: string, request: QueryRequest, options?: CallOptions): Promise<QueryResult>;
  /** What a statement would read and cost, without running it; on targets that bill by bytes. */
  estimate(pipeline: string, request: QueryRequest): Promise<QueryEstimate>;
  /** Further rows of a result or a view; results are kept until `release` or until fifty newer ones came. */
  rows(query: string, offset: number, limit: number): Promise<Cell[][]>;
  /** Sorts and filters a kept result into another, without running its statement again. */
  view(query: string, request: ViewRequest, options?: CallOptions): Promise<ViewInfo>;
  /** Lets go of a result with its views, or of a view. */
  release(query: string): Promise<void>;
  /** Writes the whole result or view to a file; csv with a header line. */
  exportTo(
    query: string,
    request: { readonly file: string; readonly format: ExportFormat },
    options?: CallOptions,
  ): Promise<{ readonly bytes: number }>;
  history(pipeline: string, limit: number): Promise<QueryRun[]>;
}

export interface TableInfo {
  readonly name: string;
  readonly comment: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly comment: string }[];
}

export interface QueryRequest {
  /** One statement, without the semicolon. */
  readonly sql: string;
  /** Values of the statement's `:name` parameters, as SQL literals' texts. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly pageSize?: number;
}

/** A value as JSON carries it: big integers, decimals, dates and times as text. */
export type Cell = string | number | boolean | null | readonly Cell[] | { readonly [key: string]: Cell };

export interface QueryResult {
  readonly query: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly Cell[])[];
  readonly rowCount: number;
  readonly elapsed: number;
  /** Bytes of the lake that were read; null when the target does not tell. */
  readonly bytesScanned: number | null;
}

export type ExportFormat = "csv" | "parquet" | "json";

/** By which column rows are sorted. */
export interface ViewOrder {
  /** Its place among the result's columns, from 0. */
  readonly column: number;
  readonly descending: boolean;
}

export interface ViewRequest {
  /** Null: the result's own order. Nulls come last in both directions. */
  readonly order: ViewOrder | null;
  /** Only rows in which a column's text contains this, whatever the case; empty: all rows. */
  readonly filter: string;
}

export interface ViewInfo {
  readonly query: string;
  readonly rowCount: number;
}

export interface QueryEstimate {
  /** Bytes of the lake that the statement would read. */
  readonly bytes: number;
  /** US dollars. */
  readonly cost: number;
}

/** The only column of what EXPLAIN gives, on every target; a row is a line. */
export const PLAN_COLUMN = "Query Plan";

export interface QueryRun {
  readonly query: string;
  readonly sql: string;
  readonly startedAt: number;
  readonly elapsed: number;
  readonly state: "running" | "succeeded" | "failed" | "cancelled";
  readonly rowCount: number | null;
  readonly bytesScanned: number | null;
  readonly fault?: FaultData;
}

// ---- forecasts -----------------------------------------------------------------------------------------------------

export interface Forecasts {
  jobs(pipeline: string, limit: number): Promise<TrainingJob[]>;
  /** Trains now, on what is closed up to now; resolves when the forecast is in use, or with the job's failure. */
  train(pipeline: string, options?: CallOptions): Promise<TrainingJob>;
  cancel(job: string): Promise<void>;
  series(pipeline: string): Promise<SeriesInfo[]>;
  /** Actual, band and forecast of one series over [from, until). */
  chart(
    pipeline: string,
    series: string,
    range: { readonly from: number; readonly until: number },
  ): Promise<SeriesChart>;
  /** Rolling-origin backtest over [from, until): accuracy and coverage beside the baseline. */
  backtest(
    pipeline: string,
    range: { readonly from: number; readonly until: number },
    options?: CallOptions,
  ): Promise<AccuracyReport>;
}

export interface TrainingJob {
  readonly id: string;
  readonly pipeline: string;
  readonly state: "queued" | "preparing" | "training" | "succeeded" | "failed" | "cancelled";
  /** Event time the forecast starts at: it knows windows before this only. */
  readonly origin: number;
  readonly requestedBy: "schedule" | "person";
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly seriesDone: number;
  readonly seriesTotal: number;
  readonly accuracy: AccuracySummary | null;
  readonly fault?: FaultData;
}

/** Means over the series; `baseline` is seasonal naive on the same windows. */
export interface AccuracySummary {
  readonly mase: number | null;
  readonly smape: number | null;
  readonly wql: number | null;
  /** Share of actuals inside the band, 0 to 1. */
  readonly coverage: number | null;
  readonly msis: number | null;
  readonly baseline: {
    readonly mase: number | null;
    readonly smape: number | null;
    readonly wql: number | null;
    readonly coverage: number | null;
    readonly msis: number | null;
  };
}

export interface AccuracyReport extends AccuracySummary {
  readonly from: number;
  readonly until: number;
  readonly band: number;
  readonly windows: number;
  readonly series: readonly ({ readonly series: string } & AccuracySummary)[];
}

export interface SeriesInfo {
  readonly id: string;
  readonly measure: string;
  readonly by: Readonly<Record<string, string>>;
  /** The newest compared window. */
  readonly last: ChartPoint | null;
  /** How its forecast was made, such as `ensemble` or a fallback's name, and why. */
  readonly method: string | null;
  readonly reason: string | null;
}

/** One window; null where there is no value. `late` counts events that came after it had closed. */
export interface ChartPoint {
  readonly start: number;
  readonly actual: number | null;
  readonly lower: number | null;
  readonly median: number | null;
  readonly upper: number | null;
  readonly deviation: number | null;
  readonly late: number;
}

export interface SeriesChart {
  readonly series: string;
  readonly every: number;
  /** Closed windows and, after them, the forecast as far as it reaches. */
  readonly points: readonly ChartPoint[];
  /** Alarm rules that watch this series. */
  readonly rules: readonly { readonly name: string; readonly direction: Direction; readonly threshold: number }[];
  readonly incidents: readonly {
    readonly id: string;
    readonly title: string;
    readonly from: number;
    readonly until: number | null;
  }[];
}

// ---- alarms --------------------------------------------------------------------------------------------------------

export interface Alarms {
  list(pipeline: string): Promise<AlarmInfo[]>;
  history(pipeline: string, alarm: string, limit: number): Promise<AlarmTransition[]>;
}

export interface AlarmInfo {
  readonly name: string;
  readonly pipeline: string;
  /** Null for the pipeline's own alarms. */
  readonly measure: string | null;
  readonly state: AlarmState;
  /** Event time of the last change; null when it never changed. */
  readonly since: number | null;
  readonly reason: string;
  readonly contributors: readonly string[];
  readonly severity: Severity | null;
  readonly description: string;
}

export interface AlarmTransition {
  readonly at: number;
  readonly from: AlarmState;
  readonly to: AlarmState;
  readonly reason: string;
  readonly contributors: readonly string[];
}

// ---- incidents -----------------------------------------------------------------------------------------------------

export interface Incidents {
  list(request?: {
    readonly pipeline?: string;
    readonly status?: IncidentStatus;
    readonly limit?: number;
  }): Promise<IncidentSummary[]>;
  get(id: string): Promise<Incident>;
  declare(request: DeclareRequest): Promise<Incident>;
  note(id: string, markdown: string, author: string): Promise<Incident>;
  setSeverity(id: string, severity: Severity, author: string): Promise<Incident>;
  setOwner(id: string, owner: string | null, author: string): Promise<Incident>;
  /** `notAnIncident`: the alarm was wrong; its windows count as ordinary in training again. */
  resolve(id: string, request: { readonly author: string; readonly notAnIncident?: boolean }): Promise<Incident>;
  reopen(id: string, author: string): Promise<Incident>;
  /** Pins a query's result (its first hundred rows) as evidence. */
  pin(
    id: string,
    evidence: {
      readonly title: string;
      readonly sql: string;
      readonly columns: readonly string[];
      readonly rows: readonly (readonly Cell[])[];
    },
    author: string,
  ): Promise<Incident>;
  /** The incident as Markdown for a post-mortem. */
  postmortem(id: string): Promise<string>;
}

export type IncidentStatus = IncidentRecord["status"];

export interface DeclareRequest {
  readonly pipeline: string;
  readonly title: string;
  readonly severity: Severity;
  readonly series: readonly string[];
  readonly from: number;
  readonly author: string;
}

/** An incident in a list. */
export type IncidentSummary = Omit<IncidentRecord, "runbook" | "notAnIncident" | "quietSince" | "timeline">;

/** `runbook` is the text of the runbook; in the record it is its path. */
export interface Incident extends Omit<IncidentRecord, "quietSince"> {
  readonly evidence: readonly Evidence[];
  /** The contributors' charts as they were when the incident opened. */
  readonly frozen: readonly SeriesChart[];
}

export interface Evidence {
  readonly title: string;
  readonly sql: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly pinnedAt: number;
  readonly author: string;
}

/** A field of the pipeline's events, as catalogues and wizards show it. */
export interface FieldInfo {
  readonly name: string;
  readonly type: FieldType;
}

// ---- the port as a table: what transports and contract tests iterate over -------------------------------------------

/** Every method of the port by noun; the type holds it against the interfaces, so that none is forgotten. */
export const PORT = {
  stack: ["list", "get", "preview", "deploy", "remove"],
  streams: ["list", "peek", "rejected", "put", "send"],
  queries: ["catalogue", "run", "estimate", "rows", "view", "release", "exportTo", "history"],
  forecasts: ["jobs", "train", "cancel", "series", "chart", "backtest"],
  alarms: ["list", "history"],
  incidents: ["list", "get", "declare", "note", "setSeverity", "setOwner", "resolve", "reopen", "pin", "postmortem"],
} as const satisfies { readonly [N in Noun]: readonly (keyof Backend[N])[] };

export type Noun = "stack" | "streams" | "queries" | "forecasts" | "alarms" | "incidents";
/** A compile-time proof that PORT names every method: this type is `never` unless one is missing. */
export type Unnamed = { [N in Noun]: Exclude<keyof Backend[N], (typeof PORT)[N][number]> }[Noun];
