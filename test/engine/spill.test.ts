import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { queryFailure } from "../../src/engine/query-fault.ts";
import { materialize, Results } from "../../src/engine/query-results.ts";
import { Store } from "../../src/engine/store.ts";
import { MACROS, rewriteForDuckDB, SESSION } from "../../src/sql/index.ts";
import { dataFolder } from "../support/engine.ts";

/** Some 190 MB that no packing makes smaller. */
const LARGE = `SELECT to_hex(md5(to_utf8(CAST(x * 1000 + y AS varchar)))) AS a, to_hex(md5(to_utf8(CAST(y * 3000 + x AS varchar)))) AS b
FROM UNNEST(sequence(1, 3000)) AS s(x) CROSS JOIN UNNEST(sequence(1, 1000)) AS t(y)`;

it("a result larger than results may take on disk says so, and leaves nothing behind", {
  timeout: 240_000,
}, async () => {
  const folder = dataFolder();
  mkdirSync(folder, { recursive: true });
  const store = await Store.open(join(folder, "store.duckdb"));
  onTestFinished(() => store.close());
  const results = new Results(store, 20e6);
  const table = await results.tableOf("large");
  const connection = await store.connect();
  onTestFinished(() => connection.closeSync());
  await connection.run(`${SESSION.join("; ")}; ${MACROS}`);
  await connection.run("SET GLOBAL memory_limit = '100MB'; SET errors_as_json = true");
  const error = await materialize(connection, rewriteForDuckDB(LARGE, { catalogue: { tables: [] } }), table, 10).catch(
    (e: unknown) => e,
  );
  const { fault } = queryFailure(error);
  expect([fault.code, fault.message]).toEqual([
    "query.failed",
    "The result is larger than what the engine may keep on disk.",
  ]);
  expect(fault.next).toContain("select fewer columns");
  await results.drop(["large"]);
  const small = await results.tableOf("small");
  const { rowCount, head } = await materialize(
    connection,
    rewriteForDuckDB("SELECT 1", { catalogue: { tables: [] } }),
    small,
    10,
  );
  expect([rowCount, head]).toEqual([1, [[1]]]);
});
