/**
 * What an engine has made of a log, all of it, and what an engine that nobody disturbs makes of the same log: the two must
 * be equal. The second one gets a copy of the stream's files before its pipeline is deployed, so that it pumps the very
 * same records, with the same arrivals, in one go.
 */
import { cpSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { type LogRecord, openLog } from "../../src/engine/log/log.ts";
import { settled, startTestEngine } from "./engine.ts";

/** Rows as JSON, a list a table. */
export type Outcome = Readonly<Record<string, readonly string[]>>;

/** What each step left behind, without the wall clock's traces (when a training ran, when people wrote). */
const TABLES: Readonly<Record<string, string>> = {
  raw: "SELECT * FROM raw ORDER BY _sequence, id",
  rejected: "SELECT reason, detail, arrival, sequence, data, dt FROM rejected ORDER BY sequence, reason",
  comparison: "SELECT * FROM comparison ORDER BY window_start, series",
  late_window: "SELECT series_group, window_start, sum(events) FROM late_window GROUP BY ALL ORDER BY ALL",
  forecast: "SELECT * FROM forecast ORDER BY version, series, window_start",
  training:
    "SELECT id, version, origin, state, json_extract(record, '$.job.fault') AS fault FROM training ORDER BY origin, version",
  alarm_transition: "SELECT * FROM alarm_transition ORDER BY event_time, alarm, to_state",
  incident: "SELECT id, status, opened_at, record, frozen FROM incident_record ORDER BY id",
  checkpoint: "SELECT state FROM checkpoint",
};

/** Reads what the engine that worked on `folder` left. The engine must have ended. */
export async function outcomeOf(folder: string, pipeline: string): Promise<Outcome> {
  const instance = await DuckDBInstance.create(join(folder, ".forewatch", "store.duckdb"), {
    access_mode: "READ_ONLY",
  });
  const connection = await instance.connect();
  try {
    await connection.run(`SET search_path = '"${pipeline}","_${pipeline}"'`);
    await connection.run("SET TimeZone = 'UTC'");
    const tables: Record<string, string[]> = {};
    for (const [name, sql] of Object.entries(TABLES)) {
      const result = await connection.runAndReadAll(sql);
      tables[name] = result.getRowObjectsJson().map((row) => JSON.stringify(row));
    }
    return tables;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Every record of the pipeline's stream, in order. */
export async function logOf(folder: string, pipeline: string): Promise<LogRecord[]> {
  const log = await openLog(streamFolder(folder, pipeline));
  const found: LogRecord[] = [];
  for (;;) {
    const next = await log.read(found.length + 1, { maxRecords: 5_000, maxBytes: 8_000_000 });
    if (next.length === 0) break;
    found.push(...next);
  }
  await log.close();
  return found;
}

/** Lets a new engine on the empty folder `into` pump a copy of the log of `from`, undisturbed; answers what it left. */
export async function runUndisturbed(from: string, into: string, file: string): Promise<Outcome> {
  const { name } = JSON.parse(await readFile(file, "utf8")) as { name: string };
  cpSync(streamFolder(from, name), streamFolder(into, name), { recursive: true });
  cpSync(dirname(file), join(into, name), { recursive: true });
  const engine = await startTestEngine(into);
  try {
    await engine.backend.stack.deploy({ file: join(into, name, basename(file)), trusted: true });
    await settled(engine.backend, name);
  } finally {
    await engine.end();
  }
  return outcomeOf(into, name);
}

function streamFolder(folder: string, pipeline: string): string {
  return join(folder, ".forewatch", "pipelines", pipeline, "stream");
}
