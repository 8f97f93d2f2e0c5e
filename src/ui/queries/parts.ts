/** The parts that SQL in the editor is made of, built once and given to who needs them. */
import * as vscode from "vscode";
import type { Context } from "../context.ts";
import { Checker } from "./checker.ts";
import { registerSqlDiagnostics } from "./diagnostics.ts";
import { SqlDocuments } from "./documents.ts";
import { QueryHistory } from "./history.ts";
import { registerSqlLanguage } from "./language.ts";
import { registerQueryLenses } from "./lens.ts";
import { registerMarks } from "./marks.ts";
import { Outcomes } from "./outcomes.ts";
import { Parameters } from "./parameters.ts";
import { QueryTexts } from "./texts.ts";

export interface QueryParts extends vscode.Disposable {
  readonly documents: SqlDocuments;
  readonly outcomes: Outcomes;
  readonly parameters: Parameters;
  readonly history: QueryHistory;
  readonly texts: QueryTexts;
}

export function createQueryParts(context: Context): QueryParts {
  const { extension, session, live, files, log, runs } = context;
  const documents = new SqlDocuments(session, live, files, log);
  const outcomes = new Outcomes(documents, runs);
  const parameters = new Parameters(extension.workspaceState);
  const history = new QueryHistory(extension.workspaceState, runs);
  const texts = new QueryTexts(live, files);
  const checker = new Checker(extension.asAbsolutePath("dist/sql-worker.cjs"));
  const all = vscode.Disposable.from(
    documents,
    outcomes,
    parameters,
    history,
    texts,
    checker,
    registerQueryLenses(context, documents, outcomes, parameters),
    registerMarks(documents, outcomes),
    registerSqlLanguage(documents, parameters, checker),
    registerSqlDiagnostics(documents, checker, outcomes, log),
    // A statement that made or dropped a table changes what others may name.
    runs.onDidChange(({ request, info }) => {
      if (info.state === "succeeded" && /^\s*(CREATE|DROP|ALTER)\b/i.test(request.sql))
        documents.refresh(request.pipeline);
    }),
  );
  return { documents, outcomes, parameters, history, texts, dispose: () => all.dispose() };
}
