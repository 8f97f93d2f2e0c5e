/** The sample, headless, from nothing to the end of 11 March: the whole pipeline's time. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BenchRow } from "./endpoint.ts";

export async function benchSample(): Promise<{ rows: BenchRow[] }> {
  const cli = join(import.meta.dirname, "../../dist/cli.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [cli, "--headless", "--json"], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const summary = JSON.parse(stdout) as { seconds: number; counts: { records: number } };
  return {
    rows: [
      {
        name: "Sample, headless, to the end of 11 March",
        value: `${summary.seconds.toFixed(1)} s`,
        target: "30 s",
        ok: summary.seconds <= 30,
      },
      {
        name: "Records through all seven steps",
        value: `${Math.round(summary.counts.records / summary.seconds).toLocaleString("en-US")}/s`,
      },
    ],
  };
}
