import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Analyzer, type ClosedWindow } from "../../src/core/analyze.ts";
import { deliverer, type Enrich } from "../../src/core/deliver.ts";
import { seriesId } from "../../src/core/series.ts";
import { requireSpec } from "../../src/core/spec.ts";
import {
  dataFolder,
  eventually,
  select,
  settled,
  sharedEngine,
  startTestEngine,
  writePipeline,
} from "../support/engine.ts";
import { ALL_MEASURES, MINUTE, ordersBetween, ordersPipeline, START, toRecords } from "../support/orders.ts";
import { Producer, type ProducerRecord } from "../support/producer.ts";

const engine = sharedEngine();

const ENRICH = `export default function enrich(order) {
  if (order.id === "throws") throw new Error("no such shop");
  if (order.id === "endless") for (;;) {}
  if (order.id === "number") return 5;
  if (order.id === "test-order") return null;
  if (order.id === "parcel") return [{ ...order, id: "parcel-1" }, { ...order, id: "parcel-2" }];
  return { ...order, region: order.region.toLowerCase() };
}`;

/** Deploys a pipeline of orders and answers its producer. */
async function deploy(name: string, change: Record<string, unknown> = {}, beside: Record<string, string> = {}) {
  const file = await writePipeline(engine().folder, ordersPipeline(name, change), beside);
  await engine().backend.stack.deploy({ file, trusted: true });
  return { file, producer: new Producer(engine().endpoint, name) };
}

const minute = (n: number) => new Date(START + n * MINUTE).toISOString();

describe("records put through the endpoint", () => {
  it("reach the lake exactly once, and windows equal an independent fold", async () => {
    const name = "web-shop";
    const { file, producer } = await deploy(
      name,
      { enrich: "enrich.mjs", series: { every: "1m", by: ["region"], measures: ALL_MEASURES } },
      { "enrich.mjs": ENRICH },
    );
    // "west" appears late; one record holds several events; some orders are dropped or become two.
    const orders = [
      ...ordersBetween(0, 20),
      ...ordersBetween(20, 32, ["north", "South", "west"]),
      { at: minute(32), id: "parcel", region: "north", amount: 5, items: 2 },
      { at: minute(32), id: "test-order", region: "north", amount: 5, items: 2 },
    ];
    const lines = ordersBetween(33, 35).map((o) => JSON.stringify(o));
    const records: ProducerRecord[] = [...toRecords(orders), { data: lines.join("\n"), key: "north" }];
    const places = await producer.put(records);
    const status = await settled(engine().backend, name);

    expect(places).toEqual(records.map((_, i) => i + 1));
    expect(status.counts).toMatchObject({ records: records.length, rejected: 0, dropped: 1, late: 0 });
    const raw = await select(engine().backend, name, "SELECT _sequence, id, _late FROM raw ORDER BY _sequence, id");
    const expected = records.flatMap((r, i) =>
      String(r.data)
        .split("\n")
        .map((line) => JSON.parse(line).id as string)
        .flatMap((id) => (id === "parcel" ? ["parcel-1", "parcel-2"] : id === "test-order" ? [] : [id]))
        .sort()
        .map((id) => [String(i + 1), id, false]),
    );
    expect(raw).toEqual(expected);

    const windows = foldApart(file, records);
    const compared = await select(
      engine().backend,
      name,
      "SELECT series, CAST(window_start AS varchar), actual, events FROM comparison ORDER BY 2, 1",
    );
    expect(compared).toEqual(windows);
    expect(windows.length).toBe(status.counts.windows);
    expect(new Set(windows.map(([series]) => series))).toContain("spread{region=west}");
  });

  it("are rejected with their reason and their exact bytes, while the rest of the batch goes on", async () => {
    const name = "bad-records";
    const { producer } = await deploy(name, { enrich: "enrich.mjs" }, { "enrich.mjs": ENRICH });
    const order = (change: object) =>
      JSON.stringify({ at: minute(0), id: "x", region: "north", amount: 1, items: 1, ...change });
    const good = toRecords(ordersBetween(0, 2));
    const bad: [reason: string, data: string | Uint8Array][] = [
      ["malformed-json", '{"at": "2024-03-01T00:00'],
      ["not-an-object", "[1, 2]"],
      ["not-utf8", Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
      ["malformed-json", ""],
      ["too-large", Buffer.alloc(1_048_576 - 10, "x")],
      ["time-missing", JSON.stringify({ id: "x", region: "north" })],
      ["time-unparsable", order({ at: "yesterday" })],
      ["time-unparsable", order({ at: "2024-02-30T00:00:00Z" })],
      ["time-ahead", order({ at: new Date(Date.now() + 3_653 * 86_400_000).toISOString() })],
      ["time-behind", order({ at: "2014-03-01T00:00:00Z" })],
      ["wrong-type", order({ amount: "12.50" })],
      ["wrong-type", order({ items: 1.5 })],
      ["wrong-type", order({ gift: "yes" })],
      ["enrich-failed", order({ id: "throws" })],
      ["enrich-timeout", order({ id: "endless" })],
      ["enrich-invalid", order({ id: "number" })],
    ];
    // Good and bad ones take turns; the first good one sets the stream's clock.
    const mixed = good.flatMap((record, i) => (bad[i] ? [record, { data: bad[i][1], key: "bad" }] : [record]));
    await producer.put(mixed);
    const status = await settled(engine().backend, name);

    expect(status.counts).toMatchObject({ records: mixed.length, events: good.length, rejected: bad.length });
    const rejected = await engine().backend.streams.rejected(name, { limit: 100 });
    expect(rejected.map((r) => [r.reason, digest(Buffer.from(r.data, r.encoding))])).toEqual(
      bad.map(([reason, data]) => [reason, digest(Buffer.from(data as Uint8Array))]).reverse(),
    );
    expect(rejected.every((r) => r.detail.length > 0 && r.arrival > 0)).toBe(true);
    const [[taken]] = (await select(engine().backend, name, "SELECT count(DISTINCT _sequence) FROM raw")) as [[string]];
    expect(Number(taken)).toBe(good.length);
    const stored = await select(engine().backend, name, "SELECT reason, length(data) FROM rejected ORDER BY sequence");
    expect(stored).toEqual(bad.map(([reason, data]) => [reason, String(Buffer.from(data as Uint8Array).length)]));
  });

  it("that come late are kept, counted and shown, and change no closed window", async () => {
    const name = "late-orders";
    const { producer } = await deploy(name);
    await producer.put(toRecords(ordersBetween(0, 10)));
    await settled(engine().backend, name);
    const sql = "SELECT series, CAST(window_start AS varchar), actual, events FROM comparison ORDER BY 1, 2";
    const before = await select(engine().backend, name, sql);
    await producer.put([
      { data: JSON.stringify({ at: minute(3), id: "late-1", region: "north", amount: 1, items: 1 }) },
      { data: JSON.stringify({ at: minute(3), id: "late-2", region: "north", amount: 1, items: 1 }) },
      { data: JSON.stringify({ at: minute(4), id: "late-3", region: "south", amount: 1, items: 1 }) },
    ]);
    const { counts } = await eventually(async () => {
      const status = await settled(engine().backend, name);
      return status.counts.late === 3 ? status : undefined;
    }, "three late events");
    expect(counts.late).toBe(3);
    expect(await select(engine().backend, name, sql)).toEqual(before);
    expect(await select(engine().backend, name, "SELECT id FROM raw WHERE _late ORDER BY id")).toEqual([
      ["late-1"],
      ["late-2"],
      ["late-3"],
    ]);
    const chart = await engine().backend.forecasts.chart(name, "orders{region=north}", {
      from: START,
      until: START + 10 * MINUTE,
    });
    expect(chart.points.map((p) => p.late)).toEqual([0, 0, 0, 2, 0, 0, 0, 0, 0].slice(0, chart.points.length));
  });
});

describe("a stream of old records that jumps", () => {
  const days = (n: number) => n * 24 * 60;

  it("over weeks loses none of them, also when the engine is restarted in the middle of it", {
    timeout: 300_000,
  }, async () => {
    const name = "holiday-shop";
    const folder = dataFolder();
    const first = await startTestEngine(folder);
    const file = await writePipeline(folder, ordersPipeline(name));
    await first.backend.stack.deploy({ file, trusted: true });
    const before = ordersBetween(0, 5);
    const after = ordersBetween(days(20), days(20) + 3);
    await new Producer(first.endpoint, name).put(toRecords([...before, ...after.slice(0, 6)]));
    const held = await settled(first.backend, name);
    expect(held.counts).toMatchObject({ records: before.length + 6, events: before.length, rejected: 0 });
    await first.kill();
    const second = await startTestEngine(folder);
    onTestFinished(() => second.kill());
    await new Producer(second.endpoint, name).put(toRecords(after.slice(6)));
    const { counts, newestEvent } = await settled(second.backend, name);
    expect(counts).toMatchObject({ events: before.length + after.length, rejected: 0, late: 0 });
    expect(newestEvent).toBe(Date.parse(after.at(-1)!.at));
    const rows = await select(second.backend, name, "SELECT _sequence FROM raw ORDER BY 1");
    expect(rows).toEqual(Array.from({ length: counts.records }, (_, i) => [String(i + 1)]));
  });

  it("for a single record is a wrong time: it is rejected with its bytes, at the latest after the silence", async () => {
    const name = "wrong-clock";
    const { producer } = await deploy(name, { source: { ...ordersPipeline(name).source, idle: "1s" } });
    const wrong = JSON.stringify({ at: minute(days(400)), id: "wrong", region: "north", amount: 1, items: 1 });
    await producer.put([...toRecords(ordersBetween(0, 1)), { data: wrong }]);
    const [rejected] = await eventually(async () => {
      const found = await engine().backend.streams.rejected(name, { limit: 5 });
      return found.length > 0 ? found : undefined;
    }, "the rejection");
    expect(rejected).toMatchObject({ reason: "time-ahead", data: wrong });
    expect(rejected!.detail).toMatch(
      /^2025-04-05T00:00:00Z is more than 1d ahead of the stream's clock, 2024-03-01T00:00/,
    );
    expect((await engine().backend.stack.get(name)).counts.rejected).toBe(1);
  });
});

describe("silence", () => {
  it("moves the clock on, closes empty windows, alarms and opens an incident; the send ends when it is cancelled", async () => {
    const name = "silent-shop";
    const { producer } = await deploy(name, {
      source: { ...ordersPipeline(name).source, idle: "2m" },
    });
    await producer.put(toRecords(ordersBetween(0, 45)));
    await settled(engine().backend, name);
    // Five minutes of orders, then nothing for six hours of event time, at sixty times their speed.
    const file = join(engine().folder, "silence.jsonl");
    const orders = [...ordersBetween(45, 50), ...ordersBetween(410, 411)];
    writeFileSync(file, orders.map((o) => JSON.stringify(o)).join("\n"));
    const cancel = new AbortController();
    const sent = engine().backend.streams.send(name, { file, speed: 60 }, { signal: cancel.signal });
    sent.catch(() => {});
    const incident = await eventually(
      async () => (await engine().backend.incidents.list({ pipeline: name }))[0],
      "an incident",
    );
    cancel.abort();
    await expect(sent).rejects.toMatchObject({ code: "cancelled" });
    expect(incident).toMatchObject({
      rule: "orders-low",
      status: "open",
      title: "Orders below forecast at north and south",
    });
    const empty = await select(
      engine().backend,
      name,
      "SELECT DISTINCT measure, actual FROM comparison WHERE events = 0 ORDER BY 1",
    );
    expect(empty).toEqual([
      ["orders", 0],
      ["revenue", 0],
    ]);
    const [alarm] = await engine().backend.alarms.list(name);
    expect(alarm).toMatchObject({
      name: "orders-low",
      state: "ALARM",
      contributors: ["orders{region=north}", "orders{region=south}"],
    });
    // Cancelled, the replay's clock stands still: silence after it is nobody's outage.
    expect((await settled(engine().backend, name)).newestEvent).toBeLessThan(START + 51 * MINUTE);
  });
});

describe("several pipelines", () => {
  it("live side by side without touching each other's data", async () => {
    const names = ["eu-west-shop", "eu-west", "eu"];
    const producers = await Promise.all(names.map((name) => deploy(name)));
    await Promise.all(producers.map(({ producer }, i) => producer.put(toRecords(ordersBetween(0, 3 + i)))));
    for (const [i, name] of names.entries()) {
      const status = await settled(engine().backend, name);
      expect(status.counts.events).toBe(ordersBetween(0, 3 + i).length);
      const [[rows]] = (await select(engine().backend, name, "SELECT count(*) FROM raw")) as [[string]];
      expect(Number(rows)).toBe(ordersBetween(0, 3 + i).length);
    }
    const listed = await engine().backend.stack.list();
    expect(listed.map((p) => p.name)).toEqual(expect.arrayContaining(names));
  });
});

/** The same events, folded without the engine: rows of [series, window, actual, events] in the order of the query. */
function foldApart(file: string, records: readonly ProducerRecord[]): unknown[][] {
  const spec = requireSpec(readFileSync(file, "utf8"), file);
  const enrich: Enrich = (order) => {
    if (order.id === "test-order") return null;
    if (order.id === "parcel") return [order, { ...order }];
    return { ...order, region: String(order.region).toLowerCase() };
  };
  const deliver = deliverer(spec, enrich);
  const analyzer = new Analyzer(spec);
  const closed: ClosedWindow[] = [];
  for (const { data } of records) {
    for (const event of deliver(Buffer.from(data as string)).events) analyzer.add(event, Date.now());
    closed.push(...analyzer.close());
  }
  return closed.flatMap((window) =>
    window.groups
      .flatMap((group) =>
        spec.series.measures.map((measure, i) => [
          seriesId(measure.name, ["region"], [group.key]),
          new Date(window.start).toISOString().replace("T", " ").replace("Z", ""),
          Number.isFinite(group.values[i]) ? group.values[i] : null,
          String(group.events),
        ]),
      )
      .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
  );
}

/** Bytes as a short text: a failing comparison of a megabyte is no help. */
function digest(bytes: Buffer): string {
  return bytes.length < 200 ? bytes.toString("latin1") : createHash("sha256").update(bytes).digest("hex");
}
