import { expect, type Locator, type Page } from "@playwright/test";

/** A tree view, or a view with a welcome text instead; items are found by their labels. */
export class Tree {
  readonly page: Page;
  /** The view with its title bar. */
  readonly pane: Locator;

  private constructor(page: Page, pane: Locator) {
    this.page = page;
    this.pane = pane;
  }

  /** The view with this name in the side bar, unfolded. */
  static async open(page: Page, view: string): Promise<Tree> {
    const pane = page.locator(".sidebar .pane", { has: page.locator(`.pane-header[aria-label^="${view}"]`) });
    const header = pane.locator(".pane-header");
    await pane.waitFor();
    if ((await header.getAttribute("aria-expanded")) === "false") await header.click();
    return new Tree(page, pane);
  }

  /** The item with this label, among those unfolded and in sight. */
  item(label: string | RegExp): Locator {
    const exact = typeof label === "string" ? new RegExp(`^${label.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`) : label;
    const name = this.page.locator(".monaco-icon-label .label-name", { hasText: exact });
    return this.pane.locator(".monaco-list-row[role=treeitem]", { has: name }).first();
  }

  /** Unfolds the items along this path, and gives the last. */
  async reveal(...path: string[]): Promise<Locator> {
    for (const label of path.slice(0, -1)) await this.expand(label);
    const item = this.item(path.at(-1)!);
    await item.waitFor();
    return item;
  }

  async expand(label: string): Promise<void> {
    const item = this.item(label);
    await item.waitFor();
    if ((await item.getAttribute("aria-expanded")) === "false") await item.locator(".monaco-tl-twistie").click();
    await expect(item).toHaveAttribute("aria-expanded", "true");
  }

  /** The labels of all items in sight, top down. */
  async labels(): Promise<string[]> {
    return this.pane.locator(".monaco-list-row[role=treeitem] .monaco-icon-label .label-name").allInnerTexts();
  }

  /** Presses the inline action with this title on the item. */
  async inline(label: string, title: string): Promise<void> {
    const item = this.item(label);
    await item.hover();
    await item.getByRole("button", { name: title }).click();
  }

  /** Chooses the entry with this title in the item's context menu. */
  async menu(label: string, title: string): Promise<void> {
    await this.item(label).click({ button: "right" });
    const entry = this.page.locator(".context-view .monaco-menu").getByRole("menuitem", { name: title, exact: true });
    await entry.waitFor();
    // VS Code ignores the release of the button for a moment after the menu opened, so that a long press chooses nothing.
    await expect(async () => {
      if (await entry.isVisible()) await entry.click({ timeout: 1_000 });
      await expect(entry).toBeHidden({ timeout: 500 });
    }).toPass();
  }

  /** The view's welcome text, where it has no items. */
  welcome(): Locator {
    return this.pane.locator(".welcome-view-content");
  }
}
