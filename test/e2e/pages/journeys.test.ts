/** What users do on the pages, in a real browser, mostly by keyboard. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PageName, type PageStates, packChart } from "../../../src/rpc/page.ts";
import { launchBrowser } from "../../support/host/index.mjs";
import { type Bundle, bundlePages, type Shown, shoot, showPage } from "./browser.ts";
import { eventually } from "./eventually.ts";
import { NEWEST, type Recorded, recordedFlights, STORM, withoutForecast } from "./flights.ts";
import { forecastHost, type Log, slice } from "./hosts.ts";
import { previewHost } from "./plans.ts";
import { generatedRow, resultsHost } from "./runs.ts";
import { incidentHost, stormIncident } from "./storm.ts";

const HOUR = 3_600_000;
let browser: Browser;
let bundles: ReadonlyMap<PageName, Bundle>;
let data: Recorded;

beforeAll(async () => {
  [browser, bundles, data] = await Promise.all([launchBrowser(), bundlePages(), recordedFlights()]);
});
afterAll(async () => {
  await browser?.close();
});

const asked = (log: Log, method: string) => log.filter((each) => each.method === method).map((each) => each.params);
const stateOf = <P extends PageName>(shown: Shown<P>) => (shown.kept.at(-1) as { state: PageStates[P] }).state;

describe("the forecast page", () => {
  const chart = { name: /actual against forecast/ };

  it("is worked by keyboard: series, range, reading, table", async () => {
    const log: Log = [];
    const shown = await showPage({ browser, bundles, name: "forecast", handlers: forecastHost(data, { log }) });
    const { page } = shown;
    try {
      await page.getByRole("img", chart).waitFor();
      await page.keyboard.press("]");
      await page.getByRole("heading", { name: "Departures at DFW" }).waitFor();
      await page.keyboard.press("[");
      await page.getByRole("heading", { name: "Departures at BOS" }).waitFor();
      await page.getByRole("img", chart).waitFor();
      await page.keyboard.press("Shift+ArrowLeft");
      await page.keyboard.press("Shift+ArrowLeft");
      await page.getByText("Tue 6 Mar 2001, 16:00 UTC").first().waitFor();
      await page.keyboard.press("+");
      await eventually(() => stateOf(shown).range).not.toBeNull();
      const { from, until } = stateOf(shown).range!;
      expect(until - from).toBeCloseTo((168 / 1.5) * HOUR, -4);
      await page.keyboard.press("t");
      await page.getByRole("columnheader", { name: "Deviation" }).getByRole("button").click();
      const least = Math.min(
        ...slice(data.charts.get("departures{origin=BOS}")!, from, until).points.map((p) => p.deviation ?? 0),
      );
      await page
        .getByRole("gridcell", { name: `−${Math.abs(least).toFixed(2)}` })
        .first()
        .waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("delay jfk");
      await eventually(() => page.getByRole("option").count()).toBe(1);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Mean delay at JFK" }).waitFor();
      expect(shown.complaints).toEqual([]);
    } finally {
      await shown.close();
    }
  });

  it("follows the newest window as it closes, reading only the tail", async () => {
    const id = "departures{origin=BOS}";
    const whole = data.charts.get(id)!;
    // Until the test closes the last six windows, the host does not know them.
    let newest = NEWEST - 6 * HOUR;
    const log: Log = [];
    const handlers = {
      ...forecastHost(data, { log }),
      "forecasts.chart": (request: { from?: number; until?: number }) => {
        log.push({ method: "forecasts.chart", params: request });
        const points = whole.points.map((p) => (p.start < newest ? p : { ...p, actual: null, deviation: null }));
        return packChart(slice({ ...whole, points }, request.from));
      },
    };
    const shown = await showPage({ browser, bundles, name: "forecast", handlers });
    try {
      await shown.page.getByText("newest 6 Mar 2001 12:00").waitFor();
      newest = NEWEST;
      shown.host.tell("change", { noun: "window", pipeline: "flights", kind: "changed", until: NEWEST });
      await shown.page.getByText("newest 6 Mar 2001 18:00").waitFor();
      const tail = asked(log, "forecasts.chart").at(-1) as { from: number };
      expect(tail.from).toBe(NEWEST - 14 * HOUR);
    } finally {
      await shown.close();
    }
  });

  it("exports what is seen, and opens an incident from its flag", async () => {
    const log: Log = [];
    const { page, close } = await showPage({
      browser,
      bundles,
      name: "forecast",
      handlers: forecastHost(data, { log }),
    });
    try {
      await page.getByRole("img", chart).waitFor();
      for (const [item, encoding] of [
        ["Visible windows", "utf8"],
        ["Picture", "base64"],
      ] as const) {
        await page.getByRole("button", { name: "Export" }).click();
        await page.getByRole("menuitem", { name: item }).click();
        await eventually(() => asked(log, "files.save").length).toBe(encoding === "utf8" ? 1 : 2);
      }
      const [csv, png] = asked(log, "files.save") as { name: string; content: string }[];
      expect(csv!.name).toBe("departures-origin-BOS.csv");
      expect(csv!.content.trim().split("\r\n")).toHaveLength(169);
      expect(Buffer.from(png!.content, "base64").subarray(1, 4).toString()).toBe("PNG");
      await page.getByRole("button", { name: /Departures below forecast/ }).click();
      await eventually(() => asked(log, "incidents.open")).toEqual([{ incident: "inc-1" }]);
    } finally {
      await close();
    }
  });
});

describe("the incident page", () => {
  it("is triaged by keyboard alone: note, owner, resolve, reopen", async () => {
    const log: Log = [];
    const shown = await showPage({ browser, bundles, name: "incident", handlers: incidentHost(data, { log }) });
    const { page } = shown;
    try {
      const note = page.getByRole("textbox", { name: "New note" });
      await note.focus();
      await page.keyboard.type("Alternates **closed** <img src=x onerror=alert(1)> [x](javascript:alert(1))");
      await eventually(() => stateOf(shown).draft).toContain("Alternates");
      await page.keyboard.press("Control+Enter");
      const entry = page.getByRole("article").filter({ hasText: "Alternates" });
      await entry.waitFor();
      // Markdown is rendered; HTML in it is shown as text, and a script's link is none.
      expect(await entry.locator("strong").textContent()).toBe("closed");
      expect(await entry.textContent()).toContain("<img src=x onerror=alert(1)>");
      expect(await entry.locator("img, a").count()).toBe(0);
      await eventually(() => stateOf(shown).draft).toBe("");

      await page.getByRole("button", { name: "Take" }).focus();
      await page.keyboard.press("Enter");
      await eventually(() => asked(log, "incidents.setOwner")).toEqual([{ incident: "inc-1", owner: "Ada" }]);
      await page.locator(".incident-head vscode-button", { hasText: "Resolve" }).focus();
      await page.keyboard.press("Enter");
      await page
        .getByRole("heading", { name: /were \d+% below forecast from 5 Mar 06:00 until 6 Mar 18:00/ })
        .waitFor();
      await page.locator(".incident-head vscode-button", { hasText: "Reopen" }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: /below forecast since/ }).waitFor();
      expect(shown.complaints).toEqual([]);
    } finally {
      await shown.close();
    }
  });

  it("has a table behind each of its charts, with the same data, reached by keyboard", async () => {
    const id = "departures{origin=BOS}";
    const { page, complaints, kept, close } = await showPage({
      browser,
      bundles,
      name: "incident",
      handlers: incidentHost(data),
    });
    try {
      for (const what of ["as it was when the incident opened", "as it is now"])
        await page.getByRole("img", { name: `Departures at BOS ${what}` }).waitFor();
      expect(await page.getByRole("grid").count()).toBe(0);
      const toggle = page.getByRole("button", { name: "Tables" });
      await toggle.focus();
      await page.keyboard.press("Enter");
      expect(await toggle.getAttribute("aria-pressed")).toBe("true");
      const live = page.getByRole("grid", { name: "Departures at BOS as it is now: windows" });
      const frozen = page.getByRole("grid", { name: "Departures at BOS as it was when the incident opened: windows" });
      // The charts' windows: from 36 before the incident to 12 after the newest.
      const all = slice(data.charts.get(id)!, STORM.from - 36 * HOUR, NEWEST + 12 * HOUR).points;
      expect(await live.getAttribute("aria-rowcount")).toBe(String(all.length + 1));
      const atOpening = all.filter(({ start }) => start < STORM.opened + 12 * HOUR);
      expect(await frozen.getAttribute("aria-rowcount")).toBe(String(atOpening.length + 1));

      // On to the last row, which is the oldest window, and its figures.
      await live.focus();
      await page.keyboard.press("Control+End");
      const cells = live.locator(`[aria-rowindex="${all.length + 1}"] [role="gridcell"]`);
      await eventually(() => cells.first().textContent()).toBe("3 Mar 18:00");
      expect(await cells.nth(1).textContent()).toBe(String(all[0]!.actual));
      // The cell that a screen reader is told of is in the grid that has the focus, not in the other.
      const active = await live.getAttribute("aria-activedescendant");
      expect(await live.locator(`[id="${active}"]`).count()).toBe(1);
      expect(await page.locator(`[id="${active}"]`).count()).toBe(1);
      // After a reload they are there again.
      expect(kept.at(-1)).toMatchObject({ state: { tables: true } });
      expect(complaints).toEqual([]);
    } finally {
      await close();
    }
  });

  it("says of a contributor whose windows were not compared that they were not", async () => {
    const bare = withoutForecast(data);
    const storm = stormIncident(data);
    const [first, second, ...others] = storm.contributors;
    const without = (each: typeof first, actual: number | null) => ({
      ...each!,
      worst: { ...each!.worst, actual, expected: null, deviation: null },
    });
    const incident = { ...storm, contributors: [without(first, 4), without(second, null), ...others] };
    const handlers = incidentHost(bare, { incident });
    const { page, close } = await showPage({ browser, bundles, name: "incident", handlers });
    try {
      await page.getByText("newest window not compared").waitFor();
      const row = (airport: string) => page.getByRole("row", { name: new RegExp(`Departures at ${airport}`) });
      expect(await row("BOS").getByRole("cell", { name: "not compared" }).count()).toBe(1);
      expect(await row("EWR").getByRole("cell", { name: "no value" }).count()).toBe(1);
      await shoot(page, "incident-not-compared");
    } finally {
      await close();
    }
  });

  it("brings a draft back after its document was thrown away", async () => {
    let kept: PageStates["incident"] | null = null;
    const handlers = incidentHost(data);
    const open = handlers["page.open"];
    const shown = await showPage({
      browser,
      bundles,
      name: "incident",
      handlers: {
        ...handlers,
        "page.open": async (params, call) => ({ ...(await open(params, call)), state: kept }),
      },
    });
    shown.host.on("page.keep", ({ state }) => {
      kept = state;
    });
    try {
      const note = shown.page.getByRole("textbox", { name: "New note" });
      await note.fill("Half a thought");
      await eventually(() => kept?.draft).toBe("Half a thought");
      await shown.page.reload();
      await eventually(() => note.inputValue()).toBe("Half a thought");
    } finally {
      await shown.close();
    }
  });

  it("keeps the note when it could not be added, and says why", async () => {
    const handlers = incidentHost(data, { refuse: true });
    const { page, close } = await showPage({ browser, bundles, name: "incident", handlers });
    try {
      const note = page.getByRole("textbox", { name: "New note" });
      await note.fill("Not lost");
      await page.keyboard.press("Control+Enter");
      await page.getByRole("alert").filter({ hasText: "Reopen it to change it." }).waitFor();
      expect(await note.inputValue()).toBe("Not lost");
    } finally {
      await close();
    }
  });
});

describe("the results page", () => {
  it("reaches the last of a million rows, holding few; sorts, selects and copies", async () => {
    const log: Log = [];
    const shown = await showPage({ browser, bundles, name: "results", handlers: resultsHost({ log }) });
    const { page } = shown;
    try {
      await page.getByRole("gridcell", { name: "gate 13" }).first().waitFor();
      await page.getByRole("grid").focus();
      await page.keyboard.press("Control+End");
      await page.getByRole("rowheader", { name: "1,000,000", exact: true }).waitFor();
      const last = generatedRow(999_999);
      await page.locator('[aria-rowindex="1000001"]').getByText(String(last[0])).waitFor();
      expect(await page.locator(".grid-row").count()).toBeLessThan(80);

      await page
        .getByRole("columnheader", { name: /departures/ })
        .getByRole("button")
        .click();
      await page
        .getByRole("columnheader", { name: /departures/ })
        .getByRole("button")
        .click();
      await eventually(() => asked(log, "queries.view")).toEqual([
        { query: "q-2", order: { column: 2, descending: false }, filter: "" },
        { query: "q-2", order: { column: 2, descending: true }, filter: "" },
      ]);
      await page.getByRole("grid").focus();
      await page.keyboard.press("Control+Home");
      await page.locator('[aria-rowindex="2"]').getByText(String(last[0])).waitFor();
      await page.keyboard.press("Shift+ArrowRight");
      await page.keyboard.press("Control+c");
      await eventually(() => asked(log, "clipboard.write")).toEqual([{ text: `hour,origin\r\n${last[0]},${last[1]}` }]);
      expect(shown.complaints).toEqual([]);
    } finally {
      await shown.close();
    }
  });

  it("shows a run from its beginning to its rows, and can cancel it", async () => {
    const log: Log = [];
    const { page, host, close } = await showPage({
      browser,
      bundles,
      name: "results",
      handlers: resultsHost({ log, rowCount: 3 }),
    });
    try {
      await page.getByText("3 rows").first().waitFor();
      const run = { run: "run-3", title: "Slow one", sql: "SELECT 1", startedAt: 9_000, elapsed: 0 };
      host.tell("run", { ...run, state: "running" });
      await page.getByText(/^Running/).waitFor();
      await page.locator("vscode-button", { hasText: "Cancel" }).click();
      await eventually(() => asked(log, "runs.cancel")).toEqual([{ run: "run-3" }]);
      const result = { query: "q-3", columns: [{ name: "x", type: "varchar" }], rowCount: 2, bytesScanned: null };
      host.tell("run", { ...run, state: "succeeded", elapsed: 40, result: { ...result, rows: [[null], [""]] } });
      await page.getByRole("gridcell", { name: "NULL" }).waitFor();
      await page.getByRole("gridcell", { name: "empty" }).waitFor();
    } finally {
      await close();
    }
  });
});

describe("the preview page", () => {
  it("deploys, tells how far it is, and says the first cause of a failure", async () => {
    const log: Log = [];
    const { page, host, close } = await showPage({ browser, bundles, name: "preview", handlers: previewHost({ log }) });
    try {
      const deploy = page.getByRole("button", { name: "Deploy", exact: true });
      await deploy.focus();
      await page.keyboard.press("Enter");
      await eventually(() => asked(log, "stack.deploy")).toHaveLength(1);
      host.tell("deployment", { state: "running", message: "Creating the stream", done: 3, total: 19 });
      await page.getByText("3 of 19").waitFor();
      const fault = {
        code: "stack.failed" as const,
        message: "The role may not be created.",
        next: "Ask for iam:CreateRole.",
      };
      host.tell("deployment", { state: "failed", message: "Failed", fault });
      await page.getByRole("alert").filter({ hasText: "Ask for iam:CreateRole." }).waitFor();
    } finally {
      await close();
    }
  });
});
