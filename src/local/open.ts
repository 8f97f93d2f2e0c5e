/**
 * Opens the local target: joins the engine that serves a folder already, or starts one, and keeps the connection. When the
 * engine dies it is started again with growing pauses; subscriptions outlive it, calls under way reject with
 * `engine.unreachable`, and calls made meanwhile wait for the new one.
 */
import type { Backend, Change, Noun, TargetInfo } from "../backend.ts";
import { PORT } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { type Link, link } from "./link.ts";
import { endProcess, type LogLevel, startEngine } from "./process.ts";
import { type EngineRecord, readEngineRecord } from "./record.ts";

export interface LocalOptions {
  /** The workspace folder; the engine keeps its data in `.forewatch/` there. */
  readonly folder: string;
  /** The engine's entry, a JavaScript file for Node. */
  readonly engineMain: string;
  /** Our version: an engine of another version is not spoken to. */
  readonly version: string;
  readonly onLog: (level: LogLevel, line: string) => void;
  /** Further arguments for an engine that has to be started, such as `--serve`. */
  readonly args?: readonly string[];
  /** Told of each change of the engine's state. */
  readonly onState: (state: LocalState) => void;
  /** End a running engine of another version and start ours in its place; else that is the fault `engine.version`. */
  readonly replace?: boolean;
}

/** How the engine is. `slow` is an engine that has not answered for some seconds; `failed` is not tried again by itself. */
export type LocalState =
  | { readonly kind: "starting" }
  | { readonly kind: "connected" }
  | { readonly kind: "slow" }
  | { readonly kind: "restarting"; readonly attempt: number; readonly fault: Fault }
  | { readonly kind: "failed"; readonly fault: Fault }
  | { readonly kind: "closed" };

export interface LocalBackend extends Backend {
  /** Ends the engine, whoever started it, and starts ours; also after `failed`. */
  restart(): Promise<void>;
}

/** Pauses before each further start, ms; after the last one the engine counts as failed. */
const PAUSES = [0, 500, 1_000, 2_000, 5_000, 10_000];
/** An engine that stayed up this long had started well, ms: the pauses begin anew. */
const SETTLED = 60_000;
/** How often the engine is asked whether it answers, and how long it may take, ms. */
const PING_EVERY = 5_000;
const PING_LIMIT = 5_000;
/** How long to wait for an engine that holds the folder but does not listen yet, ms. */
const JOIN_LIMIT = 30_000;

/**
 * Opens the local target on `options.folder`.
 * Rejects with the engine's own fault when it cannot start, and with `engine.version` when one of another version runs.
 */
export async function openLocal(options: LocalOptions): Promise<LocalBackend> {
  options.onState({ kind: "starting" });
  const keeper = new Keeper(options, await join(options, options.replace === true));
  options.onState({ kind: "connected" });
  return keeper.backend();
}

/** A link to the folder's engine: the running one if it listens, else a new one. */
async function join(options: LocalOptions, replace: boolean): Promise<Link> {
  const record = await readEngineRecord(options.folder);
  const running = record && (await tryLink(record, options, replace));
  if (running) return running;
  try {
    const { socket } = await startEngine(options);
    return await link(socket);
  } catch (error) {
    const fault = Fault.from(error);
    if (fault.code !== "engine.locked") throw fault;
    // Another window was faster: its engine holds the folder and will listen in a moment.
    return await waitForOther(options, fault);
  }
}

async function waitForOther(options: LocalOptions, locked: Fault): Promise<Link> {
  const deadline = Date.now() + JOIN_LIMIT;
  while (Date.now() < deadline) {
    const record = await readEngineRecord(options.folder);
    const running = record && (await tryLink(record, options, false));
    if (running) return running;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw locked;
}

/** A link to the engine of `record`; undefined when it is gone, or when it was of another version and made way. */
async function tryLink(record: EngineRecord, options: LocalOptions, replace: boolean): Promise<Link | undefined> {
  let found: Link;
  try {
    found = await link(record.socket);
  } catch (error) {
    // A note without a listener is what a killed engine leaves behind: the new one overwrites it.
    options.onLog("info", `No engine answers at ${record.socket}: ${Fault.from(error).message}`);
    return undefined;
  }
  if (found.version === options.version) return found;
  found.close();
  if (!replace)
    throw new Fault(
      "engine.version",
      `The engine running on this folder is version ${found.version}, this is version ${options.version}.`,
      { next: "Restart the engine; other windows on this folder then need the same version." },
    );
  await endProcess(record.pid);
  return undefined;
}

/** Keeps one link alive. Invariant: `current` settles to a live link, or rejects once starting anew was given up. */
class Keeper {
  readonly #options: LocalOptions;
  readonly #listeners = new Set<(change: Change) => void>();
  #current: Promise<Link>;
  #target: TargetInfo;
  #closed = false;
  #attempt = 0;
  /** The link whose engine is being ended on purpose. */
  #leaving: Link | undefined;

  constructor(options: LocalOptions, first: Link) {
    this.#options = options;
    this.#current = Promise.resolve(first);
    this.#target = first.backend.target;
    this.#watch(first);
  }

  /** The Backend whose calls go to whichever engine is current. */
  backend(): LocalBackend {
    const call = async (noun: Noun, name: string, args: readonly unknown[]) => {
      if (this.#closed) throw new Fault("engine.unreachable", "The target was closed.", { next: "Open it again." });
      const { backend } = await this.#current;
      return (backend[noun] as unknown as Record<string, (...args: readonly unknown[]) => unknown>)[name]!(...args);
    };
    const nouns = Object.fromEntries(
      Object.entries(PORT).map(([noun, methods]) => [
        noun,
        Object.fromEntries(methods.map((name) => [name, (...args: unknown[]) => call(noun as Noun, name, args)])),
      ]),
    ) as unknown as Pick<Backend, Noun>;
    const keeper = this;
    return {
      ...nouns,
      get target() {
        return keeper.#target;
      },
      onChange: (listener) => {
        this.#listeners.add(listener);
        return { dispose: () => void this.#listeners.delete(listener) };
      },
      restart: () => this.#restart(),
      close: () => this.#close(),
    };
  }

  /** Follows one link until it ends, then sees to the next. */
  #watch(current: Link): void {
    const since = Date.now();
    current.backend.onChange((change) => this.#tell(change));
    const pings = this.#watchPulse(current);
    void current.closed.then(() => {
      clearInterval(pings);
      current.close();
      if (this.#closed || this.#leaving === current) return;
      if (Date.now() - since > SETTLED) this.#attempt = 0;
      this.#replace(new Fault("engine.unreachable", "The engine stopped unexpectedly."));
    });
  }

  /** Reports `slow` while a ping is unanswered for too long; a busy engine is left to finish, not killed. */
  #watchPulse(current: Link): NodeJS.Timeout {
    let waiting = false;
    let slow = false;
    const timer = setInterval(async () => {
      if (waiting) return;
      waiting = true;
      const limit = setTimeout(() => {
        slow = true;
        this.#options.onState({ kind: "slow" });
      }, PING_LIMIT);
      try {
        await current.ping();
        if (slow && !this.#closed) this.#options.onState({ kind: "connected" });
        slow = false;
      } catch (error) {
        // The link ended while we waited: `closed` deals with it.
        this.#options.onLog("info", `The engine did not answer: ${Fault.from(error).message}`);
      } finally {
        clearTimeout(limit);
        waiting = false;
      }
    }, PING_EVERY);
    timer.unref();
    return timer;
  }

  /** Makes `current` the next engine's link. */
  #replace(reason: Fault): void {
    this.#current = this.#next(reason);
    // Whoever calls next sees the rejection; without a caller it must not end the process.
    this.#current.catch(() => {});
  }

  async #next(reason: Fault): Promise<Link> {
    let fault = reason;
    while (!this.#closed) {
      const pause = PAUSES[this.#attempt];
      if (pause === undefined || fault.code === "engine.version") break;
      this.#attempt++;
      this.#options.onLog("error", fault.message);
      this.#options.onState({ kind: "restarting", attempt: this.#attempt, fault });
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (this.#closed) break;
      try {
        return await this.#adopt(await join(this.#options, false));
      } catch (error) {
        fault = Fault.from(error);
      }
    }
    if (!this.#closed) this.#options.onState({ kind: "failed", fault });
    throw fault;
  }

  async #adopt(next: Link): Promise<Link> {
    if (this.#closed) {
      next.close();
      throw new Fault("engine.unreachable", "The target was closed.");
    }
    this.#target = next.backend.target;
    this.#watch(next);
    this.#options.onState({ kind: "connected" });
    void this.#announce(next);
    return next;
  }

  /** What changed while nobody listened is unknown: every pipeline is to be read again. */
  async #announce({ backend }: Link): Promise<void> {
    try {
      for (const { name } of await backend.stack.list()) this.#tell({ noun: "stack", pipeline: name, kind: "changed" });
    } catch (error) {
      this.#options.onLog("warn", `The pipelines could not be read again: ${Fault.from(error).message}`);
    }
  }

  async #restart(): Promise<void> {
    const record = await readEngineRecord(this.#options.folder);
    const before = await this.#current.catch(() => undefined);
    this.#attempt = 0;
    this.#options.onState({ kind: "starting" });
    if (before && record) {
      this.#leaving = before;
      await endProcess(record.pid);
      before.close();
    }
    this.#current = join(this.#options, true).then((next) => this.#adopt(next));
    try {
      await this.#current;
    } catch (error) {
      this.#options.onState({ kind: "failed", fault: Fault.from(error) });
      throw error;
    }
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listeners.clear();
    const last = await this.#current.catch(() => undefined);
    last?.close();
    this.#options.onState({ kind: "closed" });
  }
}
