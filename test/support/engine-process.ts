/** The real engine for tests and the bench: bundled as it is shipped, in a process of its own. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import type { Backend, PipelineStatus } from "../../src/backend.ts";
import { Fault } from "../../src/core/fault.ts";
import { link } from "../../src/local/link.ts";
import { parseAnnouncement } from "../../src/local/process.ts";

const ROOT = join(import.meta.dirname, "../..");
/** The version that bundles made here carry. */
export const VERSION = "0.0.0-test";

/** Where the bundled parts of the engine lie. */
export interface EngineFiles {
  readonly main: string;
  readonly collect: string;
  readonly train: string;
  readonly replay: string;
}

const bundled = new Map<string, Promise<EngineFiles>>();

/** Bundles the engine's process, its workers and its replay side by side, once a test process and version. */
export function bundleEngine(version = VERSION): Promise<EngineFiles> {
  const files = bundled.get(version) ?? bundleInto(version);
  bundled.set(version, files);
  return files;
}

async function bundleInto(version: string): Promise<EngineFiles> {
  // Inside node_modules, so that the bundles find the native packages they leave outside.
  const cache = join(ROOT, "node_modules/.cache/forewatch-test");
  await mkdir(cache, { recursive: true });
  const outdir = mkdtempSync(join(cache, `engine-${process.pid}-`));
  process.on("exit", () => rmSync(outdir, { recursive: true, force: true }));
  await build({
    entryPoints: ["main", "collect-worker", "train-worker", "replay"].map((name) =>
      join(ROOT, `src/engine/${name}.ts`),
    ),
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    mainFields: ["module", "main"],
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    external: ["@duckdb/node-api", "@duckdb/node-bindings"],
    define: { FOREWATCH_VERSION: JSON.stringify(version) },
    outdir,
    outExtension: { ".js": ".mjs" },
    logLevel: "error",
  });
  const file = (name: string) => join(outdir, `${name}.mjs`);
  return { main: file("main"), collect: file("collect-worker"), train: file("train-worker"), replay: file("replay") };
}

/** A running engine and a connection to it. */
export interface TestEngine {
  readonly folder: string;
  readonly backend: Backend;
  readonly pid: number;
  /** URL of the Kinesis-compatible endpoint. */
  readonly endpoint: string;
  /** What it said on its error stream, line by line. */
  readonly log: readonly string[];
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  /** Ends it in order. */
  end(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** An engine's process from its first moment on. */
export interface Starting {
  readonly pid: number;
  /** Rejects with the engine's own fault when it does not start, or with words when it is killed. */
  readonly ready: Promise<TestEngine>;
  kill(): Promise<void>;
}

/** How a test starts the engine besides the usual. */
export interface SpawnOptions {
  readonly args?: readonly string[];
  readonly version?: string;
  /** A command and its arguments that run the engine, such as `prlimit`. */
  readonly under?: readonly string[];
}

/** Starts the engine on `folder`. */
export async function spawnEngine(folder: string, options: SpawnOptions = {}): Promise<Starting> {
  const { main } = await bundleEngine(options.version);
  await mkdir(folder, { recursive: true });
  const given = [main, "--folder", folder, "--linger", "600000", ...(options.args ?? [])];
  const [command, ...args] = [...(options.under ?? []), process.execPath, ...given];
  const child = spawn(command!, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const log: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };
  const announced = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = parseAnnouncement(line);
      if (said?.kind === "ready") resolve(said.socket);
      if (said?.kind === "fault") reject(Fault.from(said.fault));
    });
    child.once("error", reject);
    void exited.then(() => reject(new Error(`the engine ended before it was ready:\n${log.join("\n")}`)));
  });
  const ready = announced.then(async (socket): Promise<TestEngine> => {
    const { backend, close } = await link(socket);
    if (backend.target.kind !== "local" || backend.target.endpoint === undefined) throw new Error("no local engine");
    const { endpoint } = backend.target;
    const ending = (signal: NodeJS.Signals) => async () => {
      close();
      await end(signal);
    };
    return { folder, backend, pid: child.pid!, endpoint, log, exited, end: ending("SIGTERM"), kill: ending("SIGKILL") };
  });
  ready.catch(() => {});
  return { pid: child.pid!, ready, kill: () => end("SIGKILL") };
}

/** Starts the engine on `folder` and connects. Rejects with the engine's own fault when it does not start. */
export async function startTestEngine(folder: string, options: SpawnOptions = {}): Promise<TestEngine> {
  const starting = await spawnEngine(folder, options);
  return starting.ready.catch(async (error: unknown) => {
    await starting.kill();
    throw error;
  });
}

/** Writes a pipeline's file and what lies beside it into a folder of its name; answers the file's path. */
export async function writePipeline(
  folder: string,
  pipeline: { readonly name: string },
  beside: Readonly<Record<string, string>> = {},
): Promise<string> {
  const home = join(folder, pipeline.name);
  const file = join(home, `${pipeline.name}.pipeline.json`);
  for (const [path, text] of Object.entries({
    [`${pipeline.name}.pipeline.json`]: JSON.stringify(pipeline),
    ...beside,
  })) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), text);
  }
  return file;
}

/** Asks again until the answer is not undefined; the limit is generous, for machines under load. */
export async function eventually<T>(ask: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
  const deadline = Date.now() + 240_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}`);
    await pause(50);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Waits until all that is in the stream is pumped, every closed window compared, and no training runs. However long that
 * takes: it gives up when nothing has moved for as long as anything may take.
 */
export async function settled(backend: Backend, pipeline: string): Promise<PipelineStatus> {
  let seen = "";
  for (;;) {
    const done = await eventually(async () => {
      const status = await backend.stack.get(pipeline);
      const jobs = await backend.forecasts.jobs(pipeline, 1_000);
      const { behind, counts } = status;
      if (behind === 0 && counts.compared >= counts.windows && jobs.every((j) => j.endedAt !== null)) return { status };
      const now = JSON.stringify([behind, counts, jobs.map((j) => [j.id, j.state, j.seriesDone])]);
      if (now === seen) return undefined;
      seen = now;
      return {};
    }, `${pipeline} to settle; it stands at ${seen}`);
    if (done.status) return done.status;
    await pause(50);
  }
}
