/** The note that a running engine leaves in its data folder, so that a second front end finds it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What `.forewatch/engine.json` says. The engine may be gone all the same: only its socket proves that it lives. */
export interface EngineRecord {
  readonly pid: number;
  readonly version: string;
  /** Path of the Unix socket or the Windows named pipe. */
  readonly socket: string;
}

/** The record in `folder`'s data folder; undefined when there is none or it is unreadable, half written or foreign. */
export async function readEngineRecord(folder: string): Promise<EngineRecord | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, ".forewatch", "engine.json"), "utf8");
  } catch (error) {
    // A folder without an engine is the usual case; any other trouble shows when the engine itself is started there.
    if (error instanceof Error) return undefined;
    throw error;
  }
  return parseEngineRecord(text);
}

/** The record in `text`, or undefined when it is none. */
export function parseEngineRecord(text: string): EngineRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { pid, version, socket } = (value ?? {}) as Record<string, unknown>;
  if (typeof pid !== "number" || typeof version !== "string" || typeof socket !== "string") return undefined;
  return { pid, version, socket };
}
