/**
 * Step 7, alert: an alarm rule watches every series of its measure. A series contributes when m of its last n windows
 * deviate beyond the threshold; the rule is in ALARM while any series contributes. Missing windows count as CloudWatch's
 * TreatMissingData says, so that the rule means the same on both targets. Two kinds are not missing to a rule whose missing data
 * is breaching (`watchedValue`): a window without a value, which breaches at once, and one without a forecast, which never does:
 * the pipeline's own alarm `forecast-missing` tells of it.
 */
import { type Comparison, watchedValue } from "./compare.ts";
import { labelOf } from "./series.ts";
import type { AlarmRule, MissingData } from "./spec.ts";

export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";

/** One window of one series as the rule sees it: breaching, not, or missing. */
export type Datapoint = boolean | null;

/** What a rule remembers of one series, as JSON. */
export interface SeriesMemory {
  readonly state: AlarmState;
  /** The last windows, newest last, at most `evaluationRange`, each with its start. */
  readonly recent: readonly { readonly start: number; readonly breaching: Datapoint }[];
  /** Windows seen since the series is watched. */
  readonly seen: number;
}

/** What a rule remembers, as JSON. */
export interface RuleMemory {
  readonly state: AlarmState;
  /** End of the window at which the state last changed; null before. */
  readonly since: number | null;
  readonly series: Readonly<Record<string, SeriesMemory>>;
}

/** What a rule concluded from the windows that end at `at`. */
export interface RuleOutcome {
  readonly memory: RuleMemory;
  readonly at: number;
  readonly transition?: { readonly from: AlarmState; readonly to: AlarmState; readonly reason: string };
  /** Series that contribute since this tick, with the start of their first breaching window in it. */
  readonly joined: readonly { readonly series: string; readonly from: number }[];
  /** Series that contribute no more. */
  readonly left: readonly string[];
  /** All that contribute now, in order of their ids. */
  readonly contributors: readonly string[];
}

export const FRESH_RULE: RuleMemory = { state: "INSUFFICIENT_DATA", since: null, series: {} };
const FRESH_SERIES: SeriesMemory = { state: "INSUFFICIENT_DATA", recent: [], seen: 0 };

/**
 * How many windows back a rule looks for data when some of the last n are missing. CloudWatch's documentation shows five
 * for n = 3 ("Configuring how CloudWatch alarms treat missing data").
 */
export function evaluationRange(periods: number): number {
  return periods + 2;
}

/** Whether a comparison breaches: null when it is missing data to the rule. */
export function breaches(
  rule: Pick<AlarmRule, "direction" | "threshold" | "missing">,
  comparison: Comparison,
): Datapoint {
  const value = watchedValue(rule, comparison);
  if (Number.isNaN(value)) return null;
  return rule.direction === "below" ? value < -rule.threshold : value > rule.threshold;
}

/**
 * The state that datapoints put an alarm into, by the rules and the tables of CloudWatch's "Configuring how CloudWatch
 * alarms treat missing data": if at least n of the evaluation range exist, the newest n existing ones decide; otherwise
 * all that exist do, and what is lacking is filled as `missing` says.
 * @param points newest last, at most `evaluationRange(periods)`.
 * @param seen windows since the series is watched: those before it count as existing and healthy, not as missing, so that
 *   a series does not begin its life in ALARM.
 */
export function evaluateDatapoints(
  points: readonly Datapoint[],
  rule: { readonly datapoints: number; readonly periods: number; readonly missing: MissingData },
  current: AlarmState,
  seen = Number.POSITIVE_INFINITY,
): AlarmState {
  const existing = points.filter((p) => p !== null).slice(-rule.periods);
  const breaching = existing.filter((p) => p).length;
  if (breaching >= rule.datapoints) return "ALARM";
  const unborn = Math.max(0, rule.periods - seen);
  const lacking = Math.max(0, rule.periods - existing.length - unborn);
  if (lacking === 0) return "OK";
  const healthy = breaching < existing.length || unborn > 0;
  switch (rule.missing) {
    case "breaching":
      return breaching + lacking >= rule.datapoints ? "ALARM" : "OK";
    case "notBreaching":
      return "OK";
    case "ignore":
      return healthy ? "OK" : current;
    case "missing":
      if (existing.length === 0) return "INSUFFICIENT_DATA";
      // Nothing but breaches, the oldest m windows old: no later window can make it less than it is, so it alarms now.
      return !healthy && points.length - points.indexOf(true) >= rule.datapoints ? "ALARM" : "OK";
  }
}

/**
 * Takes in the comparisons of one tick: all watched series' windows that end at the same time.
 * A series of an earlier tick that is not in this one is forgotten when `gone` names it.
 */
export function evaluateRule(
  rule: AlarmRule,
  memory: RuleMemory,
  tick: readonly Comparison[],
  at: number,
  gone: readonly string[] = [],
): RuleOutcome {
  const series: Record<string, SeriesMemory> = { ...memory.series };
  const joined: { series: string; from: number }[] = [];
  const left: string[] = [];
  // Silence has breached already. What was never compared is the pipeline's own failure: it begins no outage and ends none.
  const missing = rule.missing === "breaching" ? "ignore" : rule.missing;
  for (const id of gone) {
    if (series[id]?.state === "ALARM") left.push(id);
    delete series[id];
  }
  for (const c of tick) {
    const before = Object.hasOwn(series, c.series) ? series[c.series]! : FRESH_SERIES;
    const every = c.end - c.start;
    const oldest = c.start - (evaluationRange(rule.periods) - 1) * every;
    const recent = [
      ...before.recent.filter((r) => r.start >= oldest && r.start < c.start),
      { start: c.start, breaching: breaches(rule, c) },
    ];
    // By time, not by turn: a window that never came (the analyzer skips long silences) is a missing one.
    const points = new Array<Datapoint>(evaluationRange(rule.periods)).fill(null);
    for (const r of recent) points[Math.round((r.start - oldest) / every)] = r.breaching;
    const seen = before.seen + 1;
    const state = evaluateDatapoints(points, { ...rule, missing }, before.state, seen);
    series[c.series] = { state, recent, seen };
    if (state === "ALARM" && before.state !== "ALARM")
      joined.push({ series: c.series, from: firstBreach(rule, recent, c) });
    if (state !== "ALARM" && before.state === "ALARM") left.push(c.series);
  }
  const contributors = Object.keys(series)
    .filter((id) => series[id]!.state === "ALARM")
    .sort();
  const state = stateOf(Object.values(series));
  const changed = state !== memory.state;
  return {
    memory: { state, since: changed ? at : memory.since, series },
    at,
    ...(changed && { transition: { from: memory.state, to: state, reason: reasonOf(rule, state, contributors) } }),
    joined: joined.sort((a, b) => (a.series < b.series ? -1 : 1)),
    left: left.sort(),
    contributors,
  };
}

/** Start of the oldest window that counts towards the alarm. */
function firstBreach(rule: AlarmRule, recent: SeriesMemory["recent"], now: Comparison): number {
  const existing = recent.filter((r) => r.breaching !== null).slice(-rule.periods);
  return existing.find((r) => r.breaching)?.start ?? now.start;
}

function stateOf(series: readonly SeriesMemory[]): AlarmState {
  if (series.some((s) => s.state === "ALARM")) return "ALARM";
  return series.some((s) => s.state === "OK") ? "OK" : "INSUFFICIENT_DATA";
}

function reasonOf(rule: AlarmRule, state: AlarmState, contributors: readonly string[]): string {
  if (state !== "ALARM") return state === "OK" ? "No series deviates beyond the threshold" : "Too few windows to tell";
  const who = contributors.length === 1 ? labelOf(contributors[0]!) : `${contributors.length} series`;
  const side = rule.direction === "both" ? "away from" : rule.direction;
  const { datapoints: m, periods: n, threshold } = rule;
  const windows = n === 1 ? "the last window" : `${m === n ? "" : `${m} of `}the last ${n} windows`;
  const far = `more than ${threshold} half width${threshold === 1 ? "" : "s"}`;
  return `${who}: ${windows} ${m === 1 ? "lies" : "lie"} ${far} ${side} the forecast`;
}
