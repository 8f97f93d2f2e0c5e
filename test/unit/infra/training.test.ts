import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { linesOf } from "../../../infra/lambda/lines.ts";
import { familiesToLearn, familyFiles, leaveOut, rowParser, trainingSpan } from "../../../infra/lambda/staging.ts";
import { type PreparedRow, toSeries } from "../../../src/core/prepare.ts";
import type { Measure } from "../../../src/core/spec.ts";
import { checkDeepArLine } from "./deepar-format.ts";
import { MemoryObjects } from "./memory.ts";
import { ORIGIN, publisherOf, RUN, rows, SHOP, STEPS, textOf, unload } from "./shop.ts";

const HOUR = 3_600_000;

const parsedRows = () => rows().flatMap((text) => text.split("\n").map(rowParser(SHOP)));
const seriesOf = (parsed: readonly PreparedRow[], spec = SHOP) => toSeries(spec, parsed, trainingSpan(spec, ORIGIN));

describe("staging", () => {
  let objects: MemoryObjects;
  let answer: object;
  beforeAll(async () => {
    objects = new MemoryObjects();
    await unload(objects, `training/${RUN}/rows/`);
    answer = await publisherOf(objects).stage({ action: "stage", runId: RUN, origin: ORIGIN });
  });
  test("says which families are to be trained", () => {
    expect(answer).toEqual({
      families: [
        { family: "counts", series: 2 },
        { family: "reals", series: 4 },
      ],
      series: 6,
      parts: 1,
    });
  });
  test.each([
    ["counts", "train", false],
    ["counts", "test", false],
    ["reals", "train", true],
    ["reals", "test", true],
  ])("%s/%s is what DeepAR reads", (family, channel, categorical) => {
    const lines = textOf(objects, `training/${RUN}/${family}/${channel}/part-00001.json.gz`).trimEnd().split("\n");
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
    const train = read(`training/${RUN}/counts/train/part-00001.json.gz`);
    const whole = read(`training/${RUN}/counts/test/part-00001.json.gz`);
    expect(whole.map((l) => l.target.length)).toEqual([504, 504]);
    expect(train.map((l) => [l.start, l.target])).toEqual(whole.map((l) => [l.start, l.target.slice(0, -STEPS)]));
    const predict = read(`training/${RUN}/counts/predict/part-00001.jsonl`);
    expect(predict).toEqual([train[0], whole[0], train[1], whole[1]]);
    expect(JSON.parse(textOf(objects, `training/${RUN}/counts/index/part-00001.json`))).toEqual([
      "sales{store=north}",
      "sales{store=south}",
    ]);
  });
  test("fills gaps: a count of nothing is 0, a mean of nothing is missing", () => {
    const series = seriesOf(parsedRows());
    const at = (id: string) => series.find((s) => s.id === id)!.values[3];
    expect([at("sales{store=south}"), at("takings{store=south}"), at("price{store=south}")]).toEqual([
      0,
      0,
      Number.NaN,
    ]);
  });
  test("leaves excluded spans out", () => {
    const from = ORIGIN - 100 * HOUR;
    const series = seriesOf(parsedRows());
    leaveOut(series, [{ from, to: from + 2 * HOUR, series: "sales{store=north}" }]);
    const missing = (id: string) =>
      series.find((s) => s.id === id)!.values.reduce((n, v) => n + (Number.isNaN(v) ? 1 : 0), 0);
    expect([missing("sales{store=north}"), missing("sales{store=south}")]).toEqual([2, 0]);
  });
  test("does not train what is too short to learn from", () => {
    const few = parsedRows().filter((r) => r.start >= ORIGIN - 40 * HOUR);
    expect(familiesToLearn(SHOP, seriesOf(few))).toEqual([]);
  });
  test("categorises what it learns without a gap, when a measure has nothing to learn from", () => {
    const [count, , mean] = SHOP.series.measures as [Measure, Measure, Measure];
    // Means: what has no value in any window stays without one, where a sum would be 0.
    const measures = [count, ...["first", "second", "third"].map((name) => ({ ...mean, name }))];
    const spec = { ...SHOP, series: { ...SHOP.series, measures } };
    const categories = (silent: string) => {
      const windows = parsedRows().map((r) => ({
        ...r,
        values: measures.map((m) => (m.name === silent ? null : r.values[0]!)),
      }));
      const series = seriesOf(windows, spec);
      const reals = familiesToLearn(spec, series).find((f) => f.family === "reals")!;
      const lines = familyFiles(spec, reals, series).train.trimEnd().split("\n");
      return [...new Set(lines.map((l) => (JSON.parse(l) as { cat?: number[] }).cat?.[0]))].sort();
    };
    expect(categories("none")).toEqual([0, 1, 2]);
    expect(categories("first")).toEqual([0, 1]);
    expect(categories("third")).toEqual([0, 1]);
  });
  test("says so when the lake is empty", async () => {
    const empty = publisherOf(new MemoryObjects());
    const staged = await empty.stage({ action: "stage", runId: "x", origin: ORIGIN });
    expect(staged).toEqual({ families: [], series: 0, parts: 0 });
  });
});

describe("staging in parts", () => {
  const stagedIn = async (partSize: number) => {
    const objects = new MemoryObjects();
    await unload(objects, `training/${RUN}/rows/`);
    const staged = await publisherOf(objects, partSize).stage({ action: "stage", runId: RUN, origin: ORIGIN });
    const joined = async (place: string) => {
      const files = await objects.list(`training/${RUN}/${place}/`);
      return { files: files.length, text: files.map((key) => textOf(objects, key)).join("") };
    };
    return { staged, joined, objects };
  };

  test("the files of all parts hold what the file of one holds", async () => {
    const whole = await stagedIn(6);
    for (const size of [1, 2, 3, 4, 5]) {
      const { staged, joined } = await stagedIn(size);
      expect(staged).toEqual({ ...whole.staged, parts: Math.ceil(6 / size) });
      for (const place of ["series", "counts/train", "counts/test", "counts/predict", "reals/train", "reals/predict"])
        expect((await joined(place)).text, place).toBe((await whole.joined(place)).text);
    }
  });

  test("a part without series of a family has no file for SageMaker, and an index that says so", async () => {
    const { joined, objects } = await stagedIn(2);
    expect((await joined("counts/predict")).files).toBe(1);
    const indexes = (await objects.list(`training/${RUN}/counts/index/`)).map((key) =>
      JSON.parse(textOf(objects, key)),
    );
    expect(indexes).toEqual([[], ["sales{store=north}", "sales{store=south}"], []]);
  });
});

describe("lines", () => {
  const collect = async (body: Uint8Array) => {
    const lines: string[] = [];
    for await (const some of linesOf(body)) lines.push(...some);
    return lines;
  };
  test("are the text's, wherever the pieces of it are cut, gzipped or not", async () => {
    // More than a piece of a megabyte, in letters of one to four bytes.
    const lines = Array.from({ length: 30_000 }, (_, i) => `${i} Zürich \u{1f6eb} ${"é".repeat(i % 60)}`);
    for (const text of [lines.join("\n"), `${lines.join("\n")}\n\n`]) {
      expect(await collect(Buffer.from(text))).toEqual(lines);
      expect(await collect(gzipSync(text))).toEqual(lines);
    }
    expect(await collect(new Uint8Array())).toEqual([]);
  });
  test("of a file that was cut off are an error", async () => {
    await expect(collect(gzipSync("a\nb\n").subarray(0, 12))).rejects.toThrow(/unexpected end/);
  });
});
