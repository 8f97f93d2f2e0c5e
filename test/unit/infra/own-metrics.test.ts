/**
 * The functions' metrics about themselves, from what is deployed to what reads them: the bundles run with the template's settings, and
 * what they print (embedded metric format) is what the health alarms, the dashboard and the sweep ask for, to the last dimension.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Publisher } from "../../../infra/lambda/publishing.ts";
import { functionArchives } from "../../../infra/synth/bundle.ts";
import { namesOf } from "../../../infra/template/context.ts";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { mostGroups } from "../../../src/core/series.ts";
import type { PipelineSpec } from "../../../src/core/spec.ts";
import { closed, message, window } from "./batches.ts";
import { MemoryObjects } from "./memory.ts";
import { CLICKS, options } from "./pipelines.ts";

const ROOT = join(import.meta.dirname, "../../..");
const MINUTE = 60_000;
/** With a rule that needs an alarm a series beside those that one query reads for all. */
const SPEC: PipelineSpec = {
  ...CLICKS,
  alarms: [...CLICKS.alarms, { ...CLICKS.alarms[0]!, name: "long", periods: 40, datapoints: 40 }],
};
const NAMES = namesOf(SPEC.name);
const GROUPS = [["/", "true"]];
/** Of groups that are discovered, and of some that are given. */
const TEMPLATES = [synthesize(CLICKS, options()).template, synthesize(SPEC, options({ groups: GROUPS })).template];

type Dimensions = Readonly<Record<string, unknown>>;
const idOf = (namespace: unknown, name: unknown, dimensions: Dimensions) =>
  JSON.stringify([namespace, name, Object.entries(dimensions).sort()]);

interface Query {
  readonly Id: string;
  readonly MetricStat: {
    readonly Metric: { Namespace: string; MetricName: string; Dimensions: { Name: string; Value: string }[] };
    readonly Period: number;
    readonly Stat: string;
  };
}
/** What the sweep asked CloudWatch for, and the beats it put. */
const queries: Query[] = [];
const put: string[] = [];
const emitted = new Set<string>();
/** What lies in the bucket. */
const bucket = new MemoryObjects();
let server: Server;
const folder = mkdtempSync(join(tmpdir(), "forewatch-metrics-"));

beforeAll(async () => {
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const archives = await functionArchives(ROOT, SPEC, { exclusions: [], groups: GROUPS });
  const now = Date.now();
  const click = (i: number, over: object = {}) =>
    JSON.stringify({ at: now - i, Page: `/${"x".repeat(60)}`, mobile: true, status: 200, bytes: 1, ...over });
  const fromStream = (records: readonly { readonly data: Uint8Array }[]) => ({
    Records: records.map(({ data }, i) => ({
      eventID: `shardId-000000000000:${i}`,
      kinesis: {
        ...{ sequenceNumber: String(i), partitionKey: "p", approximateArrivalTimestamp: now / 1_000 },
        data: Buffer.from(data).toString("base64"),
      },
    })),
  });
  const start = Math.floor(now / SPEC.series.every) * SPEC.series.every - SPEC.series.every;
  const end = { end: new Date(start + SPEC.series.every).toISOString() };
  const groups = Array.from({ length: mostGroups(SPEC.series.measures.length) + 1 }, (_, i) => `/${i}|true`);
  const everything = message(
    "1",
    ...groups.map((key) => window(start, key, { views: 1 }, end)),
    window(start, "/0|true", { traffic: 1e200 }, end),
    window(start - 20 * 24 * 60 * MINUTE, "/0|true", { views: 1 }),
    { kind: "window" },
    closed(start, [], start, SPEC.series.every),
  );
  // So many that what they become is too much for an answer.
  const transformed = Array.from({ length: 30_000 }, (_, i) => ({
    recordId: String(i),
    approximateArrivalTimestamp: now,
    data: Buffer.from(click(i)).toString("base64"),
  }));
  const events = {
    enrich: { invocationId: "i", deliveryStreamArn: "d", region: "eu-west-1", records: transformed },
    relay: fromStream([{ data: Buffer.from(click(1)) }, { data: Buffer.from("{") }]),
    compare: fromStream([everything]),
    sweep: {},
    publish: await judged(now),
  };
  for (const [name, event] of Object.entries(events)) {
    for (const [path, content] of Object.entries(archives[name as keyof typeof events].files)) {
      const file = join(folder, name, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    for (const metric of metricsIn(await run(name, event))) emitted.add(metric);
  }
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A training whose series are judged: what the workflow asks then. */
async function judged(now: number): Promise<object> {
  const { every } = SPEC.series;
  const origin = Math.floor(now / every) * every;
  const rows = Array.from({ length: 600 }, (_, i) => {
    const measures = { views: 50 + (i % 12), traffic: 7, largest: 1, with_status: 3 };
    return JSON.stringify({ window_start: origin - (i + 1) * every, page: "/", mobile: "true", ...measures });
  });
  await bucket.put("training/run-1/rows/part-1.gz", gzipSync(rows.join("\n")));
  const places = { training: "training/", forecasts: "forecasts/", current: "forecasts/current.json" };
  const publisher = new Publisher({ spec: SPEC, objects: bucket, ...places, exclusions: [] });
  const { parts } = await publisher.stage({ action: "stage", runId: "run-1", origin });
  for (let part = 1; part <= parts; part++)
    await publisher.judge({ action: "judge", runId: "run-1", origin, part, families: [] });
  return { action: "publish", runId: "run-1", origin, requestedBy: "schedule", families: [], parts };
}

/** Runs a function's archive with the settings of the template. @returns what it printed. */
function run(name: string, event: object): Promise<string> {
  const resource = Object.values(TEMPLATES[1]!.Resources).find(
    ({ Properties }) => Properties.FunctionName === `${NAMES.prefix}-${name}`,
  )!;
  const { Variables } = resource.Properties.Environment as { Variables: Record<string, unknown> };
  const settings = Object.entries(Variables).map(([k, v]) => [k, typeof v === "string" ? v : "of-the-stack"] as const);
  const { port } = server.address() as { port: number };
  const env = {
    ...process.env,
    ...Object.fromEntries(settings),
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    ...{ AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x" },
  };
  const program = [join(ROOT, "test/infra/run-handler.mjs"), join(folder, name, "index.mjs")];
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, program, { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${name}: ${stderr.slice(-2_000)}`));
      else resolve(stdout);
    });
    child.stdin!.end(JSON.stringify(event));
  });
}

/** The metrics of a log, as CloudWatch takes them out of it (User Guide, "Embedded metric format specification"). */
function metricsIn(log: string): string[] {
  interface Line extends Dimensions {
    readonly _aws?: {
      readonly CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
    };
  }
  return log.split("\n").flatMap((text) => {
    if (!text.startsWith("{")) return [];
    const line = JSON.parse(text) as Line;
    return (line._aws?.CloudWatchMetrics ?? []).flatMap((told) =>
      told.Metrics.flatMap(({ Name }) => {
        expect(line[Name], Name).toBeDefined();
        return told.Dimensions.map((names) =>
          idOf(told.Namespace, Name, Object.fromEntries(names.map((n) => [n, line[n]]))),
        );
      }),
    );
  });
}

/** What the services answer: the relay's event of twenty minutes ago to the sweep, what lies in the bucket, and thanks. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const target = String(request.headers["x-amz-target"] ?? "").split(".")[1];
  if (target === undefined) {
    // "/bucket/key"
    const { pathname, searchParams } = new URL(request.url ?? "", "http://s3");
    const found = bucket.content.get(pathname.split("/").slice(2).join("/"));
    if (request.method === "PUT") response.end();
    else if (searchParams.has("list-type")) response.end("<ListBucketResult/>");
    else {
      response.statusCode = found ? 200 : 404;
      response.end(found ?? "<Error><Code>NoSuchKey</Code></Error>");
    }
    return;
  }
  const body = target.startsWith("Put") && request.headers["content-encoding"] ? {} : parse(Buffer.concat(parts));
  const then = Math.round(Date.now() / 1_000) - 20 * 60;
  const answers: Record<string, () => object> = {
    GetMetricData: () => {
      const asked = body.MetricDataQueries as Query[];
      queries.push(...asked);
      const told = ["newest", "onTime"];
      return {
        MetricDataResults: asked.map(({ Id }) =>
          told.includes(Id) ? { Id, Timestamps: [then], Values: [then] } : { Id, Timestamps: [], Values: [] },
        ),
      };
    },
    ListShards: () => ({
      Shards: [
        {
          ShardId: "shardId-000000000000",
          HashKeyRange: { StartingHashKey: "0", EndingHashKey: "1" },
          SequenceNumberRange: { StartingSequenceNumber: "1" },
        },
      ],
    }),
    PutRecord: () => {
      put.push(Buffer.from(body.Data as string, "base64").toString());
      return { SequenceNumber: "1", ShardId: "shardId-000000000000" };
    },
  };
  response.setHeader("content-type", "application/x-amz-json-1.1");
  response.end(JSON.stringify(answers[target]?.() ?? {}));
}

function parse(body: Buffer): Record<string, unknown> {
  return JSON.parse(body.toString()) as Record<string, unknown>;
}

/** Metrics that the alarms of a template read: namespace, name, dimensions. */
function read(template: (typeof TEMPLATES)[number]): { alarm: string; metric: [unknown, unknown, Dimensions] }[] {
  const dimensions = (list: unknown) =>
    Object.fromEntries((list as { Name: string; Value: unknown }[]).map((d) => [d.Name, d.Value]));
  return Object.entries(template.Resources).flatMap(([alarm, { Type, Properties }]) => {
    if (Type !== "AWS::CloudWatch::Alarm" || !alarm.startsWith("Health")) return [];
    const all = Properties.Metrics as { MetricStat?: { Metric: Record<string, unknown> } }[] | undefined;
    const metrics = all?.flatMap(({ MetricStat }) => (MetricStat ? [MetricStat.Metric] : [])) ?? [Properties];
    return metrics.map((m) => ({ alarm, metric: [m.Namespace, m.MetricName, dimensions(m.Dimensions)] }));
  });
}

test("every health alarm on the functions' own metrics reads one that they write", () => {
  const own = TEMPLATES.flatMap(read).filter(({ metric }) => metric[0] === NAMES.health);
  expect(own.filter(({ metric }) => !emitted.has(idOf(...metric)))).toEqual([]);
  // Those that there are for some pipelines only are among them.
  const alarms = new Set(own.map(({ alarm }) => alarm));
  expect([...alarms]).toEqual(
    expect.arrayContaining([
      ...["HealthAnalysisSilent", "HealthEnrichOverflow", "HealthGroupsBeyondAlarms", "HealthGroupsTurnedAway"],
      ...["HealthGroupsWithoutAlarm", "HealthRejectedShare", "HealthValuesUnwritable", "HealthWindowsTooOld"],
    ]),
  );
});

test("every other metric that health alarms read is a service's, of something that the template makes", () => {
  for (const template of TEMPLATES) {
    const of = (type: string, property: string) =>
      Object.entries(template.Resources)
        .filter(([, r]) => r.Type === type)
        .flatMap(([id, r]) => [r.Properties[property], { Ref: id }].map((v) => JSON.stringify(v)));
    for (const { alarm, metric } of read(template)) {
      const [namespace, , dimensions] = metric;
      const known: Record<string, () => string[]> = {
        "AWS/Lambda": () => of("AWS::Lambda::Function", "FunctionName"),
        "AWS/Kinesis": () => of("AWS::Kinesis::Stream", "Name"),
      };
      if (namespace === NAMES.health) continue;
      expect(String(namespace), alarm).toMatch(/^AWS\//);
      const names = known[String(namespace)]?.();
      for (const value of Object.values(dimensions)) if (names) expect(names, alarm).toContain(JSON.stringify(value));
    }
  }
});

test("every graph of the functions' own metrics shows one that they write", () => {
  const { "Fn::Sub": text } = TEMPLATES[0]!.Resources.Dashboard!.Properties.DashboardBody as { "Fn::Sub": string };
  const { widgets } = JSON.parse(text) as { widgets: { properties: { metrics?: unknown[][] } }[] };
  const shown = widgets.flatMap(({ properties }) => properties.metrics ?? []).filter(([n]) => n === NAMES.health);
  expect(shown.length).toBeGreaterThan(8);
  for (const [namespace, name, dimension, value] of shown)
    expect(emitted).toContain(idOf(namespace, name, { [String(dimension)]: value }));
});

test("the sweep asks for what the relay and it itself write, and for services' metrics of what there is", () => {
  const asked = queries.map(({ MetricStat: { Metric } }) => ({
    namespace: Metric.Namespace,
    id: idOf(Metric.Namespace, Metric.MetricName, Object.fromEntries(Metric.Dimensions.map((d) => [d.Name, d.Value]))),
  }));
  const own = asked.filter(({ namespace }) => namespace === NAMES.health);
  expect(own).toHaveLength(3);
  for (const { id } of own) expect(emitted).toContain(id);
  // Of services' metrics more than once: by the minute, and further back by the hour.
  expect(new Set(asked.filter(({ namespace }) => namespace !== NAMES.health).map(({ id }) => id))).toEqual(
    new Set([
      idOf("AWS/Lambda", "IteratorAge", { FunctionName: `${NAMES.prefix}-relay` }),
      idOf("AWS/Kinesis", "IncomingRecords", { StreamName: NAMES.stream }),
    ]),
  );
  // And it beats when they tell of silence.
  expect(put.filter((data) => data.includes('"key":null'))).toHaveLength(1);
});
