// Bundles everything into dist/: the extension, the engine with its workers, the command line and the webview pages.
// `node esbuild.config.mjs [--watch] [--dev] [--out DIR] [--inputs FILE]`; FILE lists what went into the bundles, as JSON.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build, context } from "esbuild";

const flag = { type: "boolean", default: false };
const { dev, watch, out, inputs } = parseArgs({
  options: { dev: flag, watch: flag, out: { type: "string", default: "dist" }, inputs: { type: "string" } },
}).values;
const { version } = JSON.parse(readFileSync("package.json", "utf8"));

const common = {
  bundle: true,
  minify: !dev,
  sourcemap: dev ? "linked" : false,
  legalComments: "none",
  logLevel: "warning",
  // jsonc-parser's CommonJS build loads its parts in a way that cannot be bundled; its module build can.
  mainFields: ["module", "main"],
  define: { FOREWATCH_VERSION: JSON.stringify(version) },
};

/** CommonJS dependencies inside an ES module bundle still call require. */
const requireBanner = {
  js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
};

const node = {
  ...common,
  platform: "node",
  target: "node20",
  format: "esm",
  banner: requireBanner,
  external: ["@duckdb/node-api", "@duckdb/node-bindings"],
};

const engine = {
  ...node,
  entryPoints: Object.fromEntries(
    ["main", "collect-worker", "train-worker", "replay"].map((name) => [`engine/${name}`, `src/engine/${name}.ts`]),
  ),
  outdir: out,
  outExtension: { ".js": ".mjs" },
};

const cli = { ...node, entryPoints: { cli: "src/cli/main.ts" }, outdir: out, outExtension: { ".js": ".mjs" } };

/** Parts of the extension that load when they are first needed: each a bundle of its own beside main.cjs. */
const lazyParts = {
  "sample-reader": "src/ui/wizard/sample.ts",
  "sql-typing": "src/sql/typing.ts",
  "sql-worker": "src/ui/queries/check-worker.ts",
};
const lazily = {
  name: "lazily",
  setup({ onResolve, initialOptions }) {
    for (const [name, file] of Object.entries(initialOptions.entryPoints)) {
      if (name === "main") continue;
      const ending = new RegExp(`${file.split("/").slice(-2).join("/").replaceAll(".", "\\.")}$`);
      onResolve({ filter: ending }, ({ kind }) =>
        kind === "dynamic-import" ? { path: `./${name}.cjs`, external: true } : undefined,
      );
    }
  },
};

/**
 * The editor's API as the one object that it is: for a namespace import, esbuild would make a copy of its hundreds of members
 * in each of the files that import it, which took a fifth of the time until the extension was active.
 */
const oneApi = {
  name: "one-api",
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const contents = text.replace(/^import \* as vscode from "vscode";$/m, 'const vscode = require("vscode");');
      return contents === text ? undefined : { contents, loader: "ts" };
    });
  },
};

const extension = {
  ...common,
  platform: "node",
  target: "node20",
  format: "cjs",
  entryPoints: { main: "src/main.ts", ...lazyParts },
  plugins: [lazily, oneApi],
  outdir: out,
  outExtension: { ".js": ".cjs" },
  external: ["vscode"],
};

const pages = existsSync("webview")
  ? readdirSync("webview").filter(
      (name) => existsSync(`webview/${name}/main.ts`) || existsSync(`webview/${name}/main.tsx`),
    )
  : [];
const webview = {
  ...common,
  platform: "browser",
  target: "chrome128",
  format: "iife",
  entryPoints: Object.fromEntries(
    pages.map((name) => [
      name,
      existsSync(`webview/${name}/main.tsx`) ? `webview/${name}/main.tsx` : `webview/${name}/main.ts`,
    ]),
  ),
  outdir: join(out, "webview"),
  loader: { ".ttf": "file", ".svg": "text" },
};

const bundles = [
  engine,
  ...(existsSync("src/cli/main.ts") ? [cli] : []),
  ...(existsSync("src/main.ts") ? [extension] : []),
  ...(pages.length > 0 ? [webview] : []),
];
if (watch) for (const options of bundles) await (await context(options)).watch();
else {
  const built = await Promise.all(bundles.map((options) => build({ ...options, metafile: inputs !== undefined })));
  if (inputs) writeFileSync(inputs, JSON.stringify([...new Set(built.flatMap((b) => Object.keys(b.metafile.inputs)))]));
}
