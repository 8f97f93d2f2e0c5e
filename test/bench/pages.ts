/**
 * What the pages cost, measured in a browser: the forecast page with a hundred thousand windows (beside the same in plain
 * Chart.js), the results grid with a million rows, and the bundles' sizes. Where a machine has other work too, the CPU time
 * tells more than the time that went by.
 */
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import type { PageName } from "../../src/rpc/page.ts";
import { type Bundle, bundlePages, showPage } from "../e2e/pages/browser.ts";
import { longChart, type Recorded } from "../e2e/pages/flights.ts";
import { forecastHost } from "../e2e/pages/hosts.ts";
import { resultsHost } from "../e2e/pages/runs.ts";
import { launchBrowser } from "../support/host/index.mjs";
import type { PeerColumns } from "./pages/peer.ts";
import { between, threadTime } from "./pages/thread.ts";

export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** At most this, unless `least`. */
  readonly target?: number;
  readonly least?: boolean;
  readonly ok?: boolean;
}

const WINDOWS = 100_000;
const COUNT = WINDOWS.toLocaleString("en-US");
const PAN_FRAMES = 120;

/** Opens the pages in Chromium and measures them; about half a minute. */
export async function benchPages(): Promise<{ rows: BenchRow[] }> {
  const bundles = await bundlePages();
  const browser = await launchBrowser();
  try {
    const rows = [
      ...[...bundles].map(([page, { script }]) =>
        row(`${page} page, script`, Buffer.byteLength(script) / 1_000, "kB", 620),
      ),
      ...(await benchForecast(browser, bundles)),
      ...(await benchPeer(browser)),
      ...(await benchResults(browser, bundles)),
    ];
    return { rows };
  } finally {
    await browser.close();
  }
}

function row(name: string, value: number, unit: string, target: number, least = false): BenchRow {
  const ok = least ? value >= target : value <= target;
  return { name, value: round(value), unit, target, ...(least && { least }), ok };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

async function benchForecast(browser: Browser, bundles: ReadonlyMap<PageName, Bundle>): Promise<BenchRow[]> {
  const chart = longChart(WINDOWS);
  const data: Recorded = {
    charts: new Map([[chart.series, chart]]),
    series: [{ id: chart.series, measure: "requests", by: { site: "main" }, last: null, method: null, reason: null }],
  };
  // The chart's data come when the trace is running.
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  const host = forecastHost(data, { series: chart.series });
  const read = host["forecasts.chart"];
  const handlers: typeof host = {
    ...host,
    "forecasts.chart": async (request, call) => {
      await given;
      return read(request, call);
    },
  };
  const { page, close } = await showPage({ browser, bundles, name: "forecast", handlers });
  try {
    await page.getByRole("status", { name: "Reading the chart" }).waitFor();
    // From the data's arrival in the page to the end of the frame that shows them.
    const paint = await between(browser, page, ["forewatch:received", "forewatch:painted"], async () => {
      give();
      await page.getByRole("img", { name: /actual against forecast/ }).waitFor();
      await page.waitForFunction(`performance.getEntriesByName("forewatch:painted").length > 0`);
    });
    await page.getByRole("button", { name: "all", exact: true }).click();
    await page.waitForTimeout(300);
    // Two thirds of them in view, so that there is somewhere to pan to.
    await page.keyboard.press("+");
    await page.waitForTimeout(400);
    let pan = { work: [] as number[], moved: false };
    const thread = await threadTime(page, async () => {
      pan = (await page.evaluate(PAN)) as typeof pan;
    });
    if (!pan.moved) throw new Error("The drag did not pan the chart: nothing was measured.");
    const sorted = pan.work.toSorted((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
    const slow = sorted[Math.floor(sorted.length * 0.95)] ?? 0;
    return [
      row(`forecast page, first paint of ${COUNT} windows`, paint.wall, "ms", 100),
      row(`forecast page, first paint of ${COUNT} windows, CPU`, paint.thread, "ms", 100),
      row("forecast page, work of a pan's frame over 66,000 windows, median", middle, "ms", 16.7),
      row("forecast page, work of a pan's frame over 66,000 windows, 95%", slow, "ms", 16.7),
      row("forecast page, a pan's frame over 66,000 windows, CPU of all of it", thread / PAN_FRAMES, "ms", 16.7),
    ];
  } finally {
    await close();
  }
}

/** The same first paint and the same pan in plain Chart.js. */
async function benchPeer(browser: Browser): Promise<BenchRow[]> {
  const { outputFiles } = await build({
    entryPoints: ["test/bench/pages/peer.ts"],
    ...{ bundle: true, minify: true, write: false, format: "iife", globalName: "peer", target: "chrome128" },
  });
  const { points } = longChart(WINDOWS);
  const columns: PeerColumns = {
    start: points.map((p) => p.start),
    actual: points.map((p) => p.actual),
    median: points.map((p) => p.median),
    lower: points.map((p) => p.lower),
    upper: points.map((p) => p.upper),
  };
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  try {
    await page.setContent(`<div style="position: absolute; inset: 80px 0 100px 220px"><canvas></canvas></div>`);
    await page.addScriptTag({ content: outputFiles[0]!.text });
    await page.evaluate(`peer.load(${JSON.stringify(columns)})`);
    const [first, last] = [columns.start[0]!, columns.start.at(-1)!];
    const week = 7 * 86_400_000;
    const paint = await between(browser, page, ["peer:received", "peer:painted"], async () => {
      await page.evaluate(`peer.show(document.querySelector("canvas"), ${last - week}, ${last})`);
      await page.waitForFunction(`performance.getEntriesByName("peer:painted").length > 0`);
    });
    const from = first + (last - first) / 3;
    const thread = await threadTime(page, () => page.evaluate(`peer.pan(${from}, ${last}, ${PAN_FRAMES})`));
    return [
      { name: `plain Chart.js, first paint of ${COUNT} windows, CPU`, value: round(paint.thread), unit: "ms" },
      { name: "plain Chart.js, a pan's frame over 66,000 windows, CPU", value: round(thread / PAN_FRAMES), unit: "ms" },
    ];
  } finally {
    await page.close();
  }
}

/** A drag over the chart by a pointer event a frame; `work` is the time from the event until the frame is drawn. */
const PAN = `(async () => {
  const canvas = document.querySelector(".series-chart canvas");
  const box = canvas.getBoundingClientRect();
  const y = box.top + box.height / 2;
  const fire = (type, x, buttons) => canvas.dispatchEvent(new PointerEvent(type, {
    clientX: x, clientY: y, buttons, button: 0, pointerId: 1, pointerType: "mouse", isPrimary: true, bubbles: true, cancelable: true }));
  const frame = () => new Promise(requestAnimationFrame);
  const work = [];
  const label = canvas.getAttribute("aria-label");
  let x = box.left + box.width / 2;
  fire("pointerdown", x, 1);
  await frame();
  for (let i = 0; i < ${PAN_FRAMES}; i++) {
    x += i < ${PAN_FRAMES} * 0.6 ? 4 : -4;
    const began = performance.now();
    fire("pointermove", x, 1);
    canvas.getContext("2d").getImageData(0, 0, 1, 1);
    work.push(performance.now() - began);
    await frame();
  }
  fire("pointerup", x, 0);
  // The label says where the chart rests.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const moved = canvas.getAttribute("aria-label") !== label;
  return { work, moved };
})()`;

/** Ms from a jump to the middle of the grid until the frame in which its rows stand there. */
const JUMP = `(async () => {
  const began = performance.now();
  document.querySelector(".grid").scrollTop = 7500000;
  const there = () => {
    const rows = [...document.querySelectorAll(".grid [role=rowheader]")];
    return rows.some((row) => /^(49|50)\\d,\\d{3}$/.test(row.textContent)) && !document.querySelector(".grid-cell .skeleton");
  };
  while (!there()) await new Promise(requestAnimationFrame);
  return performance.now() - began;
})()`;

async function benchResults(browser: Browser, bundles: ReadonlyMap<PageName, Bundle>): Promise<BenchRow[]> {
  const { page, close } = await showPage({
    browser,
    bundles,
    name: "results",
    handlers: resultsHost({ rowCount: 1_000_000 }),
  });
  try {
    await page.getByRole("gridcell").first().waitFor();
    // The rows come by way of the browser's driver, which takes longer for them than VS Code does: only the page's own work counts.
    let jump = 0;
    const work = await threadTime(page, async () => {
      jump = (await page.evaluate(JUMP)) as number;
    });
    const frames = (await page.evaluate(`(async () => {
      const grid = document.querySelector(".grid");
      const frame = () => new Promise(requestAnimationFrame);
      const out = []; let last = await frame();
      for (let i = 0; i < 120; i++) { grid.scrollTop += 90; const now = await frame(); out.push(now - last); last = now; }
      return out;
    })()`)) as number[];
    const sorted = frames.sort((a, b) => a - b);
    const rows = (await page.evaluate(`document.querySelectorAll(".grid-row").length`)) as number;
    return [
      row("results page, jump to the middle of 1,000,000 rows until they are there, CPU", work, "ms", 200),
      { name: "results page, the same jump with the driver's time", value: round(jump), unit: "ms" },
      row("results page, frame while scrolling, median", sorted[60] ?? 0, "ms", 17),
      row("results page, rows in the document", rows, "", 100),
    ];
  } finally {
    await close();
  }
}
