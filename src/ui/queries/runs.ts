/** The statements that were run in this window: started, cancelled, kept for the results page, run again. */
import * as vscode from "vscode";
import type { ViewInfo, ViewRequest } from "../../backend.ts";
import { Fault } from "../../core/fault.ts";
import type { RunInfo } from "../../rpc/page.ts";
import { isCancellation } from "../log.ts";
import type { Session } from "../session.ts";

/** Where a statement stands. */
export interface Origin {
  readonly uri: string;
  /** Offset of the statement's first character when it was run. */
  readonly offset: number;
  /** The statement as it stood there; what is run may have a word more before it, such as EXPLAIN. */
  readonly text: string;
}

/** What to run, and where it came from. */
export interface RunRequest {
  readonly pipeline: string;
  readonly title: string;
  readonly sql: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly origin?: Origin;
  /** How its rows are shown at first. */
  readonly shows?: "grid" | "chart";
}

export interface RunChange {
  readonly request: RunRequest;
  readonly info: RunInfo;
}

interface Entry {
  readonly request: RunRequest;
  readonly abort: AbortController;
  info: RunInfo;
  /** Queries that the target holds for views of this run's result. */
  readonly views: Set<string>;
}

/** As many as the target keeps results for. */
const KEPT = 50;
const PAGE = 200;

export class Runs implements vscode.Disposable {
  readonly #session: Session;
  /** A tab each, the newest first; a statement that is run again stays in its place. */
  readonly #entries: Entry[] = [];
  readonly #changed = new vscode.EventEmitter<RunChange>();
  #count = 0;

  /** Fires when a run begins, and when it ends. */
  readonly onDidChange = this.#changed.event;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The runs of a pipeline, newest first. */
  list(pipeline: string): readonly RunInfo[] {
    return this.#entries.filter((e) => e.request.pipeline === pipeline).map((e) => current(e.info));
  }

  /** The runs under way. */
  running(): readonly RunChange[] {
    return this.#entries.filter((e) => e.info.state === "running");
  }

  /** Runs a statement; resolves with how it ended, a failure included: the results page shows it. */
  async start(request: RunRequest): Promise<RunInfo> {
    const before = this.#entries.findIndex((e) => e.info.state !== "running" && sameStatement(e.request, request));
    const info: RunInfo = {
      run: `run-${++this.#count}`,
      title: request.title,
      sql: request.sql,
      state: "running",
      startedAt: Date.now(),
      elapsed: 0,
      ...(request.shows && { shows: request.shows }),
      ...(before >= 0 && { replaces: this.#entries[before]!.info.run }),
    };
    const entry: Entry = { request, info, abort: new AbortController(), views: new Set() };
    if (before >= 0) for (const old of this.#entries.splice(before, 1, entry)) void this.#forget(old);
    else this.#entries.unshift(entry);
    for (const old of this.#entries.splice(KEPT)) void this.#forget(old);
    this.#tell(entry);
    try {
      const backend = await this.#session.backend();
      const result = await backend.queries.run(
        request.pipeline,
        { sql: request.sql, pageSize: PAGE, ...(request.parameters && { parameters: request.parameters }) },
        { signal: entry.abort.signal },
      );
      entry.info = { ...info, state: "succeeded", elapsed: result.elapsed, result };
      // Its tab was closed meanwhile: nobody will look at it.
      if (!this.#entries.includes(entry)) void this.#forget(entry);
    } catch (error) {
      const fault = Fault.from(error);
      entry.info = {
        ...current(info),
        state: isCancellation(fault) ? "cancelled" : "failed",
        ...(!isCancellation(fault) && { fault: fault.toData() }),
      };
    }
    this.#tell(entry);
    return entry.info;
  }

  cancel(run: string): void {
    this.#find(run).abort.abort();
  }

  async again(run: string): Promise<RunInfo> {
    return this.start(this.#find(run).request);
  }

  /** Closes a run's tab: it is stopped if it still runs, and its rows are let go of. */
  close(run: string): void {
    const entry = this.#find(run);
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    void this.#forget(entry);
  }

  request(run: string): RunRequest {
    return this.#find(run).request;
  }

  info(run: string): RunInfo {
    return this.#find(run).info;
  }

  /** The result `query` in another order, or only some of its rows: asked of the target, which has the whole of it. */
  async view(query: string, request: ViewRequest, signal: AbortSignal): Promise<ViewInfo> {
    const entry = this.#entries.find((e) => e.info.result?.query === query);
    if (!entry) throw gone();
    const backend = await this.#session.backend();
    const view = await backend.queries.view(query, request, { signal });
    entry.views.add(view.query);
    return view;
  }

  /** The run whose result, or a view of it, `query` is. */
  ofQuery(query: string): RunChange {
    const entry = this.#entries.find((e) => e.info.result?.query === query || e.views.has(query));
    if (!entry) throw gone();
    return entry;
  }

  dispose(): void {
    for (const entry of this.#entries) entry.abort.abort();
    this.#changed.dispose();
  }

  #find(run: string): Entry {
    const entry = this.#entries.find((e) => e.info.run === run);
    if (!entry) throw gone();
    return entry;
  }

  async #forget(entry: Entry): Promise<void> {
    entry.abort.abort();
    const query = entry.info.result?.query;
    if (query === undefined || this.#session.state.kind !== "connected") return;
    const backend = await this.#session.backend();
    // An engine that has been started again has nothing to let go of.
    await backend.queries.release(query).catch(() => undefined);
  }

  #tell({ request, info }: Entry): void {
    this.#changed.fire({ request, info });
  }
}

/** The same statement of the same file, whatever was changed in it since: by its name, or by its text if it has none. */
function sameStatement(a: RunRequest, b: RunRequest): boolean {
  return a.pipeline === b.pipeline && a.origin !== undefined && a.origin.uri === b.origin?.uri && a.title === b.title;
}

function current(info: RunInfo): RunInfo {
  return info.state === "running" ? { ...info, elapsed: Date.now() - info.startedAt } : info;
}

function gone(): Fault {
  return new Fault("query.failed", "This result is no longer kept.", { next: "Run the statement again." });
}
