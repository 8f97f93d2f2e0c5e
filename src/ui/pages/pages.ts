/**
 * The pages that are open: one panel for each pipeline's forecast, each incident, each file's preview; asking again shows
 * the one there is. Panels come back after a reload of the window.
 */
import * as vscode from "vscode";
import type { HostTells, KeptPage, PageSubjects } from "../../rpc/page.ts";
import type { Context, Panels } from "../context.ts";
import { PANELS, type PanelName } from "../ids.ts";
import { forecastHandlers } from "./forecast.ts";
import { identity } from "./identity.ts";
import { incidentHandlers } from "./incident.ts";
import type { OwnHandlers, Page } from "./panel.ts";
import { previewHandlers } from "./preview.ts";

interface OpenPanel<P extends PanelName = PanelName> {
  readonly panel: vscode.WebviewPanel;
  /** Comes once the pages' transport is loaded, which the extension's activation does without. */
  readonly page: Promise<Page<P>>;
}

/** How each kind of panel is made: its handlers, the name on its tab before the page says better, its icon. */
const KINDS: {
  readonly [P in PanelName]: {
    readonly handlers: (context: Context, page: Page<P>) => OwnHandlers<P>;
    readonly title: (subject: PageSubjects[P]) => string;
  };
} = {
  forecast: { handlers: forecastHandlers, title: (s) => `Forecast: ${s.pipeline}` },
  incident: { handlers: incidentHandlers, title: () => "Incident" },
  preview: { handlers: previewHandlers, title: (s) => `Deploy: ${s.pipeline}` },
};

export class Pages implements Panels {
  readonly #open = new Map<string, OpenPanel>();
  readonly #context: () => Context;

  /** `context` is asked for when the first page opens, since pages are themselves part of it. */
  constructor(context: () => Context) {
    this.#context = context;
  }

  show<P extends PanelName>(name: P, subject: PageSubjects[P], beside = false): void {
    const open = this.#open.get(key(name, subject)) as OpenPanel<P> | undefined;
    if (open) {
      open.panel.reveal();
      void open.page.then((page) => page.show(subject));
      return;
    }
    const column = beside ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active;
    const panel = vscode.window.createWebviewPanel(PANELS[name], KINDS[name].title(subject), column, {
      enableFindWidget: true,
    });
    this.#adopt(name, panel, subject);
  }

  tell<P extends PanelName, M extends keyof HostTells<P> & string>(
    name: P,
    subject: PageSubjects[P],
    method: M,
    params: HostTells<P>[M],
  ): void {
    const open = this.#open.get(key(name, subject)) as OpenPanel<P> | undefined;
    void open?.page.then((page) => page.tell(method, params));
  }

  close<P extends PanelName>(name: P, subject: PageSubjects[P]): void {
    this.#open.get(key(name, subject))?.panel.dispose();
  }

  /** Brings panels back that were open when the window was reloaded. */
  registerSerializers(): vscode.Disposable[] {
    return (Object.keys(PANELS) as PanelName[]).map((name) =>
      vscode.window.registerWebviewPanelSerializer(PANELS[name], {
        deserializeWebviewPanel: async (panel, kept: KeptPage<typeof name> | undefined) => {
          if (kept?.subject === undefined) panel.dispose();
          else this.#adopt(name, panel, kept.subject, kept.state);
        },
      }),
    );
  }

  #adopt<P extends PanelName>(
    name: P,
    panel: vscode.WebviewPanel,
    subject: PageSubjects[P],
    kept?: KeptPage<P>["state"],
  ): void {
    const context = this.#context();
    const kind = KINDS[name];
    const icon = (theme: string) => vscode.Uri.joinPath(context.extension.extensionUri, "media", `tab-${theme}.svg`);
    panel.iconPath = { light: icon("light"), dark: icon("dark") };
    const page = import("./panel.ts").then(({ openPage }) =>
      openPage<P>(context, panel as typeof panel & { title?: string }, {
        page: name,
        subject,
        title: kind.title(subject),
        handlers: (own) => kind.handlers(context, own),
        ...(kept !== undefined && { kept }),
      }),
    );
    page.catch((error: unknown) => context.log.show(error));
    const id = key(name, subject);
    this.#open.set(id, { panel, page } as unknown as OpenPanel);
    panel.onDidDispose(() => this.#open.delete(id));
  }
}

function key<P extends PanelName>(name: P, subject: PageSubjects[P]): string {
  return `${name}:${identity(subject)}`;
}
