import { execFileSync } from "node:child_process";

/**
 * A command that runs another without root's right to pass over permission bits, so that a read-only folder is one for it too;
 * empty where it is not needed (an ordinary user) or not possible (no util-linux).
 */
export function withoutOverride(): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const command = [
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
  ];
  try {
    execFileSync(command[0]!, [...command.slice(1), "true"]);
    return command;
  } catch {
    // Its absence is the answer; the test that needs it says why it is skipped.
    return [];
  }
}
