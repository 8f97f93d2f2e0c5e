/** Health of what takes records in: the relay to the analysis, and the delivery to the lake. */
import { HEALTH } from "../lambda/names.ts";
import { type HealthAlarm, lagging, type Sources, stopped } from "./health-metrics.ts";

export function intakeAlarms(sources: Sources): HealthAlarm[] {
  const { own, lambda, stream } = sources;
  return [
    lagging(sources, "relay", "The relay of records to the analysis"),
    stopped({
      name: "relay-stopped",
      description: "Records come in and the relay is not called: its event source mapping is off, or it is throttled.",
      incoming: stream("RawStream", "IncomingRecords", "Sum"),
      calls: lambda("relay", "Invocations", "Sum"),
    }),
    {
      name: "rejected-share",
      description: 'More than one record in a hundred is rejected: look at the table "rejected" for the reasons.',
      threshold: 0.01,
      period: 900,
      metric: {
        expression: "FILL(rejected, 0) / (FILL(rejected, 0) + FILL(events, 0))",
        of: { rejected: own("relay", HEALTH.rejected, "Sum"), events: own("relay", HEALTH.events, "Sum") },
      },
    },
    {
      name: "events-refused",
      description:
        "The stream of events is full, which the analysis reads: events take more room there than in their records, or enrich makes several of one. Raise source.shards.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      // The relay puts again what is refused. That delays events, and while it is soon over, nobody need do anything.
      periods: 3,
      metric: stream("EventsStream", "WriteProvisionedThroughputExceeded", "Sum"),
    },
    ...deliveryAlarms(sources),
    {
      name: "enrich-errors",
      description: "The enrich function ends with errors: its log says which.",
      threshold: 3,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: lambda("enrich", "Errors", "Sum"),
    },
    {
      name: "enrich-overflow",
      description: "Records grew too large for an answer to Firehose; they are in the bucket under failed/.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: own("enrich", HEALTH.overflowed, "Sum"),
    },
  ];
}

function deliveryAlarms({ delivery, stream }: Sources): HealthAlarm[] {
  return [
    {
      name: "delivery-late",
      description: "The newest record that is not in the lake yet has waited for fifteen minutes.",
      threshold: 900,
      periods: 2,
      metric: delivery("DeliveryToS3.DataFreshness", "Maximum"),
    },
    {
      name: "delivery-behind",
      description: "Firehose reads the stream and is more than fifteen minutes behind it.",
      threshold: 900_000,
      periods: 2,
      metric: delivery("KinesisMillisBehindLatest", "Maximum"),
    },
    stopped({
      name: "delivery-stopped",
      description:
        "Records come in and Firehose reads none: see its log, and whether its role may use the stream and the key.",
      incoming: stream("RawStream", "IncomingRecords", "Sum"),
      calls: delivery("DataReadFromKinesisStream.Records", "Sum"),
    }),
    {
      name: "delivery-failed",
      description: "Records could not be made Parquet; they are in the bucket under failed/.",
      threshold: 1,
      comparison: "GreaterThanOrEqualToThreshold",
      metric: delivery("FailedConversion.Records", "Sum"),
    },
    {
      name: "transform-failing",
      description: "Firehose's calls of the enrich function fail; after three tries their records go under failed/.",
      // A share: of all calls, those that succeeded.
      threshold: 1,
      comparison: "LessThanThreshold",
      periods: 2,
      metric: delivery("ExecuteProcessing.Success", "Average"),
    },
  ];
}
