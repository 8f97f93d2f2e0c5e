/**
 * The test host: a real VS Code from the npm registry, a Chromium to show it in, and the desktop VS Code where there is one.
 * Plain JavaScript, so that it runs straight after `npm ci`; these are its types.
 */
import type { Browser, LaunchOptions } from "playwright-core";

/** Gets a line for each step that takes time, such as a download. */
export type Log = (line: string) => void;

/** VS Code's version, as extensions see it in `vscode.version`. */
export const VSCODE_VERSION: string;

/** Installs VS Code in `.host/` unless it is there: 15 s once, then at once. `dir` holds `out/server-main.js`. */
export function ensureHost(options?: { log?: Log; root?: string }): Promise<{ dir: string; version: string }>;

/**
 * Makes `root`/NAME-HASH by `build`, whole or not at all; `fresh`: just now. Another recipe is another folder, and the older ones
 * are removed. `root` is `.host/` by default.
 */
export function installOnce(what: {
  name: string;
  recipe: unknown;
  build: (temp: string) => Promise<void>;
  root?: string;
}): Promise<{ dir: string; fresh: boolean }>;

/** Where a Chromium may come from: the PATH, Playwright's cache, the npm registry, apt-get. */
export type BrowserSource = "system" | "playwright" | "npm" | "debian";

/** The path of a Chromium that runs here, installed first unless there is one: 10 s once. */
export function ensureBrowser(options?: {
  log?: Log;
  root?: string;
  sources?: readonly BrowserSource[];
}): Promise<string>;

/** A headless Chromium that ends with this process; `executablePath` from `ensureBrowser` by default. */
export function launchBrowser(options?: { executablePath?: string; log?: Log }): Promise<Browser>;

/** Playwright's launch options for a Chromium at `executablePath`. */
export function browserOptions(executablePath: string): LaunchOptions;

export interface ServerOptions {
  /** The folder that `url()` opens; an empty window without. */
  readonly folder?: string;
  /** Folders of extensions in development. */
  readonly extensions?: readonly string[];
  /** VSIX files to install first. */
  readonly install?: readonly string[];
  /** User settings, over the quiet ones that every server here has. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** 0, the default: any free port. */
  readonly port?: number;
  /** Where the user's data live; kept. Without: a temporary folder, removed at the end. */
  readonly dataDir?: string;
  /** Whether folders are restricted until trusted, as on a desktop; false by default: everything is trusted. */
  readonly workspaceTrust?: boolean;
  /** Environment variables for the server and the extension hosts, over this process's. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command and its arguments that run the server in its place, such as `setpriv`. */
  readonly under?: readonly string[];
  readonly logLevel?: "trace" | "debug" | "info" | "warn" | "error" | "off";
  readonly log?: Log;
}

/** A running VS Code server on 127.0.0.1. It and all it started end with `stop()`, or with this process. */
export interface Server {
  readonly port: number;
  /** The user's data: settings, logs, installed extensions. */
  readonly dataDir: string;
  /** The id of the server's process, which leads a process group of its own. */
  readonly pid: number;
  /** Resolves when the server ended, whatever ended it. */
  readonly exited: Promise<unknown>;
  /**
   * The workbench's address with its secret token; several may be open at once. `folder` and `extensions` are the server's unless
   * given; `tests`: a test suite's main file, run in the extension host; `open`: files to open.
   */
  url(page?: { folder?: string; extensions?: readonly string[]; tests?: string; open?: readonly string[] }): string;
  /** Changes user settings; windows opened or reloaded afterwards have them. */
  settings(changes: Readonly<Record<string, unknown>>): Promise<void>;
  /** What the server, the extension hosts and the output channels have logged so far. */
  logs(): Promise<string>;
  /** Ends the server; extensions get up to five seconds to deactivate. */
  stop(): Promise<void>;
}

/** Starts a VS Code server, and waits until it listens. */
export function startServer(options?: ServerOptions): Promise<Server>;

/** The ids of the running processes in the group of `leader`. Linux only. */
export function groupMembers(leader: number): Promise<number[]>;

/** The `code` command of an installed desktop VS Code, or that named by FOREWATCH_VSCODE. */
export function findDesktop(): Promise<string | undefined>;

/** Opens a window of the installed desktop VS Code with extensions in development; it lives on its own. */
export function startDesktop(options: {
  folder: string;
  extensions: readonly string[];
  args?: readonly string[];
}): Promise<{ executable: string }>;

/** A failure of the host, in words for a person; `next` is the next step. */
export class HostFault extends Error {
  readonly code: "host.platform" | "host.install" | "host.browser" | "host.server" | "host.desktop" | "host.tests";
  readonly next: string | undefined;
}

/** The failure in one line for a terminal. */
export function describeHostFault(error: unknown): string;
