/** The sample's lake for measuring: made once by the command line, from nothing to the end of 11 March, and kept between runs. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./bundled.ts";

const PIPELINE = join(ROOT, "infra/sample/flights.pipeline.json");
const CACHE = join(ROOT, "node_modules/.cache/forewatch-bench");

/** Copies the lake into `folder`: the whole of it, or its store alone, whose views read the kept files. */
export async function copySampleLake(folder: string, part: "whole" | "store" = "whole"): Promise<void> {
  const from = await sampleLake();
  const path = part === "whole" ? ".forewatch" : join(".forewatch", "store.duckdb");
  cpSync(join(from, path), join(folder, path), { recursive: true });
}

async function sampleLake(): Promise<string> {
  // A pipeline of another shape has another lake.
  const key = createHash("sha256").update(readFileSync(PIPELINE)).digest("hex").slice(0, 12);
  const folder = join(CACHE, `lake-${key}`);
  const whole = join(folder, "whole");
  if (existsSync(whole)) return folder;
  console.log("  making the sample's lake, once ...");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const cli = join(ROOT, "dist/cli.mjs");
  const options = { maxBuffer: 64 * 1024 * 1024 };
  await promisify(execFile)(process.execPath, [cli, "--headless", "--json", "--data", folder], options);
  writeFileSync(whole, "");
  return folder;
}
