/**
 * One page in one webview: its document, its connection, what it keeps. The same for panels in the editor area and for
 * the view beneath it; the answers to the page's own requests come from its noun.
 */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { describeFault } from "../../core/fault.ts";
import {
  type HostTells,
  type PageHandlers,
  type PageName,
  type PageSettings,
  type PageStart,
  type PageStates,
  type PageSubjects,
  pageHtml,
  servePage,
} from "../../rpc/page.ts";
import type { Context } from "../context.ts";
import { author, onDidChangeSettings, setting } from "../settings.ts";
import { identity } from "./identity.ts";
import { saveAs } from "./save.ts";

type CommonRequest = "page.open" | "clipboard.write" | "files.save";
/** The requests that only this page has. */
export type OwnHandlers<P extends PageName> = Omit<PageHandlers<P>, CommonRequest>;

/** A page as its noun sees it. */
export interface Page<P extends PageName> {
  /** What it shows now. */
  readonly subject: PageSubjects[P];
  /** Gives it another subject to show. */
  show(subject: PageSubjects[P]): void;
  tell<M extends keyof HostTells<P> & string>(method: M, params: HostTells<P>[M]): void;
}

/** The webview that a page lives in: a panel's or a view's. */
export interface Frame {
  readonly webview: vscode.Webview;
  title?: string | undefined;
  readonly onDidDispose: vscode.Event<void>;
}

export interface PageOptions<P extends PageName> {
  readonly page: P;
  readonly subject: PageSubjects[P];
  readonly title: string;
  readonly handlers: (page: Page<P>) => OwnHandlers<P>;
  /** What the page itself kept over a reload of the window. */
  readonly kept?: PageStates[P];
}

/** Shows a page in `frame`, until the frame is disposed. */
export function openPage<P extends PageName>(context: Context, frame: Frame, options: PageOptions<P>): Page<P> {
  const { webview } = frame;
  const memory = new PageMemory<P>(context.extension.workspaceState, options.page);
  let subject = options.subject;
  if (options.kept) memory.keep(subject, options.kept);
  const page: Page<P> = {
    get subject() {
      return subject;
    },
    show(next) {
      subject = next;
      host.tell("show", { subject: next });
    },
    tell: (method, params) => host.tell(method, params),
  };
  const common = {
    "page.open": (): PageStart<P> => ({
      subject,
      state: memory.of(subject) ?? null,
      settings: pageSettings(context),
    }),
    "clipboard.write": async ({ text }: { readonly text: string }) => {
      await vscode.env.clipboard.writeText(text);
      return null;
    },
    "files.save": async (file: { name: string; content: string; encoding: "utf8" | "base64" }) => ({
      saved: (await saveAs(file.name, Buffer.from(file.content, file.encoding))) !== undefined,
    }),
  };
  const handlers = { ...common, ...options.handlers(page) } as unknown as PageHandlers<P>;
  const host = servePage<P>(
    {
      post: (message) => webview.postMessage(message),
      onMessage: (listener) => webview.onDidReceiveMessage(listener),
    },
    handlers,
  );
  host.on("page.keep", (kept) => {
    subject = kept.subject;
    memory.keep(kept.subject, kept.state);
  });
  host.on("page.title", ({ title }) => {
    frame.title = title;
  });
  host.on("page.fault", ({ fault }) => context.log.channel.error(`${options.page} page: ${describeFault(fault)}`));

  const disposables = [
    host,
    context.session.onChange((change) => host.tell("change", change)),
    context.session.onDidChangeState((state) => {
      if (state.kind === "connected") host.tell("connection", { state: "restored" });
      if (state.kind === "restarting" || state.kind === "failed")
        host.tell("connection", { state: "lost", fault: state.fault.toData() });
      host.tell("settings", pageSettings(context));
    }),
    onDidChangeSettings(() => host.tell("settings", pageSettings(context))),
  ];
  frame.onDidDispose(() => {
    for (const d of disposables) d.dispose();
  });
  frame.title = options.title;
  const bundles = vscode.Uri.joinPath(context.extension.extensionUri, ...BUNDLES);
  // In this order: options alone would load an empty document first, which has no content policy.
  webview.html = pageHtml({
    page: options.page,
    title: options.title,
    scriptUri: webview.asWebviewUri(vscode.Uri.joinPath(bundles, `${options.page}.js`)).toString(),
    styleUri: webview.asWebviewUri(vscode.Uri.joinPath(bundles, `${options.page}.css`)).toString(),
    cspSource: webview.cspSource,
    nonce: randomBytes(16).toString("base64url"),
  });
  webview.options = { enableScripts: true, localResourceRoots: [bundles] };
  return page;
}

/** The folder with the pages' bundles, `<page>.js` and `<page>.css`. */
const BUNDLES = ["dist", "webview"];

function pageSettings({ session }: Context): PageSettings {
  return { timeZone: setting("timeZone"), author: author(), target: session.label };
}

const REMEMBERED = 60;

/** What pages keep, by what they show: a draft survives the closing of its tab. The newest are kept. */
class PageMemory<P extends PageName> {
  readonly #memento: vscode.Memento;
  readonly #key: string;

  constructor(memento: vscode.Memento, page: P) {
    this.#memento = memento;
    this.#key = `forewatch.page.${page}`;
  }

  of(subject: PageSubjects[P]): PageStates[P] | undefined {
    return this.#all().find(([key]) => key === identity(subject))?.[1];
  }

  keep(subject: PageSubjects[P], state: PageStates[P]): void {
    const key = identity(subject);
    const others = this.#all().filter(([other]) => other !== key);
    void this.#memento.update(this.#key, [[key, state], ...others].slice(0, REMEMBERED));
  }

  #all(): readonly (readonly [string, PageStates[P]])[] {
    return this.#memento.get(this.#key, []);
  }
}
