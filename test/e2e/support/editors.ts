import { expect, type Locator } from "@playwright/test";
import type { Workbench } from "./workbench.ts";

/** Text editors and their tabs. */
export class Editors {
  readonly #workbench: Workbench;

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
  }

  /** Opens a file of the folder by name or relative path, and waits until its text shows. */
  async open(path: string): Promise<void> {
    const { page } = this.#workbench;
    await page.keyboard.press("Control+p");
    await this.#workbench.quickInput().fill(path);
    await this.#workbench.pick(path.split("/").at(-1)!);
    await expect(this.tab(path.split("/").at(-1)!)).toHaveAttribute("aria-selected", "true");
    await this.code().locator(".view-line").first().waitFor();
  }

  /** The tab with this title. */
  tab(title: string | RegExp): Locator {
    return this.#workbench.page.locator(".tabs-container .tab", { hasText: title }).first();
  }

  /** The active text editor. */
  code(): Locator {
    return this.#workbench.page.locator(".editor-group-container.active .editor-instance .monaco-editor").first();
  }

  /** The text as the editor shows it (lines in sight only), with plain spaces. */
  async text(): Promise<string> {
    const lines = this.code().locator(".view-lines .view-line");
    const placed = await lines.evaluateAll((elements) =>
      elements.map((line) => ({
        top: Number.parseInt((line as unknown as { style: { top: string } }).style.top, 10),
        text: line.textContent ?? "",
      })),
    );
    return placed
      .sort((a, b) => a.top - b.top)
      .map(({ text }) => text.replaceAll("\u00a0", " "))
      .join("\n");
  }

  /** The code lenses with this text, top down. */
  lens(text: string | RegExp): Locator {
    return this.code().locator(".codelens-decoration a", { hasText: text });
  }

  /** Places the cursor at the start of a line, counted from one. */
  async line(number: number): Promise<void> {
    await this.#workbench.page.keyboard.press("Control+g");
    await this.#workbench.answer(`:${number}`);
  }

  /** The squiggles of one severity in the active editor. */
  squiggles(severity: "error" | "warning" | "info"): Locator {
    return this.code().locator(`.squiggly-${severity}`);
  }

  async save(): Promise<void> {
    await this.#workbench.page.keyboard.press("Control+s");
    await expect(this.#workbench.page.locator(".tabs-container .tab.active")).not.toHaveClass(/dirty/);
  }
}
