/**
 * What a pipeline remembers between two batches, as one JSON document that is written in the same transaction as the
 * batch's rows: after a crash the engine continues from here, and nothing is done twice or left out.
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Counts } from "../backend.ts";
import type { AdmissionState } from "../core/admit.ts";
import type { RuleMemory } from "../core/alert.ts";
import type { AnalyzerState } from "../core/analyze.ts";
import type { Event } from "../core/collect.ts";
import { type Store, tableName } from "./store.ts";

/** How the stream's clock runs when nothing arrives: with the wall clock, with a replay's speed, or not at all. */
export type Clock =
  | { readonly mode: "wall" }
  | { readonly mode: "replay"; readonly speed: number }
  /** After a replay, until a record arrives that was not part of it. */
  | { readonly mode: "held"; readonly since: number };

/** A closed window that waits to be compared; null stands for NaN. */
export interface PendingWindow {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly {
    readonly key: string;
    readonly events: number;
    readonly values: readonly (number | null)[];
  }[];
}

/** Where an event comes from, and the bytes of its record. */
export interface RecordPlace {
  readonly sequence: number;
  readonly arrival: number;
  readonly data: Uint8Array;
}

/** What is held until it is known whether the stream has moved on; the records' bytes in base64. */
interface StoredAdmission {
  readonly inARow: number;
  readonly held: readonly {
    readonly event: Event;
    readonly sequence: number;
    readonly arrival: number;
    readonly data: string;
  }[];
}

export interface Checkpoint {
  /** The next record of the stream to read. */
  readonly sequence: number;
  readonly analyzer: AnalyzerState | null;
  readonly admission: StoredAdmission;
  readonly clock: Clock;
  readonly counts: Counts;
  /** Event time from which windows are compared; null until it is known. */
  readonly liveFrom: number | null;
  /** Origin of the next scheduled training. */
  readonly nextTraining: number | null;
  /** End of the newest compared window. */
  readonly compared: number | null;
  readonly pending: readonly PendingWindow[];
  readonly rules: Readonly<Record<string, RuleMemory>>;
  /** The pipeline's own alarm: windows without a forecast in the newest tick. */
  readonly missing: {
    readonly state: "OK" | "ALARM" | "INSUFFICIENT_DATA";
    readonly since: number | null;
    readonly series: readonly string[];
  };
}

export const FRESH_CHECKPOINT: Checkpoint = {
  sequence: 1,
  analyzer: null,
  admission: { inARow: 0, held: [] },
  clock: { mode: "wall" },
  counts: { records: 0, events: 0, rejected: 0, dropped: 0, late: 0, windows: 0, compared: 0 },
  liveFrom: null,
  nextTraining: null,
  compared: null,
  pending: [],
  rules: {},
  missing: { state: "INSUFFICIENT_DATA", since: null, series: [] },
};

/** The pipeline's checkpoint; a fresh one, with `liveFrom`, when it has none yet. */
export async function loadCheckpoint(store: Store, pipeline: string, liveFrom: number | null): Promise<Checkpoint> {
  const table = tableName(pipeline, "checkpoint");
  const [row] = await store.read(`SELECT state FROM ${table}`);
  // Laid over a fresh one: a checkpoint may be older than what it can hold now.
  if (row) return { ...FRESH_CHECKPOINT, ...(JSON.parse(String(row.state)) as Checkpoint) };
  const fresh = { ...FRESH_CHECKPOINT, liveFrom };
  await store.transaction(async (writer) => {
    await writer.run(`INSERT INTO ${table} VALUES ($1)`, [JSON.stringify(fresh)]);
  });
  return fresh;
}

export function encodeAdmission({ inARow, held }: AdmissionState<RecordPlace>): StoredAdmission {
  return {
    inARow,
    held: held.map(({ event: { time, values }, place: { sequence, arrival, data } }) => ({
      event: { time, values },
      sequence,
      arrival,
      data: Buffer.from(data).toString("base64"),
    })),
  };
}

export function decodeAdmission({ inARow, held }: StoredAdmission): AdmissionState<RecordPlace> {
  return {
    inARow,
    held: held.map(({ event, sequence, arrival, data }) => ({
      event,
      place: { sequence, arrival, data: Buffer.from(data, "base64") },
    })),
  };
}

/** The next record of the stream that the pipeline will take; 1 before its first. */
export async function nextSequence(store: Store, pipeline: string): Promise<number> {
  const [row] = await store.read(`SELECT state FROM ${tableName(pipeline, "checkpoint")}`);
  return row ? (JSON.parse(String(row.state)) as Checkpoint).sequence : FRESH_CHECKPOINT.sequence;
}

/** Writes the checkpoint, inside the transaction of the batch it belongs to. */
export async function saveCheckpoint(
  writer: DuckDBConnection,
  pipeline: string,
  checkpoint: Checkpoint,
): Promise<void> {
  await writer.run(`UPDATE ${tableName(pipeline, "checkpoint")} SET state = $1`, [JSON.stringify(checkpoint)]);
}

/** Creates the tables a pipeline keeps besides its lake. */
export async function createPipelineTables(
  writer: DuckDBConnection,
  pipeline: string,
  byColumns: readonly string[],
): Promise<void> {
  const by = byColumns.map((c) => `${c} VARCHAR, `).join("");
  const tables: Record<string, string> = {
    checkpoint: "state VARCHAR",
    comparison: `series VARCHAR, measure VARCHAR, ${by}window_start TIMESTAMP, window_end TIMESTAMP, actual DOUBLE,
      lower DOUBLE, median DOUBLE, upper DOUBLE, deviation DOUBLE, version VARCHAR, events BIGINT`,
    late_window: "series_group VARCHAR, window_start TIMESTAMP, events BIGINT",
    forecast: `series VARCHAR, measure VARCHAR, ${by}window_start TIMESTAMP, lower DOUBLE, median DOUBLE, upper DOUBLE,
      version VARCHAR, method VARCHAR`,
    training: "id VARCHAR, version VARCHAR, origin BIGINT, started_at BIGINT, state VARCHAR, record VARCHAR",
    alarm_transition:
      "alarm VARCHAR, event_time BIGINT, from_state VARCHAR, to_state VARCHAR, reason VARCHAR, contributors VARCHAR",
    incident_record: "id VARCHAR, status VARCHAR, opened_at BIGINT, record VARCHAR, frozen VARCHAR, evidence VARCHAR",
  };
  for (const [name, columns] of Object.entries(tables)) {
    await writer.run(`CREATE TABLE IF NOT EXISTS ${tableName(pipeline, name)} (${columns})`);
  }
}
