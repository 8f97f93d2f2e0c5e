import { describe, expect, test } from "vitest";
import { Fault } from "../../../src/core/fault.ts";
import {
  bandLevels,
  bandOf,
  encodeForecast,
  ForecastTable,
  type ForecastVersion,
  parseForecast,
  versionName,
} from "../../../src/core/forecast.ts";
import { DAY, HOUR } from "../../../src/core/time.ts";

const ORIGIN = Date.UTC(2001, 2, 1);

/** A version of three hours whose numbers tell where they come from: base + 10 a step, -1, 0 and +1 a level. */
function version(base: number, changes: Partial<ForecastVersion> = {}): ForecastVersion {
  const level = (shift: number) => [0, 1, 2].map((step) => base + 10 * step + shift);
  const origin = changes.origin ?? ORIGIN;
  return {
    format: 1,
    pipeline: "flights",
    version: versionName(origin),
    origin,
    every: HOUR,
    levels: [0.01, 0.5, 0.99],
    series: { "n{g=a}": { method: "ensemble", quantiles: [level(-1), level(0), level(1)] } },
    ...changes,
  };
}

test.each<[number, readonly number[]]>([
  [0.98, [0.01, 0.5, 0.99]],
  [0.9, [0.05, 0.5, 0.95]],
  [0.95, [0.025, 0.5, 0.975]],
  [0.999, [0.0005, 0.5, 0.9995]],
])("a band of %d lies between the quantiles %j", (band, levels) => expect(bandLevels(band)).toEqual(levels));

test("a file's text gives the version back", () => {
  const v = version(100, {
    series: { a: { method: "seasonal-naive", reason: "only 3 days", quantiles: [[1], [2.5], [1e-7]] } },
  });
  expect(parseForecast(encodeForecast(v))).toEqual(v);
});

describe("a file that is none is refused with its reason", () => {
  const broken = (changes: Record<string, unknown>) => JSON.stringify({ ...version(100), ...changes });
  const quantiles = (q: unknown) => broken({ series: { a: { method: "x", quantiles: q } } });
  test.each<[string, string, RegExp]>([
    ["no JSON", "{", /JSON/],
    ["nothing", "", /JSON/],
    ["another format", broken({ format: 2 }), /^format: .*1.*2/],
    ["no origin", broken({ origin: undefined }), /^origin/],
    ["an origin within a window", broken({ origin: ORIGIN + 1 }), /origin is not the start of a window/],
    ["no length of window", broken({ every: 0 }), /^every/],
    ["levels without the median", broken({ levels: [0.1, 0.2, 0.9] }), /median/],
    ["levels that do not ascend", broken({ levels: [0.9, 0.5, 0.1] }), /ascend/],
    ["a level of one", broken({ levels: [0.1, 0.5, 1] }), /ascend/],
    ["too few levels", quantiles([[1], [2]]), /a: quantiles do not match the levels/],
    ["steps that differ", quantiles([[1], [2, 3], [4]]), /a: quantiles do not match the levels/],
    ["a number that is none", quantiles([[1], [null], [3]]), /series\.a\.quantiles\.1\.0/],
    ["a number beyond all", encodeForecast(version(100)).replace("99,", "1e999,"), /quantiles/],
  ])("%s", (_, text, cause) => {
    try {
      parseForecast(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(Fault);
      const data = (error as Fault).toData();
      expect(data).toMatchObject({
        code: "forecast.invalid",
        message: "This forecast file cannot be read.",
        next: "Train the forecast again.",
      });
      expect(data.cause).toMatch(cause);
    }
  });
});

describe("a window's band", () => {
  test.each<[string, string, number, number | undefined]>([
    ["the first window", "n{g=a}", ORIGIN, 100],
    ["the last", "n{g=a}", ORIGIN + 2 * HOUR, 120],
    ["beyond the horizon", "n{g=a}", ORIGIN + 3 * HOUR, undefined],
    ["before the origin", "n{g=a}", ORIGIN - HOUR, undefined],
    ["off the grid", "n{g=a}", ORIGIN + 1, undefined],
    ["another series", "n{g=b}", ORIGIN, undefined],
    ["a name that every object has", "constructor", ORIGIN, undefined],
  ])("%s", (_, series, start, median) => {
    const expected =
      median === undefined
        ? undefined
        : { lower: median - 1, median, upper: median + 1, version: "2001-03-01T00:00:00Z" };
    expect(bandOf(version(100), series, start)).toEqual(expected);
  });
});

describe("the table of versions", () => {
  const day = (n: number, base: number, run = 0) =>
    version(base, { origin: ORIGIN + n * DAY, version: versionName(ORIGIN + n * DAY, run) });
  const tableOf = (...versions: ForecastVersion[]) => {
    const table = new ForecastTable();
    for (const v of versions) table.add(v);
    return table;
  };
  const median = (table: ForecastTable, start: number) => table.at("n{g=a}", start)?.median;

  test("answers from the newest version that knew nothing of the window, in whatever order they were added", () => {
    const long = (base: number, origin: number) => version(base, { origin, version: versionName(origin) });
    const versions = [long(100, ORIGIN), long(200, ORIGIN + HOUR), long(300, ORIGIN + 2 * HOUR)];
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      const table = tableOf(...order.map((i) => versions[i]!));
      expect([0, 1, 2, 3, 4, 5].map((h) => median(table, ORIGIN + h * HOUR))).toEqual([
        100,
        200,
        300,
        310,
        320,
        undefined,
      ]);
      expect(table.newest?.origin).toBe(ORIGIN + 2 * HOUR);
    }
  });

  test("falls back to an older version for a series the newest does not have", () => {
    const table = tableOf(day(0, 100), version(0, { origin: ORIGIN + HOUR, version: "b", series: {} }));
    expect(table.at("n{g=a}", ORIGIN + HOUR)).toMatchObject({ median: 110, version: "2001-03-01T00:00:00Z" });
  });

  test("of one origin, the last training wins, the tenth by hand after the ninth", () => {
    const runs = Array.from({ length: 11 }, (_, run) => day(0, run * 100, run));
    expect(median(tableOf(...runs), ORIGIN)).toBe(1_000);
    expect(median(tableOf(...runs.toReversed()), ORIGIN)).toBe(1_000);
    expect(tableOf(...runs).newest?.version).toBe("2001-03-01T00:00:00Z-10");
  });

  test("a version added again takes its own place", () => {
    const table = tableOf(day(0, 100), day(0, 500));
    expect(median(table, ORIGIN)).toBe(500);
    table.trim(ORIGIN + 3 * HOUR);
    expect(table.newest).toBeUndefined();
  });

  test("forgets versions whose horizon has passed, and only those", () => {
    const table = tableOf(day(0, 100), day(1, 200));
    table.trim(ORIGIN + 3 * HOUR - 1);
    expect(median(table, ORIGIN)).toBe(100);
    table.trim(ORIGIN + 3 * HOUR);
    expect(median(table, ORIGIN)).toBeUndefined();
    expect(median(table, ORIGIN + DAY)).toBe(200);
  });
});
