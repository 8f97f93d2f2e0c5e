/** One notification for each incident that opens while the window is there to see it. */
import * as vscode from "vscode";
import { run } from "./commands.ts";
import type { Live } from "./live.ts";
import { setting } from "./settings.ts";
import type { Snapshot } from "./snapshot.ts";

const SEEN = "forewatch.seenIncidents";
const REMEMBERED = 500;

/** Notifies of incidents not seen before; what was seen is remembered for the workspace, so a reload repeats nothing. */
export function notifyIncidents(live: Live, memory: vscode.Memento): vscode.Disposable {
  const seen = new Set(memory.get<string[]>(SEEN, []));
  return live.onDidChange((snapshot) => {
    const fresh = freshIncidents(snapshot, seen);
    if (fresh.length === 0) return;
    for (const { id } of fresh) seen.add(id);
    void memory.update(SEEN, [...seen].slice(-REMEMBERED));
    const limit = setting("notifications.severity");
    for (const incident of fresh)
      if (incident.severity <= limit) void announce(incident.id, incident.severity, incident.title);
  });
}

/** The open incidents that are not in `seen`. */
function freshIncidents(snapshot: Snapshot, seen: ReadonlySet<string>) {
  return snapshot.incidents.filter((incident) => incident.status === "open" && !seen.has(incident.id));
}

async function announce(incident: string, severity: number, title: string): Promise<void> {
  const show = severity <= 2 ? vscode.window.showErrorMessage : vscode.window.showWarningMessage;
  const chosen = await show(`${title} (severity ${severity})`, "Open");
  if (chosen === "Open") await run("showIncident", { incident });
}
