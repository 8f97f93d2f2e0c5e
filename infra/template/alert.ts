/**
 * Step 7, alert: one alarm a rule, watching every series of its measure, and the incident it opens.
 *
 * Two shapes, by what CloudWatch can see (CloudWatch User Guide, "Limits that apply to alarms based on Metrics Insights"):
 * - A Metrics Insights query with GROUP BY, whose every series is a contributor. One alarm however many series there are, new
 *   ones join by themselves. It sees the last three hours only, and 500 series at most.
 * - One alarm a series under a composite alarm, for rules whose windows reach further back than that. It needs the series
 *   known beforehand: listed in the pipeline file, or given as `groups` from the data.
 */
import { watchedMetric } from "../../src/core/compare.ts";
import { Fault } from "../../src/core/fault.ts";
import { type Group, groupKey, seriesId } from "../../src/core/series.ts";
import { type AlarmRule, byFields } from "../../src/core/spec.ts";
import { DAY, formatDuration, HOUR, SECOND, WEEK } from "../../src/core/time.ts";
import { metricDimension } from "../lambda/names.ts";
import { arn, att, type Fragment, type Resource, ref, sub, tagList, type Value } from "./cfn.ts";
import type { Context } from "./context.ts";

/** How far back a Metrics Insights alarm sees, and how many series. */
const INSIGHTS_REACH = 3 * HOUR;
const INSIGHTS_SERIES = 500;
/** A composite alarm's rule: children, and characters (CloudWatch User Guide, "Create a composite alarm"). */
const COMPOSITE_CHILDREN = 100;
const COMPOSITE_LENGTH = 10_240;

export type AlarmShape = "insights" | "per-series";

/** Which shape a rule gets; see above. */
export function alarmShape(context: Context, rule: AlarmRule): AlarmShape {
  const reach = rule.periods * context.spec.series.every;
  const few = context.groups === undefined || context.groups.length <= INSIGHTS_SERIES;
  return reach <= INSIGHTS_REACH && few ? "insights" : "per-series";
}

/** Actions of an alarm: the incident, and the topic. */
export interface AlarmActions {
  readonly alarm: readonly Value[];
  readonly ok: readonly Value[];
}

export function alert(context: Context): Fragment {
  const resources: Record<string, Resource> = {};
  const { spec } = context;
  spec.alarms.forEach((rule, i) => {
    checkReach(context, rule);
    const id = `Rule${i}`;
    const actions = actionsOf(context, rule, `${id}ResponsePlan`);
    if (context.options.incidents.kind === "incident-manager") {
      resources[`${id}ResponsePlan`] = responsePlan(context, rule);
    }
    Object.assign(
      resources,
      alarmShape(context, rule) === "insights"
        ? { [`${id}Alarm`]: insightsAlarm(context, rule, actions) }
        : perSeriesAlarms(context, rule, id, actions),
    );
  });
  return { Resources: resources };
}

/** CloudWatch evaluates a day of periods below an hour, and a week of longer ones (PutMetricAlarm, EvaluationPeriods). */
function checkReach(context: Context, rule: AlarmRule): void {
  const { every } = context.spec.series;
  const most = every < HOUR ? DAY : WEEK;
  if (rule.periods * every <= most) return;
  throw new Fault(
    "target.unsupported",
    `The alarm "${rule.name}" looks back ${formatDuration(rule.periods * every)}; CloudWatch looks back ${formatDuration(most)} at windows of ${formatDuration(every)}.`,
    { next: `Let "datapoints" name at most ${Math.floor(most / every)} windows.` },
  );
}

/** The name of a rule's alarm, by which the target finds it again. */
export function alarmName(context: Context, rule: Pick<AlarmRule, "name">): string {
  return `${context.names.prefix}/${rule.name}`;
}

function actionsOf(context: Context, rule: AlarmRule, responsePlanId: string): AlarmActions {
  const incident =
    context.options.incidents.kind === "incident-manager" ? att(responsePlanId, "Arn") : opsItem(rule.severity);
  return { alarm: [incident, ref("AlarmTopic")], ok: [ref("AlarmTopic")] };
}

/** OpsCenter knows severities 1 to 4. */
function opsItem(severity: number): Value {
  return arn("ssm", `opsitem:${Math.min(4, severity)}#CATEGORY=Availability`);
}

function responsePlan(context: Context, rule: AlarmRule): Resource {
  const { spec, names } = context;
  const { incidents } = context.options;
  const contacts = (incidents.kind === "incident-manager" && incidents.contacts) || [];
  return {
    Type: "AWS::SSMIncidents::ResponsePlan",
    Properties: {
      ...(contacts.length > 0 && { Engagements: contacts }),
      Name: `${names.prefix}-${rule.name}`,
      DisplayName: `${spec.name}: ${rule.name}`,
      IncidentTemplate: {
        Title: `${spec.name}: ${rule.name}`,
        Impact: rule.severity,
        Summary: inWords(rule),
        // While an incident of this rule is open, further alarms join it.
        DedupeString: `${names.prefix}/${rule.name}`,
        NotificationTargets: [{ SnsTopicArn: ref("AlarmTopic") }],
      },
    },
  };
}

function inWords(rule: AlarmRule): string {
  const side = rule.direction === "both" ? "beyond the band on either side" : rule.direction;
  const runbook = rule.runbook === undefined ? "" : ` Runbook: ${rule.runbook}.`;
  return `${rule.measure}: ${rule.datapoints} of the last ${rule.periods} windows deviate ${side} by more than ${rule.threshold} half widths of the band.${runbook}`;
}

function common(rule: AlarmRule) {
  return {
    EvaluationPeriods: rule.periods,
    DatapointsToAlarm: rule.datapoints,
    // Where silence is a breach it is a datum (`watchedMetric`). Windows that nothing was written for are the pipeline's own failure,
    // which neither begins an outage of the business nor ends one.
    TreatMissingData: rule.missing === "breaching" ? "ignore" : rule.missing,
    Threshold: rule.direction === "below" ? -rule.threshold : rule.threshold,
    ComparisonOperator: rule.direction === "below" ? "LessThanThreshold" : "GreaterThanThreshold",
    AlarmDescription: inWords(rule),
    Tags: tagList({ "forewatch:rule": rule.name, "forewatch:severity": String(rule.severity) }),
  };
}

function insightsAlarm(context: Context, rule: AlarmRule, actions: AlarmActions): Resource {
  // A window has one datum, so least and greatest are the same; a duplicate must not blunt the alarm.
  const pick = rule.direction === "below" ? "MIN" : "MAX";
  return {
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmName: alarmName(context, rule),
      ...common(rule),
      AlarmActions: actions.alarm,
      OKActions: actions.ok,
      Metrics: [
        {
          Id: "deviation",
          Label: "Deviation",
          ReturnData: true,
          Period: context.spec.series.every / SECOND,
          Expression:
            `SELECT ${pick}(${watchedMetric(rule)}) FROM SCHEMA("${context.names.namespace}", Measure, Series) ` +
            `WHERE Measure = '${rule.measure}' GROUP BY Series ORDER BY ${pick}() ${pick === "MIN" ? "ASC" : "DESC"}`,
        },
      ],
    },
  };
}

function perSeriesAlarms(
  context: Context,
  rule: AlarmRule,
  id: string,
  actions: AlarmActions,
): Record<string, Resource> {
  const { groups } = context;
  if (groups === undefined) {
    throw new Fault(
      "target.unsupported",
      `The alarm "${rule.name}" looks further back than three hours over series that are discovered; CloudWatch can watch either, not both.`,
      {
        next: `List the values of ${byFields(context.spec).join(" and ")} in the pipeline file, or let "datapoints" span three hours at most.`,
      },
    );
  }
  const resources: Record<string, Resource> = {};
  const children = groups.map((group, g) => {
    resources[`${id}Series${g}`] = seriesAlarm(context, rule, group);
    return `${id}Series${g}`;
  });
  // A composite takes a hundred children at most, and its rule has a length: more series take a layer more.
  let layer = children;
  for (let depth = 0; layer.length > 1 || depth === 0; depth++) {
    const parts = split(layer, (logicalId) => ruleLength(resources[logicalId]!));
    const top = parts.length === 1;
    layer = parts.map((part, p) => {
      const logicalId = top ? `${id}Alarm` : `${id}Part${depth}x${p}`;
      const name = top ? alarmName(context, rule) : `${alarmName(context, rule)}/part-${depth}-${p}`;
      resources[logicalId] = composite(rule, name, part, top ? actions : { alarm: [], ok: [] });
      return logicalId;
    });
  }
  return resources;
}

function seriesAlarm(context: Context, rule: AlarmRule, group: Group): Resource {
  const series = seriesId(rule.measure, byFields(context.spec), group);
  const stat = {
    Namespace: context.names.namespace,
    MetricName: watchedMetric(rule),
    Dimensions: [
      { Name: "Measure", Value: rule.measure },
      { Name: "Series", Value: metricDimension(series) },
    ],
  };
  const period = context.spec.series.every / SECOND;
  const statistic = rule.direction === "below" ? "Minimum" : "Maximum";
  return {
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmName: `${alarmName(context, rule)}/${nameable(groupKey(group)) || "all"}`,
      ...common(rule),
      ...stat,
      Period: period,
      Statistic: statistic,
    },
  };
}

function composite(rule: AlarmRule, name: string, children: readonly string[], actions: AlarmActions): Resource {
  return {
    Type: "AWS::CloudWatch::CompositeAlarm",
    Properties: {
      AlarmName: name,
      AlarmDescription: inWords(rule),
      AlarmRule: sub(children.map((child) => `ALARM("\${${child}}")`).join(" OR ")),
      ...(actions.alarm.length > 0 && { AlarmActions: actions.alarm, OKActions: actions.ok }),
      Tags: tagList({ "forewatch:rule": rule.name }),
    },
  };
}

/** Text in an alarm's name: ASCII, and nothing that would end the quotes around it in a composite's rule. */
function nameable(text: string): string {
  return metricDimension(text).replace(/["\\]/g, (c) => encodeURIComponent(c));
}

function ruleLength(resource: Resource): number {
  return String(resource.Properties.AlarmName).length + 'ALARM("") OR '.length;
}

/** Runs of items that keep within a composite's limits. */
function split(items: readonly string[], length: (item: string) => number): string[][] {
  const parts: string[][] = [[]];
  let used = 0;
  for (const item of items) {
    const cost = length(item);
    if (parts.at(-1)!.length === COMPOSITE_CHILDREN || used + cost > COMPOSITE_LENGTH) {
      parts.push([]);
      used = 0;
    }
    parts.at(-1)!.push(item);
    used += cost;
  }
  return parts;
}
