/**
 * What SQL in the editor costs: from the click to the first row, over what DuckDB itself takes, and the help while typing in a
 * file of 2,000 lines. The best of several runs counts: what else the machine does only adds to a time.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchRow } from "./endpoint.ts";
import { benchPage } from "./sql/page.ts";
import { benchRunning } from "./sql/running.ts";
import { benchTyping } from "./sql/typing.ts";

export async function benchSql(): Promise<{ rows: BenchRow[] }> {
  const folder = mkdtempSync(join(tmpdir(), "forewatch-bench-"));
  try {
    const { rows, tables, one } = await benchRunning(folder);
    return { rows: [...(await benchPage(one)), ...rows, ...(await benchTyping(tables))] };
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}
