/** What hovering over a measure or an alarm of a pipeline file tells of its live state. Pure. */
import { seriesLabel } from "../../core/series.ts";
import { ALARM_WORDS } from "../explorer/model.ts";
import { escapeMarkdown, formatDeviation, formatValue } from "../format.ts";
import type { Snapshot } from "../snapshot.ts";
import { outline } from "./outline.ts";

export interface SpecHover {
  readonly offset: number;
  readonly length: number;
  readonly markdown: string;
}

const SHOWN = 12;

/** The hover at `offset` of a pipeline file; undefined where there is nothing live to tell. */
export function hoverAt(text: string, offset: number, snapshot: Snapshot): SpecHover | undefined {
  const { name, measures, alarms } = outline(text);
  const pipeline = snapshot.pipelines.find((p) => p.name === name?.name);
  if (!pipeline) return undefined;
  const within = (part: { readonly offset: number; readonly length: number }) =>
    part.offset <= offset && offset <= part.offset + part.length;
  const measure = measures.find(within);
  if (measure) {
    const series = (snapshot.series.get(pipeline.name) ?? []).filter((s) => s.measure === measure.name);
    if (series.length === 0) return undefined;
    const rows = series.slice(0, SHOWN).map((s) => {
      const cells = [
        escapeMarkdown(seriesLabel(s)),
        formatValue(s.last?.actual ?? null),
        formatValue(s.last?.median ?? null),
      ];
      return `| ${[...cells, formatDeviation(s.last?.deviation ?? null)].join(" | ")} |`;
    });
    const more = series.length > SHOWN ? `\n\nand ${series.length - SHOWN} more` : "";
    const head = "| Newest window | Actual | Expected | Deviation |\n|:--|--:|--:|--:|";
    return { ...measure, markdown: `${[head, ...rows].join("\n")}${more}` };
  }
  const rule = alarms.find(within);
  const alarm = rule && snapshot.alarms.find((a) => a.pipeline === pipeline.name && a.name === rule.name);
  if (!rule || !alarm) return undefined;
  return { ...rule, markdown: `**${ALARM_WORDS[alarm.state]}** ${escapeMarkdown(alarm.reason)}` };
}
