/** The editor's help in pipeline files: diagnostics with fixes, completion, hovers on measures and alarms, lenses. */
import { dirname, extname, relative, sep } from "node:path";
import * as vscode from "vscode";
import { parseSpec, type SpecProblem } from "../../core/spec.ts";
import { link } from "../commands.ts";
import type { Context } from "../context.ts";
import { isPipelineFile } from "../workspace.ts";
import { type Completion, completionsAt, type FilesBeside } from "./complete.ts";
import { fixesFor } from "./fixes.ts";
import { hoverAt } from "./hover.ts";
import { lensesOf } from "./lenses.ts";

const SELECTOR: vscode.DocumentSelector = { scheme: "file", pattern: "**/*.pipeline.json" };
const SOURCE = "Forewatch";
/** Diagnostics wait for a pause in typing, ms. */
const PAUSE = 150;

export function registerPipelineLanguage(context: Context): vscode.Disposable {
  return vscode.Disposable.from(
    registerDiagnostics(),
    vscode.languages.registerCompletionItemProvider(SELECTOR, { provideCompletionItems: complete }, '"', ":", " "),
    vscode.languages.registerHoverProvider(SELECTOR, {
      provideHover(document, position) {
        const hover = hoverAt(document.getText(), document.offsetAt(position), context.live.snapshot);
        if (!hover) return undefined;
        const range = rangeOf(document, hover.offset, hover.length);
        return new vscode.Hover(new vscode.MarkdownString(hover.markdown, true), range);
      },
    }),
    registerLenses(context),
  );
}

// ---- diagnostics ---------------------------------------------------------------------------------------------------

function registerDiagnostics(): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection("forewatch");
  const problems = new Map<string, readonly SpecProblem[]>();
  const timers = new Map<string, NodeJS.Timeout>();
  const check = (document: vscode.TextDocument) => {
    const found = parseSpec(document.getText(), document.uri.fsPath).problems;
    problems.set(document.uri.toString(), found);
    collection.set(
      document.uri,
      found.map((p) => toDiagnostic(document, p)),
    );
  };
  const soon = (document: vscode.TextDocument) => {
    if (!isPipelineFile(document) || document.uri.scheme !== "file") return;
    const key = document.uri.toString();
    clearTimeout(timers.get(key));
    timers.set(
      key,
      setTimeout(() => check(document), PAUSE),
    );
  };
  const forget = ({ uri }: { uri: vscode.Uri }) => {
    clearTimeout(timers.get(uri.toString()));
    timers.delete(uri.toString());
    problems.delete(uri.toString());
    collection.delete(uri);
  };
  const actions: vscode.CodeActionProvider = {
    provideCodeActions(document, range, { diagnostics }) {
      const own = diagnostics.filter((d) => d.source === SOURCE);
      const known = problems.get(document.uri.toString()) ?? [];
      return own.flatMap((diagnostic) =>
        known
          .filter((p) => p.message === diagnostic.message && toRange(document, p).intersection(range))
          .flatMap((p) => fixesFor(p, document.getText()))
          .map((fix, i) => {
            const action = new vscode.CodeAction(fix.title, vscode.CodeActionKind.QuickFix);
            action.edit = new vscode.WorkspaceEdit();
            action.edit.replace(document.uri, rangeOf(document, fix.offset, fix.length), fix.text);
            action.diagnostics = [diagnostic];
            action.isPreferred = i === 0;
            return action;
          }),
      );
    },
  };
  for (const document of vscode.workspace.textDocuments) soon(document);
  return vscode.Disposable.from(
    collection,
    vscode.workspace.onDidOpenTextDocument(soon),
    vscode.workspace.onDidChangeTextDocument(({ document }) => soon(document)),
    vscode.workspace.onDidCloseTextDocument(forget),
    vscode.languages.registerCodeActionsProvider(SELECTOR, actions, {
      providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
    }),
  );
}

function toDiagnostic(document: vscode.TextDocument, problem: SpecProblem): vscode.Diagnostic {
  const severity = problem.severity === "error" ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning;
  const diagnostic = new vscode.Diagnostic(toRange(document, problem), problem.message, severity);
  diagnostic.source = SOURCE;
  if (problem.path) diagnostic.code = problem.path;
  return diagnostic;
}

/** At least one character, so that there is something to underline. */
function toRange(document: vscode.TextDocument, { at }: SpecProblem): vscode.Range {
  return rangeOf(document, at.offset, Math.max(1, at.length));
}

function rangeOf(document: vscode.TextDocument, offset: number, length: number): vscode.Range {
  return new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
}

// ---- completion ----------------------------------------------------------------------------------------------------

const KINDS: Readonly<Record<Completion["kind"], vscode.CompletionItemKind>> = {
  field: vscode.CompletionItemKind.Field,
  measure: vscode.CompletionItemKind.Variable,
  duration: vscode.CompletionItemKind.Unit,
  file: vscode.CompletionItemKind.File,
  word: vscode.CompletionItemKind.Value,
};

async function complete(document: vscode.TextDocument, position: vscode.Position): Promise<vscode.CompletionItem[]> {
  const text = document.getText();
  const { items, offset, length } = await completionsAt(text, document.offsetAt(position), filesBeside(document));
  const range = rangeOf(document, offset, length);
  return items.map((each, i) => {
    const item = new vscode.CompletionItem(each.text, KINDS[each.kind]);
    item.detail = each.detail;
    item.range = range;
    item.filterText = each.text;
    // In the order given: durations by length, not by name.
    item.sortText = String(i).padStart(3, "0");
    return item;
  });
}

const EXTENSIONS = { module: [".mjs", ".js"], markdown: [".md"], json: [".json"] } as const;

function filesBeside(document: vscode.TextDocument): FilesBeside {
  return async (kind) => {
    const folder = dirname(document.uri.fsPath);
    const uris = await vscode.workspace.findFiles(
      new vscode.RelativePattern(folder, kind === "folder" ? "**/*.sql" : "**/*"),
      "**/{node_modules,.forewatch}/**",
      500,
    );
    const paths = uris.map((uri) => relative(folder, uri.fsPath).split(sep).join("/"));
    if (kind === "folder") return [...new Set(paths.map((p) => `${dirname(p)}/`).filter((p) => p !== "./"))].sort();
    const extensions: readonly string[] = EXTENSIONS[kind];
    return paths.filter((p) => extensions.includes(extname(p)) && !p.endsWith(".pipeline.json")).sort();
  };
}

// ---- lenses --------------------------------------------------------------------------------------------------------

function registerLenses({ live, session }: Context): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses: (document) =>
      lensesOf(document.getText(), document.uri.fsPath, live.snapshot, session.label).map(
        ({ offset, title, command, args, tooltip }) =>
          new vscode.CodeLens(rangeOf(document, offset, 0), link(command, title, args, tooltip)),
      ),
  };
  // A lens that moves disturbs reading: only a change of what one says is worth it.
  let shown = "";
  const refresh = () => {
    const { pipelines, alarms } = live.snapshot;
    const now = JSON.stringify([
      pipelines.map((p) => [p.name, p.state]),
      alarms.map((a) => [a.pipeline, a.name, a.state, a.contributors.length]),
      session.label,
    ]);
    if (now === shown) return;
    shown = now;
    changed.fire();
  };
  return vscode.Disposable.from(
    changed,
    live.onDidChange(refresh),
    session.onDidChangeState(refresh),
    vscode.languages.registerCodeLensProvider(SELECTOR, provider),
  );
}
