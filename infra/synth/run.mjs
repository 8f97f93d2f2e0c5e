// npm run synth: bundles the command (it is TypeScript) and runs it.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..", "..");
// Inside the repository, where packages are found; of this process alone, because several may run at once.
const outfile = join(root, "node_modules", ".cache", "forewatch", `synth-${process.pid}.mjs`);
mkdirSync(join(outfile, ".."), { recursive: true });
let main;
try {
  await build({
    entryPoints: [join(root, "infra", "synth", "main.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outfile,
    logLevel: "warning",
  });
  ({ main } = await import(pathToFileURL(outfile).href));
} finally {
  rmSync(outfile, { force: true });
}
// npm runs its scripts in the repository's folder, and says in which one they were asked for.
const folder = process.env.npm_lifecycle_event === "synth" ? process.env.INIT_CWD : undefined;
process.exitCode = await main(process.argv.slice(2), root, folder);
