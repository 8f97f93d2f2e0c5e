/**
 * The handlers as they are deployed: bundled and minified, each in a process of its own, with the events that the services send.
 * Their calls go to a stub on this machine that answers at once, so what is measured is what Lambda bills beside waiting.
 * Rates are by processor time: records a second that one vCPU takes. Cold start is from the process's start to its first answer.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { encodeCurrent, packVersion } from "../../infra/lambda/forecasts.ts";
import { trainedShape } from "../../infra/lambda/shapes.ts";
import { type Archive, functionArchives } from "../../infra/synth/bundle.ts";
import type { FunctionName } from "../../infra/template/context.ts";
import { type ForecastVersion, versionName } from "../../src/core/forecast.ts";
import { type PipelineSpec, requireSpec } from "../../src/core/spec.ts";
import type { BenchRow } from "./endpoint.ts";

const HOUR = 3_600_000;
const AIRPORTS = ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"];
const COLD_STARTS = 5;

const spec = requireSpec(
  JSON.stringify({
    name: "flights",
    source: {
      time: "scheduled",
      fields: { scheduled: "timestamp", origin: "string", destination: "string", delay: "double", late: "boolean" },
    },
    enrich: "enrich.mjs",
    series: {
      every: "1h",
      by: { origin: AIRPORTS },
      measures: { departures: { count: "*" }, mean_delay: { avg: "delay" }, delay_spread: { stddev: "delay" } },
    },
    forecast: { history: "8w", horizon: "48h", seasons: ["1d", "1w"] },
  }),
);
const ENRICH = "export default (event) => { event.late = event.delay >= 15; return event; };";

/** One handler's trial: its event, how many records are in it, and how often it is called once warm. */
interface Trial {
  readonly name: FunctionName;
  readonly unit: string;
  readonly records: number;
  readonly calls: number;
  readonly event: object;
  /** What the first call gets, where that is something else. */
  readonly first?: object;
  /** A floor, a quarter of what this took when it was written: a slip by a factor is seen, a busy machine is not. */
  readonly atLeast: number;
}

interface Measured {
  /** Milliseconds from the process's start to the first answer, and those of them that a processor was at it. */
  readonly cold: number;
  readonly coldCpu: number;
  readonly cpuSeconds: number;
}

export async function benchHandlers(): Promise<{ rows: BenchRow[] }> {
  const folder = mkdtempSync(join(tmpdir(), "forewatch-handlers-"));
  const stub = createServer(answer);
  try {
    await new Promise<void>((resolve) => stub.listen(0, "127.0.0.1", resolve));
    const { port } = stub.address() as { port: number };
    const archives = await functionArchives(join(import.meta.dirname, "../.."), spec, {
      enrich: ENRICH,
      exclusions: [],
    });
    for (const name of Object.keys(archives) as FunctionName[]) unzip(join(folder, name), archives[name]);
    const rows: BenchRow[] = [];
    for (const trial of trials(spec)) {
      const event = join(folder, `${trial.name}.json`);
      writeFileSync(event, JSON.stringify({ first: trial.first ?? trial.event, event: trial.event }));
      const run = (calls: number) => measure(join(folder, trial.name), event, calls, port);
      const colds: Measured[] = [];
      for (let i = 0; i < COLD_STARTS; i++) colds.push(await run(0));
      const { cold, coldCpu } = colds.sort((a, b) => a.cold - b.cold)[COLD_STARTS >> 1]!;
      const { cpuSeconds } = await run(trial.calls);
      const rate = (trial.records * trial.calls) / cpuSeconds;
      const { zip, files } = archives[trial.name];
      rows.push(
        {
          name: `${trial.name}: ${trial.unit} a second and vCPU`,
          value: Math.round(rate).toLocaleString("en-US"),
          target: `>= ${trial.atLeast.toLocaleString("en-US")}`,
          ok: rate >= trial.atLeast,
        },
        {
          name: `${trial.name}: cold start`,
          value: `${Math.round(cold)} ms, ${Math.round(coldCpu)} ms of processor time`,
        },
        {
          name: `${trial.name}: bundle`,
          value: `${kilobytes(files["index.mjs"]!.length)} KB, ${kilobytes(zip.length)} KB zipped`,
          target: "<= 256 KB zipped",
          ok: zip.length <= 256 * 1_024,
        },
      );
    }
    return { rows };
  } finally {
    stub.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function trials(pipeline: PipelineSpec): Trial[] {
  const now = Date.now();
  const flight = (i: number) =>
    JSON.stringify({
      scheduled: new Date(now - i * 1_000).toISOString(),
      origin: AIRPORTS[i % AIRPORTS.length],
      destination: "DCA",
      delay: (i % 60) - 10,
    });
  const many = (count: number) => Array.from({ length: count }, (_, i) => Buffer.from(flight(i)).toString("base64"));
  const start = Math.floor(now / HOUR) * HOUR - 2 * HOUR;
  const window = (key: string) => ({
    ...{
      kind: "window",
      start: new Date(start).toISOString(),
      end: new Date(start + HOUR).toISOString(),
      key,
      events: 9,
    },
    measures: Object.fromEntries(pipeline.series.measures.map((m, i) => [m.name, 40 + i])),
  });
  const fromStream = (data: readonly string[]) => ({
    Records: data.map((d, i) => ({
      eventID: `shardId-000000000000:4959033827149025660855969253836157109592157598913${1_000 + i}`,
      kinesis: {
        sequenceNumber: `4959033827149025660855969253836157109592157598913${1_000 + i}`,
        partitionKey: "p",
        data: d,
        approximateArrivalTimestamp: now / 1_000,
      },
    })),
  });
  const firehose = many(3_000).map((data, i) => ({ recordId: String(i), approximateArrivalTimestamp: now, data }));
  return [
    {
      name: "enrich",
      unit: "records",
      records: firehose.length,
      calls: 30,
      event: { invocationId: "i", deliveryStreamArn: "d", region: "r", records: firehose },
      atLeast: 15_000,
    },
    { name: "relay", unit: "records", records: 3_000, calls: 30, event: fromStream(many(3_000)), atLeast: 15_000 },
    {
      name: "compare",
      unit: "windows of a group",
      records: 500,
      calls: 20,
      event: fromStream(
        Array.from({ length: 500 }, (_, i) =>
          Buffer.from(JSON.stringify(window(AIRPORTS[i % AIRPORTS.length]!))).toString("base64"),
        ),
      ),
      atLeast: 1_000,
    },
    // Nothing to find: what runs every minute of the year.
    { name: "sweep", unit: "sweeps", records: 1, calls: 100, event: {}, atLeast: 20 },
    {
      name: "publish",
      unit: "series judged",
      records: AIRPORTS.length * pipeline.series.measures.length,
      calls: 1,
      // Without DeepAR's part: the ensemble's backtest and forecast, which are what takes long.
      event: { action: "judge", runId: "run", origin: start, part: 1, families: [] },
      first: { action: "stage", runId: "run", origin: start },
      atLeast: 1,
    },
  ];
}

/** A forecast of every series. */
function forecast(): ForecastVersion {
  const origin = Math.floor(Date.now() / HOUR) * HOUR - 12 * HOUR;
  const row = (value: number) => Array.from({ length: 48 }, () => value);
  const series = AIRPORTS.flatMap((airport) => spec.series.measures.map((m) => `${m.name}{origin=${airport}}`));
  return {
    ...{ format: 1, pipeline: spec.name, version: versionName(origin), origin, every: HOUR, levels: [0.01, 0.5, 0.99] },
    series: Object.fromEntries(
      series.map((id) => [id, { method: "ensemble", quantiles: [row(30), row(40), row(50)] }]),
    ),
  };
}

/** Eight weeks of rows, as Athena unloads them. */
function rows(): string {
  const until = Math.floor(Date.now() / HOUR) * HOUR - 2 * HOUR;
  const lines: string[] = [];
  for (let hour = 1; hour <= 8 * 7 * 24; hour++) {
    for (const [i, origin] of AIRPORTS.entries()) {
      const departures = Math.round(40 + 30 * Math.sin(hour / 3.8) + ((hour * 7_919 + i) % 11));
      const row = {
        window_start: until - hour * HOUR,
        origin,
        departures,
        mean_delay: 8 + (hour % 5),
        delay_spread: 20,
      };
      lines.push(JSON.stringify(row));
    }
  }
  return lines.join("\n");
}

const LISTING =
  '<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>training/run/rows/0</Key></Contents></ListBucketResult>';

/** Objects by their paths: those that the handlers put, and the forecast in use. */
const BUCKET = new Map<string, string | Uint8Array>([
  ["/bucket/training/run/rows/0", rows()],
  ["/bucket/forecasts/versions/v", packVersion({ version: forecast(), shape: trainedShape(spec) })],
  ["/bucket/forecasts/current.json", encodeCurrent([{ version: "v", origin: 0, key: "forecasts/versions/v" }])],
]);

/** S3, Kinesis and CloudWatch, as far as the handlers' calls go: everything is taken, and the forecast is there. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const target = String(request.headers["x-amz-target"] ?? "");
  if (target.startsWith("Kinesis")) {
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.end(JSON.stringify({ SequenceNumber: "1", ShardId: "shardId-000000000000" }));
  } else if (request.headers["smithy-protocol"] === "rpc-v2-cbor") {
    response.setHeader("smithy-protocol", "rpc-v2-cbor");
    response.setHeader("content-type", "application/cbor");
    response.end(Buffer.from([0xa0]));
  } else if (request.method === "GET") {
    const asked = new URL(request.url ?? "", "http://s3");
    response.setHeader("etag", '"one"');
    response.end(asked.searchParams.has("list-type") ? LISTING : BUCKET.get(asked.pathname));
  } else {
    BUCKET.set(new URL(request.url ?? "", "http://s3").pathname, Buffer.concat(parts));
    response.end();
  }
}

/** Runs the bundle in `folder` as Lambda does: import, a first call, then `calls` more. */
async function measure(folder: string, event: string, calls: number, port: number): Promise<Measured> {
  const program = `
    import { readFileSync } from "node:fs";
    const { first, event } = JSON.parse(readFileSync(${JSON.stringify(event)}, "utf8"));
    const { handler } = await import(${JSON.stringify(join(folder, "index.mjs"))});
    const check = (answer) => {
      if (answer?.batchItemFailures?.length > 0) throw new Error("The handler refused " + JSON.stringify(answer));
    };
    const call = { getRemainingTimeInMillis: () => 60_000 };
    check(await handler(first, call));
    const cold = performance.now();
    const before = process.cpuUsage();
    const coldCpu = (before.user + before.system) / 1e3;
    for (let i = 0; i < ${calls}; i++) check(await handler(event, call));
    const { user, system } = process.cpuUsage(before);
    process.stderr.write("\\nmeasured " + JSON.stringify({ cold, coldCpu, cpuSeconds: (user + system) / 1e6 }));
    process.exit(0);`;
  const endpoint = `http://127.0.0.1:${port}`;
  const { stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
    maxBuffer: 64 * 1_024 * 1_024,
    env: {
      ...process.env,
      // The journal there makes the next calls wary when a process was ended within one: another run's is none of this one's.
      TMPDIR: folder,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "x",
      AWS_SECRET_ACCESS_KEY: "x",
      DATA_BUCKET: "bucket",
      REJECTED_PREFIX: "lake/rejected/",
      FORECAST_KEY: "forecasts/current.json",
      RAW_STREAM: "flights",
      EVENTS_STREAM: "flights-events",
      WINDOWS_STREAM: "flights-windows",
      TRAINING_PREFIX: "training/",
      FORECASTS_PREFIX: "forecasts/",
      METRIC_NAMESPACE: "Forewatch/flights",
      HEALTH_NAMESPACE: "Forewatch/flights/Health",
      POWERTOOLS_SERVICE_NAME: "bench",
    },
  });
  return JSON.parse(stderr.slice(stderr.lastIndexOf("measured ") + "measured ".length)) as Measured;
}

function unzip(folder: string, archive: Archive): void {
  for (const [path, content] of Object.entries(archive.files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

function kilobytes(bytes: number): number {
  return Math.round(bytes / 1_024);
}
