/** What the templates create for a pipeline, as far as it is billed by the piece; the tests hold it against the templates. */
import type { AlarmRule, PipelineSpec } from "../../src/core/spec.ts";
import { HOUR } from "../../src/core/time.ts";

export interface Created {
  /** Shards of the raw stream, the events' and the windows'. */
  readonly shards: number;
  /** Metrics of a window, over all its series. */
  readonly seriesMetrics: number;
  /** Metrics that alarms read, each billed as an alarm: one a series and rule, and those of the pipeline's own health. */
  readonly alarmMetrics: number;
  readonly composites: number;
  readonly dashboards: number;
}

/** Metrics that the alarms of the pipeline's own health read. */
const HEALTH_ALARM_METRICS = 28;
/** A composite alarm's children, at most. */
const CHILDREN = 100;

/** @param groups how many groups there are, or will be. */
export function createdFor(spec: PipelineSpec, groups: number): Created {
  const own = new Set(spec.alarms.flatMap((rule) => ownMetric(rule) ?? []));
  return {
    shards: 2 * spec.source.shards + 1,
    seriesMetrics: groups * (6 * spec.series.measures.length + own.size),
    alarmMetrics: spec.alarms.length * groups + HEALTH_ALARM_METRICS,
    composites: spec.alarms.reduce((sum, rule) => sum + compositesOf(spec, rule, groups), 0),
    dashboards: 1,
  };
}

/** The metric that is written for rules like this one alone; undefined for those that watch the deviation as it is. */
function ownMetric({ measure, direction, missing }: AlarmRule): string | undefined {
  if (missing === "breaching") return `${measure} ${direction} or silent`;
  return direction === "both" ? `${measure} size` : undefined;
}

/** Composites over an alarm a series, in layers; none where one query reads all series. */
function compositesOf(spec: PipelineSpec, rule: AlarmRule, groups: number): number {
  if (rule.periods * spec.series.every <= 3 * HOUR && groups <= 500) return 0;
  let composites = 0;
  let layer = groups;
  do {
    layer = Math.ceil(layer / CHILDREN);
    composites += layer;
  } while (layer > 1);
  return composites;
}
