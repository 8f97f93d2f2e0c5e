/** What the templates create for a pipeline, as far as it is billed by the piece; the tests hold it against the templates. */
import { watchedMetric } from "../../src/core/compare.ts";
import type { AlarmRule, PipelineSpec } from "../../src/core/spec.ts";
import { HOUR, MINUTE } from "../../src/core/time.ts";
import { compareMemory } from "../workflow/capacity.ts";

export interface Created {
  /** Shards of the raw stream, the events' and the windows'. */
  readonly shards: number;
  /** Metrics of a window, over all its series. */
  readonly seriesMetrics: number;
  /** Metrics that alarms read, each billed as an alarm: one a series and rule, and those of the pipeline's own health. */
  readonly alarmMetrics: number;
  readonly composites: number;
  readonly dashboards: number;
  /** Of the function that compares windows, MB. */
  readonly compareMemory: number;
}

/** Metrics that the alarms of the pipeline's own health read; and those on groups that alarms do not know. */
const HEALTH_ALARM_METRICS = 41;
const BEYOND_METRICS = 2;
const WITHOUT_ALARM_METRICS = 1;
/** A composite alarm's children, at most. */
const CHILDREN = 100;

/** Where the groups are known from when the templates are made: the pipeline file, a list of so many, or nowhere. */
export type GroupsKnown = "listed" | { readonly given: number } | "not";

/**
 * @param groups how many groups there are, or will be. Beside those that were given others may come: they are measured and seen by
 *   queries, but have no alarms of their own.
 */
export function createdFor(spec: PipelineSpec, groups: number, known: GroupsKnown): Created {
  const given = typeof known === "object" ? known.given : undefined;
  const shapes = spec.alarms.map((rule) => shapeOf(spec, rule, known === "not" ? 0 : (given ?? groups)));
  const alarmed = (shape: AlarmShape) => (shape === "per-series" ? (given ?? groups) : groups);
  const unforeseen =
    (known !== "listed" && shapes.includes("insights") ? BEYOND_METRICS : 0) +
    (given !== undefined && shapes.includes("per-series") ? WITHOUT_ALARM_METRICS : 0);
  // Those that are written besides the deviation, for the rules that watch them.
  const own = new Set(
    spec.alarms.map((rule) => `${rule.measure} ${watchedMetric(rule)}`).filter((name) => !name.endsWith(" Deviation")),
  );
  return {
    shards: 2 * spec.source.shards + 1,
    seriesMetrics: groups * (6 * spec.series.measures.length + own.size),
    alarmMetrics: shapes.reduce((sum, shape) => sum + alarmed(shape), 0) + HEALTH_ALARM_METRICS + unforeseen,
    composites: shapes.reduce((sum, shape) => sum + compositesOf(shape, alarmed(shape)), 0),
    dashboards: 1,
    // Given groups are no bound on what is forecast.
    compareMemory: compareMemory(spec, known === "listed" ? groups * spec.series.measures.length : undefined),
  };
}

type AlarmShape = "insights" | "per-series";

/** As the templates choose it: one query sees three hours, and 500 series. Data can be read three minutes after their window's close. */
function shapeOf({ series, source }: PipelineSpec, rule: AlarmRule, groups: number): AlarmShape {
  const reach = rule.periods * series.every + source.lateness + 3 * MINUTE;
  return reach <= 3 * HOUR && groups <= 500 ? "insights" : "per-series";
}

/** Composites over an alarm a series, in layers; one where one query reads all series. */
function compositesOf(shape: AlarmShape, groups: number): number {
  let composites = 0;
  let layer = shape === "insights" ? 1 : groups;
  do {
    layer = Math.ceil(layer / CHILDREN);
    composites += layer;
  } while (layer > 1);
  return composites;
}
