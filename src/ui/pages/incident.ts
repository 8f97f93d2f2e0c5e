/** What the incident page asks. */
import { dirname, join } from "node:path";
import * as vscode from "vscode";
import { Fault } from "../../core/fault.ts";
import { run } from "../commands.ts";
import type { Context } from "../context.ts";
import { author } from "../settings.ts";
import { readChart } from "./forecast.ts";
import type { OwnHandlers } from "./panel.ts";

export function incidentHandlers(context: Context): OwnHandlers<"incident"> {
  const incidents = async () => (await context.session.backend()).incidents;
  return {
    "incidents.get": async ({ incident }) => (await incidents()).get(incident),
    "incidents.note": async ({ incident, markdown }) => (await incidents()).note(incident, markdown, author()),
    "incidents.setSeverity": async ({ incident, severity }) =>
      (await incidents()).setSeverity(incident, severity, author()),
    "incidents.setOwner": async ({ incident, owner }) => (await incidents()).setOwner(incident, owner, author()),
    "incidents.resolve": async ({ incident, notAnIncident }) =>
      (await incidents()).resolve(incident, { author: author(), notAnIncident }),
    "incidents.reopen": async ({ incident }) => (await incidents()).reopen(incident, author()),
    "incidents.postmortem": async ({ incident }) => {
      await run("exportPostmortem", { incident });
      return null;
    },
    "forecasts.chart": (request) => readChart(context, request),
    "runbook.read": async ({ incident }) => {
      const { runbook } = await (await incidents()).get(incident);
      if (runbook === null) return null;
      const uri = await runbookOf(context, incident);
      return { path: uri ? vscode.workspace.asRelativePath(uri) : "", markdown: runbook };
    },
    "runbook.edit": async ({ incident }) => {
      const uri = await runbookOf(context, incident);
      if (uri) await vscode.window.showTextDocument(uri, { viewColumn: vscode.ViewColumn.Beside });
      return null;
    },
    "queries.open": async ({ incident, series }) => {
      await run("queryWindow", { incident, ...(series !== undefined && { series }) });
      return null;
    },
    "evidence.open": async ({ incident, index }) => {
      const { evidence, pipeline } = await (await incidents()).get(incident);
      const piece = evidence[index];
      if (!piece) throw new Fault("input.invalid", "This piece of evidence is gone.", { next: "Reload the page." });
      const document = await vscode.workspace.openTextDocument({
        language: "sql",
        content: `-- ${piece.title}\n-- pinned to an incident of ${pipeline}\n${piece.sql};\n`,
      });
      await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside });
      return null;
    },
    "forecasts.open": async ({ pipeline, series, from, until }) => {
      await run("showForecast", { pipeline, series, from, until });
      return null;
    },
    "links.open": async ({ href }) => {
      const uri = vscode.Uri.parse(href, true);
      if (!["http", "https", "mailto"].includes(uri.scheme))
        throw new Fault("input.invalid", `Links of the kind ${uri.scheme} are not opened from here.`);
      await vscode.env.openExternal(uri);
      return null;
    },
  };
}

/** The file that the incident's rule names as its runbook; undefined when it names none, or the rule is no more. */
async function runbookOf(context: Context, id: string): Promise<vscode.Uri | undefined> {
  const backend = await context.session.backend();
  const { pipeline, rule } = await backend.incidents.get(id);
  const { spec, file = context.files.find(pipeline)?.file } = await backend.stack.get(pipeline);
  const runbook = spec.alarms.find((alarm) => alarm.name === rule)?.runbook;
  if (runbook === undefined) return undefined;
  if (file === undefined)
    throw new Fault(
      "spec.not-found",
      `The runbook ${runbook} lies beside the file of ${pipeline}, which is not here.`,
      {
        next: "Open the folder that holds the pipeline file.",
      },
    );
  return vscode.Uri.file(join(dirname(file), runbook));
}
