/**
 * The stack and the bundled functions against moto. What moto can show: that it takes the template and makes streams, functions,
 * roles, queues and the state machine of it; and that the bundles' calls to S3, Kinesis and CloudWatch are what the services take.
 * What it cannot: Glue, Athena, Firehose, Flink, schedules and alarms of a stack (it says created and makes none of them), and
 * nothing of it runs by itself.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import {
  CloudWatchClient,
  GetMetricDataCommand,
  ListMetricsCommand,
  PutMetricDataCommand,
} from "@aws-sdk/client-cloudwatch";
import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bucketObjects } from "../../infra/lambda/aws.ts";
import { decodeCurrent } from "../../infra/lambda/forecasts.ts";
import { groupHash } from "../../infra/lambda/known.ts";
import type { EventLine } from "../../infra/lambda/names.ts";
import { lineShape } from "../../infra/lambda/shapes.ts";
import { functionArchives } from "../../infra/synth/bundle.ts";
import { FUNCTIONS, synthesize } from "../../infra/template/synthesize.ts";
import { versionName } from "../../src/core/forecast.ts";
import { aggregate } from "../unit/infra/kpl.ts";
import { putToUse } from "../unit/infra/memory.ts";
import { FLIGHTS, options } from "../unit/infra/pipelines.ts";
import { awsTools, runPython } from "./python.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const tools = await awsTools();
const missing = "lacking" in tools ? tools.lacking : undefined;
const folder = mkdtempSync(join(tmpdir(), "forewatch-moto-"));
const credentials = { accessKeyId: "x", secretAccessKey: "x" };

describe.skipIf(missing !== undefined)(`with moto${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let server: ChildProcess;
  let endpoint: string;
  let stack: {
    status: string;
    outputs: Record<string, string>;
    streams: Record<string, number>;
    functions: Record<string, [string, string[], Record<string, string>]>;
    mappings: number;
    roles: number;
    queues: number;
    machines: string[];
  };
  const bundles: Record<string, string> = {};

  beforeAll(async () => {
    const port = await freePort();
    endpoint = `http://127.0.0.1:${port}`;
    const { python } = tools as { python: string };
    server = spawn(python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], {
      stdio: "ignore",
    });
    await untilUp(endpoint);
    const { body } = synthesize(FLIGHTS, options());
    writeFileSync(join(folder, "template.json"), body);
    const made = await runPython(
      python,
      [join(import.meta.dirname, "moto_stack.py"), endpoint, join(folder, "template.json"), options().artifacts.bucket],
      { timeout: 200_000 },
    );
    if (made.status !== 0) throw new Error(made.stderr.slice(-2_000));
    stack = JSON.parse(made.stdout) as typeof stack;
    const archives = await functionArchives(join(import.meta.dirname, "../.."), FLIGHTS, {
      enrich: "export default (e) => (e.origin === 'DROP' ? null : e);",
      exclusions: [],
    });
    for (const name of FUNCTIONS) {
      for (const [path, content] of Object.entries(archives[name].files)) {
        const file = join(folder, name, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, content);
      }
      bundles[name] = join(folder, name, "index.mjs");
    }
  }, 300_000);

  afterAll(() => {
    server?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What the function that was called last has printed. */
  let printed = "";

  /** Runs a bundled function with the environment that the stack gave it. */
  function call(name: (typeof FUNCTIONS)[number], event: object): unknown {
    const [, , environment] = stack.functions[`fw-flights-${name}`]!;
    const run = spawnSync(process.execPath, [join(import.meta.dirname, "run-handler.mjs"), bundles[name]!], {
      input: JSON.stringify(event),
      encoding: "utf8",
      env: {
        ...process.env,
        ...environment,
        AWS_ENDPOINT_URL: endpoint,
        AWS_REGION: "eu-west-1",
        AWS_ACCESS_KEY_ID: "x",
        AWS_SECRET_ACCESS_KEY: "x",
      },
    });
    printed = run.stdout;
    const answer = /^ANSWER (.*)$/m.exec(run.stderr)?.[1];
    if (run.status !== 0 || answer === undefined) throw new Error(`${name}: ${run.stderr.slice(-2_000)}`);
    return JSON.parse(answer);
  }
  const sdk = () => ({ endpoint, region: "eu-west-1", credentials });
  const cloudwatch = () => new CloudWatchClient(sdk());
  const fromStream = (records: readonly string[], arrival: number) => ({
    Records: records.map((data, i) => ({
      eventID: `shardId-000000000000:${arrival}${i}`,
      kinesis: {
        ...{ sequenceNumber: `${arrival}${i}`, partitionKey: "p", approximateArrivalTimestamp: arrival / 1_000 },
        data: Buffer.from(data).toString("base64"),
      },
    })),
  });
  const s3 = () => new S3Client({ ...sdk(), forcePathStyle: true });
  const bucket = () => stack.outputs.DataBucketName!;

  test("moto makes the stack", () => {
    expect(stack.status).toBe("CREATE_COMPLETE");
    expect(stack.streams).toEqual({ flights: 1, "flights-events": 1, "flights-windows": 1 });
    expect(Object.keys(stack.functions).sort()).toEqual(FUNCTIONS.map((f) => `fw-flights-${f}`).sort());
    // moto takes every function for x86_64, whatever the template says.
    for (const [runtime] of Object.values(stack.functions)) expect(runtime).toBe("nodejs22.x");
    expect(stack).toMatchObject({ mappings: 2, queues: 3, machines: ["fw-flights-training"] });
  });

  test("enrich answers Firehose and keeps what it rejects", async () => {
    const record = (i: number, data: string) => ({
      recordId: String(i),
      approximateArrivalTimestamp: Date.now(),
      data: Buffer.from(data).toString("base64"),
    });
    const event = JSON.stringify({ scheduled: new Date().toISOString(), origin: "BOS", delay: 1 });
    const answer = call("enrich", {
      invocationId: "i",
      deliveryStreamArn: "d",
      region: "eu-west-1",
      records: [record(1, event), record(2, "{broken"), record(3, '{"origin":"DROP"}')],
    }) as { records: { result: string }[] };
    expect(answer.records.map((r) => r.result)).toEqual(["Ok", "Dropped", "Dropped"]);
    const { Contents } = await s3().send(new ListObjectsV2Command({ Bucket: bucket(), Prefix: "lake/rejected/" }));
    expect(Contents).toHaveLength(1);
    const object = await s3().send(new GetObjectCommand({ Bucket: bucket(), Key: Contents![0]!.Key! }));
    const kept = gunzipSync(await object.Body!.transformToByteArray())
      .toString()
      .trim()
      .split("\n")
      .map((l) => JSON.parse(l) as { reason: string; data: string });
    expect(kept.map((k) => [k.reason, Buffer.from(k.data, "base64").toString()])).toEqual([
      ["malformed-json", "{broken"],
    ]);
  });

  test("what producers put goes through the relay into the stream that Flink reads", async () => {
    const now = Date.now();
    const flight = (i: number) => JSON.stringify({ scheduled: now - i, origin: "JFK", delay: i });
    const packed = aggregate([flight(3), "{broken", flight(4)].map((text) => Buffer.from(text)));
    // One event, several of them in lines, and what the Kinesis Producer Library packs.
    const records = [Buffer.from(flight(0)), Buffer.from(`${flight(1)}\n${flight(2)}\n`), packed];
    await kinesis().send(
      new PutRecordsCommand({
        StreamName: "flights",
        Records: records.map((Data, i) => ({ Data, PartitionKey: `producer-${i}` })),
      }),
    );
    // As the event source mapping hands a shard's records over.
    const shard = await recordsOf("flights");
    expect(shard).toHaveLength(3);
    const Records = shard.map((record) => ({
      kinesis: {
        kinesisSchemaVersion: "1.0",
        partitionKey: record.PartitionKey,
        sequenceNumber: record.SequenceNumber,
        data: Buffer.from(record.Data!).toString("base64"),
        approximateArrivalTimestamp: record.ApproximateArrivalTimestamp!.getTime() / 1_000,
      },
      eventSource: "aws:kinesis",
      eventVersion: "1.0",
      eventID: `shardId-000000000000:${record.SequenceNumber}`,
      eventName: "aws:kinesis:record",
    }));
    expect(call("relay", { Records })).toEqual({ batchItemFailures: [] });
    expect(await read("flights-events")).toEqual(
      [0, 1, 2, 3, 4].map((delay) => ({ time: now - delay, key: "JFK", shape: lineShape(FLIGHTS), fields: { delay } })),
    );
    expect(printed).toMatch(/"Rejected":1[,}]/);
  });

  test("compare reads the forecast and writes metrics", async () => {
    const start = Math.floor(Date.now() / HOUR) * HOUR - 2 * HOUR;
    const row = (v: number) => [v, v, v];
    const forecast = {
      format: 1 as const,
      pipeline: "flights",
      version: versionName(start),
      origin: start,
      every: HOUR,
      levels: [0.01, 0.5, 0.99],
      series: { "departures{origin=BOS}": { method: "ensemble", quantiles: [row(90), row(100), row(110)] } },
    };
    await putToUse(bucketObjects(s3(), bucket()), "forecasts/current.json", [forecast], FLIGHTS);
    const window = {
      kind: "window",
      start: new Date(start).toISOString(),
      end: new Date(start + HOUR).toISOString(),
      key: "BOS",
      events: 70,
      measures: { departures: 70, mean_delay: 4, delay_spread: null },
    };
    const answer = call("compare", fromStream([JSON.stringify(window)], Date.now()));
    expect(answer).toEqual({ batchItemFailures: [] });
    const names = ["Actual", "Lower", "Median", "Upper", "Deviation", "ForecastMissing"];
    const { MetricDataResults } = await cloudwatch().send(
      new GetMetricDataCommand({
        StartTime: new Date(start),
        EndTime: new Date(start + 3 * HOUR),
        MetricDataQueries: names.map((MetricName) => ({
          Id: MetricName.toLowerCase(),
          MetricStat: {
            Metric: {
              Namespace: "Forewatch/flights",
              MetricName,
              Dimensions: [
                { Name: "Measure", Value: "departures" },
                { Name: "Series", Value: "departures{origin=BOS}" },
              ],
            },
            Period: 3_600,
            Stat: "Maximum",
          },
        })),
      }),
    );
    expect(MetricDataResults!.map((r) => [r.Id, r.Values])).toEqual([
      ["actual", [70]],
      ["lower", [90]],
      ["median", [100]],
      ["upper", [110]],
      ["deviation", [-3]],
      ["forecastmissing", [0]],
    ]);
  });

  test("compare fills what a closed window had no events of", async () => {
    const start = Math.floor(Date.now() / HOUR) * HOUR - 2 * HOUR;
    const times = { start: new Date(start).toISOString(), end: new Date(start + HOUR).toISOString() };
    const record = { kind: "closed", ...times, events: 70, groups: groupHash("BOS"), after: times.start };
    expect(call("compare", fromStream([JSON.stringify(record)], Date.now()))).toEqual({ batchItemFailures: [] });
    const { Metrics } = await cloudwatch().send(
      new ListMetricsCommand({ Namespace: "Forewatch/flights", MetricName: "Actual" }),
    );
    const series = Metrics!.map((m) => m.Dimensions!.find((d) => d.Name === "Series")!.Value).sort();
    const others = ["ATL", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"].map((o) => `departures{origin=${o}}`);
    expect(series.filter((id) => id!.startsWith("departures"))).toEqual([
      others[0],
      "departures{origin=BOS}",
      ...others.slice(1),
    ]);
  });

  test("sweep reads metrics and finds nothing to do before the first event", async () => {
    const before = await read("flights-events");
    expect(call("sweep", {})).toBeNull();
    expect(await read("flights-events")).toEqual(before);
  });

  test("sweep beats once what the relay told is long ago", async () => {
    const arrival = Date.now() - 20 * MINUTE;
    const event = { scheduled: new Date(arrival - 7_000).toISOString(), origin: "BOS", delay: 1 };
    call("relay", fromStream([JSON.stringify(event)], arrival));
    // CloudWatch takes the metrics out of the log by itself; here somebody must.
    const told = printed.split("\n").filter((line) => line.includes('"CloudWatchMetrics"'));
    expect(told).toHaveLength(1);
    const line = JSON.parse(told[0]!) as Record<string, number> & {
      _aws: { CloudWatchMetrics: [{ Namespace: string; Metrics: { Name: string }[] }] };
    };
    const [{ Namespace, Metrics }] = line._aws.CloudWatchMetrics;
    const MetricData = Metrics.map(({ Name }) => ({
      ...{ MetricName: Name, Value: line[Name]!, Timestamp: new Date(arrival) },
      Dimensions: [{ Name: "service", Value: String(line.service) }],
    }));
    await cloudwatch().send(new PutMetricDataCommand({ Namespace, MetricData }));
    const before = await read("flights-events");
    const now = Date.now();
    expect(call("sweep", {})).toBeNull();
    const [beat, ...more] = (await read("flights-events")).slice(before.length);
    expect(more).toEqual([]);
    expect(beat).toEqual({ time: expect.any(Number) as number, key: null, shape: lineShape(FLIGHTS), fields: {} });
    // The clock trails by seven seconds, and the beat the clock by a minute.
    const behind = beat!.time - (now - 7_000 - MINUTE);
    expect(behind).toBeGreaterThanOrEqual(0);
    expect(behind).toBeLessThan(Date.now() - now + 1);
    expect(printed).toMatch(/"ClockDelay":7[,}]/);
  });

  const origin = Math.floor(Date.now() / HOUR) * HOUR;
  /** Rows as Athena unloads them, laid out for a run. */
  const stage = async (runId: string) => {
    const rows = Array.from({ length: 900 }, (_, i) =>
      JSON.stringify({
        window_start: origin - (i + 1) * HOUR,
        origin: "BOS",
        departures: 50 + (i % 24),
        mean_delay: 3,
        delay_spread: 1,
      }),
    );
    const file = { Bucket: bucket(), Key: `training/${runId}/rows/part-1.gz`, Body: gzipSync(rows.join("\n")) };
    await s3().send(new PutObjectCommand(file));
    return call("publish", { action: "stage", runId, origin });
  };

  test("publish lays out a training", async () => {
    const answer = await stage("run-0");
    expect(answer).toMatchObject({ series: 24, families: [{ family: "counts" }, { family: "reals" }], parts: 1 });
    const { Contents } = await s3().send(new ListObjectsV2Command({ Bucket: bucket(), Prefix: "training/run-0/" }));
    expect(Contents!.map((o) => o.Key).filter((k) => !k!.includes("/rows/"))).toHaveLength(10);
  });

  test("publish judges, puts a forecast to use beside the one before it, and a second run's under a name of its own", async () => {
    const versions: string[] = [];
    for (const runId of ["run-1", "run-2"]) {
      await stage(runId);
      const run = { runId, origin, families: [] };
      expect(call("publish", { ...run, action: "judge", part: 1 })).toEqual({ part: 1, series: 24, unread: [] });
      const request = { ...run, action: "publish", requestedBy: "person", parts: 1 };
      versions.push((call("publish", request) as { version: string }).version);
    }
    expect(versions).toEqual([versionName(origin), versionName(origin, 1)]);
    const current = await s3().send(new GetObjectCommand({ Bucket: bucket(), Key: "forecasts/current.json" }));
    const inUse = decodeCurrent(await current.Body!.transformToString());
    expect(inUse[0]!.version).toBe(versions[1]);
  });

  test("a guarded put is refused once another came first", async () => {
    const objects = bucketObjects(s3(), bucket());
    const put = (body: string, etag: string | undefined) => objects.replace("guarded", body, "text/plain", etag);
    const etag = async () => ((await objects.get("guarded")) as { etag: string }).etag;
    expect(await put("one", undefined)).toBe(true);
    expect(await put("two", undefined)).toBe(false);
    const first = await etag();
    expect(await put("two", first)).toBe(true);
    expect(await put("three", first)).toBe(false);
    expect(await put("three", await etag())).toBe(true);
  });

  // moto speaks HTTP/1.1 only.
  const kinesis = () => new KinesisClient({ ...sdk(), requestHandler: new NodeHttpHandler() });

  async function recordsOf(stream: string) {
    const { ShardIterator } = await kinesis().send(
      new GetShardIteratorCommand({
        StreamName: stream,
        ShardId: "shardId-000000000000",
        ShardIteratorType: "TRIM_HORIZON",
      }),
    );
    const { Records } = await kinesis().send(new GetRecordsCommand({ ShardIterator }));
    return Records!;
  }

  async function read(stream: string): Promise<EventLine[]> {
    const records = await recordsOf(stream);
    return records.flatMap((r) => JSON.parse(Buffer.from(r.Data!).toString()) as EventLine | EventLine[]);
  }
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

async function untilUp(url: string): Promise<void> {
  for (let attempt = 0; attempt < 240; attempt++) {
    const answer = await fetch(`${url}/moto-api/`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`moto does not answer at ${url}.`);
}
