/** The explorer's tooltips, in Markdown: a heading, a table of facts, the reason where there is one. */
import type { AlarmInfo, IncidentSummary, PipelineStatus, SeriesInfo, StreamInfo, TrainingJob } from "../../backend.ts";
import { parseSeriesId, seriesLabel } from "../../core/series.ts";
import {
  escapeMarkdown,
  formatAge,
  formatBytes,
  formatCount,
  formatDeviation,
  formatRate,
  formatShare,
  formatSpan,
  formatTime,
  formatValue,
  plural,
  type TimeZone,
} from "../format.ts";

/** What tooltips need besides the thing itself. */
export interface Clock {
  readonly now: number;
  readonly timeZone: TimeZone;
}

type Fact = readonly [name: string, value: string | undefined];

/** A tooltip: its title, a sentence where there is one to say, the facts that are known, and what else there is. */
function card(
  title: string,
  lead: string | undefined,
  facts: readonly Fact[],
  ...more: readonly (string | undefined)[]
) {
  const rows = facts.filter((fact) => fact[1] !== undefined).map(([name, value]) => `| ${name} | ${value} |`);
  const table = rows.length > 0 ? ["| | |", "|:--|:--|", ...rows].join("\n") : undefined;
  return [`**${escapeMarkdown(title)}**`, lead, table, ...more].filter(Boolean).join("\n\n");
}

export function pipelineTooltip(pipeline: PipelineStatus, stream: StreamInfo | undefined, clock: Clock): string {
  const { counts } = pipeline;
  const at = (time: number | null) => (time === null ? "none yet" : formatTime(time, clock.timeZone, clock.now));
  return card(pipeline.name, pipeline.fault && faultText(pipeline.fault), [
    ["State", pipeline.state],
    ["Rate", stream && formatRate(stream.rate)],
    ["Newest arrival", stream?.newestArrival ? formatAge(stream.newestArrival, clock.now) : undefined],
    ["Newest event", at(pipeline.newestEvent)],
    ["Windows closed up to", at(pipeline.watermark)],
    ["Behind the stream", pipeline.behind > 0 ? plural(pipeline.behind, "record") : undefined],
    ["Records", `${formatCount(counts.records)}${stream ? ` (${formatBytes(stream.bytes)})` : ""}`],
    ["Events", formatCount(counts.events)],
    ["Rejected", formatCount(counts.rejected)],
    ["Late", formatCount(counts.late)],
    ["Series", formatCount(pipeline.series)],
    ["Endpoint", stream?.endpoint ? `\`${stream.endpoint}\`` : undefined],
    ["ARN", stream && `\`${stream.arn}\``],
  ]);
}

export function jobTooltip(job: TrainingJob, clock: Clock): string {
  const accuracy = job.accuracy;
  const beside = (name: string, own: number | null | undefined, base: number | null | undefined, digits = 3): Fact => [
    name,
    own == null ? undefined : `${own.toFixed(digits)}${base == null ? "" : ` (baseline ${base.toFixed(digits)})`}`,
  ];
  return card(`Training from ${formatTime(job.origin, clock.timeZone, clock.now)}`, job.fault && faultText(job.fault), [
    ["State", job.state],
    ["Asked for by", job.requestedBy === "schedule" ? "the schedule" : "a person"],
    ["Started", formatAge(job.startedAt, clock.now)],
    ["Took", job.endedAt === null ? undefined : formatSpan(job.endedAt - job.startedAt)],
    ["Series", `${job.seriesDone} of ${job.seriesTotal}`],
    beside("MASE", accuracy?.mase, accuracy?.baseline.mase),
    beside("Quantile loss", accuracy?.wql, accuracy?.baseline.wql),
    beside("sMAPE", accuracy?.smape, accuracy?.baseline.smape),
    ["Inside the band", accuracy ? formatShare(accuracy.coverage) : undefined],
  ]);
}

export function seriesTooltip(info: SeriesInfo, clock: Clock): string {
  const last = info.last;
  return card(seriesLabel(info), undefined, [
    ["Window", last ? formatTime(last.start, clock.timeZone, clock.now) : "none compared yet"],
    ["Actual", last ? formatValue(last.actual) : undefined],
    ["Expected", last && last.median !== null ? formatValue(last.median) : undefined],
    ["Band", last && last.lower !== null ? `${formatValue(last.lower)} to ${formatValue(last.upper)}` : undefined],
    ["Deviation", last ? `${formatDeviation(last.deviation)} of the band's half width` : undefined],
    ["Forecast by", info.method ? escapeMarkdown(info.method) : undefined],
    ["Because", info.reason ? escapeMarkdown(info.reason) : undefined],
  ]);
}

export function alarmTooltip(alarm: AlarmInfo, clock: Clock): string {
  return card(
    alarm.name,
    escapeMarkdown(alarm.description),
    [
      ["State", alarm.state],
      ["Since", alarm.since === null ? undefined : formatTime(alarm.since, clock.timeZone, clock.now)],
      ["Measure", alarm.measure ?? undefined],
      ["Severity", alarm.severity === null ? undefined : String(alarm.severity)],
      ["Contributors", alarm.contributors.length > 0 ? alarm.contributors.map(seriesText).join(", ") : undefined],
    ],
    escapeMarkdown(alarm.reason),
  );
}

const SHOWN_CONTRIBUTORS = 8;

export function incidentTooltip(incident: IncidentSummary, clock: Clock): string {
  const rows = incident.contributors.slice(0, SHOWN_CONTRIBUTORS).map(({ series, worst }) => {
    const cells = [
      seriesText(series),
      formatValue(worst.actual),
      formatValue(worst.expected),
      formatDeviation(worst.deviation),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const more = incident.contributors.length - SHOWN_CONTRIBUTORS;
  return card(
    incident.title,
    undefined,
    [
      ["Status", incident.status],
      ["Severity", String(incident.severity)],
      ["Since", formatTime(incident.from, clock.timeZone, clock.now)],
      ["Owner", incident.owner ? escapeMarkdown(incident.owner) : "nobody yet"],
      ["Opened by", incident.rule ? `alarm ${escapeMarkdown(incident.rule)}` : "a person"],
    ],
    rows.length > 0
      ? ["| Series | Actual | Expected | Deviation |", "|:--|--:|--:|--:|", ...rows].join("\n")
      : undefined,
    more > 0 ? `and ${more} more` : undefined,
  );
}

function seriesText(id: string): string {
  const key = parseSeriesId(id);
  return escapeMarkdown(key ? seriesLabel(key) : id);
}

function faultText(fault: { readonly message: string; readonly next?: string }): string {
  return escapeMarkdown(`${fault.message}${fault.next ? ` ${fault.next}` : ""}`);
}
