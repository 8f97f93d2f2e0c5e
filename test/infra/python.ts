/** Python tools that tests use where they are installed; where not, the tests are skipped with the reason. */
import { execFile, spawnSync } from "node:child_process";

const PYTHON = process.env.PYTHON ?? "python3";

/** Why `module` cannot be used; undefined when it can. */
export function lacking(...modules: readonly string[]): string | undefined {
  const probe = spawnSync(PYTHON, ["-c", modules.map((m) => `import ${m}`).join("; ")], { encoding: "utf8" });
  if (probe.error) return `Python is not installed (${PYTHON})`;
  return probe.status === 0 ? undefined : `Python lacks ${modules.join(", ")}`;
}

/** Runs Python without holding the test runner up, however long it takes. */
export function python(
  args: readonly string[],
  options: { readonly timeout?: number } = {},
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(PYTHON, [...args], { maxBuffer: 64 * 1_024 * 1_024, ...options }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : typeof error.code === "number" ? error.code : 1, stdout, stderr });
    });
  });
}
