/**
 * The one-way layering of src/: each rule lists what a folder may reach besides itself. An import that no rule allows fails
 * `npm run layers`, which also fails when it read no module at all.
 */
const inside = (folder) => `^${folder}/`;
const pkg = (...names) => names.map((n) => `(^|/)node_modules/${n}(/|$)`);
const builtin = "^(node:)?[a-z0-9_/]+$";

/** @type {Record<string, string[]>} what each layer may import, as path patterns */
const may = {
  "src/core": pkg("valibot", "jsonc-parser"),
  "src/forecaster": [inside("src/core")],
  "src/sql": [inside("src/core"), ...pkg("dt-sql-parser", "antlr4ng", "antlr4-c3", "sql-formatter")],
  "src/rpc": [inside("src/core"), "^src/backend\\.ts$", ...pkg("vscode-jsonrpc")],
  "src/engine": [
    ...["core", "forecaster", "sql", "rpc"].map((f) => inside(`src/${f}`)),
    "^src/backend\\.ts$",
    ...pkg("@duckdb", "cbor-x", "vscode-jsonrpc", "jsonc-parser", "undici"),
  ],
  "src/local": [inside("src/rpc"), inside("src/core"), "^src/backend\\.ts$", ...pkg("vscode-jsonrpc")],
  "src/aws": [
    inside("src/core"),
    ...["backend", "sql/split"].map((f) => `^src/${f}\\.ts$`),
    ...["infra/template", "infra/cost"].map(inside),
    ...pkg("@aws-sdk", "@smithy"),
  ],
  "src/cli": [
    ...["core", "rpc", "local"].map((f) => inside(`src/${f}`)),
    "^src/backend\\.ts$",
    ...pkg("vega-datasets"),
  ],
  "src/ui": [
    ...["core", "rpc", "sql"].map((f) => inside(`src/${f}`)),
    "^src/backend\\.ts$",
    ...pkg("vscode", "hyparquet", "fzstd", "papaparse", "jsonc-parser"),
  ],
  webview: [
    inside("src/rpc"),
    inside("src/core"),
    ...pkg(
      "chart\\.js",
      "chartjs-[a-z-]+",
      "@vscode/webview-ui-toolkit",
      "vscode-jsonrpc",
      "marked",
      "dompurify",
      "preact",
      "@preact",
    ),
  ],
  "infra/template": [inside("src/core"), ...["infra/flink", "infra/workflow"].map(inside), "^infra/lambda/names\\.ts$"],
  "infra/flink": [inside("src/core"), "^infra/lambda/shapes\\.ts$"],
  "infra/workflow": [inside("src/core")],
  "infra/cost": [...["src/core", "infra/workflow"].map(inside), "^src/backend\\.ts$"],
  "infra/synth": [
    ...["src/core", "infra/template", "infra/flink", "infra/lambda", "infra/cost"].map(inside),
    ...pkg("esbuild", "fflate", "jsonc-parser"),
  ],
  "infra/lambda": [
    ...["src/core", "src/forecaster", "infra/workflow"].map(inside),
    ...pkg("@aws-sdk", "@smithy", "@aws-lambda-powertools"),
  ],
};
const nodeFree = [
  ...["src/core", "src/forecaster", "src/sql", "src/rpc", "webview"],
  ...["infra/template", "infra/flink", "infra/workflow", "infra/cost"],
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    { name: "not-resolvable", severity: "error", from: {}, to: { couldNotResolve: true, pathNot: "^vscode$" } },
    {
      name: "no-dev-dependency",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"], pathNot: "@types/vscode" },
    },
    ...Object.entries(may).map(([folder, allowed]) => ({
      name: `layer-${folder.replaceAll("/", "-")}`,
      severity: "error",
      from: { path: inside(folder) },
      to: {
        pathNot: [
          inside(folder),
          ...(nodeFree.includes(folder) ? [] : [builtin]),
          ...(folder === "src/ui" ? ["^vscode$"] : []),
          ...allowed,
        ],
      },
    })),
    {
      name: "layer-backend",
      severity: "error",
      from: { path: "^src/backend\\.ts$" },
      to: { pathNot: inside("src/core") },
    },
    { name: "layer-main", severity: "error", from: { path: "^src/main\\.ts$" }, to: { path: inside("src/engine") } },
    {
      name: "only-ui-sees-vscode",
      severity: "error",
      from: { path: "^(src|webview)/", pathNot: ["^src/ui/", "^src/main\\.ts$"] },
      to: { path: "^vscode$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      extensions: [".ts", ".js", ".mjs", ".cjs", ".json"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
