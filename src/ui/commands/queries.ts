/** The commands on prep queries: run, show, write a new one, query an incident's window. */
import { dirname, join } from "node:path";
import * as vscode from "vscode";
import { Fault } from "../../core/fault.ts";
import { type Statement, splitStatements } from "../../sql/split.ts";
import type { Chooser } from "../choose.ts";
import type { Handlers } from "../commands.ts";
import type { Context } from "../context.ts";
import type { ResultsView } from "../pages/results.ts";
import { windowSql } from "../queries/prefilled.ts";
import { statementTitle } from "../queries/title.ts";

export type QueryCommand = "runStatement" | "openStatement" | "newQuery" | "queryWindow";

export function queryCommands(context: Context, choose: Chooser, results: ResultsView): Handlers<QueryCommand> {
  const parameters = new Map<string, string>();

  return {
    async runStatement(args) {
      const found = await findStatement(args);
      if (!found) return;
      const { document, statement } = found;
      const owner = context.files.ownerOf(document.uri.fsPath);
      const pipeline = await choose.pipeline({ ...(owner && { pipeline: owner.name }) }, "Run it on");
      if (!pipeline) return;
      const values = await askParameters(statement, parameters);
      if (!values) return;
      await results.show(pipeline.name);
      await context.runs.start({
        pipeline: pipeline.name,
        title: statementTitle(statement),
        sql: statement.text,
        ...(Object.keys(values).length > 0 && { parameters: values }),
        origin: { uri: document.uri.toString(), offset: statement.offset },
      });
    },

    async openStatement(args) {
      if (args.file === undefined) return;
      const document = await vscode.workspace.openTextDocument(args.file);
      const at = document.positionAt(args.offset ?? 0);
      await vscode.window.showTextDocument(document, { selection: new vscode.Range(at, at) });
    },

    async newQuery(args) {
      const file = await choose.file(args, "Write a query for");
      if (!file) return;
      const folder = join(dirname(file.file), file.parsed.spec?.sql ?? "sql");
      const name = await vscode.window.showInputBox({
        title: "New Query",
        prompt: `Name of the file in ${vscode.workspace.asRelativePath(folder)}`,
        value: "query.sql",
        validateInput: (text) => (/^[\w. -]+\.sql$/.test(text) ? undefined : "A file name that ends with .sql."),
      });
      if (name === undefined) return;
      const uri = vscode.Uri.file(join(folder, name));
      await createOnce(uri, NEW_QUERY);
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
      await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside });
    },
  };
}

const NEW_QUERY = `-- The newest events
-- The comment above a statement is its name in the explorer.
SELECT *
FROM raw
LIMIT 100;
`;

/** The statement at a place: as named, else at the cursor of the active editor. */
async function findStatement(args: {
  readonly file?: string;
  readonly offset?: number;
}): Promise<{ document: vscode.TextDocument; statement: Statement } | undefined> {
  const editor = vscode.window.activeTextEditor;
  const uri = args.file === undefined ? undefined : toUri(args.file);
  const document = uri ? await vscode.workspace.openTextDocument(uri) : editor?.document;
  if (!document || (document.languageId !== "sql" && !document.uri.path.endsWith(".sql")))
    throw new Fault("input.invalid", "There is no SQL statement here to run.", {
      next: "Open a .sql file and put the cursor into a statement.",
    });
  const statements = splitStatements(document.getText());
  const at = args.offset ?? (editor?.document === document ? document.offsetAt(editor.selection.active) : 0);
  const statement = statements.find((s) => at <= s.offset + s.length + 1) ?? statements.at(-1);
  if (!statement) throw new Fault("input.invalid", "The file holds no statement.", { next: "Write one first." });
  return { document, statement };
}

/** Lenses name a document by its URI, the tree by its path. */
function toUri(file: string): vscode.Uri {
  return /^[a-z][a-z0-9+.-]+:/i.test(file) && !/^[a-z]:[\\/]/i.test(file)
    ? vscode.Uri.parse(file)
    : vscode.Uri.file(file);
}

/** The statement's parameters, asked for one after the other; the last answers are the defaults. */
async function askParameters(
  statement: Statement,
  remembered: Map<string, string>,
): Promise<Record<string, string> | undefined> {
  const values: Record<string, string> = {};
  for (const name of new Set(statement.parameters.map((p) => p.name))) {
    const value = await vscode.window.showInputBox({
      title: `Value of :${name}`,
      prompt: "As SQL writes it: 42, 'BOS', TIMESTAMP '2001-03-05 00:00:00'",
      value: remembered.get(name) ?? "",
      validateInput: (text) => (text.trim() ? undefined : "A value is needed."),
    });
    if (value === undefined) return undefined;
    values[name] = value.trim();
    remembered.set(name, value.trim());
  }
  return values;
}

/** Writes a new file; one that is there already is left as it is. */
async function createOnce(uri: vscode.Uri, text: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  edit.createFile(uri, { ignoreIfExists: true, contents: new TextEncoder().encode(text) });
  await vscode.workspace.applyEdit(edit);
}
