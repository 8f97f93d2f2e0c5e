/** The statements that were run in this window: started, cancelled, kept for the results page, run again. */
import * as vscode from "vscode";
import type { ViewInfo, ViewRequest } from "../../backend.ts";
import { Fault } from "../../core/fault.ts";
import type { RunInfo } from "../../rpc/page.ts";
import { isCancellation } from "../log.ts";
import type { Session } from "../session.ts";

/** What to run, and where it came from. */
export interface RunRequest {
  readonly pipeline: string;
  readonly title: string;
  readonly sql: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** The file and offset of the statement, to show it again. */
  readonly origin?: { readonly uri: string; readonly offset: number };
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
  readonly #entries: Entry[] = [];
  readonly #changed = new vscode.EventEmitter<{ readonly pipeline: string; readonly info: RunInfo }>();
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

  /** Runs a statement; resolves with how it ended, a failure included: the results page shows it. */
  async start(request: RunRequest): Promise<RunInfo> {
    const info: RunInfo = {
      run: `run-${++this.#count}`,
      title: request.title,
      sql: request.sql,
      state: "running",
      startedAt: Date.now(),
      elapsed: 0,
    };
    const entry: Entry = { request, info, abort: new AbortController(), views: new Set() };
    this.#entries.unshift(entry);
    for (const old of this.#entries.splice(KEPT)) this.#forget(old);
    this.#tell(entry);
    try {
      const backend = await this.#session.backend();
      const result = await backend.queries.run(
        request.pipeline,
        { sql: request.sql, pageSize: PAGE, ...(request.parameters && { parameters: request.parameters }) },
        { signal: entry.abort.signal },
      );
      entry.info = { ...info, state: "succeeded", elapsed: result.elapsed, result };
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
  ofQuery(query: string): { readonly request: RunRequest; readonly info: RunInfo } {
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

  #forget(entry: Entry): void {
    entry.abort.abort();
  }

  #tell(entry: Entry): void {
    this.#changed.fire({ pipeline: entry.request.pipeline, info: entry.info });
  }
}

function current(info: RunInfo): RunInfo {
  return info.state === "running" ? { ...info, elapsed: Date.now() - info.startedAt } : info;
}

function gone(): Fault {
  return new Fault("query.failed", "This result is no longer kept.", { next: "Run the statement again." });
}
