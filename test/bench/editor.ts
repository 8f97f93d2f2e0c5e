/** What the extension costs in the editor: its bundle's size, and what is measured inside a real VS Code's extension host. */
import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface BenchRow {
  readonly name: string;
  readonly value: string;
  readonly target?: string;
  readonly ok?: boolean;
}

interface Report {
  readonly activation: number;
  readonly heavy: readonly string[];
  readonly explorer: number;
  readonly shown: number;
  readonly block: number;
}

const ROOT = join(import.meta.dirname, "../..");

/** Opens VS Code with the extension and measures it; about a minute. */
export async function benchEditor(): Promise<{ rows: BenchRow[] }> {
  const { activation, heavy, explorer, shown, block } = await measureInHost();
  const bundle = statSync(join(ROOT, "dist/main.cjs")).size / 1_000;
  return {
    rows: [
      row("Activation, CPU", activation, "ms", 50),
      {
        name: "Heavy modules loaded by activation",
        value: heavy.length === 0 ? "none" : heavy.join(", "),
        target: "none",
        ok: heavy.length === 0,
      },
      row("Extension bundle", bundle, "kB", 300),
      row("Explorer refresh with 500 series, CPU", explorer, "ms", 50),
      row("Record that closes a window put, until the views have it, 19th of 20", shown, "ms", 250),
      row("Longest block of the extension host while the sample replays at full speed, CPU", block, "ms", 50),
    ],
  };
}

async function measureInHost(): Promise<Report> {
  const temp = await mkdtemp(join(tmpdir(), "forewatch-bench-"));
  const report = join(temp, "report.json");
  try {
    const run = promisify(execFile)(
      process.execPath,
      [join(ROOT, "test/vscode/run.mjs"), "--suite", join(ROOT, "test/bench/editor")],
      { env: { ...process.env, FOREWATCH_BENCH_REPORT: report, FOREWATCH_TEST_TIMEOUT: "900" }, maxBuffer: 1e8 },
    );
    const said = await run.catch((error: { stdout?: string; stderr?: string }) => error);
    if (!existsSync(report)) throw new Error(`Nothing was measured:\n${said.stdout ?? ""}${said.stderr ?? ""}`);
    return JSON.parse(await readFile(report, "utf8")) as Report;
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

function row(name: string, value: number, unit: string, target: number): BenchRow {
  const shown = value < 10 ? value.toFixed(1) : value.toFixed(0);
  return { name, value: `${shown} ${unit}`, target: `${target} ${unit}`, ok: value <= target };
}
