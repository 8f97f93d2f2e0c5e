/** The pipeline files of the workspace and the queries beside them, kept in step with the disk and with unsaved edits. */
import { basename, dirname, join, relative } from "node:path";
import * as vscode from "vscode";
import { type ParsedSpec, parseSpec } from "../core/spec.ts";
import { splitStatements } from "../sql/split.ts";
import type { PipelineFile, QueryFile } from "./explorer/model.ts";
import type { Log } from "./log.ts";
import { statementTitle } from "./queries/title.ts";

const PIPELINE_GLOB = "**/*.pipeline.json";
const EXCLUDED = "**/{node_modules,.forewatch}/**";
/** Waits this long after the last edit before files are read again, ms. */
const PAUSE = 200;

export interface WorkspaceFile extends PipelineFile {
  readonly parsed: ParsedSpec;
}

export class PipelineFiles implements vscode.Disposable {
  readonly #log: Log;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #disposables: vscode.Disposable[] = [this.#changed];
  #files: readonly WorkspaceFile[] = [];
  #timer: NodeJS.Timeout | undefined;
  #first: Promise<void> | undefined;
  #searched = false;

  readonly onDidChange = this.#changed.event;

  constructor(log: Log) {
    this.#log = log;
    const touched = () => this.#schedule();
    for (const glob of [PIPELINE_GLOB, "**/*.sql"]) {
      const watcher = vscode.workspace.createFileSystemWatcher(glob);
      this.#disposables.push(
        watcher,
        watcher.onDidCreate(touched),
        watcher.onDidChange(touched),
        watcher.onDidDelete(touched),
      );
    }
    this.#disposables.push(
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (isPipelineFile(document) || document.uri.path.endsWith(".sql")) touched();
      }),
      vscode.workspace.onDidChangeWorkspaceFolders(touched),
    );
  }

  /** What is known now; empty until the first look. */
  get list(): readonly WorkspaceFile[] {
    return this.#files;
  }

  /** Has the first look at the workspace ended? */
  get searched(): boolean {
    return this.#searched;
  }

  /** The files, after the first look at the workspace. */
  async ready(): Promise<readonly WorkspaceFile[]> {
    this.#first ??= this.#read();
    await this.#first;
    return this.#files;
  }

  /** The file that describes a pipeline. */
  find(pipeline: string): WorkspaceFile | undefined {
    return this.#files.find((f) => f.name === pipeline);
  }

  /** The pipeline whose queries `sqlFile` belongs to: the one whose `sql` folder holds it, else the nearest file above. */
  ownerOf(sqlFile: string): WorkspaceFile | undefined {
    const holds = (folder: string) => !relative(folder, sqlFile).startsWith("..");
    return (
      this.#files.find((f) => f.queries.some((q) => q.file === sqlFile)) ??
      this.#files.filter((f) => holds(dirname(f.file))).sort((a, b) => b.file.length - a.file.length)[0]
    );
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const d of this.#disposables) d.dispose();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#first = this.#read();
    }, PAUSE);
  }

  async #read(): Promise<void> {
    const uris = await vscode.workspace.findFiles(PIPELINE_GLOB, EXCLUDED);
    const files = await Promise.all(uris.map((uri) => this.#readFile(uri)));
    this.#files = files.filter((f) => f !== undefined).sort((a, b) => a.file.localeCompare(b.file));
    this.#searched = true;
    this.#changed.fire();
  }

  async #readFile(uri: vscode.Uri): Promise<WorkspaceFile | undefined> {
    const file = uri.fsPath;
    try {
      const parsed = parseSpec(await currentText(uri), file);
      return {
        file,
        name: parsed.spec?.name ?? basename(file).replace(/\.pipeline\.json$/, ""),
        valid: parsed.spec !== undefined,
        parsed,
        queries: parsed.spec?.sql === undefined ? [] : await readQueries(join(dirname(file), parsed.spec.sql)),
      };
    } catch (error) {
      // Deleted between the search and the reading, or unreadable: it is not shown, and the log says why.
      this.#log.note(`Reading ${file}`, error);
      return undefined;
    }
  }
}

export function isPipelineFile(document: { readonly uri: vscode.Uri }): boolean {
  return document.uri.path.endsWith(".pipeline.json");
}

/** The text as the editor has it, else as the disk has it. */
export async function currentText(uri: vscode.Uri): Promise<string> {
  const open = vscode.workspace.textDocuments.find((d) => d.uri.toString() === uri.toString());
  if (open) return open.getText();
  return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
}

async function readQueries(folder: string): Promise<QueryFile[]> {
  const uris = await vscode.workspace.findFiles(new vscode.RelativePattern(folder, "**/*.sql"));
  const read = uris.map(async (uri): Promise<QueryFile> => {
    const statements = splitStatements(await currentText(uri));
    return {
      file: uri.fsPath,
      path: relative(folder, uri.fsPath),
      statements: statements.map((s) => ({
        title: statementTitle(s),
        offset: s.offset,
        ...(s.description !== undefined && { description: s.description }),
      })),
    };
  });
  return (await Promise.all(read)).sort((a, b) => a.path.localeCompare(b.path));
}
