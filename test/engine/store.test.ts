import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { append, Store } from "../../src/engine/store.ts";
import { dataFolder } from "../support/engine.ts";

it("gives whole rows to whoever reads while a table's first row is committed", { timeout: 120_000 }, async () => {
  const folder = dataFolder();
  mkdirSync(folder, { recursive: true });
  const store = await Store.open(join(folder, "store.duckdb"));
  onTestFinished(() => store.close());
  const row = {
    reason: "time-ahead",
    detail: "2025-04-05T00:00:00Z is more than 1d ahead of the stream's clock",
    n: 300,
  };
  await store.writer.run("CREATE SCHEMA _shop");
  const found = new Set<string>();
  for (let i = 0; i < 100; i++) {
    await store.writer.run(`CREATE TABLE _shop.t${i} (reason VARCHAR, detail VARCHAR, n DOUBLE)`);
    // Sorting packs columns by the statistics that a plan is made with: a plan made before the commit must not meet its row.
    const until = async () => {
      for (;;) {
        const [first] = await store.read(
          `SELECT reason, detail, CAST(n AS BIGINT) AS n FROM _shop.t${i} ORDER BY n DESC LIMIT 5`,
        );
        if (first) return found.add(JSON.stringify(first));
      }
    };
    const readers = [until(), until()];
    await store.transaction((writer) =>
      append(writer, "shop", `t${i}`, (appender) => {
        appender.appendVarchar(row.reason);
        appender.appendVarchar(row.detail);
        appender.appendDouble(row.n);
        appender.endRow();
      }),
    );
    await Promise.all(readers);
  }
  expect([...found]).toEqual([JSON.stringify(row)]);
});
