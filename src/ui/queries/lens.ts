/** The lenses above the statements of SQL files that belong to a pipeline. */
import * as vscode from "vscode";
import { link } from "../commands.ts";
import type { Context } from "../context.ts";
import { SQL, type SqlDocuments } from "./documents.ts";
import { billsByBytes, lensesOf } from "./lens-model.ts";
import type { Outcomes } from "./outcomes.ts";
import type { Parameters } from "./parameters.ts";

export function registerQueryLenses(
  { files, session }: Context,
  documents: SqlDocuments,
  outcomes: Outcomes,
  parameters: Parameters,
): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  let billed = false;
  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses(document) {
      if (!documents.serves(document)) return [];
      const file = document.uri.toString();
      const running = new Set(
        outcomes.of(document).flatMap(({ offset, info }) => (info.state === "running" ? [offset] : [])),
      );
      return documents.statements(document).flatMap((statement) => {
        const range = new vscode.Range(document.positionAt(statement.offset), document.positionAt(statement.offset));
        const values = parameters.of(document.uri);
        return lensesOf(statement, { running: running.has(statement.offset), billed, values }).map(
          ({ command, title, tooltip }) =>
            new vscode.CodeLens(range, link(command, title, { file, offset: statement.offset }, tooltip)),
        );
      });
    },
  };
  // A lens that moves disturbs reading: only a change of what one says is worth it.
  let shown = "";
  const running = new Set<string>();
  const refresh = () => {
    const now = JSON.stringify([files.list.length > 0, billed, [...running].sort()]);
    if (now !== shown) changed.fire();
    shown = now;
  };
  return vscode.Disposable.from(
    changed,
    files.onDidChange(refresh),
    parameters.onDidChange(() => changed.fire()),
    outcomes.onDidChange((document) => {
      const file = document.uri.toString();
      for (const key of [...running]) if (key.startsWith(`${file}#`)) running.delete(key);
      for (const { info } of outcomes.of(document)) if (info.state === "running") running.add(`${file}#${info.run}`);
      refresh();
    }),
    session.onDidChangeState(async ({ kind }) => {
      if (kind !== "connected") return;
      const { target } = await session.backend();
      billed = billsByBytes(target);
      refresh();
    }),
    vscode.languages.registerCodeLensProvider([...SQL], provider),
  );
}
