// Checks the layering of src/, webview/ and infra/lambda with dependency-cruiser; reading no module is a failure too.
import { existsSync } from "node:fs";
import { cruise } from "dependency-cruiser";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";
import config from "../.dependency-cruiser.cjs";

const roots =
  process.argv.slice(2).length > 0 ? process.argv.slice(2) : ["src", "webview", "infra"].filter((d) => existsSync(d));
const { output } = await cruise(
  roots,
  { ...config.options, ruleSet: { forbidden: config.forbidden }, validate: true, outputType: "json" },
  undefined,
  { tsConfig: extractTSConfig("tsconfig.json") },
);
const { modules, summary } = typeof output === "string" ? JSON.parse(output) : output;
const own = modules.filter(
  (m) => /\.(ts|mjs|js)$/.test(m.source) && !m.source.includes("node_modules") && !m.coreModule,
);
for (const v of summary.violations) console.error(`${v.rule.severity} ${v.rule.name}: ${v.from} -> ${v.to}`);
if (own.length === 0) {
  console.error("layers: no module was read, so nothing was checked");
  process.exit(2);
}
const errors = summary.violations.filter((v) => v.rule.severity === "error").length;
console.log(`layers: ${own.length} modules read, ${errors} violations`);
process.exit(errors > 0 ? 1 : 0);
