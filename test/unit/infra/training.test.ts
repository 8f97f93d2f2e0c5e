import { beforeAll, describe, expect, test } from "vitest";
import { CurrentForecast, decodeCurrent } from "../../../infra/lambda/forecasts.ts";
import { parsePredictions } from "../../../infra/lambda/judging.ts";
import { parseRows, stage, trainingSeries } from "../../../infra/lambda/staging.ts";
import type { Measure } from "../../../src/core/spec.ts";
import { checkDeepArLine } from "./deepar-format.ts";
import { MemoryObjects } from "./memory.ts";
import { ORIGIN, predict, publisherOf, RUN, rows, SHOP, STEPS, sales, textOf, unload } from "./shop.ts";

const HOUR = 3_600_000;

async function publisher() {
  const objects = new MemoryObjects();
  await unload(objects, `training/${RUN}/rows/`);
  return { objects, publisher: publisherOf(objects) };
}

describe("staging", () => {
  let objects: MemoryObjects;
  let answer: object;
  beforeAll(async () => {
    const made = await publisher();
    objects = made.objects;
    answer = await made.publisher.stage({ action: "stage", runId: RUN, origin: ORIGIN });
  });
  test("says which families are to be trained", () => {
    expect(answer).toEqual({
      families: [
        { family: "counts", series: 2 },
        { family: "reals", series: 4 },
      ],
      series: 6,
    });
  });
  test.each([
    ["counts", "train", false],
    ["counts", "test", false],
    ["reals", "train", true],
    ["reals", "test", true],
  ])("%s/%s is what DeepAR reads", (family, channel, categorical) => {
    const lines = textOf(objects, `training/${RUN}/${family}/${channel}/series.json.gz`).trimEnd().split("\n");
    expect(lines).toHaveLength(family === "counts" ? 2 : 4);
    for (const line of lines) expect(checkDeepArLine(line, { cat: categorical ? 1 : 0 })).toEqual([]);
    const cats = lines.map((l) => (JSON.parse(l) as { cat?: number[] }).cat?.[0]);
    if (categorical) expect([...new Set(cats)].sort()).toEqual([0, 1]);
  });
  test("holds the test window out of training, and asks for its forecast and the future's", () => {
    const read = (key: string) =>
      textOf(objects, key)
        .trimEnd()
        .split("\n")
        .map((l) => JSON.parse(l) as { start: string; target: (number | null)[] });
    const train = read(`training/${RUN}/counts/train/series.json.gz`);
    const whole = read(`training/${RUN}/counts/test/series.json.gz`);
    expect(whole.map((l) => l.target.length)).toEqual([504, 504]);
    expect(train.map((l) => [l.start, l.target])).toEqual(whole.map((l) => [l.start, l.target.slice(0, -STEPS)]));
    const predict = read(`training/${RUN}/counts/predict/series.jsonl`);
    expect(predict).toEqual([train[0], whole[0], train[1], whole[1]]);
    expect(JSON.parse(textOf(objects, `training/${RUN}/counts/index.json`))).toEqual([
      "sales{store=north}",
      "sales{store=south}",
    ]);
  });
  test("fills gaps: a count of nothing is 0, a mean of nothing is missing", () => {
    const series = trainingSeries(
      SHOP,
      rows().flatMap((t) => parseRows(SHOP, t)),
      ORIGIN,
      [],
    );
    const at = (id: string) => series.find((s) => s.id === id)!.values[3];
    expect([at("sales{store=south}"), at("takings{store=south}"), at("price{store=south}")]).toEqual([
      0,
      0,
      Number.NaN,
    ]);
  });
  test("leaves excluded spans out", () => {
    const from = ORIGIN - 100 * HOUR;
    const series = trainingSeries(
      SHOP,
      rows().flatMap((t) => parseRows(SHOP, t)),
      ORIGIN,
      [{ from, to: from + 2 * HOUR, series: "sales{store=north}" }],
    );
    const missing = (id: string) =>
      series.find((s) => s.id === id)!.values.reduce((n, v) => n + (Number.isNaN(v) ? 1 : 0), 0);
    expect([missing("sales{store=north}"), missing("sales{store=south}")]).toEqual([2, 0]);
  });
  test("does not train what is too short to learn from", () => {
    const few = parseRows(SHOP, rows()[0]!).filter((r) => r.start >= ORIGIN - 40 * HOUR);
    expect(stage(SHOP, trainingSeries(SHOP, few, ORIGIN, []))).toEqual([]);
  });
  test("categorises what it learns without a gap, when a measure has nothing to learn from", () => {
    const [count, , mean] = SHOP.series.measures as [Measure, Measure, Measure];
    // Means: what has no value in any window stays without one, where a sum would be 0.
    const measures = [count, ...["first", "second", "third"].map((name) => ({ ...mean, name }))];
    const spec = { ...SHOP, series: { ...SHOP.series, measures } };
    const categories = (silent: string) => {
      const windows = rows()
        .flatMap((t) => parseRows(SHOP, t))
        .map((r) => ({ ...r, values: measures.map((m) => (m.name === silent ? null : r.values[0]!)) }));
      const reals = stage(spec, trainingSeries(spec, windows, ORIGIN, [])).find((f) => f.family === "reals")!;
      const lines = reals.train.trimEnd().split("\n");
      return [...new Set(lines.map((l) => (JSON.parse(l) as { cat?: number[] }).cat?.[0]))].sort();
    };
    expect(categories("none")).toEqual([0, 1, 2]);
    expect(categories("first")).toEqual([0, 1]);
    expect(categories("third")).toEqual([0, 1]);
  });
  test("says so when the lake is empty", async () => {
    const empty = publisherOf(new MemoryObjects());
    const staged = await empty.stage({ action: "stage", runId: "x", origin: ORIGIN });
    expect(staged).toEqual({ families: [], series: 0 });
  });
});

describe("publishing", () => {
  const request = { action: "publish", runId: RUN, origin: ORIGIN, requestedBy: "schedule" } as const;

  test("puts the better forecast of each series to use, and records why", async () => {
    const { publisher: p, objects } = await publisher();
    await p.stage({ action: "stage", runId: RUN, origin: ORIGIN });
    await predict(objects, `training/${RUN}/counts/`, (id) => id.includes("north"));
    const done = await p.publish({
      ...request,
      families: [{ family: "counts" }, { family: "reals", failed: true, cause: "no capacity" }],
    });
    expect(done).toMatchObject({
      version: "2026-11-22T00:00:00Z",
      series: 6,
      byMethod: { deepar: 1, ensemble: 5 },
      failures: 0,
    });
    const table = await new CurrentForecast(objects, "forecasts/current.json").table(0);
    const north = table.newest!.series["sales{store=north}"]!;
    expect(north.method).toBe("deepar");
    expect(table.at("sales{store=north}", ORIGIN)!.median).toBe(sales("north", 20 * 24) + 1);
    for (const s of Object.values(table.newest!.series))
      expect(s.quantiles.map((q) => q.length)).toEqual([STEPS, STEPS, STEPS]);
    const report = JSON.parse(textOf(objects, "forecasts/reports/2026-11-22T00-00-00Z.json")) as {
      choices: { series: string; chosen: string; reason: string; loss: Record<string, number> }[];
    };
    const choice = (id: string) => report.choices.find((c) => c.series === id)!;
    expect(choice("sales{store=north}").loss.deepar).toBeLessThan(choice("sales{store=north}").loss.ensemble!);
    expect(choice("sales{store=south}")).toMatchObject({
      chosen: "ensemble",
      reason: expect.stringContaining("lost less") as string,
    });
    expect(choice("price{store=north}").reason).toContain("stands in");
  });

  test("keeps the last forecast for windows that began before the new one", async () => {
    const { publisher: p, objects } = await publisher();
    await p.publish({ ...request, origin: ORIGIN - 24 * HOUR, families: [] });
    await p.publish({ ...request, families: [] });
    const again = await p.publish({ ...request, requestedBy: "person", families: [] });
    expect(again.version).toBe("2026-11-22T00:00:00Z-1");
    const table = await new CurrentForecast(objects, "forecasts/current.json").table(0);
    expect(table.at("sales{store=north}", ORIGIN)!.version).toBe("2026-11-22T00:00:00Z-1");
    expect(table.at("sales{store=north}", ORIGIN - HOUR)!.version).toBe("2026-11-21T00:00:00Z");
  });

  test("of the past, or a slow one's, leaves the newer forecast in use", async () => {
    const { publisher: p, objects } = await publisher();
    await p.publish({ ...request, families: [] });
    await p.publish({ ...request, origin: ORIGIN - 24 * HOUR, families: [] });
    const table = await new CurrentForecast(objects, "forecasts/current.json").table(0);
    expect(table.newest!.version).toBe("2026-11-22T00:00:00Z");
    expect(table.at("sales{store=north}", ORIGIN - HOUR)!.version).toBe("2026-11-21T00:00:00Z");
    // What has three newer origins beside it serves no window that is still open.
    for (const days of [1, 2, 3]) await p.publish({ ...request, origin: ORIGIN + days * 24 * HOUR, families: [] });
    const text = textOf(objects, "forecasts/current.json");
    expect(decodeCurrent(text).map((v) => v.version.slice(0, 10))).toEqual(["2026-11-25", "2026-11-24", "2026-11-23"]);
  });

  test("again and again at one origin gives each its own name and report", async () => {
    const { publisher: p, objects } = await publisher();
    const names = [];
    for (let i = 0; i < 4; i++) names.push((await p.publish({ ...request, families: [] })).version);
    expect(names).toEqual(["", "-1", "-2", "-3"].map((run) => `2026-11-22T00:00:00Z${run}`));
    expect(await objects.list("forecasts/versions/")).toHaveLength(4);
    expect(await objects.list("forecasts/reports/")).toHaveLength(4);
    const table = await new CurrentForecast(objects, "forecasts/current.json").table(0);
    expect(table.newest!.version).toBe("2026-11-22T00:00:00Z-3");
  });

  test("beside another loses neither's forecast", async () => {
    const { publisher: p, objects } = await publisher();
    const other = publisherOf(objects);
    let turn = 0;
    objects.meanwhile = async () => {
      if (turn++ === 0) await other.publish({ ...request, origin: ORIGIN - 24 * HOUR, families: [] });
    };
    await p.publish({ ...request, families: [] });
    const text = textOf(objects, "forecasts/current.json");
    expect(decodeCurrent(text).map((v) => v.version)).toEqual(["2026-11-22T00:00:00Z", "2026-11-21T00:00:00Z"]);
    // Two of one origin at the same moment: neither takes the other's name.
    turn = 0;
    objects.meanwhile = async () => {
      if (turn++ === 0) await other.publish({ ...request, families: [] });
    };
    expect((await p.publish({ ...request, families: [] })).version).toBe("2026-11-22T00:00:00Z-2");
    expect(await objects.list("forecasts/versions/")).toHaveLength(4);
  });

  test("puts nothing to use that the comparison could not read", async () => {
    const { publisher: p, objects } = await publisher();
    const off = p.publish({ ...request, origin: ORIGIN + 1, families: [] });
    await expect(off).rejects.toMatchObject({ code: "forecast.invalid" });
    expect(await objects.list("forecasts/")).toEqual([]);
  });

  test("refuses an output that does not belong to its input", () => {
    expect(() => parsePredictions(SHOP, ["a", "b"], "{}\n{}\n{}\n")).toThrow(/3 series where 4/);
    expect(
      parsePredictions(SHOP, ["a"], '{"quantiles":{"0.01":[1],"0.5":[2],"0.99":[3]}}\n{"quantiles":{"0.01":["NaN"]}}\n')
        .size,
    ).toBe(0);
  });
});
