import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { PipelineStatus, SeriesInfo } from "../../../src/backend.ts";
import { parseSpec, requireSpec } from "../../../src/core/spec.ts";
import { EMPTY, type Snapshot } from "../../../src/ui/snapshot.ts";
import { completionsAt } from "../../../src/ui/spec/complete.ts";
import { fixesFor } from "../../../src/ui/spec/fixes.ts";
import { hoverAt } from "../../../src/ui/spec/hover.ts";
import { lensesOf } from "../../../src/ui/spec/lenses.ts";

const FILE = new URL("../../../infra/sample/flights.pipeline.json", import.meta.url);
const SAMPLE = readFileSync(FILE, "utf8");

/** The sample with one passage changed. */
const changed = (from: string, to: string) => {
  expect(SAMPLE).toContain(from);
  return SAMPLE.replace(from, to);
};

test.each<[string, string, string, string]>([
  ["a misspelt field", '"time": "scheduled"', '"time": "sheduled"', 'Change to "scheduled"'],
  ["a misspelt field of a measure", '"avg": "delay"', '"avg": "dellay"', 'Change to "delay"'],
  ["an unknown measure", '"measure": "departures"', '"measure": "departure"', 'Change to "departures"'],
  ["an unknown statistic", '"stddev": "delay"', '"stdev": "delay"', 'Change to "stddev"'],
  ["an unknown key", '"lateness"', '"latenes"', 'Change to "lateness"'],
  ["an unknown direction", '"below"', '"belov"', 'Change to "below"'],
  ["an impossible season", '["1d", "1w"]', '["1d", "7h"]', 'Let Forewatch find the seasons in the data ("auto")'],
  [
    "a season too long for the history",
    '["1d", "1w"]',
    '["1d", "30w"]',
    'Let Forewatch find the seasons in the data ("auto")',
  ],
  ["a forecast that runs out", '"retrain": "1d"', '"retrain": "3d"', "Retrain once a horizon (48h)"],
])("%s has a fix that mends the file", (_, from, to, title) => {
  const text = changed(from, to);
  const { problems } = parseSpec(text);
  const fixes = problems.flatMap((problem) => fixesFor(problem, text));
  const fix = fixes.find((f) => f.title === title);
  expect(fix, `${JSON.stringify(problems)} offers ${fixes.map((f) => f.title)}`).toBeDefined();
  const mended = text.slice(0, fix!.offset) + fix!.text + text.slice(fix!.offset + fix!.length);
  expect(parseSpec(mended).problems).toEqual([]);
});

const beside = async (kind: "module" | "markdown" | "json" | "folder") =>
  ({ module: ["enrich.mjs"], markdown: ["runbooks/departures.md"], json: ["labels.json"], folder: ["sql/"] })[kind];

/** The completions where `|` stands in the passage that takes the place of `from`. */
async function completions(from: string, to: string) {
  const marked = changed(from, to);
  const offset = marked.indexOf("|");
  return completionsAt(marked.replace("|", ""), offset, beside);
}

test.each<[string, string, string, string[]]>([
  [
    "the time",
    '"time": "scheduled"',
    '"time": "|"',
    ["scheduled", "origin", "destination", "delay", "distance", "late"],
  ],
  [
    "a measure's field",
    '"avg": "delay"',
    '"avg": "d|"',
    ["scheduled", "origin", "destination", "delay", "distance", "late"],
  ],
  [
    "a count's field",
    '"count": "*"',
    '"count": "|"',
    ["*", "scheduled", "origin", "destination", "delay", "distance", "late"],
  ],
  ["an alarm's measure", '"measure": "departures"', '"measure": "|"', ["departures", "mean_delay", "delay_spread"]],
  ["a window", '"every": "1h"', '"every": "|"', ["1m", "5m", "15m", "1h", "1d"]],
  ["a season", '["1d", "1w"]', '["1d", "|"]', ["1h", "1d", "1w"]],
  ["the enrich module", '"enrich": "enrich.mjs"', '"enrich": "|"', ["enrich.mjs"]],
  ["a runbook", '"runbook": "runbooks/departures.md"', '"runbook": "|"', ["runbooks/departures.md"]],
  ["the SQL folder", '"sql": "sql/"', '"sql": "|"', ["sql/"]],
  ["by as an object", '{ "origin": [', '{ "|": [', ["scheduled", "origin", "destination", "delay", "distance", "late"]],
])("completion of %s", async (_, from, to, expected) => {
  const { items, length } = await completions(from, to);
  expect(items.map((item) => JSON.parse(item.text) as string)).toEqual(expected);
  // The quotes that stand there are replaced, not doubled.
  expect(length).toBeGreaterThanOrEqual(2);
});

const series = (origin: string, deviation: number): SeriesInfo => ({
  id: `departures{origin=${origin}}`,
  measure: "departures",
  by: { origin },
  last: { start: 0, actual: 4, lower: 40, median: 61, upper: 80, deviation, late: 0 },
  method: "ensemble",
  reason: null,
});
const deployed: Snapshot = {
  ...EMPTY,
  pipelines: [{ name: "flights", state: "running", spec: requireSpec(SAMPLE) } as PipelineStatus],
  series: new Map([["flights", [series("BOS", -4.2), series("ATL", 0.1)]]]),
  alarms: [
    {
      name: "departures-low",
      pipeline: "flights",
      measure: "departures",
      state: "ALARM",
      since: 0,
      reason: "3 of 4 windows below.",
      contributors: ["departures{origin=BOS}"],
      severity: 2,
      description: "",
    },
  ],
  incidents: [
    {
      id: "i1",
      pipeline: "flights",
      title: "Storm",
      status: "open",
      severity: 2,
      owner: null,
      rule: "departures-low",
      from: 0,
      openedAt: 0,
      resolvedAt: null,
      contributors: [],
    },
  ],
};

test("lenses of a file that is not deployed, and of one at work", () => {
  const titles = (snapshot: Snapshot) =>
    lensesOf(SAMPLE, "/w/flights.pipeline.json", snapshot, "local").map((l) => [
      SAMPLE.slice(0, l.offset).split("\n").length,
      l.title.replace(/\$\([\w-]+\) ?/, ""),
    ]);
  expect(titles(EMPTY)).toEqual([
    [3, "Deploy"],
    [3, "Preview"],
  ]);
  const alarmLine = SAMPLE.slice(0, SAMPLE.indexOf('"departures-low"')).split("\n").length - 1;
  const measureLine = SAMPLE.slice(0, SAMPLE.indexOf('"departures":')).split("\n").length;
  expect(titles(deployed)).toEqual([
    [3, "Deploy Changes"],
    [3, "Preview"],
    [3, "Train"],
    [3, "Show Forecast"],
    [measureLine, "Show Forecast (2 series)"],
    [alarmLine, "ALARM, 1 series"],
    [alarmLine, "Show Incident"],
  ]);
});

test("broken text keeps the lenses of what can still be read", () => {
  const broken = SAMPLE.slice(0, SAMPLE.indexOf('"alarms"'));
  expect(lensesOf(broken, "/w/f.pipeline.json", EMPTY, "local").map((l) => l.command)).toEqual(["deploy", "preview"]);
});

test("hovering tells how a measure and an alarm are", () => {
  const measure = hoverAt(SAMPLE, SAMPLE.indexOf('"departures":') + 3, deployed);
  expect(measure?.markdown).toContain("| departures BOS | 4 | 61 | −4.2 |");
  expect(hoverAt(SAMPLE, SAMPLE.indexOf('"below"'), deployed)?.markdown).toContain("**ALARM** 3 of 4 windows below");
  expect(hoverAt(SAMPLE, SAMPLE.indexOf('"every"'), deployed)).toBeUndefined();
  expect(hoverAt(SAMPLE, SAMPLE.indexOf('"departures":'), EMPTY)).toBeUndefined();
});
