/** The commands on incidents: show, declare, annotate, grade, assign, resolve, reopen, write up. */
import * as vscode from "vscode";
import { Fault } from "../../core/fault.ts";
import { seriesLabel } from "../../core/series.ts";
import type { Severity } from "../../core/spec.ts";
import { parseInstant } from "../../core/time.ts";
import { type Chooser, pick } from "../choose.ts";
import { type Handlers, run } from "../commands.ts";
import type { Context } from "../context.ts";
import { formatTime } from "../format.ts";
import { saveAs } from "../pages/save.ts";
import { author, setting } from "../settings.ts";

export type IncidentCommand =
  | "showIncident"
  | "declareIncident"
  | "addNote"
  | "changeSeverity"
  | "assignIncident"
  | "resolveIncident"
  | "reopenIncident"
  | "exportPostmortem";

/** What the severities mean, as Incident Manager words them. */
export const SEVERITIES: Readonly<Record<Severity, string>> = {
  1: "Critical: many are affected, nothing works",
  2: "High: many are affected, or much does not work",
  3: "Medium: some are affected",
  4: "Low: few are affected, or there is a way around",
  5: "None: nobody is affected yet",
};

export function incidentCommands(context: Context, choose: Chooser): Handlers<IncidentCommand> {
  const incidents = async () => (await context.session.backend()).incidents;
  return {
    async showIncident(args) {
      const incident = await choose.incident(args, "Show");
      if (incident !== undefined) context.panels.show("incident", { incident });
    },

    async declareIncident(args) {
      const pipeline = await choose.pipeline(args, "Declare an incident of");
      if (!pipeline) return;
      const series = await askSeries(context, pipeline.name, args.series);
      if (!series) return;
      const title = await vscode.window.showInputBox({
        title: "Declare Incident",
        prompt: "What is wrong, in one sentence?",
        validateInput: (text) => (text.trim() ? undefined : "An incident needs a title."),
      });
      if (title === undefined) return;
      const severity = await askSeverity("Severity of the incident");
      if (!severity) return;
      const from = args.from ?? (await askFrom(pipeline.watermark));
      if (from === undefined) return;
      const declared = await (await incidents()).declare({
        pipeline: pipeline.name,
        title: title.trim(),
        severity,
        series,
        from,
        author: author(),
      });
      context.panels.show("incident", { incident: declared.id });
    },

    async addNote(args) {
      const incident = await choose.incident(args, "Add a note to", "open");
      if (incident === undefined) return;
      const note = await vscode.window.showInputBox({
        title: "Add Note",
        prompt: "Markdown; for more than a line, write in the incident's page",
        validateInput: (text) => (text.trim() ? undefined : "The note is empty."),
      });
      if (note !== undefined) await (await incidents()).note(incident, note.trim(), author());
    },

    async changeSeverity(args) {
      const incident = await choose.incident(args, "Change the severity of", "open");
      if (incident === undefined) return;
      const severity = args.severity ?? (await askSeverity("New severity"));
      if (severity) await (await incidents()).setSeverity(incident, severity, author());
    },

    async assignIncident(args) {
      const incident = await choose.incident(args, "Assign", "open");
      if (incident === undefined) return;
      const owner = await vscode.window.showInputBox({
        title: "Assign Incident",
        prompt: "Who takes care of it? Empty: nobody",
        value: author(),
      });
      if (owner !== undefined) await (await incidents()).setOwner(incident, owner.trim() || null, author());
    },

    async resolveIncident(args) {
      const incident = await choose.incident(args, "Resolve", "open");
      if (incident === undefined) return;
      const notAnIncident = await pick(
        [
          { label: "$(pass) Resolved", detail: "It was an incident, and it is over.", value: false },
          {
            label: "$(circle-slash) Not an incident",
            detail: "A false alarm: its windows stay in the history that forecasts learn from.",
            value: true,
          },
        ],
        "Resolve Incident",
      );
      if (notAnIncident !== undefined) await (await incidents()).resolve(incident, { author: author(), notAnIncident });
    },

    async reopenIncident(args) {
      const incident = await choose.incident(args, "Reopen", "resolved");
      if (incident !== undefined) await (await incidents()).reopen(incident, author());
    },

    async exportPostmortem(args) {
      const id = await choose.incident(args, "Export the post-mortem of");
      if (id === undefined) return;
      const backend = await incidents();
      const [incident, markdown] = await Promise.all([backend.get(id), backend.postmortem(id)]);
      const day = new Date(incident.from).toISOString().slice(0, 10);
      const uri = await saveAs(`post-mortem ${day} ${incident.pipeline}.md`, new TextEncoder().encode(markdown));
      if (uri) await vscode.window.showTextDocument(uri);
    },
  };
}

/** Links from a pager: `vscode://forewatch.forewatch/incident/ID`. */
export function handleUri(uri: vscode.Uri): Thenable<unknown> {
  const id = /^\/incident\/([^/]+)$/.exec(uri.path)?.[1];
  if (id === undefined)
    throw new Fault("input.invalid", `Forewatch knows no place ${uri.path}.`, {
      next: "Links look like vscode://forewatch.forewatch/incident/ID.",
    });
  return run("showIncident", { incident: decodeURIComponent(id) });
}

async function askSeverity(title: string): Promise<Severity | undefined> {
  const levels = [1, 2, 3, 4, 5] as const;
  return pick(
    levels.map((level) => ({ label: `Severity ${level}`, description: SEVERITIES[level], value: level })),
    title,
  );
}

async function askSeries(
  { live }: Context,
  pipeline: string,
  given: string | undefined,
): Promise<readonly string[] | undefined> {
  const list = live.snapshot.series.get(pipeline) ?? [];
  if (given !== undefined) return [given];
  const items = list.map((s) => ({
    label: seriesLabel(s),
    id: s.id,
    ...(s.last?.deviation != null && { description: `${s.last.deviation.toFixed(1)} of band` }),
  }));
  if (items.length === 0) return [];
  const chosen = await vscode.window.showQuickPick(items, {
    title: "Declare Incident: which series are affected?",
    canPickMany: true,
    matchOnDescription: true,
  });
  return chosen?.map((item) => item.id);
}

/** Since when: the event clock's now unless the user says otherwise. */
async function askFrom(watermark: number | null): Promise<number | undefined> {
  const now = new Date(watermark ?? Date.now()).toISOString().slice(0, 16);
  const text = await vscode.window.showInputBox({
    title: "Declare Incident",
    prompt: `Since when, in event time (UTC)? The pipeline's clock is at ${formatTime(watermark ?? Date.now(), setting("timeZone"))}`,
    value: now,
    validateInput: (value) =>
      Number.isNaN(parseInstant(value.trim())) ? "Write it like 2026-03-05T06:00." : undefined,
  });
  return text === undefined ? undefined : parseInstant(text.trim());
}
