/** The statements that were run, as a list that stays: newest first, each to be run again, compared with its text of now, or opened. */
import * as vscode from "vscode";
import { RUN_ICONS } from "../explorer/node.ts";
import { COMMANDS, PAST_CONTEXT, type PastRef, VIEWS } from "../ids.ts";
import { type HistoryEntry, keyOf, type QueryHistory } from "./history.ts";
import { pastWords } from "./words.ts";

/** Ages in the list grow older by themselves, ms. */
const AGE = 15_000;

export function createHistoryView(history: QueryHistory): vscode.Disposable {
  const changed = new vscode.EventEmitter<undefined>();
  const provider: vscode.TreeDataProvider<PastRef> = {
    onDidChangeTreeData: changed.event,
    getChildren: (past) => (past === undefined ? history.list().map((entry) => ({ past: keyOf(entry) })) : []),
    getTreeItem: ({ past }) => {
      const entry = history.find(past);
      // It may just have gone.
      return entry ? toItem(entry, Date.now()) : new vscode.TreeItem("");
    },
  };
  const view = vscode.window.createTreeView(VIEWS.history, { treeDataProvider: provider });
  const refresh = () => {
    if (view.visible) changed.fire(undefined);
  };
  const timer = setInterval(refresh, AGE);
  return vscode.Disposable.from(view, changed, history.onDidChange(refresh), view.onDidChangeVisibility(refresh), {
    dispose: () => clearInterval(timer),
  });
}

function toItem(entry: HistoryEntry, now: number): vscode.TreeItem {
  const { request, state, failure, startedAt } = entry;
  const item = new vscode.TreeItem(request.title);
  item.id = keyOf(entry);
  item.contextValue = PAST_CONTEXT;
  item.description = [pastWords(entry, now), failure].filter(Boolean).join(" · ");
  item.iconPath = new vscode.ThemeIcon(RUN_ICONS[state].id, new vscode.ThemeColor(RUN_ICONS[state].color));
  item.accessibilityInformation = { label: `${request.title}, ${item.description}` };
  const tooltip = new vscode.MarkdownString(`${new Date(startedAt).toLocaleString()} on ${request.pipeline}\n\n`);
  if (failure !== undefined) tooltip.appendText(failure);
  item.tooltip = tooltip.appendCodeblock(request.sql.slice(0, 2_000), "sql");
  item.command = { command: COMMANDS.openRun, title: "Open", arguments: [{ past: keyOf(entry) } satisfies PastRef] };
  return item;
}
