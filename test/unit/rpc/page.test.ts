import { MessageChannel, type MessagePort } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import type { SeriesChart } from "../../../src/backend.ts";
import { Fault } from "../../../src/core/fault.ts";
import {
  connectPage,
  type PageChannel,
  type PageHandlers,
  packChart,
  pageHtml,
  servePage,
  unpackChart,
} from "../../../src/rpc/page.ts";

const open: { dispose(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0).reverse()) each.dispose();
});

/** Two ends of a real message channel: what is posted is cloned, and lost when nobody listens yet, as in VS Code. */
function pair(): [PageChannel, PageChannel] {
  const { port1, port2 } = new MessageChannel();
  open.push({ dispose: () => port1.close() });
  return [end(port1), end(port2)];
}

function end(port: MessagePort): PageChannel {
  const listeners = new Set<(message: unknown) => void>();
  port.on("message", (message) => {
    for (const listener of [...listeners]) listener(message);
  });
  return {
    post: (message) => port.postMessage(message),
    onMessage(listener) {
      listeners.add(listener);
      return { dispose: () => void listeners.delete(listener) };
    },
  };
}

type Preview = PageHandlers<"preview">;

function handlers(over: Partial<Preview> = {}): Preview {
  const refuse = (name: string) => () => {
    throw new Fault("unexpected", `${name} was not expected`);
  };
  return {
    "page.open": () => ({
      subject: { file: "/a.pipeline.json", pipeline: "a" },
      state: null,
      settings: { timeZone: "utc", author: "Ada", target: "local" },
    }),
    "clipboard.write": () => null,
    "files.save": () => ({ saved: true }),
    "stack.preview": refuse("stack.preview"),
    "stack.deploy": refuse("stack.deploy"),
    "stack.cancel": refuse("stack.cancel"),
    "page.close": () => null,
    "files.reveal": () => null,
    ...over,
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a page and its host", () => {
  it.each(["page first", "host first"])("find each other: %s", async (order) => {
    const [pageEnd, hostEnd] = pair();
    const host = () => open.push(servePage<"preview">(hostEnd, handlers()));
    if (order === "host first") {
      host();
      await turn();
    }
    const page = connectPage<"preview">(pageEnd);
    open.push(page);
    const answer = page.request("page.open", null);
    await turn();
    if (order === "page first") host();
    expect((await answer).subject.pipeline).toBe("a");
  });

  it("pass a fault on with its code, words and next step", async () => {
    const [pageEnd, hostEnd] = pair();
    const fault = new Fault("spec.invalid", "The file has 2 errors.", { next: "Correct them.", cause: "line 3" });
    open.push(servePage<"preview">(hostEnd, handlers({ "stack.preview": () => Promise.reject(fault) })));
    const page = connectPage<"preview">(pageEnd);
    open.push(page);
    const got = await page.request("stack.preview", { file: "x" }).catch((error: unknown) => error);
    expect(got).toBeInstanceOf(Fault);
    expect((got as Fault).toData()).toEqual(fault.toData());
  });

  it("cancel a request on the host when the page aborts", async () => {
    const [pageEnd, hostEnd] = pair();
    let aborted: () => void = () => {};
    const seen = new Promise<void>((resolve) => {
      aborted = resolve;
    });
    let asked: () => void = () => {};
    const arrived = new Promise<void>((resolve) => {
      asked = resolve;
    });
    open.push(
      servePage<"preview">(
        hostEnd,
        handlers({
          "stack.preview": (_, { signal }) =>
            new Promise((_resolve, reject) => {
              asked();
              signal.addEventListener("abort", () => {
                aborted();
                reject(new Fault("cancelled", "Cancelled."));
              });
            }),
        }),
      ),
    );
    const page = connectPage<"preview">(pageEnd);
    open.push(page);
    const abort = new AbortController();
    const call = page.request("stack.preview", { file: "x" }, abort.signal).catch((error: Fault) => error.code);
    await arrived;
    abort.abort();
    await seen;
    expect(await call).toBe("cancelled");
  });

  it("keep answers to a document that is gone from its successor", async () => {
    const [pageEnd, hostEnd] = pair();
    const waiting: (() => void)[] = [];
    let aborts = 0;
    open.push(
      servePage<"preview">(
        hostEnd,
        handlers({
          "stack.preview": ({ file }, { signal }) =>
            new Promise((resolve) => {
              signal.addEventListener("abort", () => aborts++);
              waiting.push(() =>
                resolve({ target: file, plan: { pipeline: file, changes: [], lacks: [], monthlyCost: null } }),
              );
              if (file === "second") for (const answer of waiting) answer();
            }),
        }),
      ),
    );
    const first = connectPage<"preview">(pageEnd);
    let firstAnswered = false;
    first.request("stack.preview", { file: "first" }).then(
      () => {
        firstAnswered = true;
      },
      // Its document is gone, and with it whoever waits.
      () => {},
    );
    while (waiting.length === 0) await turn();
    const second = connectPage<"preview">(pageEnd);
    open.push(first, second);
    // Both documents number their requests from the same start: only the session tells the answers apart.
    expect((await second.request("stack.preview", { file: "second" })).target).toBe("second");
    await turn();
    expect(firstAnswered).toBe(false);
    expect(aborts).toBe(1);
  });

  it("tell each other in both directions, from before the page has loaded on", async () => {
    const [pageEnd, hostEnd] = pair();
    const host = servePage<"preview">(hostEnd, handlers());
    open.push(host);
    host.tell("deployment", { state: "running", message: "Creating the stream" });
    const kept = new Promise((resolve) => host.on("page.keep", resolve));
    const page = connectPage<"preview">(pageEnd);
    open.push(page);
    const told = await new Promise((resolve) => page.on("deployment", resolve));
    expect(told).toEqual({ state: "running", message: "Creating the stream" });
    const keep = { subject: { file: "f", pipeline: "p" }, state: { all: true } };
    page.tell("page.keep", keep);
    expect(await kept).toEqual(keep);
  });

  it("tell every listener of the page, and the others still when one has gone", async () => {
    const [pageEnd, hostEnd] = pair();
    const host = servePage<"incident">(hostEnd, {} as PageHandlers<"incident">);
    const page = connectPage<"incident">(pageEnd);
    open.push(host, page);
    const told: string[] = [];
    page.on("change", ({ id }) => told.push(`first ${id}`));
    const second = page.on("change", ({ id }) => told.push(`second ${id}`));
    const tell = (id: string) =>
      new Promise<void>((resolve) => {
        const heard = page.on("change", () => {
          heard.dispose();
          resolve();
        });
        host.tell("change", { noun: "incident", pipeline: "flights", id, kind: "changed" });
      });
    await tell("a");
    second.dispose();
    await tell("b");
    expect(told).toEqual(["first a", "second a", "first b"]);
  });
});

describe("a chart as columns", () => {
  const chart: SeriesChart = {
    series: "departures{origin=BOS}",
    every: 3_600_000,
    points: [
      { start: 0, actual: 12, lower: 8, median: 11, upper: 14, deviation: 0.33, late: 0 },
      { start: 3_600_000, actual: null, lower: 8, median: 0, upper: 14, deviation: null, late: 2 },
      { start: 7_200_000, actual: 0, lower: null, median: null, upper: null, deviation: null, late: 0 },
    ],
    rules: [{ name: "low", direction: "below", threshold: 1 }],
    incidents: [{ id: "i", title: "t", from: 0, until: null }],
  };
  it("comes back as it went, through a structured clone", () => {
    expect(unpackChart(structuredClone(packChart(chart)))).toEqual(chart);
  });
});

describe("the document of a page", () => {
  const html = pageHtml({
    page: "results",
    title: 'A "quoted" <title> & more',
    scriptUri: "https://webview/results.js",
    styleUri: "https://webview/results.css",
    cspSource: "https://webview",
    nonce: "n0nce",
  });
  it("allows its own script by nonce and nothing by default", () => {
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1];
    expect(policy).toBe(
      "default-src 'none'; script-src 'nonce-n0nce'; style-src https://webview 'nonce-n0nce'; img-src https://webview data:; font-src https://webview",
    );
  });
  it("carries no inline code or style and escapes what it is given", () => {
    expect(html).not.toMatch(/<script(?![^>]*src=)/);
    expect(html).not.toMatch(/\sstyle=|<style|\son\w+=/);
    expect(html).toContain("A &quot;quoted&quot; &lt;title&gt; &amp; more");
  });
});
