/**
 * The snapshot that the views show, kept in step with the target. Changes are gathered: during a replay they come by the
 * hundred, and one reading of what they touched serves them all.
 */
import * as vscode from "vscode";
import type { Log } from "./log.ts";
import type { Session } from "./session.ts";
import { EMPTY, PARTS, type Part, partsOf, readSnapshot, type Snapshot } from "./snapshot.ts";

/** Waits this long after a change for others to come with it, ms. */
const GATHER = 40;
/** At least this long between two readings, ms: what closes is to be seen within a quarter of a second. */
const INTERVAL = 120;
/** Reading takes at most this share of the time, however much there is to read. */
const SHARE = 0.25;
/** But at most this long between two readings, ms. */
const LONGEST = 2_000;

export class Live implements vscode.Disposable {
  readonly #session: Session;
  readonly #log: Log;
  readonly #changed = new vscode.EventEmitter<Snapshot>();
  readonly #disposables: vscode.Disposable[];
  readonly #stale = new Set<Part>();
  #snapshot: Snapshot = EMPTY;
  #read = false;
  #timer: NodeJS.Timeout | undefined;
  #reading = false;
  /** When the last reading ended, and how long it took. */
  #last = 0;
  #took = 0;

  readonly onDidChange = this.#changed.event;

  constructor(session: Session, log: Log) {
    this.#session = session;
    this.#log = log;
    this.#disposables = [
      this.#changed,
      session.onChange((change) => this.refresh(partsOf(change))),
      session.onDidChangeState((state) => {
        if (state.kind === "connected") this.refresh();
        if (state.kind === "idle") this.#take(EMPTY, false);
      }),
    ];
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Has the target been read at least once since it was opened? */
  get read(): boolean {
    return this.#read;
  }

  /** Reads the given parts again, soon. */
  refresh(parts: readonly Part[] = PARTS): void {
    for (const part of parts) this.#stale.add(part);
    if (this.#stale.size === 0 || this.#timer || this.#reading) return;
    const pause = Math.min(LONGEST, Math.max(INTERVAL, this.#took * (1 / SHARE - 1)));
    const wait = Math.max(GATHER, this.#last + pause - Date.now());
    this.#timer = setTimeout(() => void this.#readStale(), wait);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const d of this.#disposables) d.dispose();
  }

  async #readStale(): Promise<void> {
    this.#timer = undefined;
    this.#reading = true;
    const parts = new Set(this.#stale);
    this.#stale.clear();
    try {
      if (this.#session.state.kind === "idle") return;
      const backend = await this.#session.backend();
      const begun = Date.now();
      const snapshot = await readSnapshot(backend, this.#snapshot, parts);
      this.#took = Date.now() - begun;
      this.#take(snapshot, true);
    } catch (error) {
      // The views keep what they show; the next change, or the engine's return, reads again.
      this.#log.note("Reading the target's state", error);
    } finally {
      this.#reading = false;
      this.#last = Date.now();
      if (this.#stale.size > 0) this.refresh([]);
    }
  }

  #take(snapshot: Snapshot, read: boolean): void {
    this.#snapshot = snapshot;
    this.#read = read;
    this.#changed.fire(snapshot);
  }
}
