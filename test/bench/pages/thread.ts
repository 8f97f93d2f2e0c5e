/** What a page's main thread does, in CPU time: however much else the machine does meanwhile, it stays the same. */
import type { Browser, Page } from "playwright-core";

/** CPU ms that `work` took of the page's main thread: scripts, style, layout and painting together. */
export async function threadTime(page: Page, work: () => Promise<unknown>): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const read = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    const found = metrics.find(({ name }) => name === "TaskDuration");
    if (!found) throw new Error("Chromium does not tell how long its tasks took.");
    return found.value * 1_000;
  };
  try {
    const before = await read();
    await work();
    return (await read()) - before;
  } finally {
    await session.detach();
  }
}

interface Span {
  /** Ms that went by. */
  readonly wall: number;
  /** CPU ms of the page's main thread. */
  readonly thread: number;
}

/** What lies between two `performance.mark`s that `work` sets. */
export async function between(
  browser: Browser,
  page: Page,
  [from, until]: readonly [string, string],
  work: () => Promise<unknown>,
): Promise<Span> {
  await browser.startTracing(page, { categories: ["blink.user_timing"] });
  await work();
  const trace = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: readonly { name: string; ts: number; tts?: number }[];
  };
  const at = (name: string) => {
    const event = trace.traceEvents.find((each) => each.name === name);
    if (event?.tts === undefined) throw new Error(`There is no mark ${name}: nothing was measured.`);
    return { ts: event.ts, tts: event.tts };
  };
  const [begin, end] = [at(from), at(until)];
  return { wall: (end.ts - begin.ts) / 1_000, thread: (end.tts - begin.tts) / 1_000 };
}
