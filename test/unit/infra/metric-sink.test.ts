/** The sink of metrics over the real SDK: its requests, as they would go to CloudWatch. */
import { CloudWatchClient, type PutMetricDataCommandInput } from "@aws-sdk/client-cloudwatch";
import { expect, test } from "vitest";
import { metricSink } from "../../../infra/lambda/aws.ts";
import type { Datum } from "../../../infra/lambda/ports.ts";

/** What PutMetricData takes (API reference): data, and bytes. */
const MOST = { data: 1_000, bytes: 1_048_576 };

test.each([
  { name: "short", length: 20, requests: 3 },
  { name: "as long as a dimension may be", length: 1_024, requests: 4 },
])("$name series go in as few requests as take them", async ({ length, requests }) => {
  const sent: PutMetricDataCommandInput[] = [];
  const client = new CloudWatchClient({ region: "eu-west-1", credentials: { accessKeyId: "x", secretAccessKey: "x" } });
  client.middlewareStack.add(
    () => async (call) => {
      sent.push(call.input as PutMetricDataCommandInput);
      return { output: { $metadata: {} }, response: {} };
    },
    { step: "initialize" },
  );
  const data: Datum[] = Array.from({ length: 2_500 }, (_, i) => ({
    name: "Actual",
    measure: "departures",
    series: String(i).padEnd(length, "x"),
    time: 0,
    value: i,
  }));
  await metricSink(client, "Forewatch/flights").put(data);
  expect(sent.flatMap((s) => s.MetricData!.map((d) => d.Value))).toEqual(data.map((d) => d.value));
  for (const request of sent) {
    expect(request.MetricData!.length).toBeLessThanOrEqual(MOST.data);
    expect(Buffer.byteLength(JSON.stringify(request))).toBeLessThanOrEqual(MOST.bytes);
  }
  expect(sent).toHaveLength(requests);
});
