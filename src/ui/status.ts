/** The status bar's entry: the pipeline, its target, its health. */
import * as vscode from "vscode";
import { link } from "./commands.ts";
import { formatTime, plural } from "./format.ts";
import type { Live } from "./live.ts";
import { faultText } from "./log.ts";
import type { Session, TargetState } from "./session.ts";
import { setting } from "./settings.ts";
import type { Snapshot } from "./snapshot.ts";

export function createStatus(session: Session, live: Live): vscode.Disposable {
  const item = vscode.window.createStatusBarItem("forewatch.status", vscode.StatusBarAlignment.Left, 10);
  item.name = "Forewatch";
  const update = () => {
    const state = session.state;
    const health = healthOf(state, live.snapshot);
    if (!health) {
      item.hide();
      return;
    }
    item.text = `$(${health.icon}) ${[health.text, session.label].filter(Boolean).join(" · ")}`;
    item.tooltip = new vscode.MarkdownString(health.detail, true);
    item.accessibilityInformation = { label: `Forewatch, ${session.label} target: ${health.text}` };
    item.backgroundColor = health.background ? new vscode.ThemeColor(health.background) : undefined;
    item.command = health.command;
    item.show();
  };
  const disposables = [item, session.onDidChangeState(update), live.onDidChange(update)];
  update();
  return vscode.Disposable.from(...disposables);
}

interface Health {
  readonly icon: string;
  readonly text: string;
  readonly detail: string;
  readonly background?: "statusBarItem.errorBackground" | "statusBarItem.warningBackground";
  readonly command: vscode.Command;
}

function healthOf(state: TargetState, snapshot: Snapshot): Health | undefined {
  const log = link("showLog", "Show Log");
  switch (state.kind) {
    case "idle":
      return undefined;
    case "starting":
      return { icon: "sync~spin", text: "starting", detail: "The engine is starting.", command: log };
    case "restarting":
      return {
        icon: "sync~spin",
        text: "restarting",
        detail: `${faultText(state.fault)} It is being started again.`,
        background: "statusBarItem.warningBackground",
        command: log,
      };
    case "failed":
      return {
        icon: "error",
        text: "engine failed",
        detail: faultText(state.fault),
        background: "statusBarItem.errorBackground",
        command: link("restartEngine", "Restart Engine"),
      };
    case "slow":
      return { icon: "watch", text: "engine busy", detail: "The engine takes long to answer.", command: log };
    case "connected":
      return pipelineHealth(snapshot);
  }
}

function pipelineHealth(snapshot: Snapshot): Health {
  const { pipelines, incidents } = snapshot;
  const open = incidents.filter((i) => i.status === "open");
  const name = pipelines.length === 1 ? pipelines[0]!.name : plural(pipelines.length, "pipeline");
  const ill = pipelines.find((p) => p.state !== "running");
  const lines = pipelines.map((p) => {
    const clock =
      p.watermark === null ? "no event yet" : `closed up to ${formatTime(p.watermark, setting("timeZone"))}`;
    return `- **${p.name}**: ${p.state}, ${clock}`;
  });
  const detail = [...lines, ...open.map((i) => `- $(flame) ${i.title}`)].join("\n") || "No pipeline is deployed.";
  const show = { command: "forewatch.explorer.focus", title: "Show Explorer" };
  if (open.length > 0)
    return {
      icon: "flame",
      text: `${name}: ${plural(open.length, "incident")}`,
      detail,
      background: open.some((i) => i.severity <= 2)
        ? "statusBarItem.errorBackground"
        : "statusBarItem.warningBackground",
      command: link("showIncident", "Show Incident", open.length === 1 ? { incident: open[0]!.id } : {}),
    };
  if (ill)
    return {
      icon: ill.state === "deploying" ? "sync~spin" : "warning",
      text: `${ill.name}: ${ill.state}`,
      detail: ill.fault ? `${detail}\n\n${ill.fault.message} ${ill.fault.next ?? ""}` : detail,
      ...(ill.state === "failed" && { background: "statusBarItem.errorBackground" as const }),
      command: show,
    };
  return { icon: "pulse", text: pipelines.length === 0 ? "no pipeline" : name, detail, command: show };
}
