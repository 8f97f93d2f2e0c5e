/** A page worked by keyboard: where the focus is, whether one sees it, and in which order Tab moves it. */
import { expect, type FrameLocator, type Page } from "@playwright/test";

/** The most stops there may be between two things on a page. */
const STOPS = 60;

export class Focus {
  readonly #page: Page;
  readonly #frame: FrameLocator;
  /** What Tab stopped at, in order. */
  readonly stops: string[] = [];

  constructor(page: Page, frame: FrameLocator) {
    this.#page = page;
    this.#frame = frame;
  }

  /** Presses Tab (or Shift+Tab) until the focus is on what has this name; each stop on the way must show that it has it. */
  async to(name: string | RegExp, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
    const fits = (stop: string) => (typeof name === "string" ? stop === name : name.test(stop));
    const passed: string[] = [];
    while (passed.length < STOPS) {
      await this.#page.keyboard.press(key);
      const { stop, hidden } = await this.#look();
      expect(hidden, "looks the same with the focus as without it").toEqual([]);
      passed.push(stop);
      this.stops.push(stop);
      if (fits(stop)) return;
    }
    throw new Error(`Tab does not reach ${name}; it stops at: ${passed.join(" | ")}`);
  }

  /** The name of what has the focus, and that of what had it before if that looks the same without it. */
  async #look(): Promise<{ stop: string; hidden: string[] }> {
    const body = await this.#frame.locator("body").elementHandle();
    const frame = await body!.ownerFrame();
    return frame!.evaluate<{ stop: string; hidden: string[] }>(LOOK);
  }
}

/** Runs in the page. The looks of an element are those of all that its shadow holds too: components draw the focus inside. */
const LOOK = `(() => {
  const root = document;
  const chain = [];
  for (let at = root.activeElement; at; at = at.shadowRoot?.activeElement) chain.push(at);
  const nameOf = (all) => {
    for (const each of [...all].reverse()) {
      const name = each.getAttribute("aria-label") ?? each.labels?.[0]?.textContent ?? each.getAttribute("title");
      if (name) return name.trim();
    }
    return (all[0]?.textContent ?? "").trim().replace(/\\s+/g, " ");
  };
  const looks = (all) => JSON.stringify(
    all.flatMap((each) => [each, ...(each.shadowRoot?.querySelectorAll("*") ?? [])]).map((each) => {
      const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, backgroundColor, textDecoration } =
        getComputedStyle(each);
      return [outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, backgroundColor, textDecoration];
    }),
  );
  const before = window.focusBefore;
  const hidden = before && before.chain[0].isConnected && before.chain[0] !== chain[0] &&
    before.looks === looks(before.chain) ? [nameOf(before.chain)] : [];
  window.focusBefore = chain[0] === root.body ? undefined : { chain, looks: looks(chain) };
  return { stop: nameOf(chain), hidden };
})()`;
