/**
 * The VS Code workbench as page objects: what a person does in it, each action waiting until it took effect. Every selector
 * that depends on VS Code's own page is in this file, so that another VS Code is an edit here.
 */
import { expect, type FrameLocator, type Locator, type Page, type TestInfo } from "@playwright/test";
import type { Server } from "../../support/host/index.mjs";
import { Editors } from "./editors.ts";
import { Notifications } from "./notifications.ts";
import { Tree } from "./tree.ts";

/** The themes that every VS Code has: what the theme picker calls them, and the class they put on the window. */
const THEMES = {
  light: { label: "Light Modern", shows: "vs" },
  dark: { label: "Dark Modern", shows: "vs-dark" },
  "high contrast": { label: "Dark High Contrast", shows: "hc-black" },
  "high contrast light": { label: "Light High Contrast", shows: "hc-light" },
} as const;

/** One VS Code window: its page, the server behind it, and the folder open in it. */
export class Workbench {
  readonly page: Page;
  readonly server: Server;
  /** The folder open in the window: a temporary copy, the test's own. */
  readonly folder: string;
  readonly editors: Editors;
  readonly notifications: Notifications;
  readonly #info: TestInfo;

  constructor(page: Page, server: Server, folder: string, info: TestInfo) {
    this.page = page;
    this.server = server;
    this.folder = folder;
    this.editors = new Editors(this);
    this.notifications = new Notifications(page);
    this.#info = info;
  }

  /** Waits until the window is there, its extensions are known, and those that start with it have started. */
  async ready(): Promise<void> {
    await this.page.locator(".monaco-workbench .statusbar-item").first().waitFor();
    const known = () => this.page.evaluate<number>(`performance.getEntriesByName("code/didLoadExtensions").length`);
    await expect.poll(known, { message: "extensions are known", timeout: 60_000 }).toBeGreaterThan(0);
    await expect(this.page.locator(".statusbar"), "extensions start").not.toContainText("Activating Extensions");
  }

  /** Loads the window anew, as `Developer: Reload Window` does. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.ready();
  }

  /**
   * Waits until VS Code has kept its layout, which it does every few seconds; when a page goes, a busy browser does not leave it the
   * time. The layout lies in the browser's database and names every group of editors as a leaf.
   */
  async layoutKept(): Promise<void> {
    const groupsKept = () =>
      this.page.evaluate<boolean>(`(async () => {
        const asked = (request) => new Promise((done, failed) => {
          request.onsuccess = () => done(request.result);
          request.onerror = () => failed(request.error);
        });
        const shown = document.querySelectorAll(".editor-group-container").length;
        for (const { name } of await indexedDB.databases()) {
          if (!name.startsWith("vscode-web-state-db-") || name.endsWith("-global")) continue;
          const database = await asked(indexedDB.open(name));
          const stores = [...database.objectStoreNames];
          const kept = stores.length === 0 ? undefined
            : await asked(database.transaction(stores[0]).objectStore(stores[0]).get("memento/workbench.parts.editor"));
          database.close();
          if (kept && String(kept).split('"type":"leaf"').length - 1 === shown) return true;
        }
        return false;
      })()`);
    await expect.poll(groupsKept, { message: "the layout is kept", timeout: 90_000 }).toBe(true);
  }

  /** Runs the command with this title ("Category: Title") from the command palette, once the palette offers it. */
  async palette(title: string): Promise<void> {
    await this.openPalette(title);
    const row = this.quickRow(title);
    // An open palette does not notice commands and conditions that change under it, such as those of an extension that starts.
    await expect(async () => {
      if (await row.isVisible()) return;
      await this.page.keyboard.press("Escape");
      await this.openPalette(title);
      await row.waitFor({ timeout: 2_000 });
    }, `the palette offers ${title}`).toPass({ timeout: 30_000 });
    await row.click();
  }

  /** Whether the palette offers the command, such as one with an enablement or a `when`. */
  async paletteOffers(title: string): Promise<boolean> {
    await this.openPalette(title);
    const offered = (await this.quickRow(title).count()) > 0;
    await this.page.keyboard.press("Escape");
    await this.quickInput().waitFor({ state: "hidden" });
    return offered;
  }

  /** The palette, with this typed and its first answer there. */
  async openPalette(text: string): Promise<void> {
    await this.page.keyboard.press("F1");
    const input = this.quickInput();
    await input.waitFor();
    await input.fill(`>${text}`);
    await this.page.locator(".quick-input-widget .monaco-list-row").first().waitFor();
  }

  /** Picks the entry with this label in the open quick pick. */
  async pick(label: string | RegExp): Promise<void> {
    const row = this.quickRow(label);
    await row.waitFor();
    await row.click();
  }

  /** The labels of the open quick pick, as far as it shows them. */
  async picks(): Promise<string[]> {
    const labels = this.page.locator(".quick-input-widget .monaco-list-row .label-name");
    await labels.first().waitFor();
    return labels.allInnerTexts();
  }

  /** Types into the open input box (the one titled `title`, if given) and confirms. */
  async answer(text: string, title?: string): Promise<void> {
    if (title) await this.page.locator(".quick-input-title", { hasText: title }).waitFor();
    const input = this.quickInput();
    await input.waitFor();
    await input.fill(text);
    await input.press("Enter");
  }

  /** Gives the open file dialog a path; VS Code fills in the folder's own once it has read it, over what was typed before. */
  async file(path: string): Promise<void> {
    const input = this.quickInput();
    const rows = this.page.locator(".quick-input-widget .monaco-list-row");
    await rows.first().waitFor();
    await expect(async () => {
      await input.fill(path, { timeout: 1_000 });
      await expect(input).toHaveValue(path, { timeout: 500 });
      await input.press("Enter");
      // Another step may follow at once: the dialog is known by its file list.
      await expect(this.page.locator(".quick-input-widget:visible .show-file-icons")).toBeHidden({ timeout: 2_000 });
    }, `the dialog takes ${path}`).toPass();
  }

  /** The text field of the open quick pick or input box. */
  quickInput(): Locator {
    return this.page.locator(".quick-input-widget:visible input[type=text]").first();
  }

  /** Answers the modal dialog that is open by the button with this label, and returns what it said. */
  async dialog(button: string): Promise<string> {
    const box = this.page.locator(".monaco-dialog-box");
    const text = await box.locator(".dialog-message-text").textContent();
    await box.getByRole("button", { name: button, exact: true }).click();
    await box.waitFor({ state: "hidden" });
    return text ?? "";
  }

  /** Opens the container in the activity bar, and gives the view of that name inside (its title bar's text). */
  async tree(container: string, view: string): Promise<Tree> {
    const tab = this.page.locator(".activitybar").getByRole("tab", { name: container }).first();
    if ((await tab.getAttribute("aria-expanded")) !== "true") await tab.click();
    return Tree.open(this.page, view);
  }

  /** The number on the container's badge in the activity bar; undefined without a badge. */
  async badge(container: string): Promise<number | undefined> {
    const tab = this.page.locator(".activitybar").getByRole("tab", { name: container }).first();
    const [text] = await tab.locator(".badge-content").allTextContents();
    return text ? Number(text) : undefined;
  }

  /** The status bar's item with this text. */
  status(text: string | RegExp): Locator {
    return this.page.locator(".statusbar-item", { hasText: text });
  }

  /**
   * The document of the webview that holds `content` (a CSS selector): the inner of its two frames, with all of Playwright's
   * locators. Waits until it is there.
   */
  async webview(content: string): Promise<FrameLocator> {
    const frames = this.page.locator("iframe.webview.ready");
    let found: FrameLocator | undefined;
    await expect
      .poll(
        async () => {
          for (let i = 0; i < (await frames.count()); i++) {
            const document = frames.nth(i).contentFrame().frameLocator("#active-frame");
            if ((await document.locator(content).count()) > 0) found = document;
          }
          return found !== undefined;
        },
        { message: `a webview with ${content}`, timeout: 30_000 },
      )
      .toBe(true);
    return found!;
  }

  /** Switches the colour theme by hand, and waits until it shows. */
  async theme(theme: keyof typeof THEMES): Promise<void> {
    const { label, shows } = THEMES[theme];
    await this.palette("Preferences: Color Theme");
    await this.pick(label);
    await expect(this.page.locator(".monaco-workbench").first()).toHaveClass(new RegExp(`\\b${shows}\\s`));
    await this.quickInput().waitFor({ state: "hidden" });
  }

  /** Changes user settings, and reloads the window, which reads them at its start. */
  async settings(changes: Readonly<Record<string, unknown>>): Promise<void> {
    await this.server.settings(changes);
    await this.reload();
  }

  /** Takes a picture of the window: `test/.artifacts/screenshots/NAME.png`, also attached to the test's report. */
  async screenshot(name: string): Promise<string> {
    const path = `test/.artifacts/screenshots/${name}.png`;
    await this.page.screenshot({ path, animations: "disabled", caret: "hide" });
    await this.#info.attach(name, { path, contentType: "image/png" });
    return path;
  }

  /** The row of the open quick pick with exactly this label, or one that matches. */
  quickRow(label: string | RegExp): Locator {
    const name = this.page.locator(".label-name");
    const exact = typeof label === "string" ? new RegExp(`^\\s*${literal(label)}\\s*$`) : label;
    return this.page.locator(".quick-input-widget .monaco-list-row", { has: name.filter({ hasText: exact }) }).first();
  }
}

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
