// npm run synth: bundles the command (it is TypeScript) and runs it.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..", "..");
const outfile = join(root, "node_modules", ".cache", "forewatch", "synth.mjs");
mkdirSync(join(outfile, ".."), { recursive: true });
await build({
  entryPoints: [join(root, "infra", "synth", "main.ts")],
  bundle: true,
  platform: "node",
  format: "esm",
  packages: "external",
  outfile,
  logLevel: "warning",
});
const { main } = await import(pathToFileURL(outfile).href);
process.exitCode = await main(process.argv.slice(2), root);
