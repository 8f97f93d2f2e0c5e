/** What a pipeline will not do on AWS, does otherwise there, or does only with an account's limits raised. */
import { formatDuration } from "../../src/core/time.ts";
import { scheduleEvery } from "../workflow/times.ts";
import { alarmShape, INSIGHTS_ALARMS, INSIGHTS_SERIES } from "./alert.ts";
import type { Template } from "./cfn.ts";
import { type Context, partitionOf } from "./context.ts";
import { logsByHand } from "./regions.ts";

/** Alarms that a region takes before somebody asks for more (CloudWatch User Guide, "CloudWatch service quotas"). */
const ALARMS_A_REGION = 5_000;

/** Sentences for whoever deploys, each with what to do. @param templates the stack's, and those of the stacks inside it. */
export function warningsOf(context: Context, templates: readonly Template[]): string[] {
  const { spec, options } = context;
  return [
    ...(scheduleEvery(spec) > spec.forecast.retrain
      ? [
          `A training on AWS may take two hours: the forecast is trained every ${formatDuration(scheduleEvery(spec))}, not every ${formatDuration(spec.forecast.retrain)}.`,
        ]
      : []),
    ...(partitionOf(options.region) !== "aws"
      ? [
          `${options.region}: the templates are linted for it, and were not tried there; see that it has DeepAR, Managed Service for Apache Flink with runtime 2.2, EventBridge Scheduler, and Lambda on arm64.`,
        ]
      : []),
    ...(logsByHand(options.region)
      ? [
          `${options.region}: CloudFormation cannot attach the Flink application's log there, and without it nobody sees why the application fails: attach the log stream that the stack's output FlinkLogStreamArn names, before the application is started (aws kinesisanalyticsv2 add-application-cloud-watch-logging-option).`,
        ]
      : []),
    ...unheard(context),
    ...quotas(context, templates),
  ];
}

/** Alarms that nobody would hear. */
function unheard({ spec, options: { email, incidents } }: Context): string[] {
  const rules = spec.alarms.length > 0;
  const what =
    rules && incidents.kind === "ops-center"
      ? "Nobody hears the alarms: OpsCenter does not page, and the topic that they message has no subscriber."
      : "Nobody hears when the pipeline itself fails: the topic that its alarms message has no subscriber.";
  return [
    ...(email === undefined
      ? [`${what} Give an address (--email), or subscribe to the topic that the stack's output AlarmTopicArn names.`]
      : []),
    ...(rules && incidents.kind === "incident-manager" && (incidents.contacts ?? []).length === 0
      ? [
          "Incidents page nobody: their response plans engage no contact. Give the ARNs of contacts, escalation plans or on-call schedules (--contact).",
        ]
      : []),
  ];
}

/** Alarms beyond what an account has, or CloudWatch sees, unasked. */
function quotas(context: Context, templates: readonly Template[]): string[] {
  const { spec, groups } = context;
  const alarms = templates
    .flatMap(({ Resources }) => Object.values(Resources))
    .filter(({ Type }) => Type === "AWS::CloudWatch::Alarm" || Type === "AWS::CloudWatch::CompositeAlarm").length;
  const queries = spec.alarms.filter((rule) => alarmShape(context, rule) === "insights").map((rule) => rule.name);
  return [
    ...(alarms > ALARMS_A_REGION
      ? [
          `The stack has ${alarms} alarms, and a region takes ${ALARMS_A_REGION} unless more were asked for (Service Quotas, "Number of Metrics alarms").`,
        ]
      : []),
    ...(queries.length > INSIGHTS_ALARMS
      ? [
          `${queries.length} alarms query all series with Metrics Insights, and an account has ${INSIGHTS_ALARMS} such alarms in a region unless more were asked for (Service Quotas, "Number of Metrics Insights alarms").`,
        ]
      : []),
    ...(groups === undefined && queries.length > 0
      ? [
          `${queries.join(", ")}: of discovered groups CloudWatch sees up to ${INSIGHTS_SERIES}; of more, those with the worst values (PARTIAL_DATA), of which the health alarm groups-beyond-alarms tells. Where there are more than ${INSIGHTS_SERIES}, give all of them (--groups): then each has an alarm of its own.`,
        ]
      : []),
  ];
}
