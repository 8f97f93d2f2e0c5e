/** The real engine in tests: on folders and in processes that go when the test ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import type { Backend, Cell } from "../../src/backend.ts";
import { Fault } from "../../src/core/fault.ts";
import { type SpawnOptions, startTestEngine, type TestEngine } from "./engine-process.ts";

export * from "./engine-process.ts";

/** A folder that goes when the test ends, after the engines that were started on it later. */
export function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "forewatch-engine-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/** One engine for all tests of a file: call inside `describe` or at the top; `engine()` once tests run. */
export function sharedEngine(options: SpawnOptions = {}): () => TestEngine {
  let engine: TestEngine | undefined;
  const folder = mkdtempSync(join(tmpdir(), "forewatch-engine-"));
  beforeAll(async () => {
    engine = await startTestEngine(folder, options);
  }, 180_000);
  afterAll(async () => {
    await engine?.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  return () => engine!;
}

/** All rows of a query in Athena's dialect. */
export async function select(backend: Backend, pipeline: string, sql: string): Promise<readonly (readonly Cell[])[]> {
  const { query, rows } = await backend.queries.run(pipeline, { sql, pageSize: 1_000_000 });
  await backend.queries.release(query);
  return rows;
}

/** The fault that a call ends with. */
export async function faultOf(call: Promise<unknown>): Promise<Fault> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof Fault) return outcome;
  throw outcome instanceof Error ? outcome : new Error("expected a fault, but the call succeeded");
}
