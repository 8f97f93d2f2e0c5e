/** The sink of metrics over the real SDK: its requests, as they would go to CloudWatch. */
import { CloudWatchClient, type PutMetricDataCommandInput } from "@aws-sdk/client-cloudwatch";
import { expect, test } from "vitest";
import { metricSink } from "../../../infra/lambda/aws.ts";
import type { Datum } from "../../../infra/lambda/ports.ts";

/** What PutMetricData takes (API reference): data, and bytes. */
const MOST = { data: 1_000, bytes: 1_048_576 };

/** A sink whose requests go nowhere, after they have been told of. */
function sink(told: (input: PutMetricDataCommandInput) => void | Promise<void>) {
  const client = new CloudWatchClient({ region: "eu-west-1", credentials: { accessKeyId: "x", secretAccessKey: "x" } });
  client.middlewareStack.add(
    () => async (call) => {
      await told(call.input as PutMetricDataCommandInput);
      return { output: { $metadata: {} }, response: {} };
    },
    { step: "initialize" },
  );
  return metricSink(client, "Forewatch/flights");
}

const datum = (i: number, length = 20): Datum => ({
  name: "Actual",
  measure: "departures",
  series: String(i).padEnd(length, "x"),
  time: 0,
  value: i,
});

test.each([
  { name: "short", length: 20, requests: 3 },
  { name: "as long as a dimension may be", length: 1_024, requests: 4 },
])("$name series go in as few requests as take them", async ({ length, requests }) => {
  const sent: PutMetricDataCommandInput[] = [];
  const data = Array.from({ length: 2_500 }, (_, i) => datum(i, length));
  await sink((input) => void sent.push(input)).put(data);
  expect(sent.flatMap((s) => s.MetricData!.map((d) => d.Value))).toEqual(data.map((d) => d.value));
  for (const request of sent) {
    expect(request.MetricData!.length).toBeLessThanOrEqual(MOST.data);
    expect(Buffer.byteLength(JSON.stringify(request))).toBeLessThanOrEqual(MOST.bytes);
  }
  expect(sent).toHaveLength(requests);
});

test("data are taken as requests are written, several at once, and never all in memory", async () => {
  let taken = 0;
  let written = 0;
  let most = 0;
  let ahead = 0;
  function* data() {
    for (; taken < 100_000; taken++) {
      ahead = Math.max(ahead, taken - written);
      yield datum(taken);
    }
  }
  let underWay = 0;
  await sink(async (input) => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay--;
    written += input.MetricData!.length;
  }).put(data());
  expect(written).toBe(100_000);
  expect(most).toBe(8);
  expect(ahead).toBeLessThanOrEqual((most + 1) * MOST.data);
});

test("a request that fails is the failure of all, and ends the taking", async () => {
  let taken = 0;
  function* data() {
    for (; taken < 100_000; taken++) yield datum(taken);
  }
  let requests = 0;
  const put = sink(() => {
    if (++requests === 3) throw new Error("Throttled");
  }).put(data());
  await expect(put).rejects.toThrow("Throttled");
  expect(taken).toBeLessThan(20 * MOST.data);
});
