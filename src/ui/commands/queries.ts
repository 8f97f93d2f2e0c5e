/** The commands that run SQL where it stands: a statement, a selection, a file; as a plan, as a chart; and stop it. */
import * as vscode from "vscode";
import { Fault } from "../../core/fault.ts";
import type { RunInfo } from "../../rpc/page.ts";
import { type Statement, splitStatements } from "../../sql/split.ts";
import type { Chooser } from "../choose.ts";
import type { Handlers } from "../commands.ts";
import type { Context } from "../context.ts";
import { formatBytes, plural } from "../format.ts";
import type { StatementRef } from "../ids.ts";
import type { ResultsView } from "../pages/results.ts";
import type { QueryParts } from "../queries/parts.ts";
import type { RunRequest } from "../queries/runs.ts";
import { statementTitle } from "../queries/title.ts";

export type QueryCommand =
  | "runStatement"
  | "runSelection"
  | "runFile"
  | "explainStatement"
  | "chartStatement"
  | "estimateStatement"
  | "cancelStatement"
  | "setParameters";

type Args = Partial<StatementRef> & { readonly pipeline?: string };

interface Found {
  readonly document: vscode.TextDocument;
  readonly statements: readonly Statement[];
}

export function queryCommands(
  context: Context,
  parts: QueryParts,
  choose: Chooser,
  results: ResultsView,
): Handlers<QueryCommand> {
  const { runs } = context;
  const { documents, parameters, outcomes } = parts;

  /** The pipeline to run on; asked for where it is not plain, and remembered for the document. */
  async function pipelineFor(document: vscode.TextDocument, named?: string): Promise<string | undefined> {
    const plain = named ?? documents.pipelineOf(document);
    const pipeline = await choose.pipeline(plain === undefined ? {} : { pipeline: plain }, "Run it on");
    if (pipeline) documents.choose(document, pipeline.name);
    return pipeline?.name;
  }

  /** What running a statement takes; undefined when the user turned away. */
  async function request(
    document: vscode.TextDocument,
    statement: Statement,
    pipeline: string,
    how: { readonly explain?: boolean; readonly shows?: "grid" | "chart" } = {},
  ): Promise<RunRequest | undefined> {
    const values = await parameters.valuesFor(document.uri, statement);
    if (!values) return undefined;
    const { explain = false, shows = "grid" } = how;
    const title = statementTitle(statement);
    return {
      pipeline,
      title: explain ? `Plan: ${title}` : title,
      sql: explain ? `EXPLAIN ${statement.text}` : statement.text,
      shows,
      ...(Object.keys(values).length > 0 && { parameters: values }),
      origin: { uri: document.uri.toString(), offset: statement.offset, text: statement.text },
    };
  }

  /** Runs statements one after another; one that fails or is cancelled ends the row. Resolves with how the last one went. */
  async function run(found: Found, args: Args, how: Parameters<typeof request>[3] = {}): Promise<RunInfo | undefined> {
    const { document, statements } = found;
    const pipeline = await pipelineFor(document, args.pipeline);
    let last: RunInfo | undefined;
    if (pipeline === undefined) return last;
    for (const statement of statements) {
      const what = await request(document, statement, pipeline, how);
      if (!what) return last;
      await results.show(pipeline);
      last = await runs.start(what);
      if (last.state !== "succeeded") return last;
    }
    return last;
  }

  return {
    async runStatement(args) {
      const selected = args.offset === undefined ? selection() : undefined;
      return run(selected ?? (await find(args)), args);
    },

    async runSelection(args) {
      const selected = selection();
      if (!selected) throw new Fault("input.invalid", "Nothing is selected.", { next: "Select the SQL to run first." });
      await run(selected, args);
    },

    async runFile(args) {
      const document = await documentOf(args);
      const statements = documents.statements(document);
      if (statements.length === 0) throw noStatement();
      await run({ document, statements }, args);
    },

    explainStatement: async (args) => run(await find(args), args, { explain: true }),

    chartStatement: async (args) => run(await find(args), args, { shows: "chart" }),

    async estimateStatement(args) {
      const { document, statements } = await find(args);
      const pipeline = await pipelineFor(document, args.pipeline);
      const what = pipeline && statements[0] && (await request(document, statements[0], pipeline));
      if (!what) return;
      const backend = await context.session.backend();
      const { sql, parameters: values } = what;
      const { bytes, cost } = await backend.queries.estimate(what.pipeline, {
        sql,
        ...(values && { parameters: values }),
      });
      await vscode.window.showInformationMessage(`${what.title} would read ${formatBytes(bytes)}: ${dollars(cost)}.`);
    },

    async cancelStatement(args) {
      const { document, statements } = await find(args).catch(() => ({ document: undefined, statements: [] }));
      const here = document
        ? outcomes.of(document).filter((o) => o.info.state === "running" && o.offset === statements[0]?.offset)
        : [];
      const running = runs.running();
      if (running.length === 0) return;
      const chosen =
        here.length > 0
          ? here.map((o) => o.info.run)
          : running.length === 1
            ? [running[0]!.info.run]
            : await pickRunning();
      for (const id of chosen) runs.cancel(id);
    },

    async setParameters(args) {
      const { document, statements } = await find(args);
      const [statement] = statements;
      if (!statement || statement.parameters.length === 0)
        throw new Fault("input.invalid", "This statement has no parameters.", { next: "Write one, such as :since." });
      await parameters.valuesFor(document.uri, statement, true);
    },
  };

  async function pickRunning(): Promise<string[]> {
    const items = runs.running().map(({ request, info }) => ({ label: request.title, picked: true, run: info.run }));
    const title = `${plural(items.length, "statement")} running: cancel which?`;
    const chosen = await vscode.window.showQuickPick(items, { title, canPickMany: true });
    return (chosen ?? []).map((item) => item.run);
  }

  /** The statement at a place: as named, else at the cursor of the active editor. */
  async function find(args: Args): Promise<Found> {
    const document = await documentOf(args);
    const editor = vscode.window.activeTextEditor;
    const at = args.offset ?? (editor?.document === document ? document.offsetAt(editor.selection.active) : 0);
    const statement = documents.statementAt(document, at);
    if (!statement) throw noStatement();
    return { document, statements: [statement] };
  }
}

/** What is selected in the active SQL editor, as statements; undefined where nothing is. */
function selection(): Found | undefined {
  const editor = vscode.window.activeTextEditor;
  if (!editor || editor.selection.isEmpty || !isSql(editor.document)) return undefined;
  const { document } = editor;
  const from = document.offsetAt(editor.selection.start);
  const statements = splitStatements(document.getText(editor.selection)).map((s) => ({
    ...s,
    offset: s.offset + from,
    parameters: s.parameters.map((p) => ({ ...p, offset: p.offset + from })),
  }));
  return statements.length > 0 ? { document, statements } : undefined;
}

async function documentOf({ file }: Args): Promise<vscode.TextDocument> {
  const document =
    file === undefined
      ? vscode.window.activeTextEditor?.document
      : await vscode.workspace.openTextDocument(toUri(file));
  if (!document || !isSql(document))
    throw new Fault("input.invalid", "There is no SQL statement here to run.", {
      next: "Open a .sql file and put the cursor into a statement.",
    });
  return document;
}

function isSql(document: vscode.TextDocument): boolean {
  return document.languageId === "sql" || document.uri.path.endsWith(".sql");
}

/** Lenses name a document by its URI, the tree by its path. */
export function toUri(file: string): vscode.Uri {
  return /^[a-z][a-z0-9+.-]+:/i.test(file) && !/^[a-z]:[\\/]/i.test(file)
    ? vscode.Uri.parse(file)
    : vscode.Uri.file(file);
}

function noStatement(): Fault {
  return new Fault("input.invalid", "The file holds no statement.", { next: "Write one first." });
}

function dollars(cost: number): string {
  return cost < 0.01 ? "less than a cent" : `about $${cost.toFixed(2)}`;
}
