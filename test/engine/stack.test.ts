import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually, faultOf, select, settled, sharedEngine, writePipeline } from "../support/engine.ts";
import { ordersBetween, ordersPipeline, toRecords } from "../support/orders.ts";
import { Producer } from "../support/producer.ts";

const engine = sharedEngine();

async function deploy(name: string, change: Record<string, unknown> = {}) {
  const file = await writePipeline(engine().folder, ordersPipeline(name, change));
  return { file, status: await engine().backend.stack.deploy({ file, trusted: true }) };
}

const dataOf = (name: string) => join(engine().folder, ".forewatch", "pipelines", name);
const count = async (name: string) => Number((await select(engine().backend, name, "SELECT count(*) FROM raw"))[0]![0]);

describe("deploying", () => {
  it("previews what a change does, and keeps the data over it", async () => {
    const { stack } = engine().backend;
    const { file } = await deploy("grows");
    await new Producer(engine().endpoint, "grows").put(toRecords(ordersBetween(0, 4)));
    await settled(engine().backend, "grows");
    const [rule] = ordersPipeline("grows").alarms;
    const changed = ordersPipeline("grows", {
      alarms: [{ ...rule, datapoints: "1 of 2" }],
      retention: { lake: "30d" },
    });
    await writePipeline(engine().folder, changed);
    const { changes, lacks, monthlyCost } = await stack.preview({ file, trusted: true });
    expect(lacks).toEqual([]);
    expect(monthlyCost).toBeNull();
    expect(changes.filter((c) => c.action === "change").map((c) => c.step)).toEqual(["deliver", "alert"]);
    expect(changes.find((c) => c.step === "alert")!.detail).toMatch(/1 of 2.*was.*2 of 3/);
    const status = await stack.deploy({ file, trusted: true });
    expect(status.counts.events).toBe(ordersBetween(0, 4).length);
    await new Producer(engine().endpoint, "grows").put(toRecords(ordersBetween(4, 5)));
    await settled(engine().backend, "grows");
    expect(await count("grows")).toBe(ordersBetween(0, 5).length);
  });

  it.each([
    [
      "fields",
      { source: { ...ordersPipeline("x").source, fields: { at: "timestamp", region: "string", amount: "integer" } } },
    ],
    ["groups", { series: { ...ordersPipeline("x").series, by: ["region", "items"] } }],
    [
      "windows",
      {
        series: { ...ordersPipeline("x").series, every: "5m" },
        forecast: { history: "1h", horizon: "40m", retrain: "20m" },
      },
    ],
    [
      "measures",
      { series: { ...ordersPipeline("x").series, measures: { orders: { count: "*" }, most: { max: "amount" } } } },
    ],
  ])("refuses to change the %s under stored data, deployed or kept, and the pipeline runs on", async (what, change) => {
    const name = `changed-${what}`;
    const { file } = await deploy(name);
    await new Producer(engine().endpoint, name).put(toRecords(ordersBetween(0, 2)));
    await settled(engine().backend, name);
    expect(await faultOf(deploy(name, change))).toMatchObject({ code: "stack.exists" });
    expect((await engine().backend.stack.get(name)).state).toBe("running");
    await engine().backend.stack.remove(name, { deleteData: false });
    const fault = await faultOf(engine().backend.stack.deploy({ file, trusted: true }));
    expect(fault).toMatchObject({ code: "stack.exists" });
    expect(fault.message).toContain("still here");
    const { status } = await deploy(name);
    expect(status.counts.events).toBe(ordersBetween(0, 2).length);
    await engine().backend.stack.remove(name, { deleteData: true });
    expect((await deploy(name, change)).status.counts.events).toBe(0);
  });

  it("happens once, however often it is asked for at a time", async () => {
    const file = await writePipeline(engine().folder, ordersPipeline("hasty"));
    const { stack } = engine().backend;
    await Promise.all(Array.from({ length: 4 }, () => stack.deploy({ file, trusted: true })));
    await new Producer(engine().endpoint, "hasty").put(toRecords(ordersBetween(0, 5)));
    await settled(engine().backend, "hasty");
    expect(await count("hasty")).toBe(ordersBetween(0, 5).length);
  });

  it("of the same name from another file is refused", async () => {
    await deploy("twin");
    const other = join(engine().folder, "twin.pipeline.json");
    await writeFile(other, JSON.stringify(ordersPipeline("twin")));
    expect(await faultOf(engine().backend.stack.deploy({ file: other, trusted: true }))).toMatchObject({
      code: "stack.exists",
    });
  });

  it("of a file with an error says where it is", async () => {
    const file = join(engine().folder, "wrong.pipeline.json");
    await writeFile(file, '{\n  "name": "wrong",\n  "sorce": {}\n}');
    const fault = await faultOf(engine().backend.stack.preview({ file, trusted: true }));
    expect(fault.code).toBe("spec.invalid");
    expect(fault.at).toBeDefined();
  });
});

describe("removing", () => {
  it("keeps the data, and a later deployment goes on with them", async () => {
    const { status } = await deploy("comes-back");
    expect(status.state).toBe("running");
    const producer = new Producer(engine().endpoint, "comes-back");
    await producer.put(toRecords(ordersBetween(0, 3)));
    await settled(engine().backend, "comes-back");
    await engine().backend.stack.remove("comes-back", { deleteData: false });
    await expect(producer.putOnce([{ data: "{}" }])).rejects.toThrow(/ResourceNotFound/);
    expect(await faultOf(engine().backend.queries.run("comes-back", { sql: "SELECT 1" }))).toMatchObject({
      code: "stack.not-found",
    });
    expect(existsSync(dataOf("comes-back"))).toBe(true);
    await deploy("comes-back");
    await producer.put(toRecords(ordersBetween(3, 4)));
    await settled(engine().backend, "comes-back");
    expect(await count("comes-back")).toBe(ordersBetween(0, 4).length);
  });

  it("with its data leaves nothing", async () => {
    await deploy("goes");
    await new Producer(engine().endpoint, "goes").put(toRecords(ordersBetween(0, 3)));
    await settled(engine().backend, "goes");
    await engine().backend.stack.remove("goes", { deleteData: true });
    expect(existsSync(dataOf("goes"))).toBe(false);
    expect((await deploy("goes")).status.counts.events).toBe(0);
    expect(await count("goes")).toBe(0);
  });

  it("in the middle of a send ends the send", async () => {
    await deploy("cut-short");
    const file = join(engine().folder, "cut.jsonl");
    await writeFile(
      file,
      ordersBetween(0, 60)
        .map((o) => JSON.stringify(o))
        .join("\n"),
    );
    const sent = faultOf(engine().backend.streams.send("cut-short", { file, speed: 60 }));
    await eventually(
      async () => ((await engine().backend.stack.get("cut-short")).counts.records > 0 ? true : undefined),
      "records",
    );
    await engine().backend.stack.remove("cut-short", { deleteData: true });
    expect((await sent).message.length).toBeGreaterThan(0);
    expect((await engine().backend.stack.list()).map((p) => p.name)).not.toContain("cut-short");
  });
});
