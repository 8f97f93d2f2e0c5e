/** The extension's entry: builds the parts, gives each what it needs, and nothing else. */
import { join } from "node:path";
import * as vscode from "vscode";
import { Fault } from "./core/fault.ts";
import { Chooser } from "./ui/choose.ts";
import { createCommands } from "./ui/commands/create.ts";
import { forecastCommands } from "./ui/commands/forecasts.ts";
import { handleUri, incidentCommands } from "./ui/commands/incidents.ts";
import { namedQueryCommands } from "./ui/commands/named-queries.ts";
import { queryCommands } from "./ui/commands/queries.ts";
import { resumeSample, sampleCommands } from "./ui/commands/sample.ts";
import { stackCommands } from "./ui/commands/stack.ts";
import { registerRecords, streamCommands } from "./ui/commands/streams.ts";
import { type Handlers, registerCommands, run } from "./ui/commands.ts";
import type { Context } from "./ui/context.ts";
import { createDeployments } from "./ui/deployments.ts";
import { createExplorer } from "./ui/explorer/view.ts";
import { joinLaterEngine, joinUsedEngine } from "./ui/join.ts";
import { Live } from "./ui/live.ts";
import { createLog, type FaultActions, type Log } from "./ui/log.ts";
import { notifyIncidents } from "./ui/notify.ts";
import { Pages } from "./ui/pages/pages.ts";
import { createResultsView } from "./ui/pages/results.ts";
import { createHistoryView } from "./ui/queries/history-view.ts";
import { createQueryParts } from "./ui/queries/parts.ts";
import { Runs } from "./ui/queries/runs.ts";
import { type OpenTarget, Session } from "./ui/session.ts";
import { setting } from "./ui/settings.ts";
import { registerPipelineLanguage } from "./ui/spec/language.ts";
import { createStatus } from "./ui/status.ts";
import { PipelineFiles } from "./ui/workspace.ts";

export function activate(extension: vscode.ExtensionContext): void {
  const log = createLog(actionsFor);
  const session = new Session(targetOpener(extension, log), () => setting("engine.port"));
  const files = new PipelineFiles(log);
  const live = new Live(session, log);
  const runs = new Runs(session);
  const panels = new Pages(() => context);
  const deployments = createDeployments({ session, files, panels, log });
  const context: Context = { extension, log, session, live, files, runs, panels, deployments };
  const queries = createQueryParts(context);
  const explorer = createExplorer(session, live, files, queries.history);
  const results = createResultsView(context);
  const choose = new Chooser(context);
  const handlers: Handlers = {
    ...stackCommands(context, choose),
    ...sampleCommands(context),
    ...createCommands(context),
    ...streamCommands(context, choose),
    ...forecastCommands(context, choose),
    ...incidentCommands(context, choose),
    ...queryCommands(context, queries, choose, results),
    ...namedQueryCommands(context, queries, choose, results),
  };
  extension.subscriptions.push(
    log.channel,
    session,
    files,
    live,
    runs,
    explorer,
    results,
    createHistoryView(queries.history),
    createStatus(session, live),
    joinLaterEngine(session, log),
    notifyIncidents(live, extension.workspaceState),
    registerRecords(context),
    registerPipelineLanguage(context),
    queries,
    ...panels.registerSerializers(),
    ...registerCommands(handlers, explorer.refOf, log),
    vscode.window.registerUriHandler({ handleUri: (uri) => attempt(log, () => handleUri(uri)) }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => attempt(log, () => start(context))),
  );
  explorer.update();
  // What follows needs no one to wait for it: the window is usable now.
  void attempt(log, () => start(context));
}

/** Looks at the workspace, goes on with a sample that was begun, and joins the engine where a pipeline was deployed before. */
async function start(context: Context): Promise<void> {
  await context.files.ready();
  await resumeSample(context);
  await joinUsedEngine(context.session);
}

function targetOpener(extension: vscode.ExtensionContext, log: Log): OpenTarget {
  const { version } = extension.extension.packageJSON as { version: string };
  return async (choice, { folder, replace, port, onState }) => {
    if (choice.kind === "aws")
      throw new Fault("target.unsupported", `This version of Forewatch cannot work with ${choice.name} on AWS yet.`, {
        next: "Select the local target.",
      });
    // Loaded with the first engine, as all that speaks to it: activation has no use for it.
    const { openLocal } = await import("./local/index.ts");
    return openLocal({
      folder,
      replace,
      version,
      engineMain: extension.asAbsolutePath(join("dist", "engine", "main.mjs")),
      args: port > 0 ? ["--port", String(port)] : [],
      onLog: (level, line) => log.channel[level](line),
      onState: (state) => {
        if (state.kind !== "closed") onState(state);
      },
    });
  };
}

/** The way out that a fault's notification offers besides the log. */
function actionsFor(fault: Fault): FaultActions {
  if (fault.code === "workspace.none")
    return { "Open Folder": () => vscode.commands.executeCommand("vscode.openFolder") };
  if (fault.code === "workspace.untrusted")
    return { "Manage Trust": () => vscode.commands.executeCommand("workbench.trust.manage") };
  if (fault.code.startsWith("engine.")) return { "Restart Engine": () => run("restartEngine") };
  if (fault.code === "target.unsupported") return { "Select Target": () => run("selectTarget") };
  return {};
}

async function attempt(log: Log, work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.show(error);
  }
}
