/** What an engine that was killed leaves behind, and who may remove it. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { removeLeft } from "../../../src/engine/serve.ts";
import { start } from "../../support/child.ts";

const LISTEN = `require("node:net").createServer().listen(process.argv[1], () => console.log("listens"))`;

function socketPath(prefix = "forewatch-"): string {
  return join(mkdtempSync(join(tmpdir(), prefix)), "engine.sock");
}

describe.skipIf(process.platform === "win32")(
  "a socket (skipped: on Windows it is a pipe, which ends with its engine)",
  () => {
    test("is removed with its folder once its engine was killed, and not before", async () => {
      const path = socketPath();
      const engine = await start(process.execPath, ["-e", LISTEN, path]);
      await removeLeft(path);
      expect(existsSync(path)).toBe(true);
      await engine.end("SIGKILL");
      expect(existsSync(path)).toBe(true);
      await removeLeft(path);
      expect(existsSync(dirname(path))).toBe(false);
      await removeLeft(path);
    });

    test.each([
      ["in a folder of another name", "somebody-", []],
      ["beside somebody's files", "forewatch-", ["notes.txt"]],
    ])("%s takes nothing else with it", async (_, prefix, files) => {
      const path = socketPath(prefix);
      const home = dirname(path);
      for (const file of files) writeFileSync(join(home, file), "mine");
      const engine = await start(process.execPath, ["-e", LISTEN, path]);
      await engine.end("SIGKILL");
      await removeLeft(path);
      expect(existsSync(home)).toBe(true);
      expect(existsSync(path)).toBe(prefix === "somebody-");
      for (const file of files) expect(existsSync(join(home, file))).toBe(true);
      rmSync(home, { recursive: true });
    });
  },
);
