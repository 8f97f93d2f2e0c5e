/** What the alarms of a pipeline's health are made of: the metrics by who writes them, and the kinds of alarms that recur. */
import { att, ref, type Value } from "./cfn.ts";
import type { Context } from "./context.ts";

/** A metric is called by its dimensions; some of their values CloudFormation fills in. */
export type Dimensions = Readonly<Record<string, Value>>;

export interface HealthAlarm {
  readonly name: string;
  readonly description: string;
  readonly threshold: number;
  readonly comparison?: "GreaterThanThreshold" | "GreaterThanOrEqualToThreshold" | "LessThanThreshold";
  readonly period?: number;
  readonly periods?: number;
  readonly missing?: "notBreaching" | "breaching" | "ignore";
  readonly metric: Source | { readonly expression: string; readonly of: Readonly<Record<string, Source>> };
}

export interface Source {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Dimensions;
  readonly statistic: string;
}

/** Metrics of a pipeline, each by its name and a statistic. */
export type Sources = ReturnType<typeof sourcesOf>;

export function sourcesOf({ names }: Context) {
  const source = (namespace: string, dimensions: Dimensions) => (name: string, statistic: string) => ({
    namespace,
    name,
    dimensions,
    statistic,
  });
  return {
    /** What a function counts itself. */
    own: (fn: string, name: string, statistic: string): Source =>
      source(names.health, { service: `${names.prefix}-${fn}` })(name, statistic),
    lambda: (fn: string, name: string, statistic: string): Source =>
      source("AWS/Lambda", { FunctionName: `${names.prefix}-${fn}` })(name, statistic),
    /** Of the stream with this logical id. */
    stream: (id: string, name: string, statistic: string): Source =>
      source("AWS/Kinesis", { StreamName: ref(id) })(name, statistic),
    delivery: source("AWS/Firehose", { DeliveryStreamName: ref("Delivery") }),
    flink: source("AWS/KinesisAnalytics", { Application: ref("FlinkApplication") }),
    states: (name: string): Source => source("AWS/States", { StateMachineArn: ref("Training") })(name, "Sum"),
  };
}

/** A function that reads a stream is behind it. */
export function lagging({ lambda }: Sources, fn: string, what: string): HealthAlarm {
  return {
    name: `${fn}-behind`,
    description: `${what} is more than ten minutes behind its stream.`,
    threshold: 600_000,
    periods: 3,
    metric: lambda(fn, "IteratorAge", "Maximum"),
  };
}

/** Something lies in the queue with this logical id. */
export function deadLetters(name: string, id: string, what: string): HealthAlarm {
  return {
    name: `${name}-dead-letters`,
    description: `${what} Look into the queue, mend the cause, then empty it.`,
    threshold: 1,
    comparison: "GreaterThanOrEqualToThreshold",
    metric: {
      namespace: "AWS/SQS",
      name: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: att(id, "QueueName") },
      statistic: "Maximum",
    },
  };
}

/**
 * Something arrives and nothing fetches it: what waits has no age then, because the age is told by who fetches.
 *
 * A period's datum is 1 when something came and nothing was fetched, below 1 when something was, and there is none when neither was so:
 * nothing can be divided by 0 (User Guide, "Basic arithmetic functions"). The last datum stands for the periods after it, and when it
 * is out of sight the alarm keeps its state. So a single record raises it when it has waited for one to two periods, though the
 * next comes tomorrow, and the next fetch ends it.
 */
export function stopped({
  incoming,
  calls,
  ...alarm
}: Pick<HealthAlarm, "name" | "description"> & { readonly incoming: Source; readonly calls: Source }): HealthAlarm {
  return {
    ...alarm,
    threshold: 1,
    comparison: "GreaterThanOrEqualToThreshold",
    // The two metrics of a moment may come in periods that follow each other.
    periods: 2,
    missing: "ignore",
    metric: {
      expression: "FILL(FILL(incoming, 0) / (FILL(incoming, 0) + FILL(calls, 0)), REPEAT)",
      of: { incoming, calls },
    },
  };
}
