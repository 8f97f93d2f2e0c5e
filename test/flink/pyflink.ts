/** PyFlink of the deployed version, in an environment of its own in the user's cache. Needs Java too. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Python, pythonOf } from "../infra/python.ts";

/** The interpreter that can run PyFlink, or why there is none. FOREWATCH_PYFLINK names one that is installed already. */
export async function pyflink(): Promise<Python> {
  const java = spawnSync(process.env.JAVA_HOME ? join(process.env.JAVA_HOME, "bin", "java") : "java", ["-version"], {
    encoding: "utf8",
  });
  const version = /version "(\d+)/.exec(java.stderr ?? "")?.[1];
  if (java.error || version === undefined) return { lacking: "Java is not installed" };
  if (Number(version) < 17) return { lacking: `Java ${version} is installed; Flink 2.2 needs 17` };
  const given = process.env.FOREWATCH_PYFLINK;
  if (given !== undefined) return works(given) ? { python: given } : { lacking: `${given} cannot import pyflink` };
  return pythonOf({
    name: "pyflink",
    requirements: join(import.meta.dirname, "requirements.txt"),
    // What its Python functions need, and its SQL does not, takes many minutes to install.
    pipOptions: ["--no-deps"],
    // PyFlink 2.2 has wheels for these.
    minors: [9, 10, 11, 12],
  });
}

function works(python: string): boolean {
  return spawnSync(python, ["-c", "import pyflink.table"], { encoding: "utf8" }).status === 0;
}
