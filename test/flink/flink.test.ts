/**
 * The generated job in real Apache Flink, of the version that is deployed, against core/analyze on the same events. First with
 * files for streams, which need no connector's jar: the SQL, the watermark, the windows and the arithmetic are the deployment's.
 * Then with the Kinesis connector, reading what the relay put into a stream and writing to another one.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FlinkConnectors, flinkJob, KINESIS } from "../../infra/flink/job.ts";
import { streamSink } from "../../infra/lambda/aws.ts";
import { checker } from "../../infra/lambda/checked.ts";
import { relay } from "../../infra/lambda/relaying.ts";
import { synthesize } from "../../infra/template/synthesize.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { awsTools, type Python } from "../infra/python.ts";
import { FLIGHTS, options } from "../unit/infra/pipelines.ts";
import { BORDERS, GOLDEN, MADE, stormWeek } from "./cases.ts";
import { Cluster, MINUTES } from "./cluster.ts";
import { byCore, byFlink, type Case, endOf, type Item, recordsOf } from "./core.ts";
import { folders } from "./files.ts";
import { kinesisJar } from "./kinesis-jar.ts";
import { pyflink } from "./pyflink.ts";
import { motoStreams, ownStreams, readAll, type Streams } from "./streams.ts";

const flink = await pyflink();
const lacking = "lacking" in flink ? flink.lacking : undefined;
const connector = lacking === undefined ? await kinesisJar() : { lacking };
const withoutJar = "lacking" in connector ? connector.lacking : undefined;
const tools: Python = withoutJar === undefined ? await awsTools() : { lacking: withoutJar };
const withoutMoto = "lacking" in tools ? tools.lacking : undefined;
const folder = mkdtempSync(join(tmpdir(), "forewatch-flink-"));
let cluster: Cluster;

beforeAll(() => {
  if ("python" in flink) cluster = new Cluster(flink.python, join(folder, "cluster"));
});
afterAll(async () => {
  await cluster?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("the statements ask for properties that the deployed application has", () => {
  const { template } = synthesize(FLIGHTS, options());
  const { EnvironmentProperties } = template.Resources.FlinkApplication!.Properties
    .ApplicationConfiguration as unknown as {
    EnvironmentProperties: { PropertyGroups: { PropertyGroupId: string; PropertyMap: Record<string, unknown> }[] };
  };
  const given = EnvironmentProperties.PropertyGroups.find((g) => g.PropertyGroupId === "Pipeline")!.PropertyMap;
  const { tables, insert } = flinkJob(FLIGHTS);
  const asked = [...[...tables, insert].join("\n").matchAll(/\$\{([^}]+)\}/g)].map(([, name]) => name!);
  expect(new Set(asked)).toEqual(new Set(Object.keys(given)));
});

describe.skipIf(lacking)(`Apache Flink 2.2.1${lacking ? ` (skipped: ${lacking})` : ""}`, () => {
  test.for([...MADE, ...GOLDEN])("makes core/analyze's windows: $name", { timeout: 10 * MINUTES }, async (one) => {
    const { rows, closed } = await throughFiles(one);
    const core = byCore(one, true);
    expect(rows).toEqual(core.rows);
    expectClosed(rows, closed);
    if (one.items === BORDERS) expect(core.late).toBe(2);
  });

  test("makes core/analyze's windows of a week of the sample", { timeout: 10 * MINUTES }, async () => {
    const week = await stormWeek();
    const { rows, closed } = await throughFiles(week);
    expect(rows).toEqual(byCore(week, true).rows);
    expect(rows.length).toBeGreaterThan(7 * 16 * 8);
    expectClosed(rows, closed);
  });

  test("a reader that has nothing to read holds no window up", { timeout: 10 * MINUTES }, async () => {
    // Without the late ones: while the clock waits for a reader, nothing is late.
    const one = { ...MADE[0]!, items: BORDERS.slice(0, 6) };
    const spec = { ...one.spec, source: { ...one.spec.source, shards: 2, idle: 2_000 } };
    const place = folders(join(folder, "idle"));
    place.write(one);
    // The folder is watched for more, so the reader without a file does not end: only its idleness lets the clock move.
    const job = await cluster.start(spec, place.watched);
    const { rows } = byCore(one, false);
    expect(rows.length).toBeGreaterThan(0);
    await cluster.until(job, () => byFlink(spec, place.read()).rows.length >= rows.length);
    await cluster.stop(job);
    expect(byFlink(spec, place.read()).rows).toEqual(rows);
  });
});

describe.skipIf(withoutJar)(`with the Kinesis connector${withoutJar ? ` (skipped: ${withoutJar})` : ""}`, () => {
  let own: Streams;
  beforeAll(async () => {
    own = await ownStreams(join(folder, "streams"));
  });
  afterAll(() => own.close());

  test.for([MADE[0]!, MADE[3]!, ...GOLDEN])("from the project's endpoint: $name", { timeout: 10 * MINUTES }, (one) =>
    throughKinesis(own, one),
  );

  test("what the relay makes of a week of records, the broken ones counted", { timeout: 10 * MINUTES }, async () => {
    const week = await stormWeek();
    const pipe = await openPipe(own, week.spec);
    const job = await cluster.start(week.spec, pipe.options);
    // Nobody but the relay and the sweep may write there; what is no event all the same does not stop the job.
    expect(await pipe.events.put([{ data: '{"time":', partitionKey: "stray" }])).toEqual([]);
    const toEvents = relay(week.spec, checker(week.spec));
    const counts = { events: 0, rejected: 0 };
    for (let at = 0; at < week.items.length; at += 1_000) {
      const items = week.items.slice(at, at + 1_000);
      const lines = [...items.map((item) => JSON.stringify(item)), '{"scheduled":', '{"origin":"BOS"}'];
      const arrival = Number((items.at(-1) as Readonly<Record<string, unknown>>).scheduled);
      const record = {
        shard: "shardId-000000000000",
        sequence: String(at),
        arrival,
        data: Buffer.from(lines.join("\n")),
      };
      const relayed = toEvents([record]);
      counts.events += relayed.counts.events;
      counts.rejected += relayed.counts.rejected;
      expect(await pipe.events.put(relayed.records)).toEqual([]);
    }
    expect(counts).toEqual({ events: week.items.length, rejected: 2 * Math.ceil(week.items.length / 1_000) });
    const core = byCore(week, false).rows;
    await cluster.until(job, async () => byFlink(week.spec, await pipe.read()).rows.length >= core.length);
    await cluster.cancel(job);
    const { rows, closed } = byFlink(week.spec, await pipe.read());
    expect(rows).toEqual(core);
    expectClosed(rows, closed);
  });

  test("a stop with a savepoint, and events that come while the job is down", { timeout: 10 * MINUTES }, async () => {
    const one = MADE.find((c) => c.name.includes("disorder"))!;
    const half = Math.floor(one.items.length / 2);
    const pipe = await openPipe(own, one.spec);
    const first = await cluster.start(one.spec, pipe.options);
    await pipe.put(one.items.slice(0, half));
    const before = byCore({ ...one, items: one.items.slice(0, half) }, false).rows;
    await cluster.until(first, async () => byFlink(one.spec, await pipe.read()).rows.length >= before.length);
    const savepoint = await cluster.stop(first);
    await pipe.put(one.items.slice(half));
    const settings = { ...pipe.options.settings, "execution.state-recovery.path": savepoint };
    const second = await cluster.start(one.spec, { ...pipe.options, settings });
    const all = byCore(one, false).rows;
    await cluster.until(second, async () => byFlink(one.spec, await pipe.read()).rows.length >= all.length);
    await cluster.cancel(second);
    expect(byFlink(one.spec, await pipe.read()).rows).toEqual(all);
    expect(all.length).toBeGreaterThan(before.length + 3);
  });

  describe.skipIf(withoutMoto)(`from moto${withoutMoto ? ` (skipped: ${withoutMoto})` : ""}`, () => {
    let moto: Streams;
    beforeAll(async () => {
      moto = await motoStreams((tools as { python: string }).python);
      // moto reads JSON only; the connector's SDK would speak CBOR.
      await cluster.set("aws.cborEnabled", "false");
    });
    afterAll(async () => {
      await cluster.set("aws.cborEnabled", "true");
      await moto.close();
    });
    test.for([MADE[0]!, MADE[3]!, GOLDEN[0]!])("$name", { timeout: 10 * MINUTES }, (one) => throughKinesis(moto, one));
  });
});

/** A pair of streams and the deployed connectors between them. */
async function openPipe(streams: Streams, spec: PipelineSpec) {
  const number = ++pipes;
  const [events, windows] = [`events-${number}`, `windows-${number}`];
  const properties = {
    "events.stream.arn": await streams.create(events, spec.source.shards),
    "windows.stream.arn": await streams.create(windows, 1),
    "aws.region": "us-east-1",
  };
  const connectors: FlinkConnectors = {
    // Shards are given out in a round of discovery, and mostly not in the first, for which readers come too late.
    source: { ...KINESIS.source, "aws.endpoint": streams.url, "source.shard.discovery.interval": "2 s" },
    // HTTP/2, the sink's choice, needs TLS.
    sink: { ...KINESIS.sink, "aws.endpoint": streams.url, "sink.http-client.protocol.version": "HTTP1_1" },
  };
  const settings = {
    "pipeline.jars": `file://${(connector as { jar: string }).jar}`,
    // A second round before the first has answered fails the job, which the service then restarts.
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "20",
    "restart-strategy.fixed-delay.delay": "1 s",
  };
  const sink = streamSink(streams.client, events);
  return {
    options: { connectors, properties, settings },
    events: sink,
    async put(items: readonly Item[]): Promise<void> {
      const partitionKey = "shardId-000000000000";
      expect(await sink.put(recordsOf({ spec, items }).map((data) => ({ data, partitionKey })))).toEqual([]);
    },
    read: () => readAll(streams.client, windows),
  };
}
let pipes = 0;

async function throughKinesis(streams: Streams, one: Case): Promise<void> {
  const pipe = await openPipe(streams, one.spec);
  await pipe.put(one.items);
  const job = await cluster.start(one.spec, pipe.options);
  // The stream does not end: what the items close is all there is.
  const core = byCore(one, false).rows;
  await cluster.until(job, async () => byFlink(one.spec, await pipe.read()).rows.length >= core.length);
  await cluster.cancel(job);
  const { rows, closed } = byFlink(one.spec, await pipe.read());
  expect(rows).toEqual(core);
  expectClosed(rows, closed);
}

/** Every window that any group had events in is told to be closed, once. */
function expectClosed(rows: readonly string[], closed: readonly string[]): void {
  expect(rows.length).toBeGreaterThan(0);
  expect(new Set(closed).size).toBe(closed.length);
  for (const row of rows) expect(closed).toContain(endOf(row));
}

async function throughFiles(one: Case) {
  const place = folders(join(folder, `case-${++cases}`));
  place.write(one);
  await cluster.finish(await cluster.start(one.spec, { connectors: place.connectors }));
  return byFlink(one.spec, place.read());
}
let cases = 0;
