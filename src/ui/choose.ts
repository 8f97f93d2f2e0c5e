/** Finds out what a command is about when its caller did not say: the active editor, the only one there is, or a quick pick. */
import * as vscode from "vscode";
import type { IncidentStatus, IncidentSummary, PipelineStatus } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { seriesLabel } from "../core/series.ts";
import type { Context } from "./context.ts";
import { formatTime, plural } from "./format.ts";
import type { Ref } from "./ids.ts";
import { setting } from "./settings.ts";
import { EMPTY, PARTS, readSnapshot } from "./snapshot.ts";
import type { WorkspaceFile } from "./workspace.ts";

export class Chooser {
  readonly #context: Pick<Context, "session" | "files" | "live">;

  constructor(context: Pick<Context, "session" | "files" | "live">) {
    this.#context = context;
  }

  /** A pipeline file: as named, in the active editor, the only one, or chosen. Undefined: the user turned away. */
  async file(ref: Pick<Ref, "file" | "pipeline">, verb: string): Promise<WorkspaceFile | undefined> {
    const files = await this.#context.files.ready();
    const active = vscode.window.activeTextEditor?.document.uri.fsPath;
    const named =
      files.find((f) => f.file === ref.file) ??
      files.find((f) => ref.pipeline !== undefined && f.name === ref.pipeline) ??
      files.find((f) => f.file === active) ??
      (files.length === 1 ? files[0] : undefined);
    if (named) return named;
    if (files.length === 0)
      throw new Fault("spec.not-found", "There is no pipeline file in this workspace.", {
        next: "Open the sample pipeline, or make a new one.",
      });
    const items = files.map((f) => ({
      label: f.name,
      description: vscode.workspace.asRelativePath(f.file),
      ...(f.valid ? {} : { detail: "$(error) has errors" }),
      value: f,
    }));
    return pick(items, `${verb} which pipeline?`);
  }

  /** A deployed pipeline. */
  async pipeline(ref: Pick<Ref, "pipeline">, verb: string): Promise<PipelineStatus | undefined> {
    const { pipelines } = await this.#current();
    const editor = vscode.window.activeTextEditor?.document.uri.fsPath;
    const active = editor === undefined ? undefined : this.#context.files.list.find((f) => f.file === editor)?.name;
    const named =
      pipelines.find((p) => p.name === ref.pipeline) ??
      (ref.pipeline === undefined ? pipelines.find((p) => p.name === active) : undefined) ??
      (pipelines.length === 1 && ref.pipeline === undefined ? pipelines[0] : undefined);
    if (named) return named;
    if (ref.pipeline !== undefined || pipelines.length === 0)
      throw new Fault(
        "stack.not-found",
        ref.pipeline === undefined ? "No pipeline is deployed yet." : `The pipeline "${ref.pipeline}" is not deployed.`,
        { next: "Deploy it first, with Forewatch: Deploy Pipeline." },
      );
    const items = pipelines.map((p) => ({
      label: p.name,
      description: p.state,
      detail: `${plural(p.series, "series", "series")}, ${plural(p.openIncidents, "open incident")}`,
      value: p,
    }));
    return pick(items, `${verb} which pipeline?`);
  }

  /** An incident of the wanted status. */
  async incident(ref: Pick<Ref, "incident">, verb: string, status?: IncidentStatus): Promise<string | undefined> {
    if (ref.incident !== undefined) return ref.incident;
    const { incidents } = await this.#current();
    const fitting = incidents.filter((i) => status === undefined || i.status === status);
    if (fitting.length === 0)
      throw new Fault("incident.not-found", `There is no ${status ?? ""} incident.`.replace("  ", " "), {
        next: "Declare one with Forewatch: Declare Incident if something is wrong all the same.",
      });
    if (fitting.length === 1) return fitting[0]!.id;
    return pick(fitting.map(incidentItem), `${verb} which incident?`);
  }

  /** One series of a pipeline, by a list that can be searched. */
  async series(pipeline: string, title: string): Promise<string | undefined> {
    const { series } = await this.#current();
    const items = (series.get(pipeline) ?? []).map((info) => ({
      label: seriesLabel(info),
      description: info.last?.deviation == null ? "" : `${info.last.deviation.toFixed(1)} of band`,
      value: info.id,
    }));
    return pick(items, title);
  }

  /** What the target has now: what the views show when that was read, else read for the purpose. */
  async #current() {
    const { live, session } = this.#context;
    if (live.read) return live.snapshot;
    return readSnapshot(await session.backend(), EMPTY, new Set(PARTS));
  }
}

function incidentItem(incident: IncidentSummary) {
  return {
    label: `$(${incident.status === "open" ? "flame" : "pass"}) ${incident.title}`,
    description: `SEV ${incident.severity} · since ${formatTime(incident.from, setting("timeZone"))}`,
    value: incident.id,
  };
}

/** Lets the user choose one; undefined when the user turned away. A step of several stays open when the focus goes. */
export async function pick<T>(
  items: readonly (vscode.QuickPickItem & { readonly value: T })[],
  title: string,
  step = false,
): Promise<T | undefined> {
  const chosen = await vscode.window.showQuickPick(items, {
    title,
    matchOnDescription: true,
    matchOnDetail: true,
    ignoreFocusOut: step,
  });
  return chosen?.value;
}
