import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { dataFolder, eventually, select, settled, startTestEngine, writePipeline } from "../support/engine.ts";
import { ordersPipeline } from "../support/orders.ts";
import { Producer, type ProducerRecord } from "../support/producer.ts";

const NAME = "big-shop";
const DAY = 86_400_000;
const FIRST_DAY = Date.UTC(2024, 2, 1);

/** A day's events, many in each record: `events` of them at the day's noon, numbered from `from`. */
function dayOf(day: number, events: number, from: number): ProducerRecord[] {
  const at = FIRST_DAY + day * DAY + DAY / 2;
  const records: ProducerRecord[] = [];
  for (let i = 0; i < events; i += 5_000) {
    const lines = Array.from({ length: Math.min(5_000, events - i) }, (_, k) =>
      JSON.stringify({ at: at + k, id: String(from + i + k), region: "north" }),
    );
    records.push({ data: lines.join("\n"), key: "north" });
  }
  return records;
}

it("writes the lake's tail to Parquet, merges small files, and lets old days and old records go", {
  timeout: 600_000,
}, async () => {
  const folder = dataFolder();
  const change = {
    series: { every: "1h", by: ["region"], measures: { orders: { count: "*" } } },
    forecast: { history: "2d", horizon: "1d", retrain: "1d", seasons: "auto" },
    source: { ...ordersPipeline(NAME).source, ahead: "7d" },
    retention: { stream: "1s", lake: "2d" },
    alarms: [],
  };
  const file = await writePipeline(folder, ordersPipeline(NAME, change));
  let engine = await startTestEngine(folder);
  await engine.backend.stack.deploy({ file, trusted: true });
  let producer = new Producer(engine.endpoint, NAME);
  const files = () =>
    readdirSync(join(folder, ".forewatch", "pipelines", NAME, "lake"), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith(".parquet"));
  const put = async (records: readonly ProducerRecord[]) => {
    for (const record of records) await producer.putOnce([record]);
    await settled(engine.backend, NAME);
  };

  // Over 150,000 rows in the tail: it is written out, a file a day. What comes after that stays in the tail.
  await put([...dayOf(0, 80_000, 0), ...dayOf(1, 79_000, 80_000)]);
  await eventually(() => (files().length >= 2 ? true : undefined), "the tail to be written");
  expect(new Set(files().map((name) => name.split(/[/\\]/)[1]))).toEqual(new Set(["dt=2024-03-01", "dt=2024-03-02"]));
  await put(dayOf(1, 1_000, 159_000));
  const ids = "SELECT count(*), count(DISTINCT id), min(CAST(id AS integer)), max(CAST(id AS integer)) FROM raw";
  expect(await select(engine.backend, NAME, ids)).toEqual([["160000", "160000", 0, 159_999]]);

  // Days later the first ones are beyond the lake's two days, and all records beyond the stream's second.
  await put(dayOf(4, 1_000, 160_000));
  await engine.end();
  engine = await startTestEngine(folder);
  onTestFinished(() => engine.kill());
  producer = new Producer(engine.endpoint, NAME);
  await eventually(async () => {
    const [row] = await select(engine.backend, NAME, ids);
    return row![0] === "1000" ? true : undefined;
  }, "the first days to go");
  await eventually(
    async () => ((await engine.backend.streams.list())[0]!.records === 0 ? true : undefined),
    "the stream to be cleared",
  );
  const places = await producer.put(dayOf(4, 10, 200_000));
  expect(places).toEqual([35]);
  expect((await settled(engine.backend, NAME)).counts.events).toBe(161_010);
});
