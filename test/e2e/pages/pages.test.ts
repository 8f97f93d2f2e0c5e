/**
 * Every page in every state and theme: nothing that the policy refuses, nothing serious to axe, nothing logged as an error,
 * and nothing that runs out of a narrow column. Themes differ only in colours, so that contrast alone is judged in each.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PageHandlers, PageName } from "../../../src/rpc/page.ts";
import { launchBrowser } from "../../support/host/index.mjs";
import { type Bundle, bundlePages, changeTheme, shoot, showPage } from "./browser.ts";
import { eventually } from "./eventually.ts";
import { manySeries, type Recorded, recordedFlights, withoutForecast } from "./flights.ts";
import { forecastHost, LOST, type Mood } from "./hosts.ts";
import { AWS_PLAN, LACKS, previewHost } from "./plans.ts";
import { resultsHost } from "./runs.ts";
import { incidentHost, longStorm, resolvedStorm } from "./storm.ts";
import { THEME_NAMES } from "./themes.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser: Browser;
let bundles: ReadonlyMap<PageName, Bundle>;
let data: Recorded;

beforeAll(async () => {
  [browser, bundles, data] = await Promise.all([launchBrowser(), bundlePages(), recordedFlights()]);
});
afterAll(async () => {
  await browser?.close();
});

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

const STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const CONTRAST = { type: "rule", values: ["color-contrast"] };

/** What axe finds serious or critical, after WCAG 2.2 AA. */
async function seriousFindings(page: Page, rules: object): Promise<string[]> {
  const options = { runOnly: rules, resultTypes: ["violations"] };
  const { violations } = (await page.evaluate(`axe.run(document, ${JSON.stringify(options)})`)) as {
    violations: readonly Violation[];
  };
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((n) => `${n.html.slice(0, 160)} ${n.failureSummary}`).join("\n")}`);
}

interface Case {
  readonly name: string;
  readonly page: PageName;
  readonly handlers: () => PageHandlers<never> | object;
  /** Text that shows the state. */
  readonly shows: string | RegExp;
  readonly act?: (page: Page) => Promise<void>;
}

const moods: Record<PageName, (mood: Mood) => object> = {
  forecast: (mood) => forecastHost(data, { mood }),
  incident: (mood) => incidentHost(data, { mood }),
  results: (mood) => resultsHost({ mood }),
  preview: (mood) => previewHost({ mood }),
};
const texts: Record<PageName, Record<Mood, string | RegExp>> = {
  forecast: {
    full: "Departures at BOS",
    empty: "No series yet",
    loading: "Reading the series",
    failing: "does not answer",
  },
  incident: {
    full: /Departures at BOS, EWR and JFK are \d+% below forecast since 5 Mar 06:00/,
    empty: "No series contributes",
    loading: "Reading the incident",
    failing: "does not answer",
  },
  results: { full: "1,000,000 rows", empty: "No results yet", loading: "Reading the runs", failing: "does not answer" },
  preview: {
    full: "This load needs 2 shards",
    empty: "there is nothing to do",
    loading: "Comparing",
    failing: "does not answer",
  },
};
const press =
  (...keys: string[]) =>
  async (page: Page) => {
    for (const key of keys) await page.keyboard.press(key);
  };
const cases: Case[] = [
  ...(["forecast", "incident", "results", "preview"] as const).flatMap((page) =>
    (["full", "empty", "loading", "failing"] as const).map(
      (mood): Case => ({ name: `${page} ${mood}`, page, handlers: () => moods[page](mood), shows: texts[page][mood] }),
    ),
  ),
  {
    name: "forecast table",
    page: "forecast",
    handlers: () => forecastHost(data),
    shows: "Time (UTC)",
    act: press("t"),
  },
  {
    name: "forecast multiples",
    page: "forecast",
    handlers: () => forecastHost(data),
    shows: "all series",
    act: async (page) => {
      await page.keyboard.press("m");
      // As many as are in view of a narrow column.
      await eventually(() => page.locator(".multiple canvas").count()).toBeGreaterThan(2);
    },
  },
  {
    name: "forecast none",
    page: "forecast",
    handlers: () => forecastHost(withoutForecast(data)),
    shows: "There is no forecast for this series yet",
  },
  {
    name: "forecast chart failing",
    page: "forecast",
    handlers: () => ({
      ...forecastHost(data),
      "forecasts.chart": () => {
        throw LOST;
      },
    }),
    shows: "does not answer",
  },
  {
    name: "forecast huge",
    page: "forecast",
    handlers: () => forecastHost(manySeries(), { series: "requests{site=main}" }),
    shows: "newest 11 Mar 2001",
  },
  {
    name: "forecast menu",
    page: "forecast",
    handlers: () => forecastHost(data),
    shows: "Visible windows",
    act: async (page) => page.getByRole("button", { name: "Export" }).click(),
  },
  {
    name: "forecast reading",
    page: "forecast",
    handlers: () => forecastHost(data),
    shows: "16:00 UTC",
    act: async (page) => {
      await page.getByRole("img", { name: /actual against forecast/ }).waitFor();
      await press("Shift+ArrowLeft", "Shift+ArrowLeft")(page);
    },
  },
  {
    name: "incident resolved",
    page: "incident",
    handlers: () => incidentHost(data, { incident: resolvedStorm(data) }),
    shows: /were \d+% below forecast from/,
  },
  {
    name: "incident preview",
    page: "incident",
    handlers: () =>
      incidentHost(data, { state: { draft: "**Snow** at `LGA`", preview: true, series: null, tables: false } }),
    shows: "Draft kept",
  },
  {
    name: "incident tables",
    page: "incident",
    handlers: () => incidentHost(data),
    shows: "Time (UTC)",
    act: async (page) => page.getByRole("button", { name: "Tables" }).click(),
  },
  {
    name: "incident huge",
    page: "incident",
    handlers: () => incidentHost(data, { incident: longStorm(data) }),
    shows: "Note 24",
  },
  { name: "results running", page: "results", handlers: () => resultsHost({ state: "running" }), shows: "Running" },
  { name: "results failed", page: "results", handlers: () => resultsHost({ state: "failed" }), shows: "Go to line 4" },
  {
    name: "results cancelled",
    page: "results",
    handlers: () => resultsHost({ state: "cancelled" }),
    shows: "was stopped",
  },
  {
    name: "results chart",
    page: "results",
    handlers: () => resultsHost({ rowCount: 2_000 }),
    shows: "2,000 rows",
    act: async (page) => {
      await page.getByRole("button", { name: "Chart" }).click();
      await page.getByRole("img", { name: /by hour/ }).waitFor();
    },
  },
  {
    name: "preview lacks",
    page: "preview",
    handlers: () => previewHost({ plan: { ...AWS_PLAN, lacks: LACKS } }),
    shows: "2 things to settle first",
  },
];

/** Pages and states that are looked at in a narrow column too. */
const NARROW = [
  ...["forecast full", "forecast table", "forecast multiples", "forecast none", "forecast chart failing"],
  ...["incident full", "incident tables", "incident huge", "results full", "results chart", "results failed"],
  ...["preview full", "preview lacks"],
];

/** Opens the case's page in its state. */
async function showCase({ page: name, handlers, shows, act }: Case, size?: { width: number; height: number }) {
  const shown = await showPage({ browser, bundles, name, handlers: handlers() as never, ...(size && { size }) });
  if (act) {
    await shown.page.locator("#page[aria-busy=false]").waitFor();
    await shown.page.locator("header").first().waitFor();
    await act(shown.page);
  }
  await shown.page.getByText(shows).first().waitFor();
  return shown;
}

describe("in every theme", () => {
  it.each(cases)("$name", async (each) => {
    const shown = await showCase(each);
    const { page } = shown;
    try {
      await page.evaluate(AXE);
      expect(await seriousFindings(page, { type: "tag", values: STANDARDS })).toEqual([]);
      for (const theme of THEME_NAMES) {
        await changeTheme(page, theme);
        if (theme !== "dark") expect([theme, ...(await seriousFindings(page, CONTRAST))]).toEqual([theme]);
        await shoot(page, `${each.name.replaceAll(" ", "-")}-${theme}`);
      }
      expect(shown.complaints).toEqual([]);
    } finally {
      await shown.close();
    }
  });
});

describe("in a column of 300 px", () => {
  it.each(cases.filter(({ name }) => NARROW.includes(name)))("$name", async (each) => {
    const shown = await showCase(each, { width: 300, height: 700 });
    try {
      // What does not fit scrolls within its own place, not with the page.
      const wide = await shown.page.evaluate(
        "Math.max(document.documentElement.scrollWidth, document.getElementById('page').firstElementChild.scrollWidth)",
      );
      expect(wide).toBeLessThanOrEqual(300);
      await shoot(shown.page, `${each.name.replaceAll(" ", "-")}-narrow`);
      expect(shown.complaints).toEqual([]);
    } finally {
      await shown.close();
    }
  });

  it("has its list, its chart and its table one beneath the other, none squeezed or covered", async () => {
    const table = cases.find(({ name }) => name === "forecast table")!;
    const shown = await showCase(table, { width: 300, height: 700 });
    try {
      const parts = (await shown.page.evaluate(
        `[".picker-search", ".picker-list", ".legend", ".series-chart", ".overview", ".forecast-table"].map((name) => {
          const { top, bottom } = document.querySelector(name).getBoundingClientRect();
          return { name, top, bottom };
        })`,
      )) as { name: string; top: number; bottom: number }[];
      parts.forEach(({ name, top, bottom }, i) => {
        expect([name, bottom - top > 40]).toEqual([name, true]);
        expect([name, top >= (parts[i - 1]?.bottom ?? 0)]).toEqual([name, true]);
      });
    } finally {
      await shown.close();
    }
  });
});

describe("a change of theme", () => {
  it("redraws the chart in the new colours", async () => {
    const { page, close } = await showPage({ browser, bundles, name: "forecast", handlers: forecastHost(data) });
    try {
      await page.getByRole("img", { name: /actual against forecast/ }).waitFor();
      const corner = `(() => { const c = document.querySelector(".series-chart canvas");
        const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        let blue = 0; for (let i = 0; i < d.length; i += 4) if (d[i] === 26 && d[i + 1] === 133 && d[i + 2] === 255) blue++;
        return blue; })()`;
      expect(await page.evaluate(corner)).toBe(0);
      await changeTheme(page, "light");
      // #1a85ff is the light theme's blue.
      await eventually(() => page.evaluate(corner)).toBeGreaterThan(100);
    } finally {
      await close();
    }
  });
});
