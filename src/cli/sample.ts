/** Where the bundled sample's files and its flights are, for the command line. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SendRequest } from "../backend.ts";
import { Fault } from "../core/fault.ts";
import { SAMPLE } from "../core/sample.ts";

const dist = dirname(fileURLToPath(import.meta.url));

/** The folder with the pipeline file and what lies beside it. */
export const SAMPLE_FOLDER = join(dist, "..", "infra", "sample");

/** What sends the flights. */
export function sampleRequest(): Omit<SendRequest, "speed"> {
  return { file: flights(), time: SAMPLE.time, columns: SAMPLE.columns };
}

/** The flights: beside the bundle in a packaged extension, else in the npm package vega-datasets. */
function flights(): string {
  const places = [
    join(dist, "sample", SAMPLE.packaged),
    join(dist, "..", "node_modules", "vega-datasets", "data", SAMPLE.dataset),
  ];
  const found = places.find((place) => existsSync(place));
  if (!found) throw new Fault("input.invalid", "The sample's flights are not installed.", { next: "Run npm ci." });
  return found;
}
