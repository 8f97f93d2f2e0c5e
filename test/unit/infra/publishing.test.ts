/** A training's second half: parts judged, and all of them published as one version or none. */
import { beforeAll, describe, expect, test } from "vitest";
import { CurrentForecast, decodeCurrent, packVersion, unpackVersion } from "../../../infra/lambda/forecasts.ts";
import { parsePredictions } from "../../../infra/lambda/judging.ts";
import type { Objects } from "../../../infra/lambda/ports.ts";
import { trainedShape } from "../../../infra/lambda/shapes.ts";
import { synthesize } from "../../../infra/template/synthesize.ts";
import { stepsToReach } from "../../../infra/workflow/times.ts";
import type { ForecastVersion } from "../../../src/core/forecast.ts";
import { MemoryObjects } from "./memory.ts";
import { options } from "./pipelines.ts";
import { ORIGIN, predict, publisherOf, publishParts, RUN, SHOP, sales, textOf, unload } from "./shop.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FAMILIES = [{ family: "counts" }, { family: "reals" }];

/** A bucket with a run that is trained: rows laid out, and DeepAR right about the north alone. */
async function trained(partSize?: number, runId = RUN, origin = ORIGIN, objects = new MemoryObjects()) {
  const publisher = publisherOf(objects, partSize);
  await unload(objects, `training/${runId}/rows/`);
  const { parts } = await publisher.stage({ action: "stage", runId, origin });
  for (const { family } of FAMILIES)
    await predict(objects, `training/${runId}/${family}/`, (id) => id.includes("north"));
  return { objects, publisher, parts };
}

/** A whole run of its own id, beside those that the bucket has. */
async function train(objects: MemoryObjects, runId: string, request: { origin?: number; requestedBy?: "person" } = {}) {
  const { publisher, parts } = await trained(undefined, runId, request.origin, objects);
  return publishParts(publisher, parts, { runId, ...request });
}

const inUse = (objects: MemoryObjects) =>
  decodeCurrent(textOf(objects, "forecasts/current.json")).map((v) => v.version);
const forecastsOf = (objects: MemoryObjects) =>
  new Map(
    [...objects.content].filter(([key]) => key.startsWith("forecasts/")).map(([key, b]) => [key, b.toString("hex")]),
  );

test("puts the better forecast of each series to use, and records why", async () => {
  const { publisher, parts, objects } = await trained();
  const families = [{ family: "counts" }, { family: "reals", failed: true, cause: "no capacity" }];
  const done = await publishParts(publisher, parts, { families });
  expect(done).toEqual({
    version: "2026-11-22T00:00:00Z",
    series: 6,
    byMethod: { deepar: 1, ensemble: 5 },
    failures: 0,
  });
  const table = await new CurrentForecast(objects, "forecasts/current.json", SHOP).table(0);
  const north = table.newest!.series["sales{store=north}"]!;
  expect(north.method).toBe("deepar");
  expect(table.at("sales{store=north}", ORIGIN)!.median).toBe(sales("north", 20 * 24) + 1);
  for (const s of Object.values(table.newest!.series))
    expect(s.quantiles.map((q) => q.length)).toEqual(Array(3).fill(stepsToReach(SHOP)));
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

describe("in parts", () => {
  let whole: Map<string, string>;
  beforeAll(async () => {
    const { publisher, parts, objects } = await trained(6);
    await publishParts(publisher, parts, { families: FAMILIES });
    whole = forecastsOf(objects);
    expect(whole.size).toBe(3);
  });

  test.each([1, 2, 3, 4, 5, 7])("of %i series it is the same version, report and file in use", async (size) => {
    const { publisher, parts, objects } = await trained(size);
    expect(parts).toBe(Math.ceil(6 / size));
    await publishParts(publisher, parts, { families: FAMILIES });
    expect(forecastsOf(objects)).toEqual(whole);
  });

  test("in whatever order they are judged, and tried again, it is the same", async () => {
    const { publisher, parts, objects } = await trained(2);
    const run = { runId: RUN, origin: ORIGIN, families: FAMILIES };
    for (const part of [3, 1, 2, 1]) await publisher.judge({ ...run, action: "judge", part });
    await publisher.publish({ ...run, action: "publish", requestedBy: "schedule", parts });
    expect(forecastsOf(objects)).toEqual(whole);
  });

  test.each([
    1, 2, 3,
  ])("without the judgement of part %i nothing is published, and the old forecast stays", async (missing) => {
    const objects = new MemoryObjects();
    await train(objects, "before", { origin: ORIGIN - DAY });
    const before = forecastsOf(objects);
    const { publisher, parts } = await trained(2, RUN, ORIGIN, objects);
    const run = { runId: RUN, origin: ORIGIN, families: FAMILIES };
    for (const part of [1, 2, 3]) if (part !== missing) await publisher.judge({ ...run, action: "judge", part });
    const published = publisher.publish({ ...run, action: "publish", requestedBy: "schedule", parts });
    await expect(published).rejects.toThrow(`judged/part-0000${missing}.json.gz is missing`);
    expect(forecastsOf(objects)).toEqual(before);
  });

  test("where a part's predictions are missing, broken or another's, the ensemble serves that family there, and it is told", async () => {
    const { publisher, objects } = await trained(2);
    const run = { runId: RUN, origin: ORIGIN, families: FAMILIES, action: "judge" } as const;
    const output = `training/${RUN}/counts/predicted/part-00002.jsonl.out`;
    const before = textOf(objects, output);
    const judged = async () => {
      const { unread } = await publisher.judge({ ...run, part: 2 });
      const { choices } = JSON.parse(textOf(objects, `training/${RUN}/judged/part-00002.json.gz`)) as {
        choices: { series: string; reason: string }[];
      };
      expect(choices).toHaveLength(2);
      const standsIn = choices.filter((c) => c.reason.includes("DeepAR gave no forecast")).map((c) => c.series);
      return { unread, standsIn };
    };
    expect(await judged()).toEqual({ unread: [], standsIn: [] });
    const [id] = JSON.parse(textOf(objects, `training/${RUN}/counts/index/part-00002.json`)) as string[];
    await objects.put(output, before.split("\n").slice(1).join("\n"));
    expect(await judged()).toMatchObject({
      unread: [{ family: "counts", cause: expect.stringMatching(/^DeepAR predicted \d series where \d/) as string }],
      standsIn: expect.arrayContaining([id]) as string[],
    });
    await objects.put(output, before.replace("{", "<"));
    expect((await judged()).unread).toMatchObject([{ family: "counts" }]);
    objects.content.delete(output);
    expect((await judged()).unread).toEqual([{ family: "counts", cause: `The training's file ${output} is missing.` }]);
  });

  test("a bucket that does not answer is not taken for a prediction that cannot be read", async () => {
    const { objects } = await trained(6);
    const deaf: Objects = {
      put: (key, body) => objects.put(key, body),
      replace: (...args) => objects.replace(...args),
      list: (...args) => objects.list(...args),
      get: (key, etag) => (key.endsWith(".out") ? Promise.reject(new Error("503 Slow Down")) : objects.get(key, etag)),
    };
    const judged = publisherOf(deaf).judge({
      runId: RUN,
      origin: ORIGIN,
      families: FAMILIES,
      action: "judge",
      part: 1,
    });
    await expect(judged).rejects.toThrow("503 Slow Down");
  });
});

describe("tried again", () => {
  /** Every write of a run, each once failing before it is done and once after: Lambda tries a run again that it knows nothing of. */
  const failing = async (at: number, done: boolean) => {
    const objects = new MemoryObjects();
    let writes = 0;
    const guard = async <T>(write: () => Promise<T>): Promise<T> => {
      const fails = ++writes === at;
      if (fails && !done) throw new Error("503 Slow Down");
      const answer = await write();
      if (fails) throw new Error("The connection was lost");
      return answer;
    };
    const flaky: Objects = {
      get: (key, etag) => objects.get(key, etag),
      list: (prefix) => objects.list(prefix),
      put: (key, body) => guard(() => objects.put(key, body)),
      replace: (key, body, type, etag) => guard(() => objects.replace(key, body, type, etag)),
    };
    await unload(objects, `training/${RUN}/rows/`);
    const publisher = publisherOf(flaky);
    const again = <T>(action: () => Promise<T>) => action().catch(action);
    const run = { runId: RUN, origin: ORIGIN, families: FAMILIES };
    const { parts } = await again(() => publisher.stage({ ...run, action: "stage" }));
    for (const { family } of FAMILIES) await predict(objects, `training/${RUN}/${family}/`, () => true);
    for (let part = 1; part <= parts; part++) await again(() => publisher.judge({ ...run, action: "judge", part }));
    await again(() => publisher.publish({ ...run, action: "publish", requestedBy: "schedule", parts }));
    return { content: new Map([...objects.content].map(([key, b]) => [key, b.toString("hex")])), writes };
  };

  test("whichever write fails, a run leaves what it leaves when none does", async () => {
    const { content, writes } = await failing(0, false);
    expect(writes).toBeGreaterThan(12);
    for (let at = 1; at <= writes; at++) {
      for (const done of [false, true]) expect((await failing(at, done)).content, `write ${at}`).toEqual(content);
    }
  });
});

test("whose pipeline file changed on the way is of what it was laid out for", async () => {
  const { publisher, parts, objects } = await trained();
  const measures = SHOP.series.measures.map((m) => (m.name === "price" ? { ...m, statistic: "max" as const } : m));
  const changed = { ...SHOP, series: { ...SHOP.series, measures } };
  const later = publisherOf(objects, undefined, changed);
  for (let part = 1; part <= parts; part++)
    await publisher.judge({ action: "judge", runId: RUN, origin: ORIGIN, families: [], part });
  await later.publish({ action: "publish", runId: RUN, origin: ORIGIN, families: [], requestedBy: "schedule", parts });
  const forecast = new CurrentForecast(objects, "forecasts/current.json", changed);
  const table = await forecast.table(0);
  expect(forecast.outgrown).toEqual(["2026-11-22T00:00:00Z: price of another definition"]);
  expect(table.at("price{store=north}", ORIGIN)).toBeUndefined();
  expect(table.at("sales{store=north}", ORIGIN)).toBeDefined();
});

test("keeps the last forecast for windows that began before the new one", async () => {
  const objects = new MemoryObjects();
  await train(objects, "one", { origin: ORIGIN - DAY });
  await train(objects, "two");
  const again = await train(objects, "three", { requestedBy: "person" });
  expect(again.version).toBe("2026-11-22T00:00:00Z-1");
  const table = await new CurrentForecast(objects, "forecasts/current.json", SHOP).table(0);
  expect(table.at("sales{store=north}", ORIGIN)!.version).toBe("2026-11-22T00:00:00Z-1");
  expect(table.at("sales{store=north}", ORIGIN - HOUR)!.version).toBe("2026-11-21T00:00:00Z");
});

test("of the past, or a slow one's, leaves the newer forecast in use", async () => {
  const objects = new MemoryObjects();
  await train(objects, "one");
  await train(objects, "two", { origin: ORIGIN - DAY });
  expect(inUse(objects)).toEqual(["2026-11-22T00:00:00Z", "2026-11-21T00:00:00Z"]);
  // What has three newer origins beside it serves no window that is still open.
  for (const days of [1, 2, 3]) await train(objects, `later ${days}`, { origin: ORIGIN + days * DAY });
  expect(inUse(objects).map((v) => v.slice(0, 10))).toEqual(["2026-11-25", "2026-11-24", "2026-11-23"]);
});

test("again and again at one origin gives each run its own name and report", async () => {
  const objects = new MemoryObjects();
  const names = [];
  for (let i = 0; i < 4; i++) names.push((await train(objects, `run ${i}`)).version);
  expect(names).toEqual(["", "-1", "-2", "-3"].map((run) => `2026-11-22T00:00:00Z${run}`));
  expect(await objects.list("forecasts/versions/")).toHaveLength(4);
  expect(await objects.list("forecasts/reports/")).toHaveLength(4);
  expect(inUse(objects)).toEqual(["2026-11-22T00:00:00Z-3"]);
});

test("beside another loses neither's forecast", async () => {
  const objects = new MemoryObjects();
  const beside = async (runId: string, other: () => Promise<unknown>) => {
    let turn = 0;
    objects.meanwhile = async () => {
      if (turn++ === 0) await other();
    };
    return train(objects, runId);
  };
  await beside("one", () => train(objects, "two", { origin: ORIGIN - DAY }));
  expect(inUse(objects)).toEqual(["2026-11-22T00:00:00Z", "2026-11-21T00:00:00Z"]);
  // Two of one origin at the same moment: neither takes the other's name.
  const third = await beside("three", () => train(objects, "four"));
  expect(third.version).toBe("2026-11-22T00:00:00Z-2");
  expect(await objects.list("forecasts/versions/")).toHaveLength(4);
});

test("makes nothing that the comparison could not read", async () => {
  const { publisher, objects } = await trained();
  const off = publishParts(publisher, 1, { origin: ORIGIN + 1 });
  await expect(off).rejects.toMatchObject({ code: "forecast.invalid" });
  expect(await objects.list("forecasts/")).toEqual([]);
});

test("refuses an output that does not belong to its input", () => {
  expect(() => parsePredictions(SHOP, ["a", "b"], ["{}", "{}", "{}"])).toThrow(/3 series where 4/);
  const lines = ['{"quantiles":{"0.01":[1],"0.5":[2],"0.99":[3]}}', '{"quantiles":{"0.01":["NaN"]}}'];
  expect(parsePredictions(SHOP, ["a"], lines).size).toBe(0);
});

describe("a version's file", () => {
  const version: ForecastVersion = {
    ...{ format: 1, pipeline: "shop", version: "2026-11-22T00:00:00Z", origin: ORIGIN, every: HOUR },
    levels: [0.01, 0.5, 0.99],
    series: {
      "sales{store=Zürich \n}": {
        method: "ensemble",
        quantiles: [
          [0.1, 1],
          [Math.PI, 2],
          [1e308, 5e-324],
        ],
      },
      short: { method: "constant", reason: "too short", quantiles: [[], [], []] },
      3: { method: "deepar", quantiles: [[-1], [0], [1]] },
    },
  };
  const shape = trainedShape(SHOP);
  const file = (second: object) => Buffer.from(`${JSON.stringify(version)}\n${JSON.stringify(second)}\n12345678`);
  test("gives back the version, to the last bit", () => {
    for (const one of [version, { ...version, series: {} }])
      expect(unpackVersion(packVersion({ version: one, shape }))).toEqual({ version: one, shape });
  });
  test.each([
    ["cut off", packVersion({ version, shape }).subarray(0, 60)],
    ["another's", Buffer.from("not a forecast")],
    [
      "with what is no number",
      packVersion({
        version: { ...version, series: { n: { method: "m", quantiles: [[1], [Number.NaN], [3]] } } },
        shape,
      }),
    ],
    ["with numbers that its head does not tell of", file({ shape, steps: [1, 0, 1] })],
    ["that does not tell what it was trained for", file({ steps: [] })],
  ])("%s is refused", (_, body) => {
    expect(() => unpackVersion(body)).toThrow(expect.objectContaining({ code: "forecast.invalid" }));
  });
});

test("without a version that the bucket has let go of, the others are in use", async () => {
  const objects = new MemoryObjects();
  await train(objects, "one", { origin: ORIGIN - DAY });
  await train(objects, "two");
  objects.content.delete("forecasts/versions/2026-11-21T00-00-00Z.forecast");
  const table = await new CurrentForecast(objects, "forecasts/current.json", SHOP).table(0);
  expect(table.at("sales{store=north}", ORIGIN)!.version).toBe("2026-11-22T00:00:00Z");
  expect(table.at("sales{store=north}", ORIGIN - HOUR)).toBeUndefined();
});

test("what is put to use lies where the comparison may read it", async () => {
  const objects = new MemoryObjects();
  await train(objects, "one");
  const { CompareRole, CompareFunction } = synthesize(SHOP, options()).template.Resources;
  const [patterns] = [...JSON.stringify(CompareRole).matchAll(/"Sid":"ReadForecast".*?"Resource":(\[.*?\])/g)].map(
    ([, list]) => [...list!.matchAll(/\{DataBucket\.Arn\}\/([^"]+)"/g)].map(([, pattern]) => pattern!),
  );
  const readable = (key: string) =>
    patterns!.some((p) => key === p || (p.endsWith("*") && key.startsWith(p.slice(0, -1))));
  const current = (CompareFunction!.Properties.Environment as { Variables: { FORECAST_KEY: string } }).Variables
    .FORECAST_KEY;
  const named = decodeCurrent(textOf(objects, current)).map((v) => v.key);
  expect(named).toHaveLength(1);
  for (const key of [current, ...named]) expect(readable(key), key).toBe(true);
  expect(readable("forecasts/reports/2026-11-22T00-00-00Z.json")).toBe(false);
});
