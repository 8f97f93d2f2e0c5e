// npm run bench [-- NAME ...]: the figures Forewatch promises, as ratios or times of one run on this machine, in a table.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuild, ensureDependencies, root } from "./setup.mjs";

await ensureDependencies();
await ensureBuild();
const { build } = await import("esbuild");
const folder = join(root, "test", "bench");
const names = readdirSync(folder)
  .filter((f) => f.endsWith(".ts"))
  .map((f) => f.slice(0, -3));
const asked = process.argv.slice(2);
const out = join(root, "node_modules", ".cache", "forewatch-bench");
mkdirSync(out, { recursive: true });
let missed = 0;
for (const name of names.filter((n) => asked.length === 0 || asked.includes(n))) {
  const outfile = join(out, `${name}.mjs`);
  await build({
    entryPoints: [join(folder, `${name}.ts`)],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
    define: { "import.meta.dirname": JSON.stringify(folder) },
  });
  const module = await import(pathToFileURL(outfile).href);
  const bench = Object.entries(module).find(
    ([key, value]) => key.startsWith("bench") && typeof value === "function",
  )?.[1];
  if (!bench) continue;
  console.log(`\n${name}`);
  const { rows } = await bench();
  const width = Math.max(...rows.map((r) => r.name.length));
  for (const r of rows) {
    const verdict = r.ok === undefined ? "" : r.ok ? "  ok" : "  MISSED";
    console.log(`  ${r.name.padEnd(width)}  ${r.value}${r.target ? `  (target ${r.target})` : ""}${verdict}`);
    if (r.ok === false) missed++;
  }
}
if (!existsSync(folder)) process.exit(2);
console.log(missed === 0 ? "\nEvery target met." : `\n${missed} target${missed === 1 ? "" : "s"} missed.`);
process.exit(0);
