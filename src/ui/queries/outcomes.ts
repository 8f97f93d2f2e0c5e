/** How the statements of each document went: kept with each statement until its text changes. */
import * as vscode from "vscode";
import type { RunInfo } from "../../rpc/page.ts";
import type { SqlDocuments } from "./documents.ts";
import { follow } from "./follow.ts";
import type { Runs } from "./runs.ts";

/** The newest run of a statement, and where the statement stands now. */
export interface Outcome {
  readonly offset: number;
  readonly text: string;
  readonly info: RunInfo;
}

export class Outcomes implements vscode.Disposable {
  readonly #documents: SqlDocuments;
  readonly #outcomes = new Map<string, readonly Outcome[]>();
  readonly #changed = new vscode.EventEmitter<vscode.TextDocument>();
  readonly #disposables: vscode.Disposable[];

  readonly onDidChange = this.#changed.event;

  constructor(documents: SqlDocuments, runs: Runs) {
    this.#documents = documents;
    this.#disposables = [
      this.#changed,
      runs.onDidChange(({ request: { origin }, info }) => {
        const document = origin && vscode.workspace.textDocuments.find((d) => d.uri.toString() === origin.uri);
        if (document && origin) this.#take(document, origin, info);
      }),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) this.#follow(document, contentChanges);
      }),
      // A document that is opened again has its outcomes still, as far as its text is the same.
      vscode.workspace.onDidOpenTextDocument((document) => {
        const known = this.of(document);
        if (known.length === 0) return;
        this.#set(
          document,
          known.flatMap((outcome) => {
            const offset = this.#standing(document, outcome);
            return offset === undefined ? [] : [{ ...outcome, offset }];
          }),
        );
      }),
    ];
  }

  of(document: vscode.TextDocument): readonly Outcome[] {
    return this.#outcomes.get(document.uri.toString()) ?? [];
  }

  dispose(): void {
    for (const d of this.#disposables) d.dispose();
  }

  #take(
    document: vscode.TextDocument,
    origin: { readonly offset: number; readonly text: string },
    info: RunInfo,
  ): void {
    const { text } = origin;
    const known = this.of(document);
    const before = known.find((o) => o.info.run === info.run);
    // A run that ends has been followed since it began; its text has changed when it is not there any more.
    if (!before && info.state !== "running") return;
    const offset = before?.offset ?? this.#standing(document, origin);
    if (offset === undefined) return;
    const others = known.filter((o) => o.offset !== offset);
    this.#set(document, [...others, { offset, text, info }]);
  }

  /** Where the statement stands: where it was said to, else where its text is. */
  #standing(document: vscode.TextDocument, { offset, text }: { offset: number; text: string }): number | undefined {
    const list = this.#documents.statements(document);
    return (list.find((s) => s.offset === offset && s.text === text) ?? list.find((s) => s.text === text))?.offset;
  }

  #follow(document: vscode.TextDocument, edits: readonly vscode.TextDocumentContentChangeEvent[]): void {
    const known = this.of(document);
    if (known.length === 0) return;
    const statements = this.#documents.statements(document);
    this.#set(
      document,
      known.flatMap((outcome) => {
        const offset = follow(outcome, edits, statements);
        return offset === undefined ? [] : [{ ...outcome, offset }];
      }),
    );
  }

  #set(document: vscode.TextDocument, outcomes: readonly Outcome[]): void {
    this.#outcomes.set(document.uri.toString(), outcomes);
    this.#changed.fire(document);
  }
}
