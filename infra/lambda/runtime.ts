/**
 * What every function starts with: the pipeline that lies beside its code, its environment, its log and its own metrics.
 * A function's archive holds `index.mjs`, `pipeline.json` (the complete pipeline) and, where the pipeline has them, `enrich.mjs`
 * (the user's module), `exclusions.json` (spans that training leaves out) and `groups.json` (keys of the discovered groups, where a
 * rule has an alarm for each).
 */
import { existsSync, readFileSync } from "node:fs";
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import type { Enrich } from "../../src/core/deliver.ts";
import { Fault } from "../../src/core/fault.ts";
import type { Exclusion } from "../../src/core/labels.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";

/** The folder of the function's archive. */
const ARCHIVE = new URL(".", import.meta.url);

export function pipeline(): PipelineSpec {
  return JSON.parse(readFileSync(new URL("pipeline.json", ARCHIVE), "utf8")) as PipelineSpec;
}

/** The spans that training leaves out. */
export function exclusions(): readonly Exclusion[] {
  const file = new URL("exclusions.json", ARCHIVE);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Exclusion[]) : [];
}

/** Keys of the discovered groups that have alarms of their own; undefined where every rule finds the groups by itself. */
export function groupsWithAlarms(): ReadonlySet<string> | undefined {
  const file = new URL("groups.json", ARCHIVE);
  return existsSync(file) ? new Set(JSON.parse(readFileSync(file, "utf8")) as string[]) : undefined;
}

/** The user's enrich function; undefined when the pipeline has none. Its module is bundled with all that it imports. */
export async function enrichFunction(spec: PipelineSpec): Promise<Enrich | undefined> {
  if (spec.enrich === undefined) return undefined;
  const module = (await import(new URL("enrich.mjs", ARCHIVE).href)) as { default?: unknown };
  if (typeof module.default !== "function") {
    throw new Fault("enrich.failed", `${spec.enrich} does not export a function by default.`, {
      next: "Write `export default (event) => event;`.",
    });
  }
  return module.default as Enrich;
}

/** An environment variable that the template sets. */
export function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Fault("unexpected", `The function lacks its setting ${name}.`);
  return value;
}

/** Structured log lines; POWERTOOLS_SERVICE_NAME names the function. */
export const logger = new Logger();

/** The function's own metrics, written with its log (embedded metric format), so that they need no permission. */
export function ownMetrics(): Metrics {
  return new Metrics({ namespace: setting("HEALTH_NAMESPACE") });
}
