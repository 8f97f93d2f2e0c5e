/** How a run went, in a few words: behind its statement, in the history, in the tree. Pure. */
import { PLAN_COLUMN, type QueryRun } from "../../backend.ts";
import type { RunInfo } from "../../rpc/page.ts";
import { formatAge, formatBytes, formatSpan, plural } from "../format.ts";

/** What stands behind a statement: `1.2 s`, `24 rows · 31 ms · 1.2 MB scanned`, what failed. */
export function outcomeWords(info: RunInfo, now: number): string {
  switch (info.state) {
    case "running":
      return `running ${formatSpan(Math.max(0, now - info.startedAt))}`;
    case "cancelled":
      return `cancelled after ${formatSpan(info.elapsed)}`;
    case "failed":
      return info.fault?.message ?? "failed";
    case "succeeded":
      return [
        resultWords(info.result),
        formatSpan(info.elapsed),
        ...(info.result?.bytesScanned == null ? [] : [`${formatBytes(info.result.bytesScanned)} scanned`]),
      ].join(" · ");
  }
}

function resultWords(result: RunInfo["result"]): string {
  if (result === undefined || result.columns.length === 0) return "done";
  return result.columns[0]?.name === PLAN_COLUMN ? "plan" : plural(result.rowCount, "row");
}

/** A run of the past: `24 rows · 31 ms · 5 min ago`. */
export function pastWords(run: PastRun, now: number): string {
  const age = formatAge(run.startedAt, now);
  if (run.state === "running") return `running · ${age}`;
  if (run.state === "succeeded")
    return [run.rowCount === null ? "done" : plural(run.rowCount, "row"), formatSpan(run.elapsed), age].join(" · ");
  return `${run.state} · ${age}`;
}

/** What is remembered of a run. */
export interface PastRun {
  readonly state: QueryRun["state"];
  readonly startedAt: number;
  readonly elapsed: number;
  readonly rowCount: number | null;
}
