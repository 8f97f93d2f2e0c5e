/** Beside step 5 on AWS, once a minute: silence moves the clock. */
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { kinesisClient, metricSource, streamSink } from "./aws.ts";
import { HEALTH } from "./names.ts";
import { ownMetrics, pipeline, setting } from "./runtime.ts";
import { Sweep } from "./sweeping.ts";

const spec = pipeline();
const metrics = ownMetrics();
const sweep = new Sweep({
  spec,
  metrics: metricSource(new CloudWatchClient({})),
  events: streamSink(kinesisClient(), setting("EVENTS_STREAM")),
  names: { health: setting("HEALTH_NAMESPACE"), rawStream: setting("RAW_STREAM"), prefix: `fw-${spec.name}` },
});

export async function handler(): Promise<void> {
  const beat = await sweep.run(Date.now());
  if (beat === undefined) return;
  metrics.addMetric(HEALTH.clock, MetricUnit.Seconds, beat.delay / 1_000);
  metrics.publishStoredMetrics();
}
