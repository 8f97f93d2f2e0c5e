import { describe, expect, test } from "vitest";
import { Fault } from "../../../src/core/fault.ts";
import { nearest, parseSpec, requireSpec } from "../../../src/core/spec.ts";
import { DAY, HOUR, MINUTE, WEEK } from "../../../src/core/time.ts";
import { SAMPLE } from "./sample.ts";

test("the sample means what its documentation says", () => {
  expect(parseSpec(SAMPLE)).toEqual({
    problems: [],
    spec: {
      name: "flights",
      source: {
        time: "scheduled",
        fields: {
          scheduled: "timestamp",
          origin: "string",
          destination: "string",
          delay: "double",
          distance: "double",
        },
        lateness: 10 * MINUTE,
        idle: 2 * MINUTE,
        ahead: WEEK,
        behind: 400 * DAY,
        shards: 1,
      },
      enrich: "enrich.mjs",
      series: {
        every: HOUR,
        by: [{ field: "origin", values: ["ATL", "BOS", "DFW", "EWR", "JFK", "LAX", "LGA", "ORD"] }],
        measures: [
          { name: "departures", statistic: "count", field: "*", resolution: 1 },
          { name: "mean_delay", statistic: "avg", field: "delay", resolution: 0 },
          { name: "delay_spread", statistic: "stddev", field: "delay", resolution: 0 },
        ],
      },
      forecast: {
        history: 8 * WEEK,
        horizon: 48 * HOUR,
        band: 0.98,
        seasons: [DAY, WEEK],
        retrain: DAY,
        exclude: "labels.json",
      },
      alarms: [
        {
          name: "departures-low",
          measure: "departures",
          direction: "below",
          threshold: 1,
          datapoints: 3,
          periods: 4,
          missing: "breaching",
          severity: 2,
          runbook: "runbooks/departures.md",
          resolveAfter: DAY,
        },
      ],
      sql: "sql/",
      retention: { stream: DAY, lake: 400 * DAY },
      targets: { prod: { account: "123456789012", region: "eu-west-1", profile: "analytics", incidents: "auto" } },
    },
  });
});

test("defaults complete the smallest file", () => {
  const spec = requireSpec(
    '{"name":"a","source":{"time":"t","fields":{"t":"timestamp"}},"series":{"every":"5m","measures":{"n":{"count":"*"}}},"alarms":[{"name":"low","measure":"n"}]}',
  );
  expect(spec.source).toMatchObject({ lateness: MINUTE, idle: 2 * MINUTE });
  expect(spec.series.by).toEqual([]);
  expect(spec.forecast).toEqual({ history: 8 * WEEK, horizon: 48 * HOUR, band: 0.98, seasons: "auto", retrain: DAY });
  expect(spec.alarms[0]).toEqual({
    name: "low",
    measure: "n",
    direction: "both",
    threshold: 1,
    datapoints: 3,
    periods: 4,
    missing: "missing",
    severity: 3,
    resolveAfter: 2 * HOUR,
  });
});

test.each(
  // Every length of a window that there can be.
  Array.from({ length: 1_440 }, (_, i) => i + 1).filter((minutes) => 1_440 % minutes === 0),
)("the defaults fit windows of %d minutes", (minutes) => {
  const smallest = (forecast: string) =>
    `{"name":"a","source":{"time":"t","fields":{"t":"timestamp"}},"series":{"every":"${minutes}m","measures":{"n":{"count":"*"}}}${forecast}}`;
  const { spec, problems } = parseSpec(smallest(""));
  expect(problems).toEqual([]);
  expect(spec!.forecast).toMatchObject({ horizon: (minutes === 1 ? 33 : 48) * HOUR, retrain: DAY });
  // A horizon of one's own takes the training with it, and not the other way round.
  const short = parseSpec(smallest(`,"forecast":{"horizon":"${minutes}m"}`));
  expect(short.problems).toEqual([]);
  expect(short.spec!.forecast.retrain).toBe(minutes * MINUTE);
});

describe("listed values", () => {
  const text = (lists: readonly number[], measures = 1) => {
    const names = lists.map((_, i) => `f${i}`);
    const fields = Object.fromEntries(names.map((name) => [name, "string"]));
    const by = Object.fromEntries(names.map((name, i) => [name, Array.from({ length: lists[i]! }, (_, v) => `v${v}`)]));
    const counted = Object.fromEntries(Array.from({ length: measures }, (_, i) => [`n${i}`, { count: "*" }]));
    return JSON.stringify({
      name: "a",
      source: { time: "t", fields: { t: "timestamp", ...fields } },
      series: { every: "1h", by, measures: counted },
    });
  };

  test.each<[number[], number]>([
    [[10_000], 1],
    [[100, 100], 1],
    [[10, 10, 10], 10],
  ])("of %j and %d measures are watched", (lists, measures) =>
    expect(parseSpec(text(lists, measures)).problems).toEqual([]));

  test.each<[number[], number, string, string]>([
    [[10_001], 1, "series.by.f0", "The values listed make 10,001 groups: at most 10,000 series are watched."],
    [
      [200, 40, 30],
      1,
      "series.by.f2",
      "The values listed make 240,000 groups (200 times 40 times 30): at most 10,000 series are watched.",
    ],
    [
      [5_000, 1, 1],
      3,
      "series.by.f0",
      "The values listed make 5,000 groups, 15,000 series with 3 measures: at most 10,000 series are watched.",
    ],
    // Nobody waits for billions of combinations, nor for a list to be compared with itself.
    [
      [60_000, 60_000, 60_000],
      2,
      "series.by.f0",
      "The values listed make 216,000,000,000,000 groups (60,000 times 60,000 times 60,000), 432,000,000,000,000 series with 2 measures: at most 10,000 series are watched.",
    ],
  ])("of %j and %d measures are too many, from the list on that makes them so", (lists, measures, path, message) => {
    const { problems } = parseSpec(text(lists, measures));
    expect(problems).toMatchObject([{ path, message }]);
    const { offset, length } = problems[0]!.at;
    expect(text(lists, measures).slice(offset, offset + length)).toBe(JSON.stringify(path.split(".").at(-1)));
  });
});

test("comments, trailing commas, a byte order mark and CRLF are all welcome", () => {
  const text = `\uFEFF${SAMPLE.replace('"sql/",', '"sql/", /* prep */').replace('"auto" } }', '"auto", }, },')}`;
  expect(parseSpec(text.replaceAll("\n", "\r\n"))).toEqual(parseSpec(SAMPLE));
});

test("seasons may come in any order, and by may be a list", () => {
  const spec = requireSpec(SAMPLE.replace('["1d", "1w"]', '["1w", "1d"]').replace(/"by": \{.*\}/, '"by": ["origin"]'));
  expect(spec.forecast.seasons).toEqual([DAY, WEEK]);
  expect(spec.series.by).toEqual([{ field: "origin" }]);
});

test.each([
  ["never", 0],
  ["3h", 3 * HOUR],
])("resolveAfter %j is %d ms", (text, millis) => {
  const spec = requireSpec(SAMPLE.replace('"severity": 2', `"severity": 2, "resolveAfter": "${text}"`));
  expect(spec.alarms[0]!.resolveAfter).toBe(millis);
});

/** Every kind of error: what is replaced in the sample, by what; the text it marks; the message; the suggestion. */
const ERRORS: [find: string, replace: string, marks: string, message: string, suggestion?: string][] = [
  // names
  [
    '"time": "scheduled"',
    '"time": "sheduled"',
    '"sheduled"',
    'There is no field "sheduled". Did you mean "scheduled"?',
    "scheduled",
  ],
  ['"avg": "delay"', '"avg": "dely"', '"dely"', 'There is no field "dely". Did you mean "delay"?', "delay"],
  [
    '"avg": "delay"',
    '"avg": "weather"',
    '"weather"',
    'There is no field "weather". There are: scheduled, origin, destination, delay, distance.',
  ],
  [
    '"measure": "departures"',
    '"measure": "departure"',
    '"departure"',
    'There is no measure "departure". Did you mean "departures"?',
    "departures",
  ],
  [
    '"measure": "departures"',
    '"measure": "x"',
    '"x"',
    'There is no measure "x". There are: departures, mean_delay, delay_spread.',
  ],
  ['"by": { "origin"', '"by": { "orgin"', '"orgin"', 'There is no field "orgin". Did you mean "origin"?', "origin"],
  [
    '"measure": "departures"',
    '"measure": "toString"',
    '"toString"',
    'There is no measure "toString". There are: departures, mean_delay, delay_spread.',
  ],
  // unknown, missing and double keys
  ['"horizon"', '"horison"', '"horison"', '"horison" is not known here. Did you mean "horizon"?', "horizon"],
  [
    '"horizon"',
    '"zzz"',
    '"zzz"',
    '"zzz" is not known here. Known here: history, horizon, band, seasons, retrain, exclude.',
  ],
  ['"count": "*"', '"cuont": "*"', '"cuont"', '"cuont" is not known here. Did you mean "count"?', "count"],
  ['"region"', '"regoin"', '"regoin"', '"regoin" is not known here. Did you mean "region"?', "region"],
  ['"name": "flights",', "", "{", '"name" is missing.'],
  ['"every": "1h",', "", '"series"', '"every" is missing.'],
  ['"measure": "departures",', "", "{", '"measure" is missing.'],
  ['"sql": "sql/"', '"sql": "sql/", "sql": "other/"', '"sql"', '"sql" stands here twice.'],
  ['"distance": "double"', '"origin": "string"', '"origin"', '"origin" stands here twice.'],
  ['"distance"', '"constructor"', '"constructor"', '"constructor" cannot be used as a name: JavaScript claims it.'],
  ['"distance"', '"__proto__"', '"__proto__"', '"__proto__" cannot be used as a name: JavaScript claims it.'],
  // types and words
  ['"name": "flights"', '"name": 5', "5", '"name" must be text, not 5.'],
  ['"name": "flights"', '"name": null', "null", '"name" must be text, not null.'],
  [
    '"name": "flights"',
    '"name": "My Flights"',
    '"My Flights"',
    '"name" must be lower-case letters, digits and -, starting with a letter, at most 48 long, not "My Flights".',
  ],
  [
    '"delay": "double"',
    '"delay": "float"',
    '"float"',
    '"float" is not one of string, double, integer, boolean, timestamp.',
  ],
  [
    '"delay": "double"',
    '"delay": "doubel"',
    '"doubel"',
    '"doubel" is not one of string, double, integer, boolean, timestamp. Did you mean "double"?',
    "double",
  ],
  [
    '"distance": "double"',
    '"2x": "double"',
    '"2x"',
    '"2x" must be letters, digits and _, not starting with a digit, at most 63 long.',
  ],
  ['{ "count": "*" }', "5", "5", '"departures" must be an object, not 5.'],
  [
    '{ "count": "*" }',
    "{}",
    '"departures"',
    '"departures" must name exactly one of count, sum, avg, min, max, stddev.',
  ],
  [
    '{ "count": "*" }',
    '{ "count": "*", "sum": "delay" }',
    '"departures"',
    '"departures" must name exactly one of count, sum, avg, min, max, stddev.',
  ],
  ['{ "count": "*" }', '{ "count": "*", "resolution": -1 }', "-1", '"resolution" must be a number from 0 up, not -1.'],
  ['{ "count": "*" }', '{ "sum": "*" }', '"*"', 'Only count takes "*": name the field whose sum you want.'],
  ['"avg": "delay"', '"avg": "origin"', '"origin"', '"origin" is a string: avg needs a double or an integer.'],
  [
    '"scheduled": "timestamp"',
    '"scheduled": "string"',
    '"string"',
    '"scheduled" is the event time, so it must be a "timestamp".',
    "timestamp",
  ],
  [
    '"lateness": "10m"',
    '"lateness": "10 minutes"',
    '"10 minutes"',
    '"lateness" must be a duration such as "90s", "10m" or "1h", not "10 minutes".',
  ],
  [
    '"idle": "2m"',
    '"idle": "0s"',
    '"0s"',
    '"idle" must be a duration above zero, such as "10m", "1h" or "8w", not "0s".',
  ],
  ['"idle": "2m"', '"shards": 1.5', "1.5", '"shards" must be a whole number from 1 to 64, not 1.5.'],
  ['"severity": 2', '"severity": "2"', '"2"', '"2" is not one of 1, 2, 3, 4, 5. Leave the quotes out.'],
  [
    '"direction": "below"',
    '"direction": "blow"',
    '"blow"',
    '"blow" is not one of below, above, both. Did you mean "below"?',
    "below",
  ],
  [
    '"threshold": 1.0',
    '"threshold": 1e999',
    "1e999",
    '"threshold" must be a number above 0 (1 is the edge of the band) and below a million, not Infinity.',
  ],
  [
    '"runbooks/departures.md"',
    '"../secret"',
    '"../secret"',
    '"runbook" must be a path relative to the pipeline file, with / and inside its folder, not "../secret".',
  ],
  [
    '"enrich.mjs"',
    '"/etc/passwd"',
    '"/etc/passwd"',
    '"enrich" must be a path relative to the pipeline file, with / and inside its folder, not "/etc/passwd".',
  ],
  [
    '"123456789012"',
    "123456789012",
    "123456789012",
    '"account" must be the account\'s 12 digits, in quotes, not 123456789012.',
  ],
  ['"eu-west-1"', '"Ireland"', '"Ireland"', '"region" must be a region such as "eu-west-1", not "Ireland".'],
  // by
  [
    /"by": (\{.*\})/.exec(SAMPLE)![1]!,
    "5",
    "5",
    '"by" must be a list of fields, or an object of fields and their values: {"origin": ["BOS"]}, not 5.',
  ],
  ['["ATL",', "[3,", "3", "Entry 1 must be text, not 3."],
  ['["ATL", "BOS"', '["BOS", "BOS"', '"BOS"', '"BOS" stands here twice.'],
  [
    '"by": { "origin"',
    '"by": { "delay"',
    '"delay"',
    '"delay" is a double: split by text, whole numbers or truth values.',
  ],
  ['"origin": "string"', '"origin": "boolean"', '"ATL"', '"origin" is a boolean: "true" or "false".'],
  ['"origin": "string"', '"origin": "integer"', '"ATL"', '"origin" is an integer, so it is never "ATL".'],
  // columns
  ['"distance"', '"dt"', '"dt"', '"dt" is a column that Forewatch adds itself: choose another name.'],
  ['"distance"', '"_Late"', '"_Late"', '"_Late" is a column that Forewatch adds itself: choose another name.'],
  ['"distance"', '"Delay"', '"Delay"', '"Delay" and "delay" differ only in case: SQL takes them for one.'],
  [
    '"delay_spread"',
    '"origin"',
    '"origin"',
    '"origin" is a column of the prepared series already: choose another name.',
  ],
  [
    '"delay_spread"',
    '"window_start"',
    '"window_start"',
    '"window_start" is a column of the prepared series already: choose another name.',
  ],
  [
    '"delay_spread"',
    '"Departures"',
    '"Departures"',
    '"Departures" and "departures" differ only in case: SQL takes them for one.',
  ],
  // windows and forecast
  [
    '"every": "1h"',
    '"every": "7m"',
    '"7m"',
    "A window lasts whole minutes, from one minute to one day, and fits evenly into a day: 5m, 15m, 1h or 1d, for example.",
  ],
  [
    '"every": "1h"',
    '"every": "2d"',
    '"2d"',
    "A window lasts whole minutes, from one minute to one day, and fits evenly into a day: 5m, 15m, 1h or 1d, for example.",
  ],
  ['"every": "1h"', '"every": 60', "60", '"every" must be a duration above zero, such as "10m", "1h" or "8w", not 60.'],
  ['"band": 0.98', '"band": 98', "98", '"band" must lie between 0.01 and 0.9999, such as 0.98, not 98.'],
  [
    '"band": 0.98',
    '"band": 0.9999995',
    "0.9999995",
    '"band" must lie between 0.01 and 0.9999, such as 0.98, not 0.9999995.',
  ],
  ['"band": 0.98', '"band": 1e-7', "1e-7", '"band" must lie between 0.01 and 0.9999, such as 0.98, not 1e-7.'],
  ['["1d", "1w"]', '["1d", "90m"]', '"90m"', "A season is a whole number of windows, at least two."],
  ['["1d", "1w"]', '["1w", "1h"]', '"1h"', "A season is a whole number of windows, at least two."],
  ['["1d", "1w"]', '["1d", "5w"]', '"5w"', "The history must hold at least two of this season."],
  ['["1d", "1w"]', '["5h", "1d"]', '"seasons"', "The longer season must be a whole multiple of the shorter."],
  ['["1d", "1w"]', '["1d", "1d"]', '"1d"', "This season stands here twice."],
  ['["1d", "1w"]', '["1d", "2d", "1w"]', '"seasons"', '"seasons" may list two seasons at most.'],
  ['["1d", "1w"]', '"atuo"', '"atuo"', '"seasons" must be "auto" or a list such as ["1d", "1w"], not "atuo".'],
  ['["1d", "1w"]', '["1d", 7]', "7", 'Entry 2 must be a duration above zero, such as "10m", "1h" or "8w", not 7.'],
  ['"horizon": "48h"', '"horizon": "90m"', '"90m"', "The horizon is a whole number of windows."],
  ['"horizon": "48h"', '"horizon": "20w"', '"20w"', "The horizon is at most 2,016 windows."],
  [
    '"retrain": "1d"',
    '"retrain": "3d"',
    '"3d"',
    "The forecast would run out before the next training: retrain at least once a horizon.",
  ],
  ['"retrain": "1d"', '"retrain": "90m"', '"90m"', "Training recurs every whole number of windows."],
  // alarms
  ['"3 of 4"', '"5 of 4"', '"5 of 4"', '"m of n" needs 1 <= m <= n: 5 of 4 windows can never be.'],
  ['"3 of 4"', '"0 of 4"', '"0 of 4"', '"m of n" needs 1 <= m <= n: 0 of 4 windows can never be.'],
  ['"3 of 4"', "3", "3", '"datapoints" must read like "3 of 4", not 3.'],
  ['"3 of 4"', '"3 of 169"', '"3 of 169"', "The n windows span at most seven days: n is at most 168 here."],
  [
    '"departures-low"',
    '"forecast-missing"',
    '"forecast-missing"',
    '"forecast-missing" is the pipeline\'s own alarm: choose another name.',
  ],
  [
    '{ "name": "departures-low"',
    '{ "name": "departures-low", "measure": "departures" }, { "name": "departures-low"',
    '"departures-low"',
    'There is another alarm named "departures-low".',
  ],
];

describe("an error is found at its place and said in words", () => {
  test.each(ERRORS)("%s -> %s", (find, replace, marks, message, suggestion) => {
    const text = SAMPLE.replace(find, () => replace);
    expect(text).not.toBe(SAMPLE);
    const { spec, problems } = parseSpec(text, "flights.pipeline.json");
    expect(spec).toBeUndefined();
    const problem = problems.find((p) => p.message === message);
    expect(problem, problems.map((p) => p.message).join("\n")).toBeDefined();
    const { at } = problem!;
    expect(text.slice(at.offset, at.offset + at.length)).toBe(marks);
    const before = text.slice(0, at.offset);
    expect([at.line, at.column]).toEqual([before.split("\n").length, at.offset - before.lastIndexOf("\n")]);
    // What stands twice is marked where it stands the second time.
    if (/twice|another alarm/.test(message)) expect(text.indexOf(marks)).toBeLessThan(at.offset);
    expect(problem!.suggestion).toBe(suggestion);
    expect(at.file).toBe("flights.pipeline.json");
  });

  test("of an entry of a list, the entry itself is marked", () => {
    const text = SAMPLE.replace('{ "name": "departures-low"', '{ "name": "a", "measure": "departures" }, { "nme": "b"');
    const missing = parseSpec(text).problems.find((p) => p.message === '"name" is missing.')!;
    expect(missing).toMatchObject({ path: "alarms.1", at: { offset: text.indexOf('{ "nme"'), length: 1 } });
  });
});

test("all errors are reported at once, in the order of the text, without consequences of each other", () => {
  const text = SAMPLE.replace('"time": "scheduled"', '"time": "sheduled"')
    .replace('"delay": "double"', '"delay": "float"')
    .replace('"avg": "delay"', '"avg": "dely"')
    .replace('"horizon"', '"horison"')
    .replace('"measure": "departures"', '"measure": "departure"')
    .replace('"severity": 2', '"severity": 9');
  expect(parseSpec(text).problems.map((p) => p.path)).toEqual([
    "source.time",
    "source.fields.delay",
    "series.measures.mean_delay.avg",
    "forecast.horison",
    "alarms.0.measure",
    "alarms.0.severity",
  ]);
});

describe("broken JSON", () => {
  test.each([
    ["", 1, 1, "The file is empty."],
    ["  \n ", 1, 1, "The file is empty."],
    ["[]", 1, 1, "A pipeline file is an object: it begins with { and ends with }."],
    ["// only a comment", 1, 18, "A value is expected here."],
    ['{\n  "name": flights\n}', 2, 11, "This word means nothing in JSON: put text in double quotes."],
    ["{\n  'name': 1\n}", 2, 3, "This word means nothing in JSON: put text in double quotes."],
    ['{\n  "name": "a"\n  "sql": "b"\n}', 3, 3, "A comma is missing before this."],
    ['{\n  "name" "a"\n}', 2, 10, "A colon is expected here."],
    ['{\n  "name": "a\n}', 2, 11, "This text is not closed by a double quote."],
    ['{\n  "name": \n}', 3, 1, "A value is expected here."],
    ['{ "name": "a"', 1, 14, "A closing } is missing."],
    ['{ "name": ["a" }', 1, 16, "A comma is missing before this."],
    ['{ "name": "a" } }', 1, 17, "The file should end here."],
    ['{ "name": "\\q" }', 1, 11, "This escape is not known in JSON."],
    ["{ /* open", 1, 3, "This comment is not closed."],
  ])("%j", (text, line, column, message) => {
    const { spec, problems } = parseSpec(text);
    expect(spec).toBeUndefined();
    expect(problems[0]).toMatchObject({ message, at: { line, column }, severity: "error" });
  });

  test("one mistake a line is told once", () => {
    const { problems } = parseSpec('{\n  name: flights,\n  "sql": sql\n}');
    expect(problems.map((p) => p.at.line)).toEqual([2, 3]);
  });
});

test("requireSpec throws one fault that tells of the others", () => {
  const text = SAMPLE.replace('"time": "scheduled"', '"time": "sheduled"').replace('"3 of 4"', '"3"');
  try {
    requireSpec(text, "f.pipeline.json");
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    expect((error as Fault).toData()).toEqual({
      code: "spec.invalid",
      message: 'source.time: There is no field "sheduled". Did you mean "scheduled"?',
      next: 'Also line 22: "datapoints" must read like "3 of 4", not "3".',
      at: { file: "f.pipeline.json", offset: text.indexOf('"sheduled"'), length: 10, line: 4, column: 13 },
    });
  }
});

test.each([
  ["orgin", ["origin", "order"], "origin"],
  ["ORIGIN", ["origin"], "origin"],
  ["x", ["origin"], undefined],
  ["", [], undefined],
])("the nearest word to %j of %j is %j", (word, words, expected) => expect(nearest(word, words)).toBe(expected));
