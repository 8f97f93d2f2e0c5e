import { expect, vi } from "vitest";

/** Time enough for a machine that does much else: what a test waits for comes, it is only a question of when. */
const PATIENCE = 30_000;

vi.setConfig({ testTimeout: 4 * PATIENCE, hookTimeout: 4 * PATIENCE });

/** Expects of what `read` gives, as soon as it holds. */
export function eventually<T>(read: () => T | Promise<T>) {
  return expect.poll(read, { timeout: PATIENCE });
}
