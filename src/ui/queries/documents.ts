/** The SQL documents that Forewatch helps with: their statements, the pipeline they run on, its tables. */
import * as vscode from "vscode";
import type { TableInfo } from "../../backend.ts";
import { type Statement, splitStatements } from "../../sql/split.ts";
import type { Live } from "../live.ts";
import type { Log } from "../log.ts";
import type { Session } from "../session.ts";
import type { PipelineFiles } from "../workspace.ts";

/** The scheme of texts that no file holds: the preparation query, statements of the history. */
export const QUERY_SCHEME = "forewatch-query";

export const SQL: readonly vscode.DocumentFilter[] = ["file", "untitled", QUERY_SCHEME].map((scheme) => ({
  scheme,
  language: "sql",
}));

export interface Tables {
  readonly tables: readonly TableInfo[];
}

export class SqlDocuments implements vscode.Disposable {
  readonly #session: Session;
  readonly #live: Live;
  readonly #files: PipelineFiles;
  readonly #log: Log;
  readonly #statements = new WeakMap<vscode.TextDocument, { version: number; list: readonly Statement[] }>();
  readonly #chosen = new Map<string, string>();
  readonly #catalogues = new Map<string, Tables>();
  readonly #asked = new Map<string, Promise<void>>();
  readonly #changed = new vscode.EventEmitter<string>();
  readonly #disposables: vscode.Disposable[];

  /** Fires with a pipeline's name when its tables became known or changed. */
  readonly onDidChangeCatalogue = this.#changed.event;

  constructor(session: Session, live: Live, files: PipelineFiles, log: Log) {
    this.#session = session;
    this.#live = live;
    this.#files = files;
    this.#log = log;
    this.#disposables = [
      this.#changed,
      session.onChange((change) => {
        if (change.noun === "stack") this.refresh(change.pipeline);
      }),
      session.onDidChangeState((state) => {
        if (state.kind === "connected") for (const name of this.#asked.keys()) this.refresh(name);
      }),
    ];
  }

  /** SQL of other projects is none of our business: without a pipeline file in the workspace nothing is offered. */
  serves(document: vscode.TextDocument): boolean {
    return this.#files.list.length > 0 && vscode.languages.match([...SQL], document) > 0;
  }

  /** The document's statements; split once for each version of the text. */
  statements(document: vscode.TextDocument): readonly Statement[] {
    const known = this.#statements.get(document);
    if (known?.version === document.version) return known.list;
    const list = splitStatements(document.getText());
    this.#statements.set(document, { version: document.version, list });
    return list;
  }

  /** The statement at an offset, or the next one after it; the last one behind all of them. */
  statementAt(document: vscode.TextDocument, offset: number): Statement | undefined {
    const list = this.statements(document);
    return list.find((s) => offset <= s.offset + s.length + 1) ?? list.at(-1);
  }

  /** The pipeline that the document's statements run on, where it is plain. */
  pipelineOf(document: vscode.TextDocument): string | undefined {
    const { uri } = document;
    const chosen = this.#chosen.get(uri.toString());
    if (chosen !== undefined) return chosen;
    if (uri.scheme === QUERY_SCHEME) return uri.path.split("/")[1];
    const owner = uri.scheme === "file" ? this.#files.ownerOf(uri.fsPath)?.name : undefined;
    if (owner !== undefined) return owner;
    const { pipelines } = this.#live.snapshot;
    if (pipelines.length === 1) return pipelines[0]?.name;
    return this.#files.list.length === 1 ? this.#files.list[0]?.name : undefined;
  }

  /** Remembers what the user chose to run the document's statements on. */
  choose(document: vscode.TextDocument, pipeline: string): void {
    this.#chosen.set(document.uri.toString(), pipeline);
  }

  /** The tables that the document's statements may use, if they are known; asks for them if not. */
  catalogueOf(document: vscode.TextDocument): Tables | undefined {
    const pipeline = this.pipelineOf(document);
    if (pipeline === undefined) return undefined;
    if (!this.#asked.has(pipeline)) this.refresh(pipeline);
    return this.#catalogues.get(pipeline);
  }

  /** The tables, once they have been asked for; undefined when the target cannot tell. */
  async catalogueSoon(document: vscode.TextDocument): Promise<Tables | undefined> {
    const known = this.catalogueOf(document);
    if (known) return known;
    const pipeline = this.pipelineOf(document);
    await (pipeline === undefined ? undefined : this.#asked.get(pipeline));
    return this.catalogueOf(document);
  }

  /** Asks for a pipeline's tables again. */
  refresh(pipeline: string): void {
    // Looking at a file is no reason to start an engine: the tables come when one is there.
    const { kind } = this.#session.state;
    const asked = kind === "connected" || kind === "slow" ? this.#read(pipeline) : Promise.resolve();
    this.#asked.set(pipeline, asked);
  }

  dispose(): void {
    for (const d of this.#disposables) d.dispose();
  }

  async #read(pipeline: string): Promise<void> {
    try {
      const backend = await this.#session.backend();
      const deployed = (await backend.stack.list()).some((p) => p.name === pipeline);
      if (!deployed) return;
      const tables = await backend.queries.catalogue(pipeline);
      if (JSON.stringify(tables) === JSON.stringify(this.#catalogues.get(pipeline)?.tables)) return;
      this.#catalogues.set(pipeline, { tables });
      this.#changed.fire(pipeline);
    } catch (error) {
      this.#log.note(`Reading the tables of ${pipeline}`, error);
    }
  }
}
