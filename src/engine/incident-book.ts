/**
 * The incidents of one pipeline: the open ones in memory, all of them in the store. The pump changes them inside its
 * transaction, people through `edit`; both go through the same pure steps of `core/incident`.
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Evidence, Incident, SeriesChart } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import type { IncidentRecord } from "../core/incident.ts";
import { type Store, tableName } from "./store.ts";

interface Stored {
  readonly record: IncidentRecord;
  readonly frozen: readonly SeriesChart[];
  readonly evidence: readonly Evidence[];
}

export class IncidentBook {
  readonly #store: Store;
  readonly #pipeline: string;
  #open = new Map<string, IncidentRecord>();

  constructor(store: Store, pipeline: string) {
    this.#store = store;
    this.#pipeline = pipeline;
  }

  /** Reads the open incidents from the store: at the start, and after a transaction that failed. */
  async load(): Promise<void> {
    const rows = await this.#store.read(`SELECT record FROM ${this.#table} WHERE status = 'open'`);
    const records = rows.map((r) => JSON.parse(String(r.record)) as IncidentRecord);
    this.#open = new Map(records.map((r) => [r.id, r]));
  }

  /** The open incident that a rule opened, if any. */
  openOf(rule: string): IncidentRecord | undefined {
    for (const record of this.#open.values()) if (record.rule === rule) return record;
    return undefined;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Adds a new incident, inside the caller's transaction. */
  async add(writer: DuckDBConnection, record: IncidentRecord, frozen: readonly SeriesChart[]): Promise<void> {
    await writer.run(`INSERT INTO ${this.#table} VALUES ($1, $2, $3, $4, $5, '[]')`, [
      record.id,
      record.status,
      BigInt(record.openedAt),
      JSON.stringify(record),
      JSON.stringify(frozen),
    ]);
    this.#keep(record);
  }

  /** Writes a changed incident, inside the caller's transaction. */
  async save(writer: DuckDBConnection, record: IncidentRecord): Promise<void> {
    await writer.run(`UPDATE ${this.#table} SET status = $2, record = $3 WHERE id = $1`, [
      record.id,
      record.status,
      JSON.stringify(record),
    ]);
    this.#keep(record);
  }

  /** Changes one incident in a transaction of its own: what people do. */
  async edit(
    id: string,
    change: (stored: Stored) => { record: IncidentRecord; evidence?: readonly Evidence[] },
  ): Promise<Incident> {
    const work = this.#store.transaction(async (writer) => {
      const result = await writer.runAndReadAll(`SELECT record, frozen, evidence FROM ${this.#table} WHERE id = $1`, [
        id,
      ]);
      const [row] = result.getRowObjects();
      if (!row) throw noIncident(id);
      const stored = readStored(row);
      const { record, evidence } = change(stored);
      await this.save(writer, record);
      if (evidence)
        await writer.run(`UPDATE ${this.#table} SET evidence = $2 WHERE id = $1`, [id, JSON.stringify(evidence)]);
      return toIncident({ ...stored, record, evidence: evidence ?? stored.evidence });
    });
    try {
      return await work;
    } catch (error) {
      await this.load();
      throw error;
    }
  }

  async get(id: string): Promise<Incident> {
    const [row] = await this.#store.read(`SELECT record, frozen, evidence FROM ${this.#table} WHERE id = $1`, [id]);
    if (!row) throw noIncident(id);
    return toIncident(readStored(row));
  }

  async has(id: string): Promise<boolean> {
    const rows = await this.#store.read(`SELECT 1 FROM ${this.#table} WHERE id = $1`, [id]);
    return rows.length > 0;
  }

  /** All incidents, newest first. */
  async list(limit: number): Promise<IncidentRecord[]> {
    const rows = await this.#store.read(
      `SELECT record FROM ${this.#table} ORDER BY opened_at DESC, id DESC LIMIT ${Math.floor(limit)}`,
    );
    return rows.map((r) => JSON.parse(String(r.record)) as IncidentRecord);
  }

  get #table(): string {
    return tableName(this.#pipeline, "incident_record");
  }

  #keep(record: IncidentRecord): void {
    if (record.status === "open") this.#open.set(record.id, record);
    else this.#open.delete(record.id);
  }
}

export function noIncident(id: string): Fault {
  return new Fault("incident.not-found", `There is no incident ${id}.`, {
    next: "It may belong to a pipeline that was removed.",
  });
}

function readStored(row: Readonly<Record<string, unknown>>): Stored {
  return {
    record: JSON.parse(String(row.record)) as IncidentRecord,
    frozen: JSON.parse(String(row.frozen)) as SeriesChart[],
    evidence: JSON.parse(String(row.evidence)) as Evidence[],
  };
}

function toIncident({ record, frozen, evidence }: Stored): Incident {
  const { quietSince: _quiet, ...shown } = record;
  return { ...shown, frozen, evidence };
}
