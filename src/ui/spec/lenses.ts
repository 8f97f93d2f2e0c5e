/** What stands above the parts of a pipeline file: what can be done with them, and how they are. Pure. */

import { ALARM_WORDS } from "../explorer/model.ts";
import type { CommandName, Ref } from "../ids.ts";
import type { Snapshot } from "../snapshot.ts";
import { outline } from "./outline.ts";

export interface Lens {
  readonly offset: number;
  readonly title: string;
  readonly command: CommandName;
  readonly args: Ref;
  readonly tooltip?: string;
}

/** The lenses of a pipeline file, in the order of the text. */
export function lensesOf(text: string, file: string, snapshot: Snapshot, target: string): readonly Lens[] {
  const { name, measures, alarms } = outline(text);
  if (!name) return [];
  const pipeline = name.name;
  const deployed = snapshot.pipelines.find((p) => p.name === pipeline);
  const head: Lens[] = [
    {
      offset: name.offset,
      title: deployed ? "$(rocket) Deploy Changes" : "$(rocket) Deploy",
      command: "deploy",
      args: { file, pipeline },
      tooltip: `To the target ${target}`,
    },
    { offset: name.offset, title: "Preview", command: "preview", args: { file, pipeline } },
  ];
  if (!deployed) return head;
  const train: Lens = { offset: name.offset, title: "Train", command: "train", args: { pipeline } };
  const show: Lens = {
    offset: name.offset,
    title: "$(graph-line) Show Forecast",
    command: "showForecast",
    args: { pipeline },
  };
  const series = snapshot.series.get(pipeline) ?? [];
  const ofMeasures = measures.flatMap((measure): Lens[] => {
    const own = series.filter((s) => s.measure === measure.name);
    const first = own[0];
    if (!first) return [];
    const count = own.length === 1 ? "" : ` (${own.length} series)`;
    return [
      {
        offset: measure.offset,
        title: `Show Forecast${count}`,
        command: "showForecast",
        args: { pipeline, series: first.id },
      },
    ];
  });
  const ofAlarms = alarms.flatMap((rule): Lens[] => {
    const alarm = snapshot.alarms.find((a) => a.pipeline === pipeline && a.name === rule.name);
    if (!alarm) return [];
    const incident = snapshot.incidents.find(
      (i) => i.pipeline === pipeline && i.rule === rule.name && i.status === "open",
    );
    const count = alarm.contributors.length > 0 ? `, ${alarm.contributors.length} series` : "";
    const icon = { OK: "bell", ALARM: "bell-dot", INSUFFICIENT_DATA: "question" }[alarm.state];
    const worst = alarm.contributors[0] ?? series.find((s) => s.measure === rule.measure)?.id;
    return [
      {
        offset: rule.offset,
        title: `$(${icon}) ${ALARM_WORDS[alarm.state]}${count}`,
        command: "showForecast",
        args: { pipeline, ...(worst !== undefined && { series: worst }) },
        tooltip: alarm.reason,
      },
      ...(incident
        ? [
            {
              offset: rule.offset,
              title: "$(flame) Show Incident",
              command: "showIncident" as const,
              args: { incident: incident.id },
              tooltip: incident.title,
            },
          ]
        : []),
    ];
  });
  return [...head, train, show, ...[...ofMeasures, ...ofAlarms].sort((a, b) => a.offset - b.offset)];
}
