/** The noun `incidents`: what people do with them. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Change, DeclareRequest, Incident, IncidentSummary, Incidents } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { declareIncident, entry, type IncidentRecord } from "../core/incident.ts";
import { postmortem } from "../core/postmortem.ts";
import type { Severity } from "../core/spec.ts";
import { noIncident } from "./incident-book.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Registry } from "./registry.ts";

export function incidentsOf(registry: Registry, emit: (change: Change) => void): Incidents {
  /** When the newest incident was declared: no two are declared at the same time, for the time makes the id. */
  let declaredAt = 0;

  /** The pipeline whose book has the incident. */
  async function owner(id: string): Promise<Pipeline> {
    for (const p of registry.list()) if (await p.book.has(id)) return p;
    throw noIncident(id);
  }

  async function change(
    id: string,
    step: (record: IncidentRecord, clock: number) => IncidentRecord,
  ): Promise<Incident> {
    const pipeline = await owner(id);
    const incident = await pipeline.book.edit(id, ({ record }) => ({ record: step(record, clockOf(pipeline)) }));
    emit({ noun: "incident", pipeline: pipeline.spec.name, id, kind: "changed" });
    return withRunbook(incident, pipeline);
  }

  /** The incident with the runbook's text in place of its path. */
  async function withRunbook(incident: Incident, pipeline: Pipeline): Promise<Incident> {
    if (incident.runbook === null) return incident;
    const path = join(dirname(pipeline.deployment.file), incident.runbook);
    const text = await readFile(path, "utf8").catch(() => `The runbook ${incident.runbook} is not there.`);
    return { ...incident, runbook: text };
  }

  return {
    async list(request = {}) {
      const pipelines = request.pipeline === undefined ? registry.list() : [registry.get(request.pipeline)];
      const all = (await Promise.all(pipelines.map((p) => p.book.list(request.limit ?? 200)))).flat();
      return all
        .filter((r) => request.status === undefined || r.status === request.status)
        .sort((a, b) => b.openedAt - a.openedAt)
        .slice(0, request.limit ?? 200)
        .map(summaryOf);
    },

    async get(id) {
      const pipeline = await owner(id);
      return withRunbook(await pipeline.book.get(id), pipeline);
    },

    async declare(request: DeclareRequest) {
      const pipeline = registry.running(request.pipeline);
      if (request.title.trim().length === 0)
        throw new Fault("input.invalid", "An incident needs a title.", { next: "Say in a few words what broke." });
      declaredAt = Math.max(Date.now(), declaredAt + 1);
      const record = declareIncident({ ...request, at: declaredAt, openedAt: clockOf(pipeline) });
      const frozen = await pipeline.frozenCharts(request.series);
      await pipeline.addIncident(record, frozen);
      emit({ noun: "incident", pipeline: request.pipeline, id: record.id, kind: "added" });
      return withRunbook(await pipeline.book.get(record.id), pipeline);
    },

    async note(id, markdown, author) {
      if (markdown.trim().length === 0)
        throw new Fault("input.invalid", "The note is empty.", { next: "Write something first." });
      return change(id, (r) => entry(r, "note", Date.now(), author, markdown));
    },

    async setSeverity(id, severity: Severity, author) {
      if (![1, 2, 3, 4, 5].includes(severity))
        throw new Fault("input.invalid", "A severity is a whole number from 1 to 5.");
      return change(id, (r) =>
        r.severity === severity
          ? r
          : entry({ ...r, severity }, "severity", Date.now(), author, `Severity ${r.severity} to ${severity}`),
      );
    },

    setOwner: (id, name, author) =>
      change(id, (r) =>
        r.owner === name
          ? r
          : entry({ ...r, owner: name }, "owner", Date.now(), author, name === null ? "No owner" : `Owner: ${name}`),
      ),

    resolve: (id, { author, notAnIncident = false }) =>
      change(id, (r, clock) => {
        if (r.status === "resolved")
          throw new Fault("incident.closed", "This incident is resolved already.", { next: "Reopen it first." });
        const text = notAnIncident ? "Resolved: not an incident" : "Resolved";
        return entry(
          { ...r, status: "resolved", resolvedAt: clock, notAnIncident },
          "resolved",
          Date.now(),
          author,
          text,
        );
      }),

    reopen: (id, author) =>
      change(id, (r) => {
        if (r.status === "open") throw new Fault("incident.closed", "This incident is open.");
        const other = registry.get(r.pipeline).book.openOf(r.rule ?? "");
        if (r.rule !== null && other)
          throw new Fault("incident.closed", "The rule has another open incident.", {
            next: `Work on ${other.id} instead.`,
          });
        return entry(
          { ...r, status: "open", resolvedAt: null, notAnIncident: false, quietSince: null },
          "reopened",
          Date.now(),
          author,
          "Reopened",
        );
      }),

    async pin(id, evidence, author) {
      const pipeline = await owner(id);
      const now = Date.now();
      const incident = await pipeline.book.edit(id, (stored) => ({
        record: entry(stored.record, "evidence", now, author, `Pinned: ${evidence.title}`),
        evidence: [...stored.evidence, { ...evidence, rows: evidence.rows.slice(0, 100), pinnedAt: now, author }],
      }));
      emit({ noun: "incident", pipeline: pipeline.spec.name, id, kind: "changed" });
      return withRunbook(incident, pipeline);
    },

    async postmortem(id) {
      const pipeline = await owner(id);
      return postmortem(await pipeline.book.get(id));
    },
  };
}

function summaryOf(r: IncidentRecord): IncidentSummary {
  const { id, pipeline, title, status, severity, owner, rule, from, openedAt, resolvedAt, contributors } = r;
  return { id, pipeline, title, status, severity, owner, rule, from, openedAt, resolvedAt, contributors };
}

/** The stream's clock: event time up to which windows are compared. */
function clockOf(pipeline: Pipeline): number {
  return pipeline.started ? (pipeline.pump.checkpoint.compared ?? Date.now()) : Date.now();
}
