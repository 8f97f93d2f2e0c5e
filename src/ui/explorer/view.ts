/** The explorer in the activity bar: the model's tree as VS Code's items, its welcome faces and its badge. */
import * as vscode from "vscode";
import { COMMANDS, type ContextValues, VIEWS } from "../ids.ts";
import type { Live } from "../live.ts";
import type { QueryHistory } from "../queries/history.ts";
import { type Session, workspaceFolder } from "../session.ts";
import { setting } from "../settings.ts";
import type { PipelineFiles } from "../workspace.ts";
import { buildTree, explorerFace } from "./model.ts";
import { changedNodes, type TreeNode } from "./node.ts";

export interface Explorer extends vscode.Disposable {
  /** What a command is about that was called on the item with this id: menus hand over the id. */
  refOf(id: string): TreeNode["ref"] | undefined;
  /** Builds the tree anew from what is known and shows what changed. */
  update(): void;
}

/** Ages in the tree grow older by themselves, ms. */
const AGE = 15_000;

export function createExplorer(session: Session, live: Live, files: PipelineFiles, history: QueryHistory): Explorer {
  const changed = new vscode.EventEmitter<string[] | undefined>();
  let roots: readonly TreeNode[] = [];
  let nodes = new Map<string, TreeNode>();
  let wasReady = false;
  const setContext = contextSetter();

  const provider: vscode.TreeDataProvider<string> = {
    onDidChangeTreeData: changed.event,
    // VS Code may still ask for an item that has just gone.
    getTreeItem: (id) => toItem(nodes.get(id) ?? { id, context: "hint", label: "", ref: {} }),
    getChildren: (id) => (id === undefined ? roots : (nodes.get(id)?.children ?? [])).map((node) => node.id),
    getParent: (id) => parents.get(id),
  };
  let parents = new Map<string, string>();
  const view = vscode.window.createTreeView(VIEWS.explorer, { treeDataProvider: provider, showCollapseAll: true });

  function update(): void {
    const snapshot = live.snapshot;
    const face = explorerFace({
      folder: workspaceFolder() !== undefined,
      trusted: vscode.workspace.isTrusted,
      searched: files.searched,
      target: session.state.kind,
      read: live.read,
      deployed: snapshot.pipelines.length,
      files: files.list,
    });
    const ready = face === "ready";
    const before = roots;
    const lastRun = (file: string, title: string) => history.last(vscode.Uri.file(file).toString(), title);
    roots = ready
      ? buildTree({ snapshot, files: files.list, now: Date.now(), timeZone: setting("timeZone"), lastRun })
      : [];
    nodes = new Map();
    parents = new Map();
    index(roots);
    setContext("forewatch.explorer", face);
    setContext("forewatch.deployed", snapshot.pipelines.length > 0);
    setContext("forewatch.hasPipelineFile", files.list.length > 0);
    const open = snapshot.incidents.filter((i) => i.status === "open").length;
    setContext("forewatch.openIncidents", open > 0);
    view.badge =
      open > 0 ? { value: open, tooltip: `${open} open ${open === 1 ? "incident" : "incidents"}` } : undefined;
    view.description = session.label === "local" ? "" : session.label;
    if (ready !== wasReady) changed.fire(undefined);
    else {
      const ids = changedNodes(before, roots);
      if (ids === undefined) changed.fire(undefined);
      else if (ids.length > 0) changed.fire([...ids]);
    }
    wasReady = ready;
  }

  function index(list: readonly TreeNode[], parent?: string): void {
    for (const node of list) {
      nodes.set(node.id, node);
      if (parent !== undefined) parents.set(node.id, parent);
      if (node.children) index(node.children, node.id);
    }
  }

  const timer = setInterval(() => {
    if (view.visible) update();
  }, AGE);
  const disposables = [
    view,
    changed,
    live.onDidChange(update),
    files.onDidChange(update),
    history.onDidChange(update),
    session.onDidChangeState(update),
    vscode.workspace.onDidGrantWorkspaceTrust(update),
  ];
  return {
    update,
    refOf: (id) => nodes.get(id)?.ref,
    dispose() {
      clearInterval(timer);
      for (const d of disposables) d.dispose();
    },
  };
}

/** The item that VS Code shows for a node. */
export function toItem(node: TreeNode): vscode.TreeItem {
  const state = !node.children
    ? vscode.TreeItemCollapsibleState.None
    : node.expanded
      ? vscode.TreeItemCollapsibleState.Expanded
      : vscode.TreeItemCollapsibleState.Collapsed;
  const item = new vscode.TreeItem(node.label, state);
  item.id = node.id;
  item.contextValue = node.context;
  if (node.description) item.description = node.description;
  if (node.icon)
    item.iconPath = new vscode.ThemeIcon(
      node.icon.id,
      node.icon.color === undefined ? undefined : new vscode.ThemeColor(node.icon.color),
    );
  item.tooltip = node.tooltip === undefined ? "" : new vscode.MarkdownString(node.tooltip, true);
  item.accessibilityInformation = { label: [node.label, node.description].filter(Boolean).join(", ") };
  if (node.command) item.command = { command: COMMANDS[node.command], title: node.label, arguments: [{ ...node.ref }] };
  return item;
}

/** Sets context keys, each only when its value is new: every setting is a message to the window. */
function contextSetter() {
  const values = new Map<string, unknown>();
  return <K extends keyof ContextValues>(key: K, value: ContextValues[K]): void => {
    if (values.get(key) === value) return;
    values.set(key, value);
    void vscode.commands.executeCommand("setContext", key, value);
  };
}
