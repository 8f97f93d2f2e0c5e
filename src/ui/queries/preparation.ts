/** The preparation query that a pipeline's file makes, as SQL for people: what it does, and over which time. Pure. */
import { prepareSql } from "../../core/prepare.ts";
import { windowStart } from "../../core/series.ts";
import { byFields, type PipelineSpec } from "../../core/spec.ts";
import { formatDuration } from "../../core/time.ts";

/** The text of the query over the history that a training at `now` (event time, epoch ms) would learn from. */
export function preparationText(spec: PipelineSpec, now: number): string {
  const { every, measures } = spec.series;
  const until = windowStart(now, every);
  const by = byFields(spec);
  const words = [
    `Preparation of ${spec.name}`,
    `Generated from ${spec.name}.pipeline.json: change it there. Each training runs it over the history before it`,
    `(here the ${formatDuration(spec.forecast.history)} up to the stream's clock) and learns from its rows.`,
    "",
    `A row is a window of ${formatDuration(every)}${by.length > 0 ? ` of one ${by.join(", ")}` : ""}. Its measures:`,
    ...measures.map((m) => `  ${m.name}: ${m.field === "*" ? "number of events" : `${m.statistic} of ${m.field}`}`),
    "Windows without events have no row; they are filled in after it: counts and sums as 0, other measures as missing.",
    "The condition on dt leaves days unread that cannot hold such events.",
  ];
  const sql = prepareSql(spec, { from: until - spec.forecast.history, until });
  return `${words.map((line) => `-- ${line}`.trimEnd()).join("\n")}\n${sql};\n`;
}
