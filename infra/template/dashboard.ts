/** The pipeline's dashboard in CloudWatch, as the text that a dashboard resource holds (API reference, "Dashboard body structure"). */
import { SECOND } from "../../src/core/time.ts";
import { HEALTH } from "../lambda/names.ts";
import { sub, type Value } from "./cfn.ts";
import type { Context } from "./context.ts";

/** The health alarms' states, what became of the events, and deviation and actual values of every series with the rules' thresholds. */
export function dashboard(context: Context, healthIds: readonly string[]): Value {
  const { spec, names } = context;
  const period = spec.series.every / SECOND;
  const search = (measure: string, metric: string) => [
    {
      // In a search, a name with other than letters and digits in it takes double quotes (User Guide, "Use search expressions").
      expression: `SEARCH('{"${names.namespace}",Measure,Series} MetricName="${metric}" Measure="${measure}"', 'Maximum', ${period})`,
      label: "",
      id: metric.toLowerCase(),
    },
  ];
  const graph = (x: number, y: number, title: string, metrics: unknown, annotations?: unknown) => ({
    type: "metric",
    x,
    y,
    width: 12,
    height: 7,
    properties: {
      title,
      view: "timeSeries",
      region: "${AWS::Region}",
      period,
      metrics,
      ...(annotations !== undefined && { annotations }),
    },
  });
  const rows = spec.series.measures.flatMap((measure, i) => {
    const horizontal = spec.alarms
      .filter((rule) => rule.measure === measure.name)
      .flatMap((rule) => [
        ...(rule.direction === "below" ? [] : [{ label: rule.name, value: rule.threshold }]),
        ...(rule.direction === "above" ? [] : [{ label: rule.name, value: -rule.threshold }]),
      ]);
    return [
      graph(
        0,
        18 + 7 * i,
        `${measure.name}: deviation (1 is the edge of the band)`,
        [search(measure.name, "Deviation")],
        { horizontal },
      ),
      graph(12, 18 + 7 * i, `${measure.name}: actual`, [search(measure.name, "Actual")]),
    ];
  });
  const counted = (fn: string) => (name: string, label: string) => [
    names.health,
    name,
    "service",
    `${names.prefix}-${fn}`,
    { stat: "Sum", label },
  ];
  const relayed = counted("relay");
  const compared = counted("compare");
  const events = [
    graph(0, 4, "Events a window: checked, rejected, dropped by enrich", [
      relayed(HEALTH.events, "checked"),
      relayed(HEALTH.rejected, "rejected"),
      relayed(HEALTH.dropped, "dropped"),
    ]),
    // A running total since the job's start.
    graph(12, 4, "Late events, which no window counts, since the analysis started", [
      [
        "AWS/KinesisAnalytics",
        "numLateRecordsDropped",
        "Application",
        `${names.prefix}-windows`,
        { stat: "Maximum", label: "late" },
      ],
    ]),
    graph(0, 11, "Comparisons: of every series, without a forecast; groups that a window lacked", [
      compared(HEALTH.compared, "compared"),
      compared(HEALTH.forecastMissing, "without a forecast"),
      compared(HEALTH.filled, "groups without events"),
    ]),
    graph(12, 11, "Not compared: unreadable, beyond CloudWatch's two weeks or numbers, groups beyond those watched", [
      compared(HEALTH.unreadable, "unreadable windows"),
      compared(HEALTH.tooOld, "windows too old"),
      compared(HEALTH.unwritable, "values too large"),
      compared(HEALTH.turnedAway, "groups turned away"),
    ]),
  ];
  const body = {
    widgets: [
      {
        type: "alarm",
        x: 0,
        y: 0,
        width: 24,
        height: 4,
        properties: { title: "Health of the pipeline itself", alarms: healthIds.map((id) => `\${${id}.Arn}`) },
      },
      ...events,
      ...rows,
    ],
  };
  return sub(JSON.stringify(body));
}
