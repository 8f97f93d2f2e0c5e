/** SQL that no file holds, as read-only documents: a pipeline's preparation query, statements of the history. */
import * as vscode from "vscode";
import type { PipelineStatus } from "../../backend.ts";
import type { PipelineSpec } from "../../core/spec.ts";
import type { Live } from "../live.ts";
import type { PipelineFiles } from "../workspace.ts";
import { QUERY_SCHEME } from "./documents.ts";
import { preparationText } from "./preparation.ts";

const PREPARATION = "Preparation.sql";

/** The document with a pipeline's preparation query. */
export function preparationUri(pipeline: string): vscode.Uri {
  return vscode.Uri.from({ scheme: QUERY_SCHEME, path: `/${pipeline}/${PREPARATION}` });
}

export class QueryTexts implements vscode.Disposable {
  readonly #live: Live;
  readonly #files: PipelineFiles;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly #disposables: vscode.Disposable[];
  /** Statements of the history that are looked at. */
  readonly #texts = new Map<string, string>();
  #count = 0;

  constructor(live: Live, files: PipelineFiles) {
    this.#live = live;
    this.#files = files;
    this.#disposables = [
      this.#changed,
      vscode.workspace.registerTextDocumentContentProvider(QUERY_SCHEME, {
        onDidChange: this.#changed.event,
        provideTextDocumentContent: (uri) => this.#texts.get(uri.path) ?? this.#preparation(uri),
      }),
      files.onDidChange(() => {
        for (const { uri } of vscode.workspace.textDocuments)
          if (uri.scheme === QUERY_SCHEME && uri.path.endsWith(`/${PREPARATION}`)) this.#changed.fire(uri);
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        if (uri.scheme === QUERY_SCHEME) this.#texts.delete(uri.path);
      }),
    ];
  }

  /** A document with a text, named `title`. */
  add(pipeline: string, title: string, text: string): vscode.Uri {
    const name = title.replace(/[^\w -]+/g, "-").slice(0, 60);
    const path = `/${pipeline}/${++this.#count}/${name}.sql`;
    this.#texts.set(path, text);
    return vscode.Uri.from({ scheme: QUERY_SCHEME, path });
  }

  dispose(): void {
    for (const d of this.#disposables) d.dispose();
  }

  #preparation(uri: vscode.Uri): string {
    const name = uri.path.split("/")[1] ?? "";
    const status: PipelineStatus | undefined = this.#live.snapshot.pipelines.find((p) => p.name === name);
    const spec: PipelineSpec | undefined = status?.spec ?? this.#files.find(name)?.parsed.spec;
    if (!spec) return `-- The pipeline ${name} is not known here.\n`;
    return preparationText(spec, status?.watermark ?? Date.now());
  }
}
