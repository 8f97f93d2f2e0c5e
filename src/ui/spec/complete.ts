/**
 * Completions that only the file itself can give: its fields, its measures, durations that fit, paths beside it. Keys and
 * fixed words come from the JSON schema. Pure.
 */
import { getLocation, type JSONPath } from "jsonc-parser";
import { STATISTICS } from "../../core/spec.ts";
import { outline } from "./outline.ts";

export interface Completion {
  /** JSON text to put in: with its quotes. */
  readonly text: string;
  readonly kind: "field" | "measure" | "duration" | "file" | "word";
  readonly detail: string;
}

export interface Completions {
  readonly items: readonly Completion[];
  /** What they replace: the value that stands there, if any. */
  readonly offset: number;
  readonly length: number;
}

/** Files beside the pipeline file, relative to it, with `/`. */
export type FilesBeside = (kind: "module" | "markdown" | "json" | "folder") => Promise<readonly string[]>;

/** What could stand at `offset` of `text`. */
export async function completionsAt(text: string, offset: number, beside: FilesBeside): Promise<Completions> {
  const location = getLocation(text, offset);
  const node = location.previousNode;
  const within = node && node.offset <= offset && offset <= node.offset + node.length;
  const replaced = within ? { offset: node.offset, length: node.length } : { offset, length: 0 };
  if (location.isAtPropertyKey) return { items: keysAt(text, location.path), ...replaced };
  return { items: await valuesAt(text, location.path, beside), ...replaced };
}

function keysAt(text: string, path: JSONPath): readonly Completion[] {
  // "by" as an object: its keys are fields.
  if (matches(path, "series.by.?")) return fields(text);
  return [];
}

async function valuesAt(text: string, path: JSONPath, beside: FilesBeside): Promise<readonly Completion[]> {
  const files = async (kind: Parameters<FilesBeside>[0], detail: string) =>
    (await beside(kind)).map((name): Completion => ({ text: JSON.stringify(name), kind: "file", detail }));
  if (matches(path, "source.time") || matches(path, "series.by.?")) return fields(text);
  if (matches(path, "series.measures.?.?") && STATISTICS.some((s) => s === path.at(-1))) {
    const all: Completion = { text: '"*"', kind: "word", detail: "every event" };
    return [...(path.at(-1) === "count" ? [all] : []), ...fields(text)];
  }
  if (matches(path, "alarms.?.measure"))
    return outline(text).measures.map((m) => ({ text: JSON.stringify(m.name), kind: "measure", detail: "measure" }));
  const durations = DURATIONS.find(([pattern]) => matches(path, pattern));
  if (durations) return durations[1].map((d) => ({ text: JSON.stringify(d), kind: "duration", detail: durations[2] }));
  if (matches(path, "alarms.?.datapoints"))
    return ["1 of 1", "2 of 3", "3 of 4", "3 of 6"].map((t) => ({
      text: JSON.stringify(t),
      kind: "word",
      detail: "m of n windows",
    }));
  if (matches(path, "enrich")) return files("module", "enrich module");
  if (matches(path, "forecast.exclude")) return files("json", "labels");
  if (matches(path, "alarms.?.runbook")) return files("markdown", "runbook");
  if (matches(path, "sql")) return files("folder", "folder of prep queries");
  return [];
}

const DURATIONS: readonly (readonly [path: string, values: readonly string[], detail: string])[] = [
  ["series.every", ["1m", "5m", "15m", "1h", "1d"], "window length"],
  ["source.lateness", ["30s", "1m", "10m", "1h"], "lateness"],
  ["source.idle", ["1m", "2m", "10m"], "silence"],
  ["source.ahead", ["1h", "1d", "7d"], "ahead of the clock"],
  ["source.behind", ["7d", "60d", "400d"], "behind the clock"],
  ["forecast.history", ["2w", "4w", "8w", "26w"], "history"],
  ["forecast.horizon", ["12h", "24h", "48h", "7d"], "horizon"],
  ["forecast.retrain", ["6h", "1d", "7d"], "retraining"],
  ["forecast.seasons.?", ["1h", "1d", "1w"], "season"],
  ["alarms.?.resolveAfter", ["1h", "6h", "1d"], "all is well again"],
  ["retention.stream", ["1d", "7d"], "stream"],
  ["retention.lake", ["90d", "400d"], "lake"],
];

function fields(text: string): readonly Completion[] {
  return outline(text).fields.map((f) => ({ text: JSON.stringify(f.name), kind: "field", detail: "field" }));
}

/** Does a path fit a pattern in which `?` is any step? */
function matches(path: JSONPath, pattern: string): boolean {
  const steps = pattern.split(".");
  return steps.length === path.length && steps.every((step, i) => step === "?" || step === String(path[i]));
}
