// ../../tmp/prof2.ts
import { launchBrowser } from "/work/main/test/support/host/browser.mjs";

// test/e2e/pages/browser.ts
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

// src/rpc/channel.ts
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  CancellationTokenSource,
  createMessageConnection,
  ResponseError
} from "vscode-jsonrpc";

// src/core/fault.ts
var Fault = class _Fault extends Error {
  code;
  next;
  at;
  constructor(code, message, details = {}) {
    super(message, details.cause === void 0 ? void 0 : { cause: details.cause });
    this.name = "Fault";
    this.code = code;
    this.next = details.next;
    this.at = details.at;
  }
  /** This fault as plain data; the cause is flattened to its text. */
  toData() {
    const cause = this.cause === void 0 ? void 0 : causeText(this.cause);
    return {
      code: this.code,
      message: this.message,
      ...this.next !== void 0 && { next: this.next },
      ...cause !== void 0 && { cause },
      ...this.at !== void 0 && { at: this.at }
    };
  }
  /** The fault that `error` is, or wraps: data that crossed a transport, a Fault, or anything thrown. */
  static from(error) {
    if (error instanceof _Fault) return error;
    if (isFaultData(error)) {
      const { code, message, next, cause, at } = error;
      return new _Fault(code, message, {
        ...next !== void 0 && { next },
        ...cause !== void 0 && { cause },
        ...at !== void 0 && { at }
      });
    }
    return new _Fault("unexpected", causeText(error), { cause: error });
  }
};
function causeText(error) {
  if (error instanceof Error) return error.message || error.name;
  if (typeof error === "string") return error;
  try {
    return JSON.stringify(error) ?? String(error);
  } catch {
    return Object.prototype.toString.call(error);
  }
}
function isFaultData(value) {
  return typeof value === "object" && value !== null && !(value instanceof Error) && typeof value.code === "string" && typeof value.message === "string";
}

// src/rpc/channel.ts
var FAULT_CODE = -32e3;
function createPageConnection(channel, session) {
  const reader = new SessionReader();
  const writer = new SessionWriter((message) => channel.post({ forewatch: "message", session, message }));
  const rpc = createMessageConnection(reader, writer);
  return {
    rpc,
    open: () => writer.open(),
    receive: (message) => reader.receive(message),
    dispose() {
      rpc.end();
      rpc.dispose();
    }
  };
}
function servePage(channel, handlers) {
  const answers = Object.entries(handlers);
  const listeners = /* @__PURE__ */ new Set();
  const early = [];
  let current;
  function begin(session) {
    end();
    const connection = createPageConnection(channel, session);
    const abort = new AbortController();
    for (const [method, answer] of answers) {
      connection.rpc.onRequest(method, async ({ params }, token) => {
        const call = new AbortController();
        token.onCancellationRequested(() => call.abort());
        try {
          return await answer(params, { signal: AbortSignal.any([call.signal, abort.signal]) }) ?? null;
        } catch (error) {
          const data2 = Fault.from(error).toData();
          throw new ResponseError(FAULT_CODE, data2.message, data2);
        }
      });
    }
    connection.rpc.onNotification((method, args) => {
      const { params } = args;
      for (const each of [...listeners]) if (each.method === method) each.listener(params);
    });
    connection.rpc.listen();
    current = { session, connection, abort };
    channel.post({ forewatch: "ready", session });
    connection.open();
    for (const { method, params } of early.splice(0)) void connection.rpc.sendNotification(method, { params });
  }
  function end() {
    current?.abort.abort();
    current?.connection.dispose();
    current = void 0;
  }
  const subscription = channel.onMessage((raw) => {
    const envelope = asEnvelope(raw);
    if (envelope?.forewatch === "hello") {
      if (envelope.session === current?.session)
        channel.post({ forewatch: "ready", session: envelope.session });
      else begin(envelope.session);
    } else if (envelope?.forewatch === "message" && envelope.session === current?.session)
      current.connection.receive(envelope.message);
  });
  channel.post({ forewatch: "seek" });
  return {
    tell(method, params) {
      if (current) void current.connection.rpc.sendNotification(method, { params });
      else early.push({ method, params });
    },
    on(method, listener) {
      const entry = { method, listener };
      listeners.add(entry);
      return { dispose: () => void listeners.delete(entry) };
    },
    dispose() {
      subscription.dispose();
      end();
    }
  };
}
function asEnvelope(raw) {
  return typeof raw === "object" && raw !== null && "forewatch" in raw ? raw : void 0;
}
var SessionReader = class extends AbstractMessageReader {
  callback;
  early = [];
  listen(callback) {
    this.callback = callback;
    for (const message of this.early.splice(0)) callback(message);
    return { dispose: () => this.forget() };
  }
  forget() {
    this.callback = void 0;
  }
  receive(message) {
    if (this.callback) this.callback(message);
    else this.early.push(message);
  }
};
var SessionWriter = class extends AbstractMessageWriter {
  post;
  queue = [];
  constructor(post) {
    super();
    this.post = post;
  }
  async write(message) {
    if (this.queue) this.queue.push(message);
    else this.post(message);
  }
  open() {
    const waiting = this.queue ?? [];
    this.queue = void 0;
    for (const message of waiting) this.post(message);
  }
  end() {
    this.queue = [];
  }
};

// src/rpc/columns.ts
var VALUES = ["actual", "lower", "median", "upper", "deviation"];
function packChart(chart2) {
  const { points, ...head } = chart2;
  const column = (of) => Float64Array.from(points, (point) => of(point) ?? Number.NaN);
  const values = Object.fromEntries(VALUES.map((name) => [name, column((p) => p[name])]));
  return {
    ...head,
    start: column((p) => p.start),
    late: column((p) => p.late),
    ...values
  };
}

// src/rpc/protocol.ts
var PAGES = ["forecast", "incident", "results", "preview"];

// src/rpc/shell.ts
function pageHtml({ page, title, scriptUri, styleUri, cspSource, nonce }) {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource} 'nonce-${nonce}'`,
    `img-src ${cspSource} data:`,
    `font-src ${cspSource}`
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${attribute(policy)}">
<meta property="csp-nonce" content="${attribute(nonce)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${attribute(title)}</title>
<link rel="stylesheet" href="${attribute(styleUri)}">
</head>
<body data-page="${page}">
<main id="page" aria-busy="true"></main>
<script nonce="${attribute(nonce)}" src="${attribute(scriptUri)}"></script>
</body>
</html>
`;
}
var ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
function attribute(text) {
  return text.replace(/[&<>"]/g, (c) => ENTITIES[c]);
}

// test/e2e/pages/themes.ts
var FONTS = {
  "font-family": '"Segoe UI", Ubuntu, "DejaVu Sans", sans-serif',
  "font-size": "13px",
  "font-weight": "normal",
  "editor-font-family": '"Droid Sans Mono", "DejaVu Sans Mono", monospace',
  "editor-font-size": "14px",
  "editor-font-weight": "normal"
};
var CHARTS_DARK = {
  "charts-foreground": "#cccccc",
  "charts-lines": "rgba(204, 204, 204, 0.5)",
  "charts-red": "#f14c4c",
  "charts-blue": "#3794ff",
  "charts-yellow": "#cca700",
  "charts-orange": "#d18616",
  "charts-green": "#89d185",
  "charts-purple": "#b180d7"
};
var THEMES = {
  dark: {
    body: "vscode-dark",
    colors: {
      ...FONTS,
      ...CHARTS_DARK,
      foreground: "#cccccc",
      descriptionForeground: "#9d9d9d",
      errorForeground: "#f85149",
      focusBorder: "#0078d4",
      "editor-background": "#1f1f1f",
      "editor-foreground": "#cccccc",
      "widget-shadow": "rgba(0, 0, 0, 0.36)",
      "button-background": "#0078d4",
      "button-foreground": "#ffffff",
      "button-hoverBackground": "#026ec1",
      "button-border": "rgba(255, 255, 255, 0.07)",
      "button-secondaryBackground": "#313131",
      "button-secondaryForeground": "#cccccc",
      "button-secondaryHoverBackground": "#3c3c3c",
      "input-background": "#313131",
      "input-foreground": "#cccccc",
      "input-border": "#3c3c3c",
      "input-placeholderForeground": "#989898",
      "settings-textInputBackground": "#313131",
      "settings-textInputBorder": "#3c3c3c",
      "dropdown-background": "#313131",
      "dropdown-foreground": "#cccccc",
      "dropdown-border": "#3c3c3c",
      "checkbox-background": "#313131",
      "checkbox-foreground": "#cccccc",
      "checkbox-border": "#3c3c3c",
      "list-activeSelectionBackground": "#04395e",
      "list-activeSelectionForeground": "#ffffff",
      "list-hoverBackground": "#2a2d2e",
      "menu-background": "#1f1f1f",
      "menu-foreground": "#cccccc",
      "menu-border": "#454545",
      "menu-selectionBackground": "#0078d4",
      "menu-selectionForeground": "#ffffff",
      "editorHoverWidget-background": "#202020",
      "editorHoverWidget-border": "#454545",
      "textLink-foreground": "#4daafc",
      "textLink-activeForeground": "#4daafc",
      "textCodeBlock-background": "#2b2b2b",
      "textPreformat-foreground": "#d0d0d0",
      "textBlockQuote-border": "#616161",
      "progressBar-background": "#0078d4",
      "icon-foreground": "#cccccc",
      "panel-border": "#2b2b2b",
      "toolbar-hoverBackground": "rgba(90, 93, 94, 0.31)",
      "scrollbarSlider-background": "rgba(121, 121, 121, 0.4)"
    }
  },
  light: {
    body: "vscode-light",
    colors: {
      ...FONTS,
      foreground: "#3b3b3b",
      descriptionForeground: "#3b3b3b",
      errorForeground: "#c72e0f",
      focusBorder: "#005fb8",
      "editor-background": "#ffffff",
      "editor-foreground": "#3b3b3b",
      "widget-shadow": "rgba(0, 0, 0, 0.16)",
      "charts-foreground": "#3b3b3b",
      "charts-lines": "rgba(59, 59, 59, 0.5)",
      "charts-red": "#e51400",
      "charts-blue": "#1a85ff",
      "charts-yellow": "#bf8803",
      "charts-orange": "#d18616",
      "charts-green": "#388a34",
      "charts-purple": "#652d90",
      "button-background": "#005fb8",
      "button-foreground": "#ffffff",
      "button-hoverBackground": "#0258a8",
      "button-border": "rgba(0, 0, 0, 0.1)",
      "button-secondaryBackground": "#e5e5e5",
      "button-secondaryForeground": "#3b3b3b",
      "button-secondaryHoverBackground": "#cccccc",
      "input-background": "#ffffff",
      "input-foreground": "#3b3b3b",
      "input-border": "#cecece",
      "input-placeholderForeground": "#767676",
      "settings-textInputBackground": "#ffffff",
      "settings-textInputBorder": "#cecece",
      "dropdown-background": "#ffffff",
      "dropdown-foreground": "#3b3b3b",
      "dropdown-border": "#cecece",
      "checkbox-background": "#f8f8f8",
      "checkbox-foreground": "#3b3b3b",
      "checkbox-border": "#cecece",
      "list-activeSelectionBackground": "#e8e8e8",
      "list-activeSelectionForeground": "#000000",
      "list-hoverBackground": "#f2f2f2",
      "menu-background": "#ffffff",
      "menu-foreground": "#3b3b3b",
      "menu-border": "#cecece",
      "menu-selectionBackground": "#005fb8",
      "menu-selectionForeground": "#ffffff",
      "editorHoverWidget-background": "#f8f8f8",
      "editorHoverWidget-border": "#c8c8c8",
      "textLink-foreground": "#005fb8",
      "textLink-activeForeground": "#005fb8",
      "textCodeBlock-background": "#f8f8f8",
      "textPreformat-foreground": "#3b3b3b",
      "textBlockQuote-border": "#e5e5e5",
      "progressBar-background": "#005fb8",
      "icon-foreground": "#3b3b3b",
      "panel-border": "#e5e5e5",
      "toolbar-hoverBackground": "rgba(184, 184, 184, 0.31)",
      "scrollbarSlider-background": "rgba(100, 100, 100, 0.4)"
    }
  },
  contrast: {
    body: "vscode-high-contrast",
    colors: {
      ...FONTS,
      ...CHARTS_DARK,
      foreground: "#ffffff",
      descriptionForeground: "rgba(255, 255, 255, 0.7)",
      errorForeground: "#f48771",
      focusBorder: "#f38518",
      contrastBorder: "#6fc3df",
      contrastActiveBorder: "#f38518",
      "editor-background": "#000000",
      "editor-foreground": "#ffffff",
      "button-foreground": "#ffffff",
      "button-border": "#6fc3df",
      "button-secondaryForeground": "#ffffff",
      "input-background": "#000000",
      "input-foreground": "#ffffff",
      "input-border": "#6fc3df",
      "input-placeholderForeground": "rgba(255, 255, 255, 0.7)",
      "settings-textInputBackground": "#000000",
      "dropdown-background": "#000000",
      "dropdown-foreground": "#ffffff",
      "dropdown-border": "#6fc3df",
      "checkbox-background": "#000000",
      "checkbox-foreground": "#ffffff",
      "checkbox-border": "#6fc3df",
      "menu-background": "#000000",
      "menu-foreground": "#ffffff",
      "menu-border": "#6fc3df",
      "menu-selectionBorder": "#f38518",
      "editorHoverWidget-background": "#0c141f",
      "editorHoverWidget-border": "#6fc3df",
      "textLink-foreground": "#21a6ff",
      "textLink-activeForeground": "#21a6ff",
      "textCodeBlock-background": "#000000",
      "textPreformat-foreground": "#ffffff",
      "textBlockQuote-border": "#ffffff",
      "progressBar-background": "#6fc3df",
      "icon-foreground": "#ffffff",
      "panel-border": "#6fc3df",
      "scrollbarSlider-background": "rgba(111, 195, 223, 0.6)"
    }
  }
};
function themeCss(name) {
  const variables = Object.entries(THEMES[name].colors).map(([key, value]) => `--vscode-${key}: ${value};`);
  return `:root { ${variables.join(" ")} }
html { scrollbar-color: var(--vscode-scrollbarSlider-background) var(--vscode-editor-background); }
body { background-color: transparent; color: var(--vscode-editor-foreground); font-family: var(--vscode-font-family);
  font-size: var(--vscode-font-size); margin: 0; padding: 0 20px; overscroll-behavior-x: none; }
img, video { max-width: 100%; max-height: 100%; }
a { color: var(--vscode-textLink-foreground); }
code { color: var(--vscode-textPreformat-foreground); }
`;
}

// test/e2e/pages/browser.ts
var ROOT = fileURLToPath(new URL("../../../", import.meta.url));
var ORIGIN = "http://localhost:7";
var NONCE = "c2VjcmV0LW9mLXRoZS10ZXN0";
async function bundlePages() {
  const built = await build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(PAGES.map((page) => [page, `webview/${page}/main.ts`])),
    outdir: "dist/webview",
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "chrome128",
    logLevel: "error"
  });
  const text = (name) => built.outputFiles.find((file) => file.path.endsWith(`/${name}`))?.text ?? "";
  return new Map(PAGES.map((page) => [page, { script: text(`${page}.js`), style: text(`${page}.css`) }]));
}
async function showPage(options) {
  const { browser: browser2, bundles: bundles2, name, handlers, theme = "dark", size = { width: 1280, height: 800 } } = options;
  const context = await browser2.newContext({
    viewport: size,
    deviceScaleFactor: 1,
    colorScheme: theme === "light" ? "light" : "dark"
  });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" || /Content Security Policy/.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await serve(context, name, bundles2.get(name), theme);
  const channel = await channelTo(page);
  const host = servePage(channel, handlers);
  const kept = [];
  host.on("page.keep", (keep) => kept.push(keep));
  host.on("page.fault", ({ fault }) => complaints.push(`${fault.code}: ${fault.message}`));
  await page.goto(`${ORIGIN}/`);
  return {
    page,
    host,
    complaints,
    kept,
    async close() {
      host.dispose();
      await context.close();
    }
  };
}
async function serve(context, name, bundle, theme) {
  const html = pageHtml({
    page: name,
    title: name,
    scriptUri: `${ORIGIN}/page.js`,
    styleUri: `${ORIGIN}/page.css`,
    cspSource: ORIGIN,
    nonce: NONCE
  });
  const answers = {
    "/": { contentType: "text/html", body: html.replace("<body ", `<body class="${THEMES[theme].body}" `) },
    "/page.js": { contentType: "text/javascript", body: bundle.script },
    "/page.css": { contentType: "text/css", body: `${themeCss(theme)}
${bundle.style}` }
  };
  await context.route("**/*", (route) => {
    const answer = answers[new URL(route.request().url()).pathname];
    return answer ? route.fulfill(answer) : route.fulfill({ status: 404, body: "" });
  });
}
async function channelTo(page) {
  const listeners = /* @__PURE__ */ new Set();
  await page.exposeBinding("postToHost", (_source, message) => {
    for (const listener of [...listeners]) listener(message);
  });
  await page.addInitScript(
    "globalThis.acquireVsCodeApi = () => ({ postMessage: (m) => void postToHost(m), setState() {}, getState() {} });"
  );
  let last = Promise.resolve();
  return {
    post(message) {
      const send = () => page.evaluate((m2) => globalThis.postMessage(m2), message);
      last = last.then(send, send).catch(() => void 0);
    },
    onMessage(listener) {
      listeners.add(listener);
      return { dispose: () => void listeners.delete(listener) };
    }
  };
}

// test/e2e/pages/flights.ts
import { DuckDBInstance } from "@duckdb/node-api";
var HOUR = 36e5;
var WEEK = 168 * HOUR;
var NEWEST = Date.UTC(2001, 2, 6, 18);
var HORIZON = 48 * HOUR;
var STORM = { from: Date.UTC(2001, 2, 5, 6), opened: Date.UTC(2001, 2, 5, 9) };
function longChart(count) {
  let seed = 42;
  const noise = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648 - 0.5;
  };
  const every = 6e4;
  const from = Date.UTC(2001, 0, 1);
  const points = Array.from({ length: count }, (_, i) => {
    const median = 400 + 180 * Math.sin(i / 1440 * 2 * Math.PI) + 60 * Math.sin(i / 10080 * 2 * Math.PI);
    const spike = i % 25013 === 12345 ? 900 : 0;
    const gap = i % 2e4 < 40;
    const actual = gap ? null : Math.max(0, median + noise() * 90 + spike);
    const deviation = actual === null ? null : (actual - median) / 70;
    return { start: from + i * every, actual, lower: median - 70, median, upper: median + 70, deviation, late: 0 };
  });
  const rules = [{ name: "high", direction: "above", threshold: 2 }];
  return { series: "requests{site=main}", every, points, rules, incidents: [] };
}

// test/e2e/pages/hosts.ts
var SETTINGS = { timeZone: "utc", author: "Ada", target: "local" };
var LOST = new Fault("engine.unreachable", "The engine does not answer.", {
  next: "It restarts by itself; try again in a moment.",
  cause: "connect ECONNREFUSED 127.0.0.1:41873"
});
var never = () => new Promise(() => {
});
function moody(mood, full, empty) {
  if (mood === "loading") return never();
  if (mood === "failing") throw LOST;
  return mood === "empty" ? empty : full();
}
function slice(chart2, from = 0, until = Number.POSITIVE_INFINITY) {
  return { ...chart2, points: chart2.points.filter((point) => point.start >= from && point.start < until) };
}
function forecastHost(data2, { mood = "full", log = [], series = "departures{origin=BOS}" } = {}) {
  const note = (method) => (params) => {
    log.push({ method, params });
    return null;
  };
  return {
    "page.open": () => ({ subject: { pipeline: "flights", series }, state: null, settings: SETTINGS }),
    "clipboard.write": note("clipboard.write"),
    "files.save": (params) => {
      log.push({ method: "files.save", params });
      return { saved: true };
    },
    "forecasts.series": () => moody(mood, () => data2.series, []),
    "forecasts.chart": (request) => {
      log.push({ method: "forecasts.chart", params: request });
      const chart2 = data2.charts.get(request.series);
      if (!chart2) throw new Fault("forecast.not-found", `There is no series ${request.series}.`);
      return packChart(slice(chart2, request.from, request.until));
    },
    "forecasts.train": note("forecasts.train"),
    "incidents.open": note("incidents.open"),
    "incidents.declare": note("incidents.declare")
  };
}

// ../../tmp/prof2.ts
var chart = longChart(1e5);
var data = { charts: /* @__PURE__ */ new Map([[chart.series, chart]]), series: [{ id: chart.series, measure: "requests", by: { site: "main" }, last: null, method: null, reason: null }] };
var bundles = await bundlePages();
var browser = await launchBrowser({ executablePath: "/usr/bin/chromium" });
var s = await showPage({ browser, bundles, name: "forecast", handlers: forecastHost(data, { series: chart.series }) });
await s.page.getByRole("img", { name: /actual against forecast/ }).waitFor();
await s.page.getByRole("button", { name: "all", exact: true }).click();
await s.page.keyboard.press("+");
await s.page.waitForTimeout(800);
var cdp = await s.page.context().newCDPSession(s.page);
await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
var m = async () => Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map((x) => [x.name, x.value]));
for (const read of [false, true]) {
  const a = await m();
  await s.page.evaluate(`(async()=>{const c=document.querySelector(".series-chart canvas");const b=c.getBoundingClientRect();const y=b.top+b.height/2;let x=b.left+b.width/2;
const fire=(t,x,n)=>c.dispatchEvent(new PointerEvent(t,{clientX:x,clientY:y,buttons:n,button:0,pointerId:1,pointerType:"mouse",isPrimary:true,bubbles:true,cancelable:true}));
fire("pointerdown",x,1);for(let i=0;i<60;i++){x+=i<30?4:-4;fire("pointermove",x,1);${read ? 'c.getContext("2d").getImageData(0,0,1,1);' : ""}await new Promise(requestAnimationFrame);}fire("pointerup",x,0);})()`);
  const z = await m();
  console.log("read", read, ["TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"].map((k) => k + " " + ((z[k] - a[k]) * 1e3 / 60).toFixed(1)).join(", "), "ms a frame, CPU of the main thread");
}
console.log(await s.page.evaluate(`(()=>{const c=document.querySelector(".series-chart canvas");return c.width+"x"+c.height})()`));
await browser.close();
process.exit(0);
