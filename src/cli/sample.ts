/** The bundled sample: where its files and its three million flights are, and how their columns become events. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SendRequest } from "../backend.ts";
import { Fault } from "../core/fault.ts";

const dist = dirname(fileURLToPath(import.meta.url));

export const SAMPLE = {
  /** The pipeline file and what lies beside it. */
  folder: join(dist, "..", "infra", "sample"),
  file: "flights.pipeline.json",
  /** History to the end of February trains the forecast; March is live. */
  liveFrom: Date.UTC(2001, 2, 1),
  until: Date.UTC(2001, 2, 12),
  request: (): Omit<SendRequest, "speed"> => ({
    file: flights(),
    time: "date",
    columns: { scheduled: "date", delay: "CAST(delay AS DOUBLE)", distance: "CAST(distance AS DOUBLE)", late: "NULL" },
  }),
} as const;

/** The flights: beside the bundle in a packaged extension, else in the npm package vega-datasets. */
function flights(): string {
  const places = [
    join(dist, "sample", "flights.parquet"),
    join(dist, "..", "node_modules", "vega-datasets", "data", "flights-3m.parquet"),
  ];
  const found = places.find((place) => existsSync(place));
  if (!found) throw new Fault("input.invalid", "The sample's flights are not installed.", { next: "Run npm ci." });
  return found;
}
