/** What commands and pages work with. `main.ts` builds it once; whoever needs a part is given it. */
import type * as vscode from "vscode";
import type { PipelineStatus } from "../backend.ts";
import type { HostTells, PageSubjects } from "../rpc/page.ts";
import type { PanelName } from "./ids.ts";
import type { Live } from "./live.ts";
import type { Log } from "./log.ts";
import type { Runs } from "./queries/runs.ts";
import type { Session } from "./session.ts";
import type { PipelineFiles } from "./workspace.ts";

export interface Context {
  readonly extension: vscode.ExtensionContext;
  readonly log: Log;
  readonly session: Session;
  readonly live: Live;
  readonly files: PipelineFiles;
  readonly runs: Runs;
  readonly panels: Panels;
  readonly deployments: Deployments;
}

/** The pages in the editor area. */
export interface Panels {
  /** Shows a subject: in the panel that has it already, else in a new one. */
  show<P extends PanelName>(name: P, subject: PageSubjects[P], beside?: boolean): void;
  /** Tells the page that shows a subject, if it is open. */
  tell<P extends PanelName, M extends keyof HostTells<P> & string>(
    name: P,
    subject: PageSubjects[P],
    method: M,
    params: HostTells<P>[M],
  ): void;
  close<P extends PanelName>(name: P, subject: PageSubjects[P]): void;
}

/** Deployments under way, one for each file. */
export interface Deployments {
  /**
   * Deploys a file and shows how far it is; resolves with the pipeline, or undefined when that did not come about. `inPage`: a
   * page shows the progress and offers to cancel.
   */
  start(
    file: string,
    options?: { readonly liveFrom?: number; readonly inPage?: boolean },
  ): Promise<PipelineStatus | undefined>;
  cancel(file: string): void;
}
