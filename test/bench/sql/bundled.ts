import { join } from "node:path";
import { build } from "esbuild";

/** The repository: the bench is bundled into one file, which counts as standing in test/bench. */
export const ROOT = join(import.meta.dirname, "../..");

/** Bundles a part of the extension whose packages Node cannot load by themselves: the grammar's have no endings in their paths. */
export async function bundled(source: string, name: string): Promise<string> {
  const outfile = join(ROOT, "node_modules/.cache/forewatch-bench", name);
  await build({
    entryPoints: [join(ROOT, source)],
    outfile,
    bundle: true,
    minify: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    logLevel: "error",
  });
  return outfile;
}
