import { renameSync } from "node:fs";
import { expect, it, onTestFinished } from "vitest";
import { dataFolder, select, settled, startTestEngine, writePipeline } from "../support/engine.ts";
import { ordersBetween, ordersPipeline, toRecords } from "../support/orders.ts";
import { Producer } from "../support/producer.ts";

it("a pipeline goes on after its folder was renamed: files, prepared series and enrich are found again", {
  timeout: 300_000,
}, async () => {
  const name = "moving-shop";
  const [here, there] = [dataFolder(), dataFolder()];
  const enrich = "export default (order) => ({ ...order, region: order.region.toUpperCase() });";
  const file = await writePipeline(here, ordersPipeline(name, { enrich: "enrich.mjs" }), { "enrich.mjs": enrich });
  const first = await startTestEngine(here);
  await first.backend.stack.deploy({ file, trusted: true });
  await new Producer(first.endpoint, name).put(toRecords(ordersBetween(0, 50)));
  const before = await settled(first.backend, name);
  await first.backend.forecasts.train(name, {});
  const prepared = await select(first.backend, name, "SELECT * FROM prepared ORDER BY 1, 2");
  expect(prepared.length).toBeGreaterThan(0);
  await first.end();

  renameSync(here, there);
  const second = await startTestEngine(there);
  onTestFinished(() => second.kill());
  expect(await second.backend.stack.get(name)).toMatchObject({
    state: "running",
    file: file.replace(here, there),
    counts: before.counts,
  });
  expect(await select(second.backend, name, "SELECT * FROM prepared ORDER BY 1, 2")).toEqual(prepared);
  await new Producer(second.endpoint, name).put(toRecords(ordersBetween(50, 55)));
  await settled(second.backend, name);
  expect(await select(second.backend, name, "SELECT DISTINCT region FROM raw ORDER BY 1")).toEqual([
    ["NORTH"],
    ["SOUTH"],
  ]);
});
