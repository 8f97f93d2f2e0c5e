/** The commands on the set of named queries: open, write, save as one; the history; the generated query; what differs. */
import { dirname, join } from "node:path";
import * as vscode from "vscode";
import { Fault } from "../../core/fault.ts";
import { splitStatements } from "../../sql/split.ts";
import { type Chooser, pick } from "../choose.ts";
import type { Handlers } from "../commands.ts";
import type { Context } from "../context.ts";
import { RUN_ICONS } from "../explorer/node.ts";
import type { ResultsView } from "../pages/results.ts";
import { type HistoryEntry, originOf } from "../queries/history.ts";
import type { QueryParts } from "../queries/parts.ts";
import { windowSql } from "../queries/prefilled.ts";
import { preparationUri } from "../queries/texts.ts";
import { statementTitle } from "../queries/title.ts";
import { pastWords } from "../queries/words.ts";
import type { WorkspaceFile } from "../workspace.ts";
import { toUri } from "./queries.ts";

export type NamedQueryCommand =
  | "openStatement"
  | "newQuery"
  | "saveNamedQuery"
  | "queryWindow"
  | "queryHistory"
  | "runAgain"
  | "compareRun"
  | "openRun"
  | "clearHistory"
  | "openPreparation"
  | "showDifferences";

export function namedQueryCommands(
  context: Context,
  { documents, history, texts }: QueryParts,
  choose: Chooser,
  results: ResultsView,
): Handlers<NamedQueryCommand> {
  const ACTIONS: Readonly<Record<HistoryAction, (entry: HistoryEntry) => Promise<void>>> = {
    run: async ({ request }) => {
      await results.show(request.pipeline);
      await context.runs.start(request);
    },
    open: openText,
    compare,
  };
  return {
    async openStatement(args) {
      if (args.file === undefined) return;
      const document = await vscode.workspace.openTextDocument(toUri(args.file));
      const at = document.positionAt(args.offset ?? 0);
      await vscode.window.showTextDocument(document, { selection: new vscode.Range(at, at) });
    },

    async newQuery(args) {
      const file = await choose.file(args, "Write a query for");
      if (!file) return;
      const name = await vscode.window.showInputBox({
        title: "New Query",
        prompt: `Name of the file in ${vscode.workspace.asRelativePath(folderOf(file))}`,
        value: "query.sql",
        validateInput: (text) => (/^[\w. -]+\.sql$/.test(text) ? undefined : "A file name that ends with .sql."),
      });
      if (name === undefined) return;
      const uri = vscode.Uri.file(join(folderOf(file), name));
      await createOnce(uri, NEW_QUERY);
      await vscode.window.showTextDocument(uri);
    },

    async saveNamedQuery(args) {
      const editor = vscode.window.activeTextEditor;
      const document =
        args.file === undefined ? editor?.document : await vscode.workspace.openTextDocument(toUri(args.file));
      const at =
        args.offset ?? (editor && editor.document === document ? document.offsetAt(editor.selection.active) : 0);
      const statement = document && documents.statementAt(document, at);
      if (!document || !statement)
        throw new Fault("input.invalid", "There is no statement here to save.", {
          next: "Put the cursor into a statement.",
        });
      const pipeline = documents.pipelineOf(document);
      const file = await choose.file(pipeline === undefined ? {} : { pipeline }, "Save it to");
      if (!file) return;
      const name = await vscode.window.showInputBox({
        title: "Save As Named Query",
        prompt: "What the query tells, in a line: its name in the explorer.",
        value: statement.name ?? "",
        validateInput: (text) => (text.trim() ? undefined : "A name is needed."),
      });
      if (name === undefined) return;
      const uri = await freeFile(folderOf(file), name);
      const description = (statement.description ?? "").split("\n").filter((line) => line !== "");
      const comment = [name.trim(), ...description].map((line) => `-- ${line}`).join("\n");
      await createOnce(uri, `${comment}\n${statement.text};\n`);
      await vscode.window.showTextDocument(uri);
    },

    async queryWindow(args) {
      const id = await choose.incident(args, "Query the window of");
      if (id === undefined) return;
      const backend = await context.session.backend();
      const incident = await backend.incidents.get(id);
      const { spec } = await backend.stack.get(incident.pipeline);
      const content = windowSql(incident, spec, args.series);
      const document = await vscode.workspace.openTextDocument({ language: "sql", content });
      documents.choose(document, incident.pipeline);
      await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside });
    },

    async queryHistory() {
      const asked = await pickFromHistory(history.list());
      if (!asked) return;
      await ACTIONS[asked.action](asked.entry);
    },

    runAgain: (args) => onPast(args, "run"),
    compareRun: (args) => onPast(args, "compare"),
    openRun: (args) => onPast(args, "open"),
    clearHistory: async () => history.clear(),

    async openPreparation(args) {
      const file = await choose.file(args, "Open the preparation query of");
      if (!file) return;
      await vscode.window.showTextDocument(preparationUri(file.name));
    },

    async showDifferences() {
      const uri = vscode.Uri.joinPath(context.extension.extensionUri, "media", "walkthrough", "sql.md");
      await vscode.commands.executeCommand("markdown.showPreview", uri);
    },
  };

  async function onPast({ past }: { readonly past?: string }, action: HistoryAction): Promise<void> {
    const entry = past === undefined ? undefined : history.find(past);
    if (!entry)
      throw new Fault("input.invalid", "This run is no longer in the history.", { next: "Choose another one." });
    await ACTIONS[action](entry);
  }

  async function openText({ request }: HistoryEntry): Promise<void> {
    await vscode.window.showTextDocument(texts.add(request.pipeline, request.title, `${request.sql};\n`));
  }

  /** The statement as it was run, beside the statement of that name as it stands now. */
  async function compare(entry: HistoryEntry): Promise<void> {
    const { pipeline, title } = entry.request;
    const origin = originOf(entry);
    const uri = origin && vscode.Uri.parse(origin.uri);
    const document = uri && (await openIfThere(uri));
    const list = document ? splitStatements(document.getText()) : [];
    const now =
      list.find((s) => statementTitle(s) === title) ??
      list.find((s) => s.offset === origin?.offset) ??
      list.find((s) => s.text === origin?.text);
    if (!origin || !now)
      throw new Fault("input.invalid", `The statement "${title}" is not in its file any more.`, {
        next: "Open it from the history instead.",
      });
    const then = new Date(entry.startedAt).toLocaleString();
    await vscode.commands.executeCommand(
      "vscode.diff",
      texts.add(pipeline, `${title} then`, `${origin.text};\n`),
      texts.add(pipeline, `${title} now`, `${now.text};\n`),
      `${title}: as run ${then} and now`,
    );
  }
}

const NEW_QUERY = `-- The newest events
-- The comment above a statement is its name in the explorer.
SELECT *
FROM raw
LIMIT 100;
`;

function folderOf(file: WorkspaceFile): string {
  return join(dirname(file.file), file.parsed.spec?.sql ?? "sql");
}

/** A file of the folder that is not there yet, named after the query. */
async function freeFile(folder: string, name: string): Promise<vscode.Uri> {
  const stem =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 50) || "query";
  for (let n = 1; ; n++) {
    const uri = vscode.Uri.file(join(folder, n === 1 ? `${stem}.sql` : `${stem}-${n}.sql`));
    if (!(await isThere(uri))) return uri;
  }
}

function isThere(uri: vscode.Uri): Promise<boolean> {
  return Promise.resolve(vscode.workspace.fs.stat(uri)).then(
    () => true,
    () => false,
  );
}

/** The document of a file that may have gone. */
async function openIfThere(uri: vscode.Uri): Promise<vscode.TextDocument | undefined> {
  const open = vscode.workspace.textDocuments.find((d) => d.uri.toString() === uri.toString());
  if (open) return open;
  return uri.scheme === "file" && (await isThere(uri)) ? vscode.workspace.openTextDocument(uri) : undefined;
}

/** Writes a new file; one that is there already is left as it is. */
async function createOnce(uri: vscode.Uri, text: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  edit.createFile(uri, { ignoreIfExists: true, contents: new TextEncoder().encode(text) });
  if (!(await vscode.workspace.applyEdit(edit)))
    throw new Fault("workspace.read-only", `${uri.fsPath} could not be written.`, {
      next: "Choose a folder that you can write to.",
    });
}

type HistoryAction = "run" | "open" | "compare";

const BUTTONS: Readonly<Record<HistoryAction, vscode.QuickInputButton>> = {
  run: { iconPath: new vscode.ThemeIcon("debug-restart"), tooltip: "Run it again" },
  compare: { iconPath: new vscode.ThemeIcon("diff"), tooltip: "Compare with the statement as it is now" },
  open: { iconPath: new vscode.ThemeIcon("go-to-file"), tooltip: "Open the text" },
};
/** Lets the user choose a run, then what to do with it; a button of the list does it at once. */
async function pickFromHistory(
  entries: readonly HistoryEntry[],
): Promise<{ readonly entry: HistoryEntry; readonly action: HistoryAction } | undefined> {
  if (entries.length === 0)
    throw new Fault("input.invalid", "No statement has been run here yet.", {
      next: "Run one of a .sql file with Ctrl+Enter.",
    });
  const now = Date.now();
  const list = vscode.window.createQuickPick<vscode.QuickPickItem & { readonly entry: HistoryEntry }>();
  list.title = "Query History";
  list.placeholder = "Choose a run to run again, compare or open";
  list.matchOnDetail = true;
  list.items = entries.map((entry) => ({
    label: `$(${RUN_ICONS[entry.state].id}) ${entry.request.title}`,
    description: [entry.failure, pastWords(entry, now)].filter(Boolean).join(" · "),
    detail: entry.request.sql.replace(/\s+/g, " ").slice(0, 200),
    buttons: Object.values(BUTTONS),
    entry,
  }));
  try {
    return await new Promise((resolve) => {
      list.onDidTriggerItemButton(({ item, button }) => {
        const action = (Object.keys(BUTTONS) as HistoryAction[]).find((key) => BUTTONS[key] === button) ?? "run";
        resolve({ entry: item.entry, action });
      });
      list.onDidAccept(() => {
        const [item] = list.selectedItems;
        resolve(item && askAction(item.entry));
      });
      list.onDidHide(() => resolve(undefined));
      list.show();
    });
  } finally {
    list.dispose();
  }
}

async function askAction(entry: HistoryEntry) {
  const action = await pick<HistoryAction>(
    [
      { label: "$(debug-restart) Run Again", description: `on ${entry.request.pipeline}`, value: "run" },
      { label: "$(diff) Compare with Current Text", value: "compare" },
      { label: "$(go-to-file) Open Text", value: "open" },
    ],
    entry.request.title,
  );
  return action && { entry, action };
}
