/** Step 6 on AWS: closed windows beside their forecasts, as metrics. A window that comes twice writes the same data twice. */
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { S3Client } from "@aws-sdk/client-s3";
import { bucketObjects, metricSink } from "./aws.ts";
import { CompareBatch } from "./compare-batch.ts";
import type { BatchResponse, Call, KinesisStreamEvent } from "./events.ts";
import { CurrentForecast } from "./forecasts.ts";
import { HEALTH } from "./names.ts";
import { groupsWithAlarms, logger, ownMetrics, pipeline, setting } from "./runtime.ts";

const metrics = ownMetrics();
const spec = pipeline();
const bucket = bucketObjects(new S3Client({}), setting("DATA_BUCKET"));
const forecast = new CurrentForecast(bucket, setting("FORECAST_KEY"), spec);
const batch = new CompareBatch(
  spec,
  forecast,
  metricSink(new CloudWatchClient({}), setting("METRIC_NAMESPACE")),
  groupsWithAlarms(),
);

export async function handler(event: KinesisStreamEvent, call: Call): Promise<BatchResponse> {
  const outcome = await batch.run(
    event.Records.map(({ kinesis }) => ({
      sequence: kinesis.sequenceNumber,
      data: Buffer.from(kinesis.data, "base64"),
    })),
    Date.now(),
    () => call.getRemainingTimeInMillis(),
  );
  metrics.addMetric(HEALTH.compared, MetricUnit.Count, outcome.compared);
  metrics.addMetric(HEALTH.forecastMissing, MetricUnit.Count, outcome.forecastMissing);
  if (outcome.forecastMissing > 0 && forecast.outgrown.length > 0)
    logger.warn("The pipeline file has changed since forecasts in use were trained; train again", {
      outgrown: forecast.outgrown,
    });
  metrics.addMetric(HEALTH.filled, MetricUnit.Count, outcome.filled);
  if (outcome.turnedAway > 0) metrics.addMetric(HEALTH.turnedAway, MetricUnit.Count, outcome.turnedAway);
  if (outcome.withoutAlarm.length > 0) {
    metrics.addMetric(HEALTH.withoutAlarm, MetricUnit.Count, outcome.withoutAlarm.length);
    logger.warn("Groups that no alarm was made for are compared", { groups: outcome.withoutAlarm.slice(0, 20) });
  }
  if (outcome.tooOld > 0) metrics.addMetric(HEALTH.tooOld, MetricUnit.Count, outcome.tooOld);
  if (outcome.unwritable > 0) {
    metrics.addMetric(HEALTH.unwritable, MetricUnit.Count, outcome.unwritable);
    logger.warn("Values are no numbers, or beyond what CloudWatch takes, 2 to the power of 360", {
      values: outcome.unwritable,
    });
  }
  const { outgrown, partial } = outcome;
  if (outgrown > 0) logger.info("Windows of an earlier pipeline file are passed over", { records: outgrown });
  if (partial > 0) logger.info("Windows that the analysis began within are not compared", { windows: partial });
  for (const { sequence, error } of outcome.unreadable) {
    metrics.addMetric(HEALTH.unreadable, MetricUnit.Count, 1);
    logger.error("A record of the windows stream cannot be read; it is passed over", {
      sequence,
      error: error as Error,
    });
  }
  for (const end of outcome.closed) metrics.addMetric(HEALTH.closed, MetricUnit.Seconds, end / 1_000);
  metrics.publishStoredMetrics();
  if (outcome.failure) {
    const { sequence, error } = outcome.failure;
    logger.error("Windows could not be compared; they are brought again", { from: sequence, error: error as Error });
    return { batchItemFailures: [{ itemIdentifier: outcome.failure.sequence }] };
  }
  if (outcome.left === undefined) return { batchItemFailures: [] };
  logger.info("There is more to compare than one call has time for; the rest comes again", { from: outcome.left });
  return { batchItemFailures: [{ itemIdentifier: outcome.left }] };
}
