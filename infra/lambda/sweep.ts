/** Beside step 6 on AWS, once a minute: silence moves the clock, and closed windows get the groups they lack. */
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { S3Client } from "@aws-sdk/client-s3";
import { bucketObjects, kinesisClient, metricSource, streamSink } from "./aws.ts";
import { CurrentForecast } from "./forecasts.ts";
import { HEALTH } from "./names.ts";
import { logger, ownMetrics, pipeline, setting } from "./runtime.ts";
import { Sweep } from "./sweeping.ts";

const spec = pipeline();
const kinesis = kinesisClient();
const forecast = new CurrentForecast(bucketObjects(new S3Client({}), setting("DATA_BUCKET")), setting("FORECAST_KEY"));
const metrics = ownMetrics();
const sweep = new Sweep({
  spec,
  metrics: metricSource(new CloudWatchClient({})),
  events: streamSink(kinesis, setting("EVENTS_STREAM")),
  windows: streamSink(kinesis, setting("WINDOWS_STREAM")),
  names: {
    namespace: setting("METRIC_NAMESPACE"),
    health: setting("HEALTH_NAMESPACE"),
    rawStream: setting("RAW_STREAM"),
    prefix: `fw-${spec.name}`,
  },
});

export async function handler(): Promise<void> {
  const now = Date.now();
  const { beat, swept } = await sweep.run(now, await forecast.table(now));
  if (beat !== undefined) metrics.addMetric(HEALTH.clock, MetricUnit.Seconds, beat / 1_000);
  metrics.addMetric(HEALTH.swept, MetricUnit.Count, swept);
  metrics.publishStoredMetrics();
  if (swept > 0) logger.info("Closed windows lacked groups, which had nothing", { swept });
}
