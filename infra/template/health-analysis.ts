/** Health of the analysis: the Flink application, and the clock that closes windows in silence. */
import type { PipelineSpec } from "../../src/core/spec.ts";
import { DAY, HOUR, SECOND } from "../../src/core/time.ts";
import { HEALTH } from "../lambda/names.ts";
import { deadLetters, type HealthAlarm, type Sources } from "./health-metrics.ts";
import { longestLook } from "./lookback.ts";

export function analysisAlarms(spec: PipelineSpec, sources: Sources): HealthAlarm[] {
  const { own, flink, stream } = sources;
  return [
    {
      name: "flink-stopped",
      description:
        "The Flink application does not run, so no window closes: start it, or see its log for why it ended.",
      threshold: 1,
      comparison: "LessThanThreshold",
      periods: 3,
      // An application that is not running reports nothing at all; one that is, every minute.
      missing: "breaching",
      metric: flink("numRestarts", "SampleCount"),
    },
    {
      name: "flink-behind",
      description:
        "The Flink application is more than ten minutes behind the stream of events, which nothing else reads.",
      threshold: 600_000,
      periods: 3,
      metric: stream("EventsStream", "GetRecords.IteratorAgeMilliseconds", "Maximum"),
    },
    {
      name: "flink-restarts",
      description: "The Flink application restarts: its log says why (logger PythonDriver for the job itself).",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: {
        expression: "IF(DIFF(restarts) > 0, DIFF(restarts), 0)",
        of: { restarts: flink("numRestarts", "Maximum") },
      },
    },
    {
      name: "flink-checkpoints",
      description:
        "Checkpoints of the Flink application fail; a restart would count windows again from the last good one.",
      threshold: 3,
      comparison: "GreaterThanOrEqualToThreshold",
      period: 900,
      metric: {
        expression: "IF(DIFF(failed) > 0, DIFF(failed), 0)",
        of: { failed: flink("numberOfFailedCheckpoints", "Maximum") },
      },
    },
    {
      name: "events-late",
      description:
        "More than one or two events in a hundred come after their window has closed: they are in the lake, and no window counts them. Raise source.lateness, or look for what holds them up.",
      // Two operators drop a late event, that of its group's window and that of the window as a whole, and each counts it.
      threshold: 0.02,
      period: 900,
      metric: {
        // A running total since the job's start.
        expression: "IF(DIFF(late) > 0, DIFF(late), 0) / FILL(events, 0)",
        of: { late: flink("numLateRecordsDropped", "Maximum"), events: own("relay", HEALTH.events, "Sum") },
      },
    },
    silent(spec, sources),
    ...sweepAlarms(sources),
  ];
}

function silent({ series, source }: PipelineSpec, { own }: Sources): HealthAlarm {
  // The first window after a start closes only when the lateness has passed, too. Of more than a day of short periods CloudWatch sees
  // none, of hours it sees seven days; an alarm that would have to wait longer than that is early after a start.
  const periodsOf = (period: number) => 2 + Math.ceil(source.lateness / period);
  const period = series.every < HOUR && periodsOf(series.every) * series.every > DAY ? HOUR : series.every;
  return {
    name: "analysis-silent",
    description: "Events come, or the clock moves on, but no window closes: the Flink application does not work.",
    threshold: 1,
    comparison: "GreaterThanOrEqualToThreshold",
    period: period / SECOND,
    periods: Math.min(periodsOf(period), Math.floor(longestLook(period) / period)),
    metric: {
      expression: "IF(FILL(events, 0) + FILL(clock, 0) > 0 AND FILL(closed, 0) < 1, 1, 0)",
      of: {
        events: own("relay", HEALTH.newestEvent, "SampleCount"),
        clock: own("sweep", HEALTH.clock, "SampleCount"),
        closed: own("compare", HEALTH.closed, "SampleCount"),
      },
    },
  };
}

function sweepAlarms({ lambda }: Sources): HealthAlarm[] {
  return [
    {
      name: "sweep-failed",
      description: "Silence does not close windows: the sweep fails. The queue of its failed runs says why.",
      threshold: 3,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: lambda("sweep", "Errors", "Sum"),
    },
    {
      name: "sweep-stopped",
      description: "Silence does not close windows: the sweep, due every minute, does not run.",
      threshold: 1,
      comparison: "LessThanThreshold",
      periods: 2,
      missing: "breaching",
      metric: lambda("sweep", "Invocations", "Sum"),
    },
    // Of one that fails now and then, or is throttled, neither of the two tells.
    deadLetters(
      "sweep",
      "SweepFailures",
      "Runs of the sweep failed or were dropped; the next ones do their work, so that silence closes windows late at worst.",
    ),
  ];
}
