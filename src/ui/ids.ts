/**
 * Every id that the extension shares with its manifest: commands with their arguments, context keys, views, settings.
 * A unit test holds these tables against package.json, so that neither side can be renamed alone.
 */
import type { Severity } from "../core/spec.ts";

/** Names what a command is about. Whatever is missing is taken from the active editor, or asked for. */
export interface Ref {
  readonly pipeline?: string;
  /** Path of a pipeline file. */
  readonly file?: string;
  readonly stream?: string;
  readonly series?: string;
  readonly alarm?: string;
  readonly incident?: string;
  readonly job?: string;
}

/** A statement in a .sql file, by its place in the text. */
export interface StatementRef {
  readonly file: string;
  /** Offset of the statement's first character. */
  readonly offset: number;
}

/** A run of the past, by its key in the history. */
export interface PastRef {
  readonly past: string;
}

type About<K extends keyof Ref> = Pick<Ref, K>;

/** What each command takes; all of it optional, because all are in the palette too. */
export interface CommandArguments {
  openSample: { readonly folder?: string; readonly speed?: number | "max" };
  /** `sample`, or from a menu `file`: events to begin with. */
  newPipeline: { readonly sample?: string; readonly file?: string };
  deploy: About<"file" | "pipeline">;
  preview: About<"file" | "pipeline">;
  remove: About<"pipeline">;
  openPipelineFile: About<"file" | "pipeline">;
  selectTarget: { readonly target?: string };
  train: About<"pipeline">;
  stopTraining: About<"job" | "pipeline">;
  showForecast: About<"pipeline" | "series"> & { readonly from?: number; readonly until?: number };
  showIncident: About<"incident">;
  declareIncident: About<"pipeline" | "series"> & { readonly from?: number };
  addNote: About<"incident">;
  changeSeverity: About<"incident"> & { readonly severity?: Severity };
  assignIncident: About<"incident">;
  resolveIncident: About<"incident">;
  reopenIncident: About<"incident">;
  exportPostmortem: About<"incident">;
  peekStream: About<"stream" | "pipeline">;
  showRejected: About<"pipeline">;
  /** `records`, or from a menu `file`: what to send. */
  sendRecords: About<"stream" | "pipeline"> & { readonly records?: string; readonly file?: string };
  copyEndpoint: About<"stream" | "pipeline">;
  runStatement: Partial<StatementRef> & About<"pipeline">;
  runSelection: About<"pipeline">;
  runFile: Partial<StatementRef> & About<"pipeline">;
  explainStatement: Partial<StatementRef> & About<"pipeline">;
  chartStatement: Partial<StatementRef> & About<"pipeline">;
  estimateStatement: Partial<StatementRef> & About<"pipeline">;
  cancelStatement: Partial<StatementRef>;
  setParameters: Partial<StatementRef>;
  saveNamedQuery: Partial<StatementRef>;
  queryHistory: Record<never, never>;
  runAgain: Partial<PastRef>;
  compareRun: Partial<PastRef>;
  openRun: Partial<PastRef>;
  clearHistory: Record<never, never>;
  openPreparation: About<"file" | "pipeline">;
  showDifferences: Record<never, never>;
  openStatement: Partial<StatementRef>;
  newQuery: About<"pipeline">;
  queryWindow: About<"incident" | "series">;
  restartEngine: Record<never, never>;
  refresh: Record<never, never>;
  showLog: Record<never, never>;
}

export type CommandName = keyof CommandArguments;

/** Command ids as the manifest has them. */
export const COMMANDS = {
  openSample: "forewatch.openSamplePipeline",
  newPipeline: "forewatch.newPipeline",
  deploy: "forewatch.deployPipeline",
  preview: "forewatch.previewDeployment",
  remove: "forewatch.removePipeline",
  openPipelineFile: "forewatch.openPipelineFile",
  selectTarget: "forewatch.selectTarget",
  train: "forewatch.trainForecast",
  stopTraining: "forewatch.stopTraining",
  showForecast: "forewatch.showForecast",
  showIncident: "forewatch.showIncident",
  declareIncident: "forewatch.declareIncident",
  addNote: "forewatch.addNote",
  changeSeverity: "forewatch.changeSeverity",
  assignIncident: "forewatch.assignIncident",
  resolveIncident: "forewatch.resolveIncident",
  reopenIncident: "forewatch.reopenIncident",
  exportPostmortem: "forewatch.exportPostmortem",
  peekStream: "forewatch.peekStream",
  showRejected: "forewatch.showRejectedRecords",
  sendRecords: "forewatch.sendRecords",
  copyEndpoint: "forewatch.copyEndpoint",
  runStatement: "forewatch.runStatement",
  runSelection: "forewatch.runSelection",
  runFile: "forewatch.runAllStatements",
  explainStatement: "forewatch.explainStatement",
  chartStatement: "forewatch.chartStatement",
  estimateStatement: "forewatch.estimateStatement",
  cancelStatement: "forewatch.cancelStatement",
  setParameters: "forewatch.setQueryParameters",
  saveNamedQuery: "forewatch.saveNamedQuery",
  queryHistory: "forewatch.queryHistory",
  runAgain: "forewatch.runAgain",
  compareRun: "forewatch.compareRun",
  openRun: "forewatch.openRun",
  clearHistory: "forewatch.clearQueryHistory",
  openPreparation: "forewatch.openPreparationQuery",
  showDifferences: "forewatch.showSqlDifferences",
  openStatement: "forewatch.openStatement",
  newQuery: "forewatch.newQuery",
  queryWindow: "forewatch.queryIncidentWindow",
  restartEngine: "forewatch.restartEngine",
  refresh: "forewatch.refresh",
  showLog: "forewatch.showLog",
} as const satisfies Record<CommandName, string>;

/** Context keys that `when` clauses of the manifest read, with the values they take. */
export interface ContextValues {
  /** Which of its faces the explorer shows; all but `ready` are welcome views. */
  "forewatch.explorer": ExplorerFace;
  "forewatch.deployed": boolean;
  "forewatch.openIncidents": boolean;
  "forewatch.hasPipelineFile": boolean;
}

export const CONTEXT_KEYS = [
  "forewatch.explorer",
  "forewatch.deployed",
  "forewatch.openIncidents",
  "forewatch.hasPipelineFile",
] as const satisfies readonly (keyof ContextValues)[];

/** The explorer's faces, in the order in which they rule each other out. */
export const EXPLORER_FACES = [
  "noFolder",
  "untrusted",
  "failed",
  "reading",
  "noPipeline",
  "broken",
  "starting",
  "notDeployed",
  "ready",
] as const;
export type ExplorerFace = (typeof EXPLORER_FACES)[number];

export const VIEWS = {
  explorer: "forewatch.explorer",
  results: "forewatch.results",
  history: "forewatch.history",
} as const;

/** Types of the webview panels, for the serializers. */
export const PANELS = {
  forecast: "forewatch.forecast",
  incident: "forewatch.incident",
  preview: "forewatch.preview",
} as const;
export type PanelName = keyof typeof PANELS;

/** The scheme of the virtual documents: peeked and rejected records. */
export const RECORDS_SCHEME = "forewatch-records";

/** Settings under `forewatch.`, with the types of their values. */
export interface Settings {
  timeZone: "utc" | "local";
  author: string;
  "notifications.severity": Severity | 0;
  "engine.port": number;
}

export const SETTINGS = [
  "timeZone",
  "author",
  "notifications.severity",
  "engine.port",
] as const satisfies readonly (keyof Settings)[];

/** What a tree item's `contextValue` can be; menus match on it. */
export const NODE_CONTEXTS = [
  "section",
  "pipeline",
  "stream",
  "rejected",
  "queryFile",
  "statement",
  "preparation",
  "queriesEmpty",
  "job",
  "jobRunning",
  "seriesGroup",
  "series",
  "alarm",
  "incidentOpen",
  "incidentResolved",
  "incidentGroup",
  "hint",
] as const;
/** The context value of the history's items. */
export const PAST_CONTEXT = "past";
export type NodeContext = (typeof NODE_CONTEXTS)[number];
