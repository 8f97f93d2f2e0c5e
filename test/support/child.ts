/** TypeScript programs of this repository as child processes: bundled on the fly, started, and ended by their id. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";

/** Bundles `entry` (a path from the repository's root) and answers the path of the result. Packages stay outside. */
export async function bundle(entry: string): Promise<string> {
  const outdir = join(import.meta.dirname, "../../node_modules/.cache/forewatch-test");
  mkdirSync(outdir, { recursive: true });
  const outfile = join(outdir, `${entry.replaceAll(/[/\\]/g, "-").replace(/\.ts$/, "")}-${process.pid}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, "../..", entry)],
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    outfile,
    logLevel: "error",
  });
  return outfile;
}

export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** The first line it printed. */
  readonly firstLine: string;
  /** Ends it with a signal and waits until it is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a program and waits for its first line. */
export async function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Child> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const firstLine = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).once("line", resolve);
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      reject(new Error(`${command} ended with ${signal ?? code} before its first line`)),
    );
  });
  return {
    process: child,
    pid: child.pid!,
    firstLine,
    end: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
    },
  };
}
