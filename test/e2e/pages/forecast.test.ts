/** The forecast page's small multiples: what they say of a series' health, and how they leave the page. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ChartPoint } from "../../../src/backend.ts";
import type { PageName } from "../../../src/rpc/page.ts";
import { launchBrowser } from "../../support/host/index.mjs";
import { type Bundle, bundlePages, changeTheme, keepPicture, shoot, showPage } from "./browser.ts";
import { eventually } from "./eventually.ts";
import { NEWEST, type Recorded, recordedFlights } from "./flights.ts";
import { forecastHost, type Log } from "./hosts.ts";
import { THEME_NAMES } from "./themes.ts";

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

const id = (airport: string) => `departures{origin=${airport}}`;

/** The flights, but the newest window of ATL has no forecast, that of DFW no value, and LAX has no window yet. */
function partlyCompared(): Recorded {
  const spoil = (series: string, point: ChartPoint): ChartPoint => {
    if (series === id("ATL") && point.start >= NEWEST - HOUR)
      return { ...point, lower: null, median: null, upper: null, deviation: null };
    if (series === id("DFW") && point.start === NEWEST - HOUR) return { ...point, actual: null, deviation: null };
    return point;
  };
  return {
    series: data.series.map((each) => ({
      ...each,
      last: each.last && each.id !== id("LAX") ? spoil(each.id, each.last) : null,
    })),
    charts: new Map(
      [...data.charts].map(([series, chart]) => [
        series,
        { ...chart, points: chart.points.map((point) => spoil(series, point)) },
      ]),
    ),
  };
}

it("shows no health where the newest window was not compared", async () => {
  const handlers = forecastHost(partlyCompared(), { series: id("ATL") });
  const { page, complaints, close } = await showPage({ browser, bundles, name: "forecast", handlers });
  try {
    await page.getByText("There is no forecast for the newest window: it was not compared.").waitFor();
    await page.getByText("newest 6 Mar 2001 18:00, not compared").waitFor();
    await shoot(page, "forecast-not-compared");
    await page.keyboard.press("m");
    await eventually(() => page.locator(".multiple canvas").count()).toBe(8);
    const expected = [
      ["ATL", "none", "not compared"],
      ["BOS", "out", "outside the band"],
      ["DFW", "none", "no value"],
      ["LAX", "none", "no window yet"],
      ["ORD", "in", "inside the band"],
    ] as const;
    for (const [airport, health, said] of expected) {
      const option = page.getByRole("option", { name: new RegExp(`^${airport} .*${said}$`) }).first();
      expect(await option.locator(".dot").getAttribute("class")).toBe(`dot ${health}`);
      const multiple = page.getByRole("button", { name: new RegExp(`^${airport}.*${said}`) });
      expect(await multiple.locator(".dot").getAttribute("class")).toBe(`dot ${health}`);
    }
    expect(complaints).toEqual([]);
  } finally {
    await close();
  }
});

/** The size of a PNG, and how many pixels of each of its 3 x 3 parts are not as its corner is. */
async function looked(page: Page, base64: string): Promise<{ width: number; height: number; drawn: number[] }> {
  return page.evaluate(`(async () => {
    const bytes = Uint8Array.from(atob(${JSON.stringify(base64)}), (c) => c.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const { width, height } = image;
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const drawn = Array(9).fill(0);
    for (let i = 0; i < data.length; i += 4) {
      if (data[i] === data[0] && data[i + 1] === data[1] && data[i + 2] === data[2]) continue;
      const [x, y] = [(i / 4) % width, Math.floor(i / 4 / width)];
      drawn[3 * Math.floor((3 * y) / height) + Math.floor((3 * x) / width)]++;
    }
    return { width, height, drawn };
  })()`);
}

it("exports the small multiples as one picture and one table", async () => {
  const log: Log = [];
  const handlers = forecastHost(partlyCompared(), { log });
  const { page, complaints, close } = await showPage({ browser, bundles, name: "forecast", handlers });
  const saved = () =>
    log
      .filter(({ method }) => method === "files.save")
      .map(({ params }) => params as { name: string; content: string });
  const take = async (item: string) => {
    const before = saved().length;
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: item }).click();
    await eventually(() => saved().length).toBe(before + 1);
    return saved().at(-1)!;
  };
  try {
    await page.getByRole("img", { name: /actual against forecast/ }).waitFor();
    await page.keyboard.press("m");
    await eventually(() => page.locator(".multiple canvas").count()).toBe(8);
    for (const theme of THEME_NAMES) {
      await changeTheme(page, theme);
      const { name, content } = await take("Picture");
      expect(name).toBe("departures.png");
      const { width, height, drawn } = await looked(page, content);
      expect([width, height]).toEqual([2 * (2 * 20 + 3 * 332 - 12), 2 * (2 * 20 + 50 + 3 * 182 - 12)]);
      // Eight series: the ninth place has nothing in it but its neighbours' edges.
      for (const part of drawn.slice(0, 8)) expect(part).toBeGreaterThan(5_000);
      expect(drawn[8]).toBeLessThan(2_500);
      keepPicture(content, `forecast-multiples-picture-${theme}`);
    }
    const { name, content } = await take("Visible windows");
    expect(name).toBe("departures.csv");
    const lines = content.trim().split("\r\n").slice(1);
    expect(new Set(lines.map((line) => line.slice(0, line.indexOf(",")))).size).toBe(8);
    expect(lines).toHaveLength(8 * 168);
    expect(complaints).toEqual([]);
  } finally {
    await close();
  }
});

it("refuses to export multiples of which none has been read", async () => {
  const host = forecastHost(data);
  let held = false;
  const handlers: typeof host = {
    ...host,
    "forecasts.chart": (request, call) => (held ? new Promise(() => {}) : host["forecasts.chart"](request, call)),
  };
  const { page, close } = await showPage({ browser, bundles, name: "forecast", handlers });
  try {
    await page.getByRole("img", { name: /actual against forecast/ }).waitFor();
    held = true;
    await page.keyboard.press("m");
    await page.locator(".multiple-wait").first().waitFor();
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: "Picture" }).click();
    await page.getByRole("alert").filter({ hasText: "None of the charts has been read yet." }).waitFor();
  } finally {
    await close();
  }
});
