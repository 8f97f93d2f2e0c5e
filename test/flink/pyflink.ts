/** PyFlink of the deployed version, in an environment of its own in the user's cache. Installed once; needs Java too. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../infra/synth/connector.ts";

const home = join(cacheFolder(), "pyflink-2.2.1");

/** Python that PyFlink 2.2 has wheels for. */
const PYTHONS = ["python3.12", "python3.11", "python3.10", "python3"];

export type PyFlink = { readonly python: string } | { readonly lacking: string };

/** The interpreter that can run PyFlink, or why there is none. FOREWATCH_PYFLINK names one that is installed already. */
export function pyflink(): PyFlink {
  const java = spawnSync(process.env.JAVA_HOME ? join(process.env.JAVA_HOME, "bin", "java") : "java", ["-version"], {
    encoding: "utf8",
  });
  const version = /version "(\d+)/.exec(java.stderr ?? "")?.[1];
  if (java.error || version === undefined) return { lacking: "Java is not installed" };
  if (Number(version) < 17) return { lacking: `Java ${version} is installed; Flink 2.2 needs 17` };
  const given = process.env.FOREWATCH_PYFLINK;
  if (given !== undefined) return works(given) ? { python: given } : { lacking: `${given} cannot import pyflink` };
  const own = join(home, "bin", "python");
  if (existsSync(join(home, "installed"))) return { python: own };
  const base = PYTHONS.find((p) =>
    /^Python 3\.(9|10|11|12)\./.test(spawnSync(p, ["--version"], { encoding: "utf8" }).stdout ?? ""),
  );
  if (base === undefined) return { lacking: "there is no Python 3.9 to 3.12" };
  mkdirSync(home, { recursive: true });
  const made = spawnSync(base, ["-m", "venv", home], { encoding: "utf8" });
  if (made.status !== 0) return { lacking: `a Python environment cannot be made: ${lastLine(made.stderr)}` };
  const install = ["-m", "pip", "install", "--quiet", "--no-deps", "-r", join(import.meta.dirname, "requirements.txt")];
  const installed = spawnSync(own, install, { encoding: "utf8", timeout: 900_000 });
  if (installed.status !== 0) return { lacking: `PyFlink cannot be installed: ${lastLine(installed.stderr)}` };
  writeFileSync(join(home, "installed"), "");
  return { python: own };
}

function works(python: string): boolean {
  return spawnSync(python, ["-c", "import pyflink.table"], { encoding: "utf8" }).status === 0;
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
