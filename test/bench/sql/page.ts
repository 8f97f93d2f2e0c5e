/** What the results page costs: from the host's message to the cells that are drawn, and what a million rows leave in its memory. */
import type { Page } from "playwright-core";
import type { RunInfo } from "../../../src/rpc/page.ts";
import { bundlePages, showPage } from "../../e2e/pages/browser.ts";
import { resultsHost } from "../../e2e/pages/runs.ts";
import { launchBrowser } from "../../support/host/index.mjs";
import type { BenchRow } from "../endpoint.ts";
import { row } from "./rows.ts";

const ROWS = 1_000_000;
/** Places that the grid is scrolled to, from its beginning to its end. */
const STOPS = 120;
/** What the page may hold more after scrolling through all rows than before, MB. */
const HELD = 20;

/** @param one the time of SELECT 1 up to the message with its row, ms */
export async function benchPage(one: number): Promise<BenchRow[]> {
  const bundles = await bundlePages();
  const browser = await launchBrowser();
  try {
    const handlers = resultsHost({ rowCount: ROWS });
    const { page, host, close } = await showPage({ browser, bundles, name: "results", handlers });
    try {
      await page.getByRole("gridcell").first().waitFor();
      const shown = async (id: string, rowCount: number): Promise<number> => {
        host.tell("run", { ...begun(id), state: "running", elapsed: 0 });
        await page.getByText(/^Running/).waitFor();
        const waiting = drawn(page, id);
        await page.evaluate("0");
        host.tell("run", ended(id, rowCount));
        return waiting;
      };
      let single = Number.POSITIVE_INFINITY;
      let million = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 5; i++) {
        single = Math.min(single, await shown(`one-${i}`, 1));
        million = Math.min(million, await shown(`million-${i}`, ROWS));
      }
      const held = await heldAfterScrolling(page);
      return [
        {
          ...row("SELECT 1, from the click to its row", one + single, 50),
          value: `${(one + single).toFixed(1)} ms (${one.toFixed(1)} to the engine and back, ${single.toFixed(1)} in the page)`,
        },
        row("First screen of a million rows in the page", million, 200),
        {
          name: `Memory that ${STOPS} places in a million rows leave in the page`,
          value: `${held.toFixed(1)} MB`,
          target: `<= ${HELD} MB`,
          ok: held <= HELD,
        },
      ];
    } finally {
      await close();
    }
  } finally {
    await browser.close();
  }
}

function begun(text: string) {
  return { run: text, title: text, sql: "SELECT 1", startedAt: 5_000 };
}

/** A run that succeeded with `text` in each row. A run that has rows shows them: only its end may carry them. */
function ended(text: string, rowCount: number): RunInfo {
  return {
    ...begun(text),
    state: "succeeded",
    elapsed: 1,
    result: {
      query: text,
      columns: [{ name: "x", type: "varchar" }],
      rows: Array.from({ length: Math.min(200, rowCount) }, () => [text]),
      rowCount,
      bytesScanned: null,
    },
  };
}

/** The time from a message's arrival in the page to the frame after the cell with `text` is there, by the page's clock. */
function drawn(page: Page, text: string): Promise<number> {
  return page.evaluate(`new Promise((resolve) => {
    let begun;
    addEventListener("message", () => { begun ??= performance.now(); }, { once: true, capture: true });
    const look = () => {
      const cell = [...document.querySelectorAll(".grid-cell")].some((c) => c.textContent === ${JSON.stringify(text)});
      if (cell) requestAnimationFrame(() => resolve(performance.now() - begun));
      else setTimeout(look, 1);
    };
    look();
  })`);
}

/** Scrolls through the run with rows of many columns, and gives the growth of the page's heap, garbage collected, MB. */
async function heldAfterScrolling(page: Page): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  const heap = async () => {
    await devtools.send("HeapProfiler.collectGarbage");
    return (await devtools.send("Runtime.getHeapUsage")).usedSize / 1e6;
  };
  await page.getByRole("tab", { name: "Departures by hour and airport" }).click();
  await page.getByRole("gridcell", { name: "ATL" }).first().waitFor();
  const before = await heap();
  await page.evaluate(`(async () => {
    const grid = document.querySelector('[role="grid"]');
    for (let i = 1; i <= ${STOPS}; i++) {
      grid.scrollTop = (grid.scrollHeight * i) / ${STOPS};
      for (let wait = 0; wait < 20; wait++) {
        await new Promise(requestAnimationFrame);
        if (!document.querySelector(".grid-cell .skeleton")) break;
      }
    }
  })()`);
  return (await heap()) - before;
}
