/**
 * The generated job in real Apache Flink, of the version that is deployed, against core/analyze on the same events. First with
 * files for streams, which need no connector's jar: the SQL, the watermark, the windows and the arithmetic are the deployment's.
 * Then with the Kinesis connector, reading what the relay put into a stream and writing to another one.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import deployed from "../../infra/flink/connector.json" with { type: "json" };
import { type FlinkConnectors, flinkJob, KINESIS } from "../../infra/flink/job.ts";
import { streamSink } from "../../infra/lambda/aws.ts";
import { relay } from "../../infra/lambda/relaying.ts";
import { synthesize } from "../../infra/template/synthesize.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { awsTools, type Python } from "../infra/python.ts";
import { checks } from "../unit/infra/checks.ts";
import { FLIGHTS, options } from "../unit/infra/pipelines.ts";
import { BORDERS, GOLDEN, MADE, stormDays } from "./cases.ts";
import { Cluster, inProcess, MINUTES } from "./cluster.ts";
import { byCore, byFlink, type Case, type Item, reaches, recordsOf } from "./core.ts";
import { folders } from "./files.ts";
import { kinesisJar } from "./kinesis-jar.ts";
import { pyflink } from "./pyflink.ts";
import { motoStreams, ownStreams, readAll, type Streams } from "./streams.ts";

const flink = await pyflink();
const lacking = "lacking" in flink ? flink.lacking : undefined;
const connector = lacking === undefined ? await kinesisJar() : { lacking };
const withoutJar = "lacking" in connector ? connector.lacking : undefined;
/** With which jar, which need not be the one that is deployed. */
const ofJar = "jar" in connector ? `${basename(connector.jar)}, ${deployed.file} deployed` : `(skipped: ${withoutJar})`;
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
    const { late, ...core } = byCore(one, true);
    expect(await throughFiles(one)).toEqual(core);
    expect(core.rows.length).toBeGreaterThan(0);
    if (one.items === BORDERS) expect(late).toBe(2);
  });

  test("names no groups when there are more than a record has room for", { timeout: 10 * MINUTES }, async () => {
    const spec = { ...MADE[0]!.spec, series: { ...MADE[0]!.spec.series, by: [{ field: "g" }] } };
    const items = Array.from({ length: 90_000 }, (_, i) => ({
      t: Date.UTC(2001, 2, 5, 0, 0, 0, i),
      g: `customer ${i}`,
    }));
    const { rows, closed } = await throughFiles({ name: "crowd", spec, items });
    expect(rows).toHaveLength(items.length);
    const hour = "2001-03-05T00:00:00.000Z";
    expect(closed).toEqual([`${hour} 2001-03-05T01:00:00.000Z 90000 after nothing since ${hour} null`]);
  });

  test("makes core/analyze's windows of a week of the sample, out of order", { timeout: 10 * MINUTES }, async () => {
    const { spec, days } = await stormDays();
    const items = days.flat();
    const { late, ...core } = byCore({ spec, items }, true);
    const made = await throughFiles({ name: "week", spec, items });
    expect(made).toEqual(core);
    expect(items.length - made.arrived).toBe(late);
    expect(late).toBeGreaterThan(500);
    expect(core.rows.length).toBeGreaterThan(7 * 16 * 8);
  });

  test("makes the same of two busy shards", { timeout: 10 * MINUTES }, async () => {
    const place = folders(join(folder, "busy"));
    await dayByDay({
      async start(spec) {
        const job = await cluster.start(spec, place.watched);
        // Each reader is then given a file a day.
        await cluster.until(job, place.ready);
        return job;
      },
      put: async (spec, shards) => {
        for (const items of shards) place.write({ spec, items });
      },
      read: async () => place.read(),
    });
  });

  test("a reader that has nothing to read holds no window up", { timeout: 10 * MINUTES }, async () => {
    const { spec: given, items } = MADE[0]!;
    const spec = { ...given, source: { ...given.source, shards: 2, idle: 720 * MINUTES } };
    const place = folders(join(folder, "idle"));
    // Without the late ones: while the clock waits for a reader, nothing is late.
    const events = items.slice(0, 6);
    const silence = [{ beat: Date.UTC(2001, 2, 5, 14) }];
    place.write({ spec, items: events });
    // The folder is watched for more, so the reader without a file does not end: only its idleness lets the clock move.
    const job = await cluster.start(spec, place.watched);
    const first = byCore({ spec, items: events }, false);
    expect(first.rows.length).toBeGreaterThan(0);
    await cluster.until(job, () => reaches(byFlink(spec, place.read()), first));
    // And when all readers have nothing to read, a beat moves it.
    place.write({ spec, items: silence });
    const { late, ...core } = byCore({ spec, items: [...events, ...silence] }, false);
    expect(core.rows.length).toBeGreaterThan(first.rows.length);
    await cluster.until(job, () => reaches(byFlink(spec, place.read()), core));
    await cluster.stop(job);
    expect(byFlink(spec, place.read())).toEqual(core);
  });
});

describe.skipIf(withoutJar)(`with the Kinesis connector ${ofJar}`, () => {
  let own: Streams;
  beforeAll(async () => {
    own = await ownStreams(join(folder, "streams"));
  });
  afterAll(() => own.close());

  test.for([MADE[0]!, MADE[3]!, ...GOLDEN])("from the project's endpoint: $name", { timeout: 10 * MINUTES }, (one) =>
    throughKinesis(own, one),
  );

  test("what the relay makes of a week of records, the broken ones counted", { timeout: 10 * MINUTES }, async () => {
    const { spec, days } = await stormDays();
    const week = { spec, items: days.flat().filter((item) => !("beat" in item)) };
    const pipe = await openPipe(own, week.spec);
    const job = await cluster.start(week.spec, pipe.options);
    // Nobody but the relay and the sweep may write there; what is no event all the same does not stop the job.
    expect(await pipe.events.put([{ data: '{"time":', partitionKey: "stray" }])).toEqual([]);
    const toEvents = relay(week.spec, checks(week.spec));
    const counts = { events: 0, rejected: 0 };
    for (let at = 0; at < week.items.length; at += 1_000) {
      const items = week.items.slice(at, at + 1_000);
      const lines = [...items.map((item) => JSON.stringify(item)), '{"scheduled":', '{"origin":"BOS"}'];
      const arrival = Math.max(...items.map((item) => (item as { scheduled: number }).scheduled));
      const record = {
        shard: "shardId-000000000000",
        sequence: String(at),
        arrival,
        data: Buffer.from(lines.join("\n")),
      };
      const relayed = await toEvents([record]);
      counts.events += relayed.counts.events;
      counts.rejected += relayed.counts.rejected;
      expect(await pipe.events.put(relayed.records)).toEqual([]);
    }
    expect(counts).toEqual({ events: week.items.length, rejected: 2 * Math.ceil(week.items.length / 1_000) });
    const { late, ...core } = byCore(week, false);
    await cluster.until(job, async () => reaches(byFlink(week.spec, await pipe.read()), core));
    await cluster.cancel(job);
    expect(byFlink(week.spec, await pipe.read())).toEqual(core);
  });

  test("what two shards hold of the week, as they are at the end of each day", { timeout: 10 * MINUTES }, async () => {
    let pipe: Awaited<ReturnType<typeof openPipe>>;
    await dayByDay({
      async start(spec) {
        pipe = await openPipe(own, spec);
        return cluster.start(spec, pipe.options);
      },
      put: (_, shards) => pipe.put(...shards),
      read: () => pipe.read(),
    });
  });

  test("a stop with a savepoint, and events that come while the job is down", { timeout: 10 * MINUTES }, async () => {
    const { spec, items } = MADE.find((c) => c.name.includes("disorder"))!;
    const half = Math.floor(items.length / 2);
    const pipe = await openPipe(own, spec);
    const { python } = flink as { python: string };
    const made = async () => byFlink(spec, await pipe.read());
    await pipe.put(items.slice(0, half));
    const before = byCore({ spec, items: items.slice(0, half) }, false);
    const savepoint = await inProcess(python, join(folder, "stopped"), async (cluster) => {
      const job = await cluster.start(spec, pipe.options);
      await cluster.until(job, async () => reaches(await made(), before));
      return cluster.stop(job);
    });
    await pipe.put(items.slice(half));
    const { late, ...all } = byCore({ spec, items }, false);
    const settings = { ...pipe.options.settings, "execution.state-recovery.path": savepoint };
    await inProcess(python, join(folder, "restored"), async (cluster) => {
      const job = await cluster.start(spec, { ...pipe.options, settings });
      await cluster.until(job, async () => reaches(await made(), all));
      await cluster.cancel(job);
    });
    expect(await made()).toEqual(all);
    expect(all.closed.length).toBeGreaterThan(before.closed.length + 3);
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
    /** Items of each shard. */
    async put(...shards: readonly (readonly Item[])[]): Promise<void> {
      const records = shards.flatMap((items, i) =>
        recordsOf({ spec, items }).map((data) => ({
          data,
          partitionKey: `shard ${i}`,
          hashKey: ((2n ** 128n / BigInt(shards.length)) * BigInt(i)).toString(),
        })),
      );
      expect(await sink.put(records)).toEqual([]);
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
  const { late, ...core } = byCore(one, false);
  await cluster.until(job, async () => reaches(byFlink(one.spec, await pipe.read()), core));
  await cluster.cancel(job);
  expect(byFlink(one.spec, await pipe.read())).toEqual(core);
}

interface Feed {
  start(spec: PipelineSpec): Promise<string>;
  put(spec: PipelineSpec, shards: readonly (readonly Item[])[]): Promise<void>;
  read(): Promise<readonly string[]>;
}

/**
 * The disordered week in two shards, a day once the windows of the one before are there: which of two shards is read sooner is
 * nobody's to say, but what is late is late in both.
 */
async function dayByDay({ start, put, read }: Feed): Promise<void> {
  const { spec: given, days } = await stormDays();
  const spec = { ...given, source: { ...given.source, shards: 2 } };
  const job = await start(spec);
  const fed: Item[] = [];
  for (const [day, items] of days.entries()) {
    await put(
      spec,
      [0, 1].map((shard) => items.filter((item, i) => "beat" in item || i % 2 === shard)),
    );
    fed.push(...items.flatMap((item) => ("beat" in item ? [item, item] : [item])));
    const { late, ...core } = byCore({ spec, items: fed }, false);
    await cluster.until(job, async () => reaches(byFlink(spec, await read()), core));
    const made = byFlink(spec, await read());
    expect(made).toEqual(core);
    // Of the last day's two beats the window is open still.
    expect(fed.length - made.arrived - 2).toBe(late);
    if (day === days.length - 1) expect(late).toBeGreaterThan(500);
  }
  await cluster.cancel(job);
}

async function throughFiles(one: Case) {
  const place = folders(join(folder, `case-${++cases}`));
  place.write(one);
  await cluster.finish(await cluster.start(one.spec, { connectors: place.connectors }));
  return byFlink(one.spec, place.read());
}
let cases = 0;
