/** Folders that live as long as a test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new folder, removed when the running test ends. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "forewatch-test-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
