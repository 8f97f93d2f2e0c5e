/**
 * The eve of the snowstorm, ready to be opened: the sample deployed, six weeks of its flights learned, and the stream read up
 * to 5 March 2001, 06:00. Made once by the engine itself, without an editor, then given to each test as it was.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PLACE = join(ROOT, "test/.artifacts/storm");
const FLIGHTS = join(ROOT, "node_modules/vega-datasets/data/flights-3m.parquet");

/** The sample's own airports are all that its series are made of; the other flights would only take time. */
const AIRPORTS = ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"];
const LEARNED = "2001-01-15 00:00:00";
const LIVE = "2001-03-01 00:00:00";
const EVE = "2001-03-05 06:00:00";
const END = "2001-03-05 14:00:00";

/** Flights from the eve until the storm has opened its incident, as a file in the workspace. */
export const STORM_FILE = "storm.parquet";

/** The folder whose pipeline stands at the storm's eve; the same path each time, as the engine knows its pipeline by it. */
export async function stormEve(): Promise<string> {
  const folder = join(PLACE, "workspace");
  const kept = join(PLACE, await recipe());
  const made = await readdir(kept).catch(() => []);
  if (made.length === 0) await make(folder, kept);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  await cp(kept, folder, { recursive: true });
  return folder;
}

/** A name that changes with whatever the data come from. */
async function recipe(): Promise<string> {
  const hash = createHash("sha256").update([LEARNED, LIVE, EVE, END, ...AIRPORTS].join());
  const engine = (await readdir(join(ROOT, "dist/engine"))).filter((name) => name.endsWith(".mjs")).sort();
  const files = [...engine.map((name) => `dist/engine/${name}`), "infra/sample/flights.pipeline.json"];
  for (const file of files) hash.update(await readFile(join(ROOT, file)));
  return hash.digest("hex").slice(0, 12);
}

async function make(folder: string, kept: string): Promise<void> {
  await rm(PLACE, { recursive: true, force: true, maxRetries: 5 });
  await mkdir(PLACE, { recursive: true });
  await cp(join(ROOT, "infra/sample"), folder, { recursive: true });
  const history = join(PLACE, "history.parquet");
  await writeFlights(history, LEARNED, EVE);
  await writeFlights(join(folder, STORM_FILE), EVE, END);
  const pipeline = ["--pipeline", join(folder, "flights.pipeline.json"), "--live-from", `${LIVE.replace(" ", "T")}Z`];
  await promisify(execFile)(process.execPath, [
    join(ROOT, "dist/cli.mjs"),
    ...["--headless", "--json", "--data", folder, "--input", history, ...pipeline],
  ]);
  await rename(folder, kept);
}

/** The flights of [from, until), under the names that the pipeline file has for its fields. */
async function writeFlights(file: string, from: string, until: string): Promise<void> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    await connection.run(`
      COPY (
        SELECT date AS scheduled, origin, destination, delay::DOUBLE AS delay, distance::DOUBLE AS distance,
               NULL::BOOLEAN AS late
        FROM '${FLIGHTS}'
        WHERE date >= TIMESTAMP '${from}' AND date < TIMESTAMP '${until}'
          AND origin IN (${AIRPORTS.map((airport) => `'${airport}'`).join()})
        ORDER BY date
      ) TO '${file}' (FORMAT parquet)`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
