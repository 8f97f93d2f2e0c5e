/** What the help while typing costs in a file of 2,000 lines: completion on the editor's thread, diagnostics in the worker. */
import type { TableInfo } from "../../../src/backend.ts";
import { complete } from "../../../src/sql/typing.ts";
import { Checker } from "../../../src/ui/queries/checker.ts";
import type { BenchRow } from "../endpoint.ts";
import { bundled } from "./bundled.ts";
import { best, row } from "./rows.ts";

/** 2,000 lines: 400 statements of five. */
const LONG = Array.from(
  { length: 400 },
  (_, i) =>
    `-- Statement ${i}\nSELECT origin,\n  date_trunc('hour', scheduled) AS hour_${i},\n  count_if(delay > ${i}) AS late\nFROM raw GROUP BY 1, 2;`,
).join("\n");

export async function benchTyping(tables: readonly TableInfo[]): Promise<BenchRow[]> {
  const catalogue = { tables };
  const middle = LONG.indexOf("SELECT origin", LONG.length / 2) + "SELECT ".length;
  const completion = await best(20, () => complete(LONG, middle, catalogue));
  const worker = await bundled("src/ui/queries/check-worker.ts", "sql-worker.cjs");
  const checker = new Checker(worker);
  try {
    checker.setCatalogue("flights", catalogue);
    const begun = performance.now();
    await checker.check("long.sql", LONG, "flights");
    const first = performance.now() - begun;
    let edit = 0;
    const change = await best(10, () =>
      checker.check("long.sql", LONG.replace("count_if(delay > 200)", `count_if(delay > 200${++edit})`), "flights"),
    );
    return [
      row("Completion in a file of 2,000 lines", completion, 30),
      row("Diagnostics of it after an edit, in the worker", change, 50),
      { name: "Diagnostics of it when it is opened, in the worker", value: `${Math.round(first)} ms` },
    ];
  } finally {
    checker.dispose();
  }
}
