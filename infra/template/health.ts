/**
 * The pipeline's own health: an alarm for each way it can fail without any series showing it, and the dashboard that shows them.
 * They go to the topic, not to an incident: they are for who keeps the pipeline, not for who keeps the business.
 */
import { type Fragment, type Resource, ref, tagList, type Value } from "./cfn.ts";
import type { Context } from "./context.ts";
import { dashboard } from "./dashboard.ts";
import { healthAlarms, pascal } from "./health-alarms.ts";
import type { Dimensions, HealthAlarm } from "./health-metrics.ts";

export function health(context: Context): Fragment {
  const resources: Record<string, Resource> = {};
  for (const alarm of healthAlarms(context)) {
    resources[`Health${pascal(alarm.name)}`] = toAlarm(context, alarm);
  }
  return {
    Resources: {
      ...resources,
      Dashboard: {
        Type: "AWS::CloudWatch::Dashboard",
        Properties: { DashboardName: context.names.prefix, DashboardBody: dashboard(context, Object.keys(resources)) },
      },
    },
    Outputs: {
      DashboardName: { Description: "CloudWatch dashboard of the pipeline", Value: ref("Dashboard") },
    },
  };
}

function toAlarm(context: Context, alarm: HealthAlarm): Resource {
  const { metric } = alarm;
  const Period = alarm.period ?? 300;
  return {
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmName: `${context.names.prefix}/health/${alarm.name}`,
      AlarmDescription: alarm.description,
      AlarmActions: [ref("AlarmTopic")],
      OKActions: [ref("AlarmTopic")],
      Threshold: alarm.threshold,
      ComparisonOperator: alarm.comparison ?? "GreaterThanThreshold",
      EvaluationPeriods: alarm.periods ?? 1,
      DatapointsToAlarm: alarm.periods ?? 1,
      TreatMissingData: alarm.missing ?? "notBreaching",
      Tags: tagList({ "forewatch:health": alarm.name }),
      ...("expression" in metric
        ? {
            Metrics: [
              ...Object.entries(metric.of).map(([Id, source]) => ({
                Id,
                ReturnData: false,
                MetricStat: {
                  Metric: {
                    Namespace: source.namespace,
                    MetricName: source.name,
                    Dimensions: dimensionList(source.dimensions),
                  },
                  Period,
                  Stat: source.statistic,
                },
              })),
              { Id: "result", Label: alarm.name, ReturnData: true, Expression: metric.expression },
            ],
          }
        : {
            Namespace: metric.namespace,
            MetricName: metric.name,
            Dimensions: dimensionList(metric.dimensions),
            Statistic: metric.statistic,
            Period,
          }),
    },
  };
}

function dimensionList(dimensions: Dimensions): Value {
  return Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
}
