/**
 * The protocol of the webview pages: for each page, what it shows (its subject), what it keeps (its state), what it may ask
 * of its host (requests), and what it is told (notifications). Requests are shaped like resources and named after the port's
 * methods where they are one; the host adds what the page need not know, such as the author.
 *
 * The theme is not among the notifications: VS Code itself restyles the page (classes and CSS variables on the document),
 * and only watching these is free of races.
 */
import type {
  Cell,
  Change,
  ExportFormat,
  Incident,
  QueryRun,
  SeriesInfo,
  StackPlan,
  ViewInfo,
  ViewRequest,
} from "../backend.ts";
import type { FaultData } from "../core/fault.ts";
import type { Severity } from "../core/spec.ts";
import type { ChartColumns } from "./columns.ts";

export const PAGES = ["forecast", "incident", "results", "preview"] as const;
export type PageName = (typeof PAGES)[number];

// ---- what every page has -------------------------------------------------------------------------------------------

/** The answer to a page's first request, of each document: the subject and the state as the page last kept them. */
export interface PageStart<P extends PageName> {
  readonly subject: PageSubjects[P];
  /** What the page last kept for this subject; null the first time. The host's copy counts, not the page's own. */
  readonly state: PageStates[P] | null;
  readonly settings: PageSettings;
}

export interface PageSettings {
  readonly timeZone: "utc" | "local";
  /** How the people's entries on a timeline are signed. */
  readonly author: string;
  /** The target for people, such as `local` or `123456789012 in eu-west-1`. */
  readonly target: string;
}

/** What a webview hands to VS Code's `setState`; a panel serializer gets it back after a reload. */
export interface KeptPage<P extends PageName> {
  readonly page: P;
  readonly subject: PageSubjects[P];
  readonly state: PageStates[P];
}

interface CommonRequests<P extends PageName> {
  "page.open": Ask<null, PageStart<P>>;
  "clipboard.write": Ask<{ readonly text: string }, null>;
  /** Asks the user where to save, and saves. `saved` is false when the user cancelled. */
  "files.save": Ask<
    { readonly name: string; readonly content: string; readonly encoding: "utf8" | "base64" },
    { readonly saved: boolean }
  >;
}

/** What pages tell their host. */
export interface PageTells<P extends PageName> {
  /** The page's state has changed: keep it with the subject. Sent at every change, so that no draft is lost. */
  "page.keep": { readonly subject: PageSubjects[P]; readonly state: PageStates[P] };
  /** What the tab should be called now. */
  "page.title": { readonly title: string };
  /** Something in the page failed that it could not show: for the log. */
  "page.fault": { readonly fault: FaultData };
}

/** What hosts tell their pages. */
export interface HostTells<P extends PageName> {
  /** A change in the target, passed on as it came. */
  change: Change;
  /** The user asked for another subject in this page: it shows it, keeping what still applies of its state. */
  show: { readonly subject: PageSubjects[P] };
  settings: PageSettings;
  /** The engine went away or came back: pages say so and ask again when it is back. */
  connection: { readonly state: "lost" | "restored"; readonly fault?: FaultData };
  /** Results page: a run began, changed or ended. */
  run: RunInfo;
  /** Preview page: how far the deployment is. */
  deployment: Deployment;
}

/** A request: its parameters and its answer. */
interface Ask<P, R> {
  readonly params: P;
  readonly result: R;
}

// ---- subjects and states -------------------------------------------------------------------------------------------

export interface PageSubjects {
  readonly forecast: {
    readonly pipeline: string;
    /** Unset: the page keeps its own choice, or takes the first series. */
    readonly series?: string;
    /** Event time to show, epoch ms; unset: the page's own choice. */
    readonly range?: { readonly from: number; readonly until: number };
  };
  readonly incident: { readonly incident: string };
  readonly results: { readonly pipeline: string };
  readonly preview: { readonly file: string; readonly pipeline: string };
}

export interface PageStates {
  readonly forecast: {
    readonly series: string | null;
    readonly view: "chart" | "multiples";
    readonly table: boolean;
    /** Follow: the newest window stays in view. */
    readonly follow: boolean;
    /** The visible event time, epoch ms; null: the default range. */
    readonly range: { readonly from: number; readonly until: number } | null;
    readonly picker: boolean;
    readonly search: string;
  };
  readonly incident: {
    /** The note being written, not yet added. */
    readonly draft: string;
    /** Whether the note is shown as it will look, not as it is written. */
    readonly preview: boolean;
    /** The contributor whose chart is shown. */
    readonly series: string | null;
    /** Whether the charts' windows are listed too. */
    readonly tables: boolean;
  };
  readonly results: {
    readonly run: string | null;
    /** How the rows of a run are shown; unset: as the run asked for. */
    readonly views: Readonly<Record<string, "grid" | "chart">>;
    /** Column widths in px by column name. */
    readonly widths: Readonly<Record<string, number>>;
  };
  /** Whether what stays as it is is listed too. */
  readonly preview: { readonly all: boolean };
}

// ---- requests by page ----------------------------------------------------------------------------------------------

interface ForecastRequests extends CommonRequests<"forecast"> {
  "forecasts.series": Ask<{ readonly pipeline: string }, readonly SeriesInfo[]>;
  "forecasts.chart": Ask<ChartRequest, ChartColumns>;
  /** Starts a training with the editor's own progress; resolves when it has begun. */
  "forecasts.train": Ask<{ readonly pipeline: string }, null>;
  /** Opens the incident's page. */
  "incidents.open": Ask<{ readonly incident: string }, null>;
  /** Opens the guided declaration of an incident, filled with the series and the window. */
  "incidents.declare": Ask<{ readonly pipeline: string; readonly series: string; readonly from: number }, null>;
}

interface IncidentRequests extends CommonRequests<"incident"> {
  "incidents.get": Ask<{ readonly incident: string }, Incident>;
  "incidents.note": Ask<{ readonly incident: string; readonly markdown: string }, Incident>;
  "incidents.setSeverity": Ask<{ readonly incident: string; readonly severity: Severity }, Incident>;
  /** Null takes the owner away. */
  "incidents.setOwner": Ask<{ readonly incident: string; readonly owner: string | null }, Incident>;
  "incidents.resolve": Ask<{ readonly incident: string; readonly notAnIncident: boolean }, Incident>;
  "incidents.reopen": Ask<{ readonly incident: string }, Incident>;
  /** Writes the post-mortem where the user says and opens it. */
  "incidents.postmortem": Ask<{ readonly incident: string }, null>;
  /** The live chart of a contributor. */
  "forecasts.chart": Ask<ChartRequest, ChartColumns>;
  /** The runbook's Markdown; null when the rule has none. Rejects when it cannot be read. */
  "runbook.read": Ask<{ readonly incident: string }, { readonly path: string; readonly markdown: string } | null>;
  "runbook.edit": Ask<{ readonly incident: string }, null>;
  /** Opens SQL that selects the incident's windows, of one contributor or of all. */
  "queries.open": Ask<{ readonly incident: string; readonly series?: string }, null>;
  /** Opens the SQL of a piece of evidence, by its place in the list. */
  "evidence.open": Ask<{ readonly incident: string; readonly index: number }, null>;
  /** Opens the series in the forecast page. */
  "forecasts.open": Ask<
    { readonly pipeline: string; readonly series: string; readonly from: number; readonly until: number },
    null
  >;
  /** Opens a link from a note or a runbook in the user's browser; only http, https and mailto are sent. */
  "links.open": Ask<{ readonly href: string }, null>;
}

interface ResultsRequests extends CommonRequests<"results"> {
  /** The runs that the panel can show, newest first. */
  "runs.list": Ask<{ readonly pipeline: string }, readonly RunInfo[]>;
  "runs.cancel": Ask<{ readonly run: string }, null>;
  "runs.again": Ask<{ readonly run: string }, null>;
  /** Closes a run's tab: it is stopped if it still runs, and its rows are let go of. */
  "runs.close": Ask<{ readonly run: string }, null>;
  /** Opens the history of all runs in the editor. */
  "history.open": Ask<null, null>;
  /** Shows the statement in the editor, at the fault's place if it has one. */
  "runs.reveal": Ask<{ readonly run: string }, null>;
  /** Rows of a result or of a view of it. */
  "queries.rows": Ask<
    { readonly query: string; readonly offset: number; readonly limit: number },
    readonly (readonly Cell[])[]
  >;
  /** A result in another order or with only some of its rows; the answer's `query` names it in `queries.rows`. */
  "queries.view": Ask<{ readonly query: string } & ViewRequest, ViewInfo>;
  /** Lets go of a view that the page no longer shows. */
  "queries.release": Ask<{ readonly query: string }, null>;
  /** Asks the user where, and writes the whole result or view. */
  "queries.exportTo": Ask<{ readonly query: string; readonly format: ExportFormat }, { readonly saved: boolean }>;
  /** Lets the user choose an open incident and pins the result to it. */
  "incidents.pin": Ask<{ readonly query: string; readonly run: string }, { readonly pinned: boolean }>;
}

interface PreviewRequests extends CommonRequests<"preview"> {
  "stack.preview": Ask<{ readonly file: string }, PreviewInfo>;
  /** Starts the deployment; its progress comes as `deployment`. */
  "stack.deploy": Ask<{ readonly file: string }, null>;
  /** Cancels a running deployment. */
  "stack.cancel": Ask<{ readonly file: string }, null>;
  /** Closes the page. */
  "page.close": Ask<null, null>;
  /** Opens the pipeline file, at a fault's place if given. */
  "files.reveal": Ask<{ readonly file: string; readonly fault?: FaultData }, null>;
}

export interface PageRequests {
  readonly forecast: ForecastRequests;
  readonly incident: IncidentRequests;
  readonly results: ResultsRequests;
  readonly preview: PreviewRequests;
}

export interface ChartRequest {
  readonly pipeline: string;
  readonly series: string;
  /** Windows that start in [from, until), epoch ms; unset: all there are. */
  readonly from?: number;
  readonly until?: number;
}

/** A statement that was run, as the results page shows it. Its states follow `QueryRun`'s. */
export interface RunInfo {
  readonly run: string;
  /** What the statement is called: its leading comment, or its beginning. */
  readonly title: string;
  readonly sql: string;
  readonly state: QueryRun["state"];
  /** How its rows are shown at first; unset: as a grid. */
  readonly shows?: "grid" | "chart";
  /** The run of the same statement whose place among the tabs this one takes. */
  readonly replaces?: string;
  /** Wall clock, epoch ms. */
  readonly startedAt: number;
  /** Ms; of a running statement, up to now. */
  readonly elapsed: number;
  /** Present when the run succeeded; `rows` is its first page. */
  readonly result?: {
    readonly query: string;
    readonly columns: readonly { readonly name: string; readonly type: string }[];
    readonly rows: readonly (readonly Cell[])[];
    readonly rowCount: number;
    readonly bytesScanned: number | null;
  };
  readonly fault?: FaultData;
}

export interface PreviewInfo {
  readonly plan: StackPlan;
  /** The target for people. */
  readonly target: string;
  /** The account check on AWS: who the user is there. */
  readonly identity?: string;
}

export interface Deployment {
  readonly state: "running" | "succeeded" | "failed" | "cancelled";
  readonly message: string;
  readonly done?: number;
  readonly total?: number;
  readonly fault?: FaultData;
}

// ---- the tables as types of functions ------------------------------------------------------------------------------

/** How a host answers a page's requests: one function a request. `signal` aborts when the page cancels or goes away. */
export type PageHandlers<P extends PageName> = {
  readonly [M in keyof PageRequests[P]]: PageRequests[P][M] extends Ask<infer A, infer R>
    ? (params: A, call: { readonly signal: AbortSignal }) => R | Promise<R>
    : never;
};

export type Params<P extends PageName, M extends keyof PageRequests[P]> =
  PageRequests[P][M] extends Ask<infer A, unknown> ? A : never;
export type Result<P extends PageName, M extends keyof PageRequests[P]> =
  PageRequests[P][M] extends Ask<unknown, infer R> ? R : never;
