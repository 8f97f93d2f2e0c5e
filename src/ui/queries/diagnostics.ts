/** What is wrong in SQL, underlined: the grammar's and the dialect's errors while typing, the engine's after a run. */
import * as vscode from "vscode";
import type { Log } from "../log.ts";
import type { Checker } from "./checker.ts";
import type { SqlDocuments } from "./documents.ts";
import type { Outcomes } from "./outcomes.ts";

const SOURCE = "Forewatch SQL";
/** Checking waits for a pause in typing, ms. */
const PAUSE = 150;

export function registerSqlDiagnostics(
  documents: SqlDocuments,
  checker: Checker,
  outcomes: Outcomes,
  log: Log,
): vscode.Disposable {
  const typed = vscode.languages.createDiagnosticCollection("forewatch-sql");
  const ran = vscode.languages.createDiagnosticCollection("forewatch-sql-runs");
  const timers = new Map<string, NodeJS.Timeout>();

  const check = async (document: vscode.TextDocument) => {
    const { version, uri } = document;
    const catalogue = await documents.catalogueSoon(document);
    const pipeline = documents.pipelineOf(document);
    if (catalogue && pipeline !== undefined) checker.setCatalogue(pipeline, catalogue);
    try {
      const found = await checker.check(uri.toString(), document.getText(), catalogue && pipeline);
      // A newer text has its own check under way.
      if (found === undefined || document.isClosed || document.version !== version) return;
      typed.set(
        uri,
        found.map(({ offset, length, message, severity }) =>
          diagnostic(
            atLeastOne(document, offset, length),
            message,
            severity === "error" ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning,
          ),
        ),
      );
    } catch (error) {
      log.note(`Checking ${uri.path}`, error);
    }
  };
  const soon = (document: vscode.TextDocument) => {
    if (!documents.serves(document)) return;
    const key = document.uri.toString();
    clearTimeout(timers.get(key));
    timers.set(
      key,
      setTimeout(() => void check(document), PAUSE),
    );
  };
  const forget = ({ uri }: vscode.TextDocument) => {
    const key = uri.toString();
    clearTimeout(timers.get(key));
    timers.delete(key);
    checker.forget(key);
    typed.delete(uri);
  };
  const all = () => {
    for (const document of vscode.workspace.textDocuments) soon(document);
  };
  all();
  return vscode.Disposable.from(
    typed,
    ran,
    {
      dispose() {
        for (const timer of timers.values()) clearTimeout(timer);
      },
    },
    vscode.workspace.onDidOpenTextDocument(soon),
    vscode.workspace.onDidChangeTextDocument(({ document }) => soon(document)),
    vscode.workspace.onDidCloseTextDocument(forget),
    documents.onDidChangeCatalogue(all),
    outcomes.onDidChange((document) => {
      const faults = outcomes.of(document).flatMap(({ offset, info }) => {
        const { fault } = info;
        // What is refused before it runs is underlined while typing.
        if (!fault?.at || fault.code === "query.refused") return [];
        const range = atLeastOne(document, offset + fault.at.offset, fault.at.length);
        return [diagnostic(range, fault.message, vscode.DiagnosticSeverity.Error)];
      });
      ran.set(document.uri, faults);
    }),
  );
}

function diagnostic(range: vscode.Range, message: string, severity: vscode.DiagnosticSeverity): vscode.Diagnostic {
  const made = new vscode.Diagnostic(range, message, severity);
  made.source = SOURCE;
  return made;
}

/** At least one character, so that there is something to underline: behind the end, the one before. */
function atLeastOne(document: vscode.TextDocument, offset: number, length: number): vscode.Range {
  const end = document.getText().length;
  const from = length > 0 ? offset : Math.min(offset, end - 1);
  return new vscode.Range(document.positionAt(from), document.positionAt(Math.max(from + 1, offset + length)));
}
