/** A DuckDB as the engine opens it, for the tests that run what the dialect wrote. */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { MACROS, SESSION } from "../../../src/sql/index.ts";

export async function openDatabase(setup = ""): Promise<DuckDBConnection> {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  for (const setting of SESSION) await connection.run(setting);
  await connection.run(MACROS + setup);
  return connection;
}
