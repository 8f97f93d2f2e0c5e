/** The commands on a pipeline as a whole and on its target: deploy, preview, remove, select, restart. */
import * as vscode from "vscode";
import { Fault } from "../../core/fault.ts";
import { type Chooser, pick } from "../choose.ts";
import { type Handlers, run } from "../commands.ts";
import type { Context } from "../context.ts";
import { plural } from "../format.ts";
import { withProgress } from "../progress.ts";
import { type TargetChoice, workspaceFolder } from "../session.ts";
import type { WorkspaceFile } from "../workspace.ts";
import { planSummary } from "./plan.ts";

export type StackCommand =
  | "deploy"
  | "preview"
  | "remove"
  | "openPipelineFile"
  | "selectTarget"
  | "restartEngine"
  | "refresh"
  | "showLog";

export function stackCommands(context: Context, choose: Chooser): Handlers<StackCommand> {
  return {
    async deploy(args) {
      const file = await choose.file(args, "Deploy");
      if (!file) return;
      requireValid(file);
      const backend = await context.session.backend();
      await vscode.workspace.saveAll(false);
      const plan = await backend.stack.preview({ file: file.file, trusted: vscode.workspace.isTrusted });
      const subject = { file: file.file, pipeline: file.name };
      if (plan.lacks.length > 0) {
        context.panels.show("preview", subject);
        return;
      }
      const go = await pick(
        [
          { label: "$(rocket) Deploy", description: planSummary(plan), value: true },
          { label: "$(list-flat) Show what will change first", value: false },
        ],
        `Deploy ${file.name} to ${context.session.label}`,
      );
      if (go === undefined) return;
      if (!go) {
        context.panels.show("preview", subject);
        return;
      }
      const status = await context.deployments.start(file.file);
      if (status) void offerNext(status.name, status.counts.records === 0);
    },

    async preview(args) {
      const file = await choose.file(args, "Preview");
      if (!file) return;
      requireValid(file);
      context.panels.show("preview", { file: file.file, pipeline: file.name });
    },

    async remove(args) {
      const pipeline = await choose.pipeline(args, "Remove");
      if (!pipeline) return;
      const keep = "Remove, Keep Data";
      const everything = "Remove and Delete Data";
      const chosen = await vscode.window.showWarningMessage(
        `Remove the pipeline ${pipeline.name} from ${context.session.label}?`,
        {
          modal: true,
          detail: `It stops collecting and alarming. Its ${plural(pipeline.counts.events, "event")}, forecasts and incidents stay unless you delete them too.`,
        },
        keep,
        everything,
      );
      if (chosen !== keep && chosen !== everything) return;
      const backend = await context.session.backend();
      await withProgress(`Removing ${pipeline.name}`, new AbortController(), (options) =>
        backend.stack.remove(pipeline.name, { deleteData: chosen === everything }, options),
      );
    },

    async openPipelineFile(args) {
      const file = args.file ?? (await choose.file(args, "Open"))?.file;
      if (file !== undefined) await vscode.window.showTextDocument(vscode.Uri.file(file));
    },

    async selectTarget(args) {
      const choices = targetChoices(context);
      const named = choices.find((c) => nameOf(c) === args.target);
      const current = nameOf(context.session.choice);
      const items = choices.map((choice) => ({
        label: choice.kind === "local" ? "$(device-desktop) local" : `$(cloud) ${choice.name}`,
        description: choice.kind === "aws" ? "not in this version" : nameOf(choice) === current ? "current" : "",
        detail:
          choice.kind === "local"
            ? "The embedded engine on this machine: no account, no cost."
            : `Account ${choice.account} in ${choice.region}${choice.profile ? `, profile ${choice.profile}` : ""}`,
        value: choice,
      }));
      const choice = named ?? (await pick(items, "Select Target"));
      if (!choice || nameOf(choice) === current) return;
      // Refused before the window leaves the target it has.
      if (choice.kind === "aws")
        throw new Fault("target.unsupported", `This version of Forewatch cannot deploy to ${choice.name} on AWS yet.`, {
          next: "Work with the local target; the same pipeline file will serve AWS.",
        });
      await context.session.choose(choice);
    },

    async restartEngine() {
      await vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title: "Restarting the engine" },
        () => context.session.restart(),
      );
    },

    async refresh() {
      if (context.session.state.kind === "idle") await context.session.backend();
      context.live.refresh();
    },

    showLog: () => context.log.channel.show(),
  };
}

/** Local, and what the workspace's pipeline files name. */
function targetChoices({ files }: Context): TargetChoice[] {
  const named = new Map<string, TargetChoice>();
  for (const { parsed } of files.list)
    for (const [name, target] of Object.entries(parsed.spec?.targets ?? {}))
      named.set(name, { kind: "aws", name, ...target });
  return [{ kind: "local" }, ...named.values()];
}

function nameOf(choice: TargetChoice): string {
  return choice.kind === "local" ? "local" : `${choice.name}:${choice.account}:${choice.region}`;
}

/** Rejects with the file's first error and its place. */
function requireValid(file: WorkspaceFile): void {
  const first = file.parsed.problems.find((p) => p.severity === "error");
  if (file.parsed.spec || !first) return;
  void vscode.window.showTextDocument(vscode.Uri.file(file.file), {
    selection: new vscode.Range(first.at.line - 1, first.at.column - 1, first.at.line - 1, first.at.column - 1),
  });
  throw new Fault("spec.invalid", `${file.name} cannot be deployed: ${first.message}`, {
    at: first.at,
    next: "Correct the file; the editor underlines what is wrong.",
  });
}

async function offerNext(pipeline: string, empty: boolean): Promise<void> {
  if (!empty || workspaceFolder() === undefined) return;
  const send = "Send Records";
  const endpoint = "Copy Endpoint";
  const chosen = await vscode.window.showInformationMessage(
    `${pipeline} is deployed and waits for records.`,
    send,
    endpoint,
  );
  if (chosen === send) await run("sendRecords", { pipeline });
  if (chosen === endpoint) await run("copyEndpoint", { pipeline });
}
