/**
 * Python with the tools that tests need, in environments of their own in the user's cache: made once, of pinned versions, by
 * whatever Python is there. Where there is none, or nothing can be installed, the tests are skipped with the reason.
 */
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../infra/synth/connector.ts";

/** An interpreter, or why there is none. */
export type Python = { readonly python: string } | { readonly lacking: string };

export interface Environment {
  /** What it is called in the cache and in reasons. */
  readonly name: string;
  /** File of pinned requirements. */
  readonly requirements: string;
  readonly pipOptions?: readonly string[];
  /** Versions of Python that the requirements are for: `3.<minor>`. */
  readonly minors: readonly number[];
}

const EXECUTABLE = process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"];

/** The interpreter of an environment, which is made when it is not there yet: that takes a minute or two. */
export async function pythonOf({ name, requirements, pipOptions = [], minors }: Environment): Promise<Python> {
  const base = basePython(minors);
  if (base === undefined) return { lacking: `there is no Python 3.${minors[0]} to 3.${minors.at(-1)}` };
  // Other requirements are another environment.
  const digest = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 8);
  const home = join(cacheFolder(), `${name}-${digest}`);
  const python = join(home, ...EXECUTABLE);
  if (existsSync(python)) return { python };
  mkdirSync(cacheFolder(), { recursive: true });
  // Made beside its place, so that what is there is whole, and two runners at once do not get into each other's way.
  const made = mkdtempSync(join(cacheFolder(), `${name}-making-`));
  try {
    const venv = await runPython(base, ["-m", "venv", made], { timeout: 300_000 });
    if (venv.status !== 0) return { lacking: `a Python environment cannot be made: ${lastLine(venv.stderr)}` };
    const install = ["-m", "pip", "install", "--quiet", ...pipOptions, "-r", requirements];
    const pip = await runPython(join(made, ...EXECUTABLE), install, { timeout: 900_000 });
    if (pip.status !== 0) return { lacking: `${name} cannot be installed: ${lastLine(pip.stderr)}` };
    try {
      renameSync(made, home);
    } catch (error) {
      // Another runner was first.
      if (!existsSync(python)) throw error;
    }
    return { python };
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** The tools that check templates and stand in for AWS. */
export function awsTools(): Promise<Python> {
  return pythonOf({
    name: "aws-tools",
    requirements: join(import.meta.dirname, "requirements.txt"),
    pipOptions: ["--no-deps"],
    minors: [11, 12, 13],
  });
}

/** Runs Python without holding the test runner up, however long it takes. */
export function runPython(
  python: string,
  args: readonly string[],
  options: { readonly timeout?: number } = {},
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(python, [...args], { maxBuffer: 64 * 1_024 * 1_024, ...options }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : typeof error.code === "number" ? error.code : 1, stdout, stderr });
    });
  });
}

/** The newest Python on the path of the given versions; PYTHON names one to take first. */
function basePython(minors: readonly number[]): string | undefined {
  const given = process.env.PYTHON ? [process.env.PYTHON] : [];
  const named = [...minors].reverse().map((minor) => `python3.${minor}`);
  return [...given, ...named, "python3", "python"].find((candidate) => {
    const version = /^Python 3\.(\d+)\./.exec(spawnSync(candidate, ["--version"], { encoding: "utf8" }).stdout ?? "");
    return version !== null && minors.includes(Number(version[1]));
  });
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
