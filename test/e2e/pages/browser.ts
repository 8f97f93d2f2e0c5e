/**
 * The real pages in a real Chromium, without VS Code: bundled as for the extension, served under the same policy with the
 * same document, and spoken to through the same transport. The host's side runs here, in Node.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import {
  PAGES,
  type PageChannel,
  type PageHandlers,
  type PageHost,
  type PageName,
  pageHtml,
  servePage,
} from "../../../src/rpc/page.ts";
import { THEMES, type ThemeName, themeCss, VARIABLES } from "./themes.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const ORIGIN = "http://localhost:7";
const NONCE = "c2VjcmV0LW9mLXRoZS10ZXN0";

export interface Bundle {
  readonly script: string;
  readonly style: string;
}

/** Bundles every page as the extension does. */
export async function bundlePages(): Promise<ReadonlyMap<PageName, Bundle>> {
  const built = await build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(PAGES.map((page) => [page, `webview/${page}/main.ts`])),
    outdir: "dist/webview",
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "chrome128",
    logLevel: "error",
  });
  const text = (name: string) => built.outputFiles.find((file) => file.path.endsWith(`/${name}`))?.text ?? "";
  return new Map(PAGES.map((page) => [page, { script: text(`${page}.js`), style: text(`${page}.css`) }]));
}

export interface Shown<P extends PageName> {
  readonly page: Page;
  readonly host: PageHost<P>;
  /** What the policy refused and what the page logged as errors: empty when all is well. */
  readonly complaints: readonly string[];
  /** What the page asked the host to keep, newest last. */
  readonly kept: readonly unknown[];
  close(): Promise<void>;
}

export interface ShowOptions<P extends PageName> {
  readonly browser: Browser;
  readonly bundles: ReadonlyMap<PageName, Bundle>;
  readonly name: P;
  readonly handlers: PageHandlers<P>;
  readonly theme?: ThemeName;
  readonly size?: { readonly width: number; readonly height: number };
}

/** Opens a page in a browser of its own, its host answering with `handlers`. */
export async function showPage<P extends PageName>(options: ShowOptions<P>): Promise<Shown<P>> {
  const { browser, bundles, name, handlers, theme = "dark", size = { width: 1280, height: 800 } } = options;
  const context = await browser.newContext({
    viewport: size,
    deviceScaleFactor: 1,
    colorScheme: theme === "light" ? "light" : "dark",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || /Content Security Policy/.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));

  // Not every refusal is logged as an error.
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (e) => console.error('refused: ' + e.violatedDirective + ' ' + e.blockedURI));",
  );
  await serve(context, name, bundles.get(name)!, theme);
  const channel = await channelTo(page);
  const host = servePage<P>(channel, handlers);
  const kept: unknown[] = [];
  host.on("page.keep", (keep) => kept.push(keep));
  host.on("page.fault", ({ fault }) => complaints.push(`${fault.code}: ${fault.message}`));
  await page.goto(`${ORIGIN}/`);
  return {
    page,
    host,
    complaints,
    kept,
    async close() {
      host.dispose();
      await context.close();
    },
  };
}

async function serve(context: BrowserContext, name: PageName, bundle: Bundle, theme: ThemeName): Promise<void> {
  const html = pageHtml({
    page: name,
    title: name,
    scriptUri: `${ORIGIN}/page.js`,
    styleUri: `${ORIGIN}/page.css`,
    cspSource: ORIGIN,
    nonce: NONCE,
  });
  const answers: Record<string, { contentType: string; body: string }> = {
    "/": { contentType: "text/html", body: html.replace("<body ", `<body class="${THEMES[theme].body}" `) },
    "/page.js": { contentType: "text/javascript", body: bundle.script },
    "/page.css": { contentType: "text/css", body: `${themeCss(theme)}\n${bundle.style}` },
  };
  await context.route("**/*", (route) => {
    const answer = answers[new URL(route.request().url()).pathname];
    return answer ? route.fulfill(answer) : route.fulfill({ status: 404, body: "" });
  });
}

/** What the page's script knows as VS Code: `acquireVsCodeApi`, whose messages come here, and `message` events from here. */
async function channelTo(page: Page): Promise<PageChannel> {
  const listeners = new Set<(message: unknown) => void>();
  await page.exposeBinding("postToHost", (_source, message: unknown) => {
    for (const listener of [...listeners]) listener(message);
  });
  await page.addInitScript(
    "globalThis.acquireVsCodeApi = () => ({ postMessage: (m) => void postToHost(m), setState() {}, getState() {} });",
  );
  let last: Promise<unknown> = Promise.resolve();
  return {
    post(message) {
      const send = () =>
        page.evaluate((m) => (globalThis as unknown as { postMessage(m: unknown): void }).postMessage(m), message);
      // In order; a page that is just loading or gone loses its messages, as in VS Code.
      last = last.then(send, send).catch(() => undefined);
    },
    onMessage(listener) {
      listeners.add(listener);
      return { dispose: () => void listeners.delete(listener) };
    },
  };
}

/** Changes the theme as VS Code does: the variables on the document's element, the class on its body. */
export async function changeTheme(page: Page, theme: ThemeName): Promise<void> {
  const { colors, body } = THEMES[theme];
  // A variable that the theme does not have is to be as if it had never been set.
  const variables = VARIABLES.map((name) => [`--vscode-${name}`, colors[name] ?? "initial"]);
  await page.evaluate(`{
    for (const [name, value] of ${JSON.stringify(variables)}) document.documentElement.style.setProperty(name, value);
    document.body.className = ${JSON.stringify(body)};
  }`);
  // The charts are drawn anew with the next frame.
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
}

/** Takes a picture of the page, where pictures are asked for with FOREWATCH_SHOTS. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.FOREWATCH_SHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Puts a picture that a page made beside those that are taken of it. */
export function keepPicture(base64: string, name: string): void {
  const folder = process.env.FOREWATCH_SHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.png`), base64, "base64");
}
