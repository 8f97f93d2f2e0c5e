/** The engine's process: started, listened to until it is ready, and asked to end. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Fault, type FaultData } from "../core/fault.ts";

/** Where a line of the engine's output belongs in a log. */
export type LogLevel = "info" | "warn" | "error";

export interface StartOptions {
  readonly folder: string;
  /** The engine's entry, a JavaScript file for Node. */
  readonly engineMain: string;
  readonly onLog: (level: LogLevel, line: string) => void;
  /** Further arguments for the engine, such as `--port`. */
  readonly args?: readonly string[];
}

/** An engine that listens. */
export interface StartedEngine {
  readonly socket: string;
  readonly pid: number;
  /** Resolves with words for people when the process has ended. */
  readonly exited: Promise<string>;
}

/** How long an engine may take until it listens, ms: a store that has to be recovered is read first. */
const START_LIMIT = 120_000;

/** MiB: records live for a moment only. With the default of 16, a third of the engine's time goes into moving them about. */
const YOUNG_SPACE = "--max-semi-space-size=64";

/**
 * Starts an engine for `folder` and resolves when it listens.
 * Rejects with the engine's own fault (`engine.locked`, `engine.corrupt`, `engine.disk-full`, ...), or with
 * `engine.unreachable` when it ended or stayed silent.
 */
export async function startEngine({ folder, engineMain, onLog, args = [] }: StartOptions): Promise<StartedEngine> {
  // The editor's debugger settings are meant for the extension host, and would stop the engine at its first line.
  const { NODE_OPTIONS: _options, VSCODE_INSPECTOR_OPTIONS: _inspector, ...inherited } = process.env;
  // In the editor, execPath is the editor's own binary, which is Node only by this variable.
  const env = { ...inherited, ELECTRON_RUN_AS_NODE: "1" };
  const child = spawn(process.execPath, [YOUNG_SPACE, engineMain, "--folder", folder, ...args], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
  });
  const exited = ending(child);
  const lastWords: string[] = [];
  const errors = createInterface({ input: child.stderr });
  errors.on("line", (line) => {
    if (lastWords.push(line) > 20) lastWords.shift();
    onLog(...readLogLine(line));
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const socket = await new Promise<string>((resolve, reject) => {
      timer = setTimeout(() => {
        child.kill("SIGKILL");
        reject(notStarted(`it did not get ready within ${START_LIMIT / 1_000} seconds`, lastWords));
      }, START_LIMIT);
      createInterface({ input: child.stdout }).on("line", (line) => {
        const said = parseAnnouncement(line);
        if (said?.kind === "ready") resolve(said.socket);
        else if (said?.kind === "fault") reject(Fault.from(said.fault));
        else onLog("info", line);
      });
      // Its last line may still be on the way when the process is gone: the streams end after it.
      void exited.then((how) => setImmediate(() => reject(notStarted(how, lastWords))));
    });
    return { socket, pid: child.pid!, exited };
  } finally {
    clearTimeout(timer);
  }
}

/** The level and the words of a line of the engine's log: `2026-11-22T21:53:16.000Z warn The disk is nearly full.` */
export function readLogLine(line: string): [level: LogLevel, text: string] {
  const match = /^\S+ (info|warn|error) (.*)$/.exec(line);
  // Anything else on the error stream comes from Node itself.
  return match ? [match[1] as LogLevel, match[2]!] : ["warn", line];
}

/** What an engine announces on its first lines: that it listens, or why it cannot. */
export type Announcement =
  | { readonly kind: "ready"; readonly socket: string }
  | { readonly kind: "fault"; readonly fault: FaultData };

/** The announcement in a line of the engine's output; undefined when the line is none. */
export function parseAnnouncement(line: string): Announcement | undefined {
  if (!line.startsWith("{")) return undefined;
  let value: { ready?: unknown; socket?: unknown; fault?: FaultData };
  try {
    value = JSON.parse(line) as typeof value;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (value.ready === true && typeof value.socket === "string") return { kind: "ready", socket: value.socket };
  return value.fault ? { kind: "fault", fault: value.fault } : undefined;
}

/** Asks the process to end and waits until it has; after `patience` ms it is killed. */
export async function endProcess(pid: number, patience = 10_000): Promise<void> {
  signal(pid, "SIGTERM");
  const deadline = Date.now() + patience;
  while (signal(pid, 0)) {
    if (Date.now() > deadline) signal(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** True when the process was there to take the signal. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw new Fault("engine.version", `The running engine (process ${pid}) cannot be ended from here.`, {
      next: "Close the other windows on this folder, then try again.",
      cause: error,
    });
  }
}

function ending(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, by) => resolve(by ? `it was ended by ${by}` : `it ended with code ${code}`));
  });
}

function notStarted(how: string, lastWords: readonly string[]): Fault {
  return new Fault("engine.unreachable", `The engine did not start: ${how}.`, {
    next: "Look at the log for the reason, then restart the engine.",
    ...(lastWords.length > 0 && { cause: lastWords.join("\n") }),
  });
}
