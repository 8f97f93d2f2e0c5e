/** The lenses above the statements of SQL files that belong to a pipeline. */
import * as vscode from "vscode";
import { splitStatements } from "../../sql/split.ts";
import { link } from "../commands.ts";
import type { Context } from "../context.ts";

const SELECTOR: vscode.DocumentSelector = [
  { scheme: "file", language: "sql" },
  { scheme: "untitled", language: "sql" },
];

export function registerQueryLenses({ files }: Context): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses(document) {
      // SQL of other projects is none of our business: without a pipeline file in the workspace nothing is offered.
      if (files.list.length === 0) return [];
      return splitStatements(document.getText()).map(
        (statement) =>
          new vscode.CodeLens(
            new vscode.Range(document.positionAt(statement.offset), document.positionAt(statement.offset)),
            link("runStatement", "$(play) Run", { file: document.uri.toString(), offset: statement.offset }),
          ),
      );
    },
  };
  let some = false;
  return vscode.Disposable.from(
    changed,
    files.onDidChange(() => {
      if (files.list.length > 0 !== some) changed.fire();
      some = files.list.length > 0;
    }),
    vscode.languages.registerCodeLensProvider(SELECTOR, provider),
  );
}
