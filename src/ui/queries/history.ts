/** The statements that were run in this workspace, over the windows' ends: to be looked at, compared, and run again. */
import * as vscode from "vscode";
import type { Origin, RunChange, RunRequest, Runs } from "./runs.ts";
import type { PastRun } from "./words.ts";

/** A run as it is remembered. */
export interface HistoryEntry extends PastRun {
  readonly request: RunRequest;
  /** Why it failed. */
  readonly failure?: string;
}

const KEY = "forewatch.query.history";
const REMEMBERED = 200;
/** A longer statement is run, but not remembered. */
const LONGEST = 50_000;

export class QueryHistory implements vscode.Disposable {
  readonly #memento: vscode.Memento;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscription: vscode.Disposable;
  /** Runs under way, by their id. */
  readonly #running = new Map<string, HistoryEntry>();

  /** Fires when a run began or ended. */
  readonly onDidChange = this.#changed.event;

  constructor(memento: vscode.Memento, runs: Runs) {
    this.#memento = memento;
    this.#subscription = runs.onDidChange((change) => this.#take(change));
  }

  /** The runs, newest first. */
  list(): readonly HistoryEntry[] {
    return [...[...this.#running.values()].reverse(), ...this.#memento.get<readonly HistoryEntry[]>(KEY, [])];
  }

  /** The run with this key. */
  find(key: string): HistoryEntry | undefined {
    return this.list().find((entry) => keyOf(entry) === key);
  }

  /** The newest run of a statement, by its file and its name. */
  last(uri: string, title: string): HistoryEntry | undefined {
    return this.list().find(({ request }) => request.origin?.uri === uri && request.title === title);
  }

  /** Forgets the runs that have ended. */
  clear(): void {
    void this.#memento.update(KEY, []);
    this.#changed.fire();
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#changed.dispose();
  }

  #take({ request, info }: RunChange): void {
    const { run, state, startedAt, elapsed, result, fault } = info;
    const rowCount = result && result.columns.length > 0 ? result.rowCount : null;
    const entry: HistoryEntry = {
      request: shortened(request),
      state,
      startedAt,
      elapsed,
      rowCount,
      ...(fault && { failure: fault.message }),
    };
    if (state === "running") this.#running.set(run, entry);
    else {
      this.#running.delete(run);
      if (request.sql.length <= LONGEST) {
        const before = this.#memento.get<readonly HistoryEntry[]>(KEY, []);
        void this.#memento.update(KEY, [entry, ...before].slice(0, REMEMBERED));
      }
    }
    this.#changed.fire();
  }
}

/** What names a run: no two of one statement begin in the same millisecond. */
export function keyOf({ request, startedAt }: HistoryEntry): string {
  return `${startedAt} ${request.pipeline} ${request.title}`;
}

/** The request without its statement's text where that is what was run. */
function shortened(request: RunRequest): RunRequest {
  const { origin } = request;
  return origin && origin.text === request.sql ? { ...request, origin: { ...origin, text: "" } } : request;
}

/** The statement as it stood in its file. */
export function originOf({ request }: HistoryEntry): Origin | undefined {
  const { origin, sql } = request;
  return origin && (origin.text === "" ? { ...origin, text: sql } : origin);
}
