import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { DeployRequest } from "../../src/backend.ts";
import { openLocal } from "../../src/local/index.ts";
import { headersOf, http1 } from "../support/endpoint.ts";
import {
  bundleEngine,
  dataFolder,
  eventually,
  faultOf,
  select,
  settled,
  sharedEngine,
  startTestEngine,
  type TestEngine,
  VERSION,
  writePipeline,
} from "../support/engine.ts";
import { ordersBetween, ordersPipeline, toRecords } from "../support/orders.ts";
import { Producer } from "../support/producer.ts";

const engine = sharedEngine();

async function deploy(
  on: TestEngine,
  name: string,
  change: Record<string, unknown> = {},
  beside: Record<string, string> = {},
  request: Partial<DeployRequest> = {},
) {
  const file = await writePipeline(on.folder, ordersPipeline(name, change), beside);
  await on.backend.stack.deploy({ file, trusted: true, ...request });
  return { file, producer: new Producer(on.endpoint, name) };
}

describe("an engine that cannot start says what to do", () => {
  it("when another one works on the folder", async () => {
    const fault = await faultOf(startTestEngine(engine().folder));
    expect(fault).toMatchObject({ code: "engine.locked" });
    expect(fault.message).toContain(String(engine().pid));
    expect(fault.next).toMatch(/stop it/i);
  });

  it.each([
    { args: ["--colour", "blue"] },
    { args: ["--port", "70000"] },
    { args: ["--linger", "soon"] },
  ])("when it does not know what $args should mean", async ({ args }) => {
    const fault = await faultOf(startTestEngine(dataFolder(), { args }));
    expect(fault).toMatchObject({ code: "input.invalid" });
    expect(fault.message).toContain(args.join(" "));
    expect(fault.next).toMatch(/--folder DIR, --port NUMBER/);
  });

  it("when its port is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void taken.close());
    await new Promise((resolve) => taken.once("listening", resolve));
    const { port } = taken.address() as { port: number };
    const fault = await faultOf(startTestEngine(dataFolder(), { args: ["--port", String(port)] }));
    expect(fault).toMatchObject({ code: "engine.port-in-use" });
    expect(fault.message).toContain(String(port));
    expect(fault.next).toMatch(/another port/);
  });

  it.each(["store.duckdb", "store.duckdb.wal"])("when its %s is damaged, which it leaves as it is", async (name) => {
    const folder = dataFolder();
    const first = await startTestEngine(folder);
    const { producer } = await deploy(first, "web-shop");
    await producer.put(toRecords(ordersBetween(0, 10)));
    await settled(first.backend, "web-shop");
    await first.kill();
    const path = join(folder, ".forewatch", name);
    const bytes = readFileSync(path);
    // The file from its beginning; of the log the middle, for its end may be a write that was cut short.
    const at = name.endsWith(".wal") ? bytes.length / 2 : 0;
    bytes.fill(0x5a, at, at + 9_000);
    writeFileSync(path, bytes);
    const fault = await faultOf(startTestEngine(folder));
    expect(fault).toMatchObject({ code: "engine.corrupt" });
    expect(fault.next).toMatch(/deploy again/);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it.each([
    [
      "a file stands where its folder should",
      (home: string) => writeFileSync(join(home, ".forewatch"), ""),
      /Rename or remove/,
    ],
    [
      "its store is a folder",
      (home: string) => mkdirSync(join(home, ".forewatch", "store.duckdb"), { recursive: true }),
      /Check/,
    ],
  ])("when %s", { timeout: 300_000 }, async (_, spoil, next) => {
    const home = dataFolder();
    spoil(home);
    const fault = await faultOf(startTestEngine(home));
    expect(fault).toMatchObject({ code: "engine.folder" });
    expect(fault.message).toContain(join(home, ".forewatch"));
    expect(fault.next).toMatch(next);
  });

  it("when the folder's engine is of another version", async () => {
    const { main } = await bundleEngine();
    const options = { folder: engine().folder, engineMain: main, onLog: () => {}, onState: () => {} };
    const fault = await faultOf(openLocal({ ...options, version: "9.9.9" }));
    expect(fault).toMatchObject({ code: "engine.version" });
    expect(fault.message).toContain(VERSION);
    expect(fault.next).toMatch(/restart/i);
  });
});

describe("a stream that is damaged", () => {
  it("stops its own pipeline only, and goes on with new records once it was moved away", async () => {
    const folder = dataFolder();
    const first = await startTestEngine(folder);
    const damaged = await deploy(first, "damaged");
    const sound = await deploy(first, "sound");
    // Several blocks: a later one attests that the first was durable.
    for (let minute = 0; minute < 3; minute++) await damaged.producer.put(toRecords(ordersBetween(minute, minute + 1)));
    await sound.producer.put(toRecords(ordersBetween(0, 3)));
    const { counts } = await settled(first.backend, "damaged");
    await settled(first.backend, "sound");
    await first.end();
    const stream = join(folder, ".forewatch", "pipelines", "damaged", "stream");
    const [segment] = await readdir(stream);
    const bytes = readFileSync(join(stream, segment!));
    bytes.fill(0, 100, 200);
    writeFileSync(join(stream, segment!), bytes);

    const second = await startTestEngine(folder);
    const [failed, running] = await second.backend.stack.list();
    expect(failed).toMatchObject({ name: "damaged", state: "failed", fault: { code: "stream.corrupt" } });
    expect(failed!.fault!.next).toContain(stream);
    expect(running).toMatchObject({ name: "sound", state: "running" });
    await expect(new Producer(second.endpoint, "damaged").putOnce([{ data: "{}" }])).rejects.toThrow(/500/);
    expect((await second.backend.streams.list()).map((s) => s.name)).toEqual(["damaged", "sound"]);
    await new Producer(second.endpoint, "sound").put(toRecords(ordersBetween(3, 4)));
    await second.end();

    expect(failed!.fault!.next).toMatch(/move its folder away/);
    renameSync(stream, `${stream}-aside`);
    const third = await startTestEngine(folder);
    onTestFinished(() => third.kill());
    const places = await new Producer(third.endpoint, "damaged").put(toRecords(ordersBetween(3, 5)));
    expect(places[0]).toBe(counts.records + 1);
    await settled(third.backend, "damaged");
    const [row] = await select(third.backend, "damaged", "SELECT count(*), count(DISTINCT _sequence) FROM raw");
    expect(row).toEqual(Array(2).fill(String(ordersBetween(0, 5).length)));
  });
});

describe("a pipeline's own code", () => {
  it.each([
    ["does not parse", "export default function ("],
    ["exports no function", "export default 5;"],
    ["throws while it loads", 'throw new Error("no database");'],
    ["exits while it loads", "process.exit(3);"],
  ])("is refused when it %s, and leaves nothing behind", async (_, text) => {
    const name = "bad-module";
    const fault = await faultOf(deploy(engine(), name, { enrich: "enrich.mjs" }, { "enrich.mjs": text }));
    expect(fault).toMatchObject({ code: "enrich.failed" });
    expect(fault.next).toMatch(/deploy again/);
    expect((await engine().backend.stack.list()).map((p) => p.name)).not.toContain(name);
    expect(await readdir(join(engine().folder, ".forewatch", "pipelines"))).not.toContain(name);
  });

  it("may end its worker: the record it was at is rejected, the others go on", async () => {
    const code = `export default (order) => { if (order.id === "exits") process.exit(1); return order; }`;
    const { producer } = await deploy(engine(), "exits", { enrich: "enrich.mjs" }, { "enrich.mjs": code });
    const orders = toRecords(ordersBetween(0, 1));
    const poison = { data: JSON.stringify({ at: "2024-03-01", id: "exits", region: "north" }) };
    await producer.put([...orders.slice(0, 5), poison, ...orders.slice(5)]);
    const status = await settled(engine().backend, "exits");
    expect(status.counts).toMatchObject({ events: orders.length, rejected: 1 });
    expect(await engine().backend.streams.rejected("exits", { limit: 5 })).toMatchObject([
      { reason: "enrich-failed", data: poison.data },
    ]);
  });

  it("may make many events of one that do not fit: all are counted, and its bytes are kept once", async () => {
    const code = `export default (order) =>
      order.id === "many" ? Array.from({ length: 500 }, () => ({ ...order, at: "soon" })) : order;`;
    const { producer } = await deploy(engine(), "many", { enrich: "enrich.mjs" }, { "enrich.mjs": code });
    const orders = toRecords(ordersBetween(0, 1));
    const many = { data: JSON.stringify({ at: "2024-03-01", id: "many", region: "north" }) };
    await producer.put([...orders, many]);
    const status = await settled(engine().backend, "many");
    expect(status.counts).toMatchObject({ events: orders.length, rejected: 500 });
    const detail = '"at" is "soon" (500 events that enrich made of this one)';
    const kept = await engine().backend.streams.rejected("many", { limit: 5 });
    expect(kept).toMatchObject([{ reason: "time-unparsable", detail, data: many.data }]);
  });

  it("is not run in a workspace that is not trusted", async () => {
    const code = `import { writeFileSync } from "node:fs"; writeFileSync("ran", ""); export default (o) => o;`;
    const beside = { "enrich.mjs": code };
    const file = await writePipeline(engine().folder, ordersPipeline("untrusted", { enrich: "enrich.mjs" }), beside);
    const plan = await engine().backend.stack.preview({ file, trusted: false });
    expect(plan.lacks).toMatchObject([{ code: "enrich.failed", next: "Trust the workspace." }]);
    const fault = await faultOf(engine().backend.stack.deploy({ file, trusted: false }));
    expect(fault.message).toMatch(/not trusted/);
    expect(await readdir(engine().folder)).not.toContain("ran");
  });
});

describe("a labels file that is broken", () => {
  it("is refused at deployment, and fails a training later with its place in words", async () => {
    const change = { forecast: { ...ordersPipeline("x").forecast, exclude: "labels.json" } };
    const fault = await faultOf(deploy(engine(), "labelled", change, { "labels.json": '[{"from": "2024-03-02"}]' }));
    expect(fault).toMatchObject({ code: "input.invalid" });
    expect(fault.message).toMatch(/labels\.json: entry 1/);

    const { producer } = await deploy(engine(), "labelled", change, { "labels.json": "[]" });
    await writePipeline(engine().folder, ordersPipeline("labelled", change), { "labels.json": "{}" });
    await producer.put(toRecords(ordersBetween(0, 30)));
    await settled(engine().backend, "labelled");
    const [job] = await engine().backend.forecasts.jobs("labelled", 5);
    expect(job).toMatchObject({ state: "failed", fault: { code: "input.invalid" } });
    const missing = (await engine().backend.alarms.list("labelled")).find((a) => a.name === "forecast-missing");
    expect(missing).toMatchObject({ state: "ALARM" });
    expect(missing!.contributors).toContain("orders{region=north}");
  });
});

describe("a file that is sent", () => {
  it.each([
    ["is not there", "nothing.csv", undefined],
    ["is of no known kind", "orders.xlsx", "x"],
    ["has other columns", "other.csv", "a,b\n1,2\n"],
    ["has no times where they should be", "times.csv", "at,id,region,amount,items,gift\nsoon,1,north,1,1,true\n"],
    ["is not what its name says", "orders.parquet", "not parquet"],
  ])("is refused when it %s", async (what, name, text) => {
    const pipeline = "send-shop";
    await deploy(engine(), pipeline);
    const file = join(engine().folder, name);
    if (text !== undefined) writeFileSync(file, text);
    const fault = await faultOf(engine().backend.streams.send(pipeline, { file, speed: "max" }));
    expect(fault, what).toMatchObject({ code: "input.invalid" });
    expect(fault.next).toBeDefined();
    expect((await engine().backend.stack.get(pipeline)).counts.records).toBe(0);
  });

  it("stays as far as it came when it is cancelled midway, and a later one goes on", async () => {
    const pipeline = "cancelled-send";
    await deploy(engine(), pipeline);
    const file = join(engine().folder, "long.jsonl");
    const orders = ordersBetween(0, 60);
    writeFileSync(file, orders.map((o) => JSON.stringify(o)).join("\n"));
    const cancel = new AbortController();
    const sent = engine().backend.streams.send(
      pipeline,
      { file, speed: 300 },
      { signal: cancel.signal, onProgress: ({ done = 0 }) => done > 20 && cancel.abort() },
    );
    expect(await faultOf(sent)).toMatchObject({ code: "cancelled" });
    const { counts } = await settled(engine().backend, pipeline);
    expect(counts.records).toBeGreaterThan(20);
    const from = Date.parse(orders.at(-10)!.at);
    const result = await engine().backend.streams.send(pipeline, { file, from, speed: "max" });
    expect(result.sent).toBe(10);
    await eventually(
      async () =>
        (await engine().backend.stack.get(pipeline)).counts.records === counts.records + 10 ? true : undefined,
      "the rest",
    );
  });
});

describe("the endpoint", () => {
  it.each([
    ["a foreign host", { host: "evil.example" }],
    ["a web page", { origin: "https://evil.example" }],
    ["a browser's fetch", { "sec-fetch-mode": "cors" }],
  ])("refuses %s", async (_, extra) => {
    const port = Number(new URL(engine().endpoint).port);
    const answer = await http1(port, "{}", { headers: { ...headersOf("ListStreams"), ...extra } });
    expect(answer.status).toBe(403);
  });

  it("listens on the loopback only", async () => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((a) => a && !a.internal && a.family === "IPv4");
    if (!outside) return;
    const port = Number(new URL(engine().endpoint).port);
    const reached = new Promise((resolve, reject) => {
      request({ host: outside.address, port, method: "POST" }, resolve).on("error", reject).end();
    });
    await expect(reached).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
