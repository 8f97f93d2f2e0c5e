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
import { CloudWatchClient, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bucketObjects } from "../../infra/lambda/aws.ts";
import { decodeCurrent } from "../../infra/lambda/forecasts.ts";
import type { EventLine } from "../../infra/lambda/names.ts";
import { functionArchives } from "../../infra/synth/bundle.ts";
import { FUNCTIONS, synthesize } from "../../infra/template/synthesize.ts";
import { versionName } from "../../src/core/forecast.ts";
import { putToUse } from "../unit/infra/memory.ts";
import { FLIGHTS, options } from "../unit/infra/pipelines.ts";
import { awsTools, runPython } from "./python.ts";

const HOUR = 3_600_000;
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
    const answer = /^ANSWER (.*)$/m.exec(run.stderr)?.[1];
    if (run.status !== 0 || answer === undefined) throw new Error(`${name}: ${run.stderr.slice(-2_000)}`);
    return JSON.parse(answer);
  }
  const sdk = () => ({ endpoint, region: "eu-west-1", credentials });
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

  test("relay puts events into the stream that Flink reads", async () => {
    const now = Date.now();
    const answer = call("relay", {
      Records: [0, 1].map((i) => ({
        eventID: `shardId-000000000000:4959${i}`,
        kinesis: {
          sequenceNumber: `4959${i}`,
          partitionKey: "p",
          approximateArrivalTimestamp: now / 1_000,
          data: Buffer.from(JSON.stringify({ scheduled: now - i, origin: "JFK", delay: i })).toString("base64"),
        },
      })),
    });
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await read("flights-events")).toEqual([
      { time: now, key: "JFK", fields: { delay: 0 } },
      { time: now - 1, key: "JFK", fields: { delay: 1 } },
    ]);
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
    await putToUse(bucketObjects(s3(), bucket()), "forecasts/current.json", [forecast]);
    const window = {
      kind: "window",
      start: new Date(start).toISOString(),
      end: new Date(start + HOUR).toISOString(),
      key: "BOS",
      events: 70,
      measures: { departures: 70, mean_delay: 4, delay_spread: null },
    };
    const answer = call("compare", {
      Records: [
        {
          eventID: "shardId-000000000000:1",
          kinesis: {
            sequenceNumber: "1",
            partitionKey: "p",
            approximateArrivalTimestamp: 1,
            data: Buffer.from(JSON.stringify(window)).toString("base64"),
          },
        },
      ],
    });
    expect(answer).toEqual({ batchItemFailures: [] });
    const names = ["Actual", "Lower", "Median", "Upper", "Deviation", "ForecastMissing"];
    const { MetricDataResults } = await new CloudWatchClient(sdk()).send(
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

  test("sweep reads metrics and finds nothing to do before the first event", () => {
    expect(call("sweep", {})).toBeNull();
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
    expect(Contents!.map((o) => o.Key).filter((k) => !k!.includes("/rows/"))).toHaveLength(9);
  });

  test("publish judges, puts a forecast to use beside the one before it, and a second run's under a name of its own", async () => {
    const versions: string[] = [];
    for (const runId of ["run-1", "run-2"]) {
      await stage(runId);
      const run = { runId, origin, families: [] };
      expect(call("publish", { ...run, action: "judge", part: 1 })).toEqual({ part: 1, series: 24 });
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

  async function read(stream: string): Promise<EventLine[]> {
    // moto speaks HTTP/1.1 only.
    const kinesis = new KinesisClient({ ...sdk(), requestHandler: new NodeHttpHandler() });
    const { ShardIterator } = await kinesis.send(
      new GetShardIteratorCommand({
        StreamName: stream,
        ShardId: "shardId-000000000000",
        ShardIteratorType: "TRIM_HORIZON",
      }),
    );
    const { Records } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
    return Records!.flatMap((r) => JSON.parse(Buffer.from(r.Data!).toString()) as EventLine[]);
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
