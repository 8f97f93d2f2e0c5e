/** Python tools that tests use where they are installed; where not, the tests are skipped with the reason. */
import { spawnSync } from "node:child_process";

const PYTHON = process.env.PYTHON ?? "python3";

/** Why `module` cannot be used; undefined when it can. */
export function lacking(...modules: readonly string[]): string | undefined {
  const probe = spawnSync(PYTHON, ["-c", modules.map((m) => `import ${m}`).join("; ")], { encoding: "utf8" });
  if (probe.error) return `Python is not installed (${PYTHON})`;
  return probe.status === 0 ? undefined : `Python lacks ${modules.join(", ")}`;
}

export function python(
  args: readonly string[],
  options: { input?: string; env?: NodeJS.ProcessEnv; timeout?: number } = {},
) {
  return spawnSync(PYTHON, [...args], { encoding: "utf8", maxBuffer: 64 * 1_024 * 1_024, ...options });
}
