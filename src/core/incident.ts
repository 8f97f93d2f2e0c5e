/**
 * An incident's life, as pure steps from one state to the next: an alarm rule opens it, series join and recover, people
 * write on it, and it is resolved. Both targets and every front end read the same record.
 */

import { humanise, labelOf, parseSeriesId } from "./series.ts";
import type { AlarmRule, Severity } from "./spec.ts";
import { formatInstant } from "./time.ts";

/** What is kept of an incident, but for the frozen charts and the evidence, which are large. */
export interface IncidentRecord {
  readonly id: string;
  readonly pipeline: string;
  readonly title: string;
  readonly status: "open" | "resolved";
  readonly severity: Severity;
  readonly owner: string | null;
  /** The rule that opened it; null when a person did. */
  readonly rule: string | null;
  /** The path of the runbook. */
  readonly runbook: string | null;
  /** The alarm was wrong; its windows count as ordinary in training. */
  readonly notAnIncident: boolean;
  /** Start of the first breaching window, event time. */
  readonly from: number;
  /** End of the window whose comparison opened it, event time. */
  readonly openedAt: number;
  readonly resolvedAt: number | null;
  /** Event time since when the rule has been out of ALARM; null while it is in it. */
  readonly quietSince: number | null;
  readonly contributors: readonly Contributor[];
  readonly timeline: readonly TimelineEntry[];
}

/** A series in an incident, with the window in which it was furthest from its forecast. */
export interface Contributor {
  readonly series: string;
  /** Start of its first breaching window. */
  readonly from: number;
  readonly worst: {
    readonly start: number;
    readonly actual: number | null;
    readonly expected: number | null;
    readonly deviation: number | null;
  };
  /** Event time it recovered; null while it contributes. */
  readonly recoveredAt: number | null;
}

export interface TimelineEntry {
  readonly id: number;
  readonly kind:
    | "opened"
    | "joined"
    | "recovered"
    | "alarm"
    | "note"
    | "severity"
    | "owner"
    | "evidence"
    | "resolved"
    | "reopened";
  /** Event time of automatic entries, wall-clock time of people's. */
  readonly at: number;
  /** Null for automatic entries. */
  readonly author: string | null;
  /** Plain text; Markdown for notes. */
  readonly text: string;
}

/** A compared window of a contributor, for "how far". */
export interface BreachingWindow {
  readonly series: string;
  readonly start: number;
  readonly actual: number;
  readonly median: number;
  readonly deviation: number;
}

/** Opens the incident that a rule asks for. The id is the same whenever the same windows open it. */
export function openIncident(
  pipeline: string,
  rule: AlarmRule,
  at: number,
  joined: readonly { series: string; from: number }[],
  windows: readonly BreachingWindow[],
): IncidentRecord {
  const from = Math.min(...joined.map((j) => j.from));
  const stamp = formatInstant(at).replace(/[-:]/g, "").replace("Z", "");
  const contributors = joined.map((j) => contributor(rule, j, windows));
  const record: IncidentRecord = {
    // Names have no dots, so that no two pipelines and rules make the same id.
    id: `${pipeline}.${rule.name}.${stamp}`,
    pipeline,
    title: titleOf(rule, contributors),
    status: "open",
    severity: rule.severity,
    owner: null,
    rule: rule.name,
    runbook: rule.runbook ?? null,
    notAnIncident: false,
    from,
    openedAt: at,
    resolvedAt: null,
    quietSince: null,
    contributors,
    timeline: [],
  };
  return entry(record, "opened", at, null, `${record.title}, since ${formatInstant(from)}`);
}

/**
 * Takes a tick of the rule into its open incident: who joined, who recovered, how far it has gone. An incident that is
 * resolved stays as it is.
 */
export function updateIncident(
  record: IncidentRecord,
  rule: AlarmRule,
  at: number,
  change: {
    readonly joined: readonly { series: string; from: number }[];
    readonly left: readonly string[];
    readonly inAlarm: boolean;
    /** Series whose window has no forecast: nobody can say how they are. */
    readonly unknown?: ReadonlySet<string>;
  },
  windows: readonly BreachingWindow[],
): IncidentRecord {
  if (record.status === "resolved") return record;
  let next = record;
  for (const j of change.joined) {
    const known = next.contributors.find((c) => c.series === j.series);
    const contributors = known
      ? next.contributors.map((c) =>
          c === known ? { ...c, worst: worstOf(rule, c.worst, c.series, windows), recoveredAt: null } : c,
        )
      : [...next.contributors, contributor(rule, j, windows)];
    next = { ...next, contributors, from: Math.min(next.from, j.from) };
    next = entry(
      next,
      "joined",
      at,
      null,
      `${labelOf(j.series)} ${known ? "deviates again" : "joined"}, since ${formatInstant(j.from)}`,
    );
  }
  for (const series of change.left) {
    if (!next.contributors.some((c) => c.series === series && c.recoveredAt === null)) continue;
    next = {
      ...next,
      contributors: next.contributors.map((c) => (c.series === series ? { ...c, recoveredAt: at } : c)),
    };
    const how = change.unknown?.has(series) ? "has no forecast any more" : "recovered";
    next = entry(next, "recovered", at, null, `${labelOf(series)} ${how}`);
  }
  next = {
    ...next,
    contributors: next.contributors.map((c) =>
      c.recoveredAt === null ? { ...c, worst: worstOf(rule, c.worst, c.series, windows) } : c,
    ),
  };
  if (change.joined.length > 0) next = { ...next, title: titleOf(rule, next.contributors) };
  if (change.inAlarm)
    return next.quietSince === null
      ? next
      : entry({ ...next, quietSince: null }, "alarm", at, null, `Alarm ${rule.name} went into ALARM again`);
  if (next.quietSince === null)
    return entry({ ...next, quietSince: at }, "alarm", at, null, `Alarm ${rule.name} is over: no series contributes`);
  // Without a forecast, quiet is no sign of health: it takes a person to resolve it then.
  const known = !next.contributors.some((c) => change.unknown?.has(c.series));
  if (known && rule.resolveAfter > 0 && at - next.quietSince >= rule.resolveAfter) {
    return entry(
      { ...next, status: "resolved", resolvedAt: at },
      "resolved",
      at,
      null,
      `Resolved by itself: quiet since ${formatInstant(next.quietSince)}`,
    );
  }
  return next;
}

/** Opens the incident that a person declares. */
export function declareIncident(request: {
  readonly pipeline: string;
  readonly title: string;
  readonly severity: Severity;
  readonly series: readonly string[];
  readonly from: number;
  readonly author: string;
  /** Wall-clock time of the declaration; also makes the id. */
  readonly at: number;
  /** The stream's clock. */
  readonly openedAt: number;
}): IncidentRecord {
  const { pipeline, title, severity, series, from, author, at, openedAt } = request;
  const record: IncidentRecord = {
    id: `${pipeline}-declared-${new Date(at).toISOString().replace(/[-:.Z]/g, "")}`,
    pipeline,
    title,
    status: "open",
    severity,
    owner: author,
    rule: null,
    runbook: null,
    notAnIncident: false,
    from,
    openedAt,
    resolvedAt: null,
    quietSince: null,
    contributors: series.map((id) => ({
      series: id,
      from,
      worst: { start: from, actual: null, expected: null, deviation: null },
      recoveredAt: null,
    })),
    timeline: [],
  };
  return entry(record, "opened", at, author, `Declared: ${title}`);
}

/** Adds an entry to the timeline. */
export function entry(
  record: IncidentRecord,
  kind: TimelineEntry["kind"],
  at: number,
  author: string | null,
  text: string,
): IncidentRecord {
  const id = (record.timeline.at(-1)?.id ?? 0) + 1;
  return { ...record, timeline: [...record.timeline, { id, kind, at, author, text }] };
}

/** What broke, in a few words: `Departures below forecast at BOS, EWR and JFK`. */
export function titleOf(
  rule: Pick<AlarmRule, "measure" | "direction">,
  contributors: readonly { readonly series: string }[],
): string {
  const side = rule.direction === "both" ? "away from" : rule.direction;
  const places = contributors
    .map((c) => Object.values(parseSeriesId(c.series)?.by ?? {}).join(" "))
    .filter((p) => p.length > 0);
  const where = places.length === 0 ? "" : ` at ${enumerate([...new Set(places)].sort(), 4)}`;
  return `${humanise(rule.measure)} ${side} forecast${where}`;
}

/** `a`, `a and b`, `a, b and c`, `a, b, c and 4 more`. */
export function enumerate(words: readonly string[], most: number): string {
  if (words.length <= 1) return words[0] ?? "";
  if (words.length > most) return `${words.slice(0, most - 1).join(", ")} and ${words.length - most + 1} more`;
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

function contributor(
  rule: Pick<AlarmRule, "direction">,
  { series, from }: { series: string; from: number },
  windows: readonly BreachingWindow[],
): Contributor {
  const none = { start: from, actual: null, expected: null, deviation: null };
  return { series, from, worst: worstOf(rule, none, series, windows), recoveredAt: null };
}

/** The furthest of `worst` and the windows of a series: further in the rule's direction, not in any. */
function worstOf(
  rule: Pick<AlarmRule, "direction">,
  worst: Contributor["worst"],
  series: string,
  windows: readonly BreachingWindow[],
): Contributor["worst"] {
  const far = (deviation: number | null) => {
    if (deviation === null) return 0;
    return rule.direction === "both" ? Math.abs(deviation) : rule.direction === "above" ? deviation : -deviation;
  };
  const number = (x: number) => (Number.isFinite(x) ? x : null);
  return windows
    .filter((w) => w.series === series)
    .map((w) => ({
      start: w.start,
      actual: number(w.actual),
      expected: number(w.median),
      deviation: number(w.deviation),
    }))
    .reduce((a, b) => (far(b.deviation) > far(a.deviation) ? b : a), worst);
}
