import { expect, type Locator, type Page } from "@playwright/test";

/** Notification toasts. */
export class Notifications {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** The toast with this text, once it shows. */
  async shown(text: string | RegExp): Promise<Locator> {
    const toast = this.#toast(text);
    await expect(toast).toBeVisible();
    return toast;
  }

  /** Presses a button of the toast with this text. */
  async press(text: string | RegExp, button: string): Promise<void> {
    const toast = await this.shown(text);
    await toast.hover();
    await toast.getByRole("button", { name: button, exact: true }).click();
  }

  /** The texts of all toasts in sight. */
  async texts(): Promise<string[]> {
    return this.#page.locator(".notification-toast .notification-list-item-message").allInnerTexts();
  }

  /** Closes every toast. */
  async clear(): Promise<void> {
    const toasts = this.#page.locator(".notification-toast");
    await expect(async () => {
      const first = toasts.first();
      if (await first.isVisible()) {
        await first.hover({ timeout: 1_000 });
        await first.locator(".codicon-notifications-clear").first().click({ timeout: 1_000 });
      }
      await expect(toasts).toHaveCount(0, { timeout: 500 });
    }).toPass();
  }

  #toast(text: string | RegExp): Locator {
    const message = this.#page.locator(".notification-list-item-message", { hasText: text });
    return this.#page.locator(".notification-toast", { has: message }).first();
  }
}
