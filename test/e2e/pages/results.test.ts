import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Cell, PageName, RunInfo } from "../../../src/rpc/page.ts";
import { launchBrowser } from "../../support/host/index.mjs";
import { type Bundle, bundlePages, shoot, showPage } from "./browser.ts";
import { eventually } from "./eventually.ts";
import type { Log } from "./hosts.ts";
import { resultsHost } from "./runs.ts";

let browser: Browser;
let bundles: ReadonlyMap<PageName, Bundle>;

beforeAll(async () => {
  [browser, bundles] = await Promise.all([launchBrowser(), bundlePages()]);
});
afterAll(async () => {
  await browser?.close();
});

const SIZE = { width: 1_100, height: 320 };
const RUN: RunInfo = { run: "run-3", title: "Third", sql: "SELECT 1", state: "running", startedAt: 9_000, elapsed: 0 };
const text = (name: string, rows: readonly (readonly string[])[]) => ({
  query: "q-3",
  columns: [{ name, type: "varchar" }],
  rows,
  rowCount: rows.length,
  bytesScanned: null,
});

/** The results page with two runs, and what it asked. */
async function open() {
  const log: Log = [];
  const handlers = resultsHost({ log, rowCount: 30 });
  return { log, ...(await showPage({ browser, bundles, name: "results", handlers, size: SIZE })) };
}

it("has a tab for each run, gone through and closed by keyboard", async () => {
  const { page, log, complaints, close } = await open();
  try {
    const tab = (name: string) => page.getByRole("tab", { name });
    await tab("Departures by hour").waitFor();
    await shoot(page, "results-tabs");
    await tab("Departures by hour").focus();
    await page.keyboard.press("ArrowRight");
    await eventually(() => tab("Busiest airports").getAttribute("aria-selected")).toBe("true");
    await page.getByText("8 rows").first().waitFor();
    await page.keyboard.press("Delete");
    await eventually(() => page.getByRole("tab").count()).toBe(1);
    expect(log).toContainEqual({ method: "runs.close", params: { run: "run-1" } });
    await page.getByRole("tab").focus();
    await page.keyboard.press("Delete");
    await page.getByText("No results yet").waitFor();
    await page.locator("vscode-button", { hasText: "Query history" }).click();
    await eventually(() => log.some((each) => each.method === "history.open")).toBe(true);
    expect(complaints).toEqual([]);
  } finally {
    await close();
  }
});

it("shows a statement that is run again in its own tab, as the run asks", async () => {
  const { page, host, close } = await open();
  try {
    await page.getByRole("tab", { name: "Busiest airports" }).waitFor();
    host.tell("run", { ...RUN, title: "Busiest airports", replaces: "run-1" });
    await page.getByText(/^Running/).waitFor();
    expect(await page.getByRole("tab").count()).toBe(2);
    host.tell("run", { ...RUN, state: "succeeded", elapsed: 12, result: text("x", [["only"]]) });
    await page.getByRole("gridcell", { name: "only" }).waitFor();
    // Closed meanwhile: a run that ends brings no tab back.
    host.tell("run", { ...RUN, run: "run-9", state: "cancelled" });
    host.tell("run", { ...RUN, run: "run-4", shows: "chart" });
    const result = {
      ...text("hour", [["2001-01-01", "2"] as const, ["2001-01-02", "5"] as const]),
      columns: [
        { name: "day", type: "date" },
        { name: "n", type: "bigint" },
      ],
    };
    host.tell("run", { ...RUN, run: "run-4", shows: "chart", state: "succeeded", result });
    await page.getByRole("img", { name: "n by day" }).waitFor();
    expect(await page.getByRole("tab").count()).toBe(3);
  } finally {
    await close();
  }
});

it("shows a plan as text, and a statement without rows as done", async () => {
  const { page, host, close } = await open();
  try {
    await page.getByRole("tab", { name: "Busiest airports" }).waitFor();
    host.tell("run", { ...RUN });
    host.tell("run", { ...RUN, state: "succeeded", result: text("Query Plan", [["┌──┐"], ["│ SCAN │"]]) });
    await page.getByLabel("Query plan").getByText("│ SCAN │").waitFor();
    const nothing = { query: "q-5", columns: [], rows: [], rowCount: 0, bytesScanned: null };
    host.tell("run", { ...RUN, run: "run-5" });
    host.tell("run", { ...RUN, run: "run-5", state: "succeeded", elapsed: 7, result: nothing });
    await page.getByText("gives no rows").waitFor();
    expect(await page.getByRole("button", { name: "Export" }).count()).toBe(0);
  } finally {
    await close();
  }
});

it("keeps its tabs and its bar in a low panel, and scrolls what is beneath them", async () => {
  const size = { width: 1_100, height: 150 };
  const handlers = resultsHost({ state: "failed" });
  const { page, close } = await showPage({ browser, bundles, name: "results", handlers, size });
  try {
    const again = page.locator("vscode-button", { hasText: "Run again" });
    await again.scrollIntoViewIfNeeded();
    await shoot(page, "results-failed-low");
    const bottom = await again.evaluate((button: { getBoundingClientRect(): { bottom: number } }) =>
      Math.round(button.getBoundingClientRect().bottom),
    );
    expect(bottom).toBeLessThanOrEqual(size.height);
    expect(await page.evaluate("document.documentElement.scrollHeight")).toBe(size.height);
    expect((await page.getByRole("tablist").boundingBox())!.y).toBe(0);
  } finally {
    await close();
  }
});

/** The names and types of columns, the rows, and what the page then shows. */
const charts: [string, [string, string][], Cell[][], string, RegExp | null][] = [
  [
    "times in a named zone",
    [
      ["hour", "timestamp(3) with time zone"],
      ["n", "bigint"],
    ],
    Array.from({ length: 12 }, (_, i) => [`2001-03-05 ${String(i).padStart(2, "0")}:00:00.000 Asia/Tokyo`, i * i]),
    "n by hour",
    null,
  ],
  [
    "more series than can be told apart",
    [
      ["day", "date"],
      ["site", "varchar"],
      ["n", "bigint"],
    ],
    Array.from({ length: 240 }, (_, i) => [`2001-03-0${1 + (i % 8)}`, `site ${i >> 3}`, (i % 8) * (i >> 3)]),
    "site 11 by day",
    /^The first 12 of 30 series are drawn\.$/,
  ],
  [
    "times that cannot be read",
    [
      ["at", "timestamp"],
      ["n", "bigint"],
    ],
    [["noon", 1]],
    "",
    /“at” holds no time that can be read, such as “noon”/,
  ],
];

it.each(charts)("draws %s, or says why not", async (name, columns, rows, image, note) => {
  const { page, host, complaints, close } = await open();
  try {
    await page.getByRole("tab", { name: "Busiest airports" }).waitFor();
    const run = { ...RUN, run: "run-6", shows: "chart" as const };
    host.tell("run", run);
    const result = { ...text("", []), columns: columns.map(([name, type]) => ({ name, type })), rows };
    host.tell("run", { ...run, state: "succeeded", result: { ...result, query: "q-6", rowCount: rows.length } });
    if (image) {
      await page.getByRole("img", { name: image }).waitFor();
      // Half-transparent grid lines are no line of the data.
      const coloured = `(() => { const c = document.querySelector(".result-canvas canvas");
        const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        let n = 0; for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200 && Math.abs(d[i] - d[i + 2]) > 40) n++;
        return n; })()`;
      await eventually(() => page.evaluate(coloured)).toBeGreaterThan(300);
    }
    if (note) await page.getByText(note).waitFor();
    await shoot(page, `results-chart-${name.replaceAll(" ", "-")}`);
    expect(complaints).toEqual([]);
  } finally {
    await close();
  }
});
