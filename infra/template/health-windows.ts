/** Health of what is made of closed windows: their comparison, the groups and forecasts that it knows, and the training. */
import { mostGroups } from "../../src/core/series.ts";
import { FORECAST_MISSING } from "../../src/core/spec.ts";
import { SECOND } from "../../src/core/time.ts";
import { HEALTH } from "../lambda/names.ts";
import { alarmShape, INSIGHTS_SERIES } from "./alert.ts";
import type { Context } from "./context.ts";
import { deadLetters, type HealthAlarm, lagging, type Sources, stopped } from "./health-metrics.ts";

export function windowAlarms(context: Context, sources: Sources): HealthAlarm[] {
  const { own, lambda, stream } = sources;
  const period = context.spec.series.every / SECOND;
  return [
    lagging(sources, "compare", "The comparison of windows"),
    stopped({
      name: "compare-stopped",
      description:
        "Windows close and are not compared: the event source mapping of the comparison is off, or it is throttled.",
      incoming: stream("WindowsStream", "IncomingRecords", "Sum"),
      calls: lambda("compare", "Invocations", "Sum"),
    }),
    {
      name: "windows-unreadable",
      description:
        "Records of the windows stream cannot be read and were passed over: the compare function's log says which.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: own("compare", HEALTH.unreadable, "Sum"),
    },
    {
      name: "windows-too-old",
      description:
        "Windows were not compared: they end more than two weeks back or two hours ahead, where CloudWatch takes no data, or lie too far back in a silence of many groups. Look at the events' times, or for what held the stream up.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: own("compare", HEALTH.tooOld, "Sum"),
    },
    {
      name: "values-unwritable",
      description:
        "Values beyond 2 to the power of 360, which CloudWatch does not take, were left out of the comparison. Look at the fields that the measures are made of.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: own("compare", HEALTH.unwritable, "Sum"),
    },
    {
      name: FORECAST_MISSING,
      description: "Windows have no forecast to be compared with, so their alarms are blind. Train the forecast.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      period,
      metric: own("compare", HEALTH.forecastMissing, "Sum"),
    },
    deadLetters("compare", "CompareDeadLetters", "Windows could not be compared."),
    ...groupAlarms(context, sources),
    ...trainingAlarms(sources),
    deadLetters("schedule", "ScheduleDeadLetters", "A scheduled run could not be started."),
  ];
}

function groupAlarms(context: Context, { own }: Sources): HealthAlarm[] {
  const { spec } = context;
  const discovers = !spec.series.by.every(({ values }) => values);
  const has = (shape: ReturnType<typeof alarmShape>) => spec.alarms.some((rule) => alarmShape(context, rule) === shape);
  const period = spec.series.every / SECOND;
  return [
    {
      name: "groups-turned-away",
      description: `More groups came than are watched: ${mostGroups(spec.series.measures.length)}, those of the forecast and the first that appeared. The events of others lie in the lake alone. Use a "by" field with fewer values, or list the values to watch.`,
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      period,
      metric: own("compare", HEALTH.turnedAway, "Sum"),
    },
    // Where an alarm a series was made for the groups that were given.
    ...(context.groups !== undefined && discovers && has("per-series")
      ? [
          {
            name: "groups-without-alarm",
            description: `Groups came that no alarm was made for: the compare function's log names them. Deploy again with all groups.`,
            threshold: 1,
            comparison: "GreaterThanOrEqualToThreshold" as const,
            period,
            metric: own("compare", HEALTH.withoutAlarm, "Sum"),
          },
        ]
      : []),
    // Of groups that are listed it is known how many there are; beside those that were given, others may come.
    ...(discovers && has("insights")
      ? [
          {
            name: "groups-beyond-alarms",
            description: `More than ${INSIGHTS_SERIES} groups were discovered: the alarms see those with the worst values alone. Give the groups there are, or list them.`,
            threshold: INSIGHTS_SERIES * spec.series.measures.length,
            period,
            periods: 3,
            metric: {
              expression: "compared / closed",
              of: {
                compared: own("compare", HEALTH.compared, "Sum"),
                closed: own("compare", HEALTH.closed, "SampleCount"),
              },
            },
          },
        ]
      : []),
  ];
}

function trainingAlarms({ own, states }: Sources): HealthAlarm[] {
  return [
    {
      name: "training-failed",
      description: "The forecast could not be trained; the last one stays in use, or the ensemble stands in.",
      threshold: 0,
      // What a training came to holds until another ends: in between there is nothing to be divided by.
      missing: "ignore",
      metric: {
        expression:
          "(FILL(failed, 0) + FILL(slow, 0) + FILL(aborted, 0)) / (FILL(failed, 0) + FILL(slow, 0) + FILL(aborted, 0) + FILL(succeeded, 0))",
        of: {
          failed: states("ExecutionsFailed"),
          slow: states("ExecutionsTimedOut"),
          aborted: states("ExecutionsAborted"),
          succeeded: states("ExecutionsSucceeded"),
        },
      },
    },
    {
      name: "series-not-forecast",
      description:
        "The last training could forecast some series neither by DeepAR nor by the ensemble: its report says which.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      // It is told once a training, and holds until the next.
      missing: "ignore",
      metric: own("publish", HEALTH.notForecast, "Maximum"),
    },
  ];
}
