/**
 * The target that the window works with. It opens on first need, keeps one connection for the whole window, and tells of
 * its state; listeners stay when the target is opened again or exchanged for another.
 */
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import * as vscode from "vscode";
import type { Backend, Change } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import type { AwsTarget } from "../core/spec.ts";

/** Which target to open. */
export type TargetChoice = { readonly kind: "local" } | ({ readonly kind: "aws"; readonly name: string } & AwsTarget);

/** How the target is; `failed` stays until it is opened again. */
export type TargetState =
  | { readonly kind: "idle" | "starting" | "connected" | "slow" }
  | { readonly kind: "restarting"; readonly attempt: number; readonly fault: Fault }
  | { readonly kind: "failed"; readonly fault: Fault };

/** A Backend whose engine can be started anew, where there is one. */
export type OpenBackend = Backend & { restart?(): Promise<void> };

/** Opens a target; `main.ts` knows how. */
export type OpenTarget = (
  choice: TargetChoice,
  request: {
    readonly folder: string;
    readonly replace: boolean;
    readonly port: number;
    readonly onState: (state: TargetState) => void;
  },
) => Promise<OpenBackend>;

export class Session implements vscode.Disposable {
  readonly #open: OpenTarget;
  readonly #port: () => number;
  readonly #states = new vscode.EventEmitter<TargetState>();
  readonly #changes = new vscode.EventEmitter<Change>();
  #choice: TargetChoice = { kind: "local" };
  #state: TargetState = { kind: "idle" };
  #backend: Promise<OpenBackend> | undefined;

  /** Fires when the state or the choice of target changes. */
  readonly onDidChangeState = this.#states.event;
  readonly onChange = this.#changes.event;

  constructor(open: OpenTarget, port: () => number) {
    this.#open = open;
    this.#port = port;
  }

  get state(): TargetState {
    return this.#state;
  }

  get choice(): TargetChoice {
    return this.#choice;
  }

  /** The target's name for people. */
  get label(): string {
    const choice = this.#choice;
    return choice.kind === "local" ? "local" : `${choice.name} (${choice.account} in ${choice.region})`;
  }

  /** The target's Backend; opens it when it is not open. Rejects with what stands in the way. */
  backend(): Promise<OpenBackend> {
    this.#backend ??= this.#begin(false);
    return this.#backend;
  }

  /** Works with another target from now on. */
  async choose(choice: TargetChoice): Promise<void> {
    await this.#leave();
    this.#choice = choice;
    this.#setState({ kind: "idle" });
    await this.backend();
  }

  /** Ends the engine, also one of another version, and starts it again. */
  async restart(): Promise<void> {
    const current = await this.#backend?.catch(() => undefined);
    if (current?.restart) return current.restart();
    this.#backend = this.#begin(true);
    await this.#backend;
  }

  dispose(): void {
    void this.#leave();
    this.#states.dispose();
    this.#changes.dispose();
  }

  async #begin(replace: boolean): Promise<OpenBackend> {
    try {
      const folder = await localFolder();
      this.#setState({ kind: "starting" });
      const backend = await this.#open(this.#choice, {
        folder,
        replace,
        port: this.#port(),
        onState: (state) => this.#setState(state),
      });
      backend.onChange((change) => this.#changes.fire(change));
      if (this.#state.kind === "starting") this.#setState({ kind: "connected" });
      return backend;
    } catch (error) {
      this.#backend = undefined;
      const fault = Fault.from(error);
      this.#setState(fault.code.startsWith("workspace.") ? { kind: "idle" } : { kind: "failed", fault });
      throw fault;
    }
  }

  async #leave(): Promise<void> {
    const current = this.#backend;
    this.#backend = undefined;
    const backend = await current?.catch(() => undefined);
    await backend?.close();
  }

  #setState(state: TargetState): void {
    this.#state = state;
    this.#states.fire(state);
  }
}

/** The folder whose engine this window uses: the first of the workspace that is on disk. Rejects when there is none to use. */
export async function localFolder(): Promise<string> {
  const folder = workspaceFolder();
  if (folder === undefined)
    throw new Fault("workspace.none", "No folder is open, and the pipeline's data must live in one.", {
      next: "Open a folder first.",
    });
  if (!vscode.workspace.isTrusted)
    throw new Fault("workspace.untrusted", "This workspace is not trusted, so nothing of it is run.", {
      next: "Trust the workspace to start the engine.",
    });
  try {
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new Fault("workspace.read-only", `The folder ${folder} is read-only, and the engine keeps its data in it.`, {
      next: "Open a folder that you can write to.",
      cause,
    });
  }
  return folder;
}

/** Path of the workspace's first folder on disk. */
export function workspaceFolder(): string | undefined {
  return vscode.workspace.workspaceFolders?.find((f) => f.uri.scheme === "file")?.uri.fsPath;
}
