/**
 * Step 7, alert: one alarm a rule, watching every series of its measure, and the incident it opens.
 *
 * Two shapes, by what CloudWatch can see (CloudWatch User Guide, "Limits that apply to alarms based on Metrics Insights queries"):
 * - A Metrics Insights query with GROUP BY, whose every series is a contributor. One query however many series there are, new
 *   ones join by themselves. It sees the last three hours only, of which the newest hold no data yet (see lookback.ts), and of more
 *   than 500 series the 500 with the worst values: sound for one datum, not for several of many. Its WHERE knows `=`, `!=` and
 *   AND, so that no set of queries can divide the series.
 * - One alarm a series, for rules whose windows reach further back than that, or that watch more than 500 series. It needs the
 *   series known beforehand: listed in the pipeline file, or given as `groups` from the data.
 *
 * Above either stands a composite alarm with the rule's name, which alone acts. A query with GROUP BY sends messages and opens
 * OpsItems for each of its contributors (User Guide, "Alarm actions"): an outage of 300 groups would be 300 of both.
 */
import { watchedMetric } from "../../src/core/compare.ts";
import { Fault } from "../../src/core/fault.ts";
import { type AlarmRule, byFields } from "../../src/core/spec.ts";
import { formatDuration, HOUR, SECOND } from "../../src/core/time.ts";
import { alarmName, common, composite, inWords, ruleId } from "./alarm.ts";
import { arn, att, type Fragment, type NestedTemplate, type Resource, ref, type Value } from "./cfn.ts";
import type { Context } from "./context.ts";
import { dataDelay, reachOf } from "./lookback.ts";
import { seriesAlarms } from "./series-alarms.ts";

/** How far back a Metrics Insights alarm sees, how many series, and how many such alarms an account has in a region unasked. */
const INSIGHTS_REACH = 3 * HOUR;
export const INSIGHTS_SERIES = 500;
export const INSIGHTS_ALARMS = 200;

export type AlarmShape = "insights" | "per-series";

/** Which shape a rule gets; see above. Of series that are discovered nobody knows how many there will be. */
export function alarmShape({ spec, groups }: Pick<Context, "spec" | "groups">, rule: AlarmRule): AlarmShape {
  const few = groups === undefined || groups.length <= INSIGHTS_SERIES;
  return reachOf(spec, rule) <= INSIGHTS_REACH && few ? "insights" : "per-series";
}

export function alert(context: Context): Fragment {
  const resources: Record<string, Resource> = {};
  const nested: NestedTemplate[] = [];
  for (const rule of context.spec.alarms) {
    const id = ruleId(rule);
    const incidentManager = context.options.incidents.kind === "incident-manager";
    if (incidentManager) resources[`${id}ResponsePlan`] = responsePlan(context, rule);
    const acting = {
      id: `${id}Alarm`,
      actions: {
        alarm: [incidentManager ? att(`${id}ResponsePlan`, "Arn") : opsItem(rule.severity), ref("AlarmTopic")],
        ok: [ref("AlarmTopic")],
      },
    };
    if (alarmShape(context, rule) === "insights") {
      const query = insightsAlarm(context, rule);
      resources[`${id}Query`] = query;
      const child = { name: String(query.Properties.AlarmName), id: `${id}Query` };
      resources[acting.id] = composite(rule, alarmName(context, rule), [child], acting.actions);
    } else {
      const made = seriesAlarms(context, rule, knownGroups(context, rule), acting, nested.at(-1)?.id);
      Object.assign(resources, made.resources);
      nested.push(...made.nested);
    }
  }
  return { Resources: resources, Nested: nested };
}

function knownGroups(context: Context, rule: AlarmRule) {
  if (context.groups !== undefined) return context.groups;
  const { spec } = context;
  const fields = byFields(spec).join(" and ");
  const { every } = spec.series;
  const most = Math.floor((INSIGHTS_REACH - dataDelay(spec)) / every);
  const fewer =
    most > 0 ? `, or let "datapoints" be of the last ${most === 1 ? "window" : `${most} windows`} at most` : "";
  throw new Fault(
    "target.unsupported",
    `The alarm "${rule.name}" looks further back than three hours over series that are discovered; CloudWatch can watch either, not both. Its ${rule.periods} windows of ${formatDuration(every)} can be read up to ${formatDuration(dataDelay(spec))} after their end.`,
    {
      next: `List the values of ${fields} in the pipeline file, or give the groups there are (--groups)${fewer}.`,
    },
  );
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

function insightsAlarm(context: Context, rule: AlarmRule): Resource {
  // A window has one datum, so least and greatest are the same; a duplicate must not blunt the alarm.
  const pick = rule.direction === "below" ? "MIN" : "MAX";
  return {
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmName: `${alarmName(context, rule)}/every-series`,
      ...common(context, rule),
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
