import { expect, test } from "vitest";
import { Fault } from "../../../src/core/fault.ts";
import { parseLabels } from "../../../src/core/labels.ts";

const JANUARY = Date.UTC(2001, 0, 1);
const DAY = 86_400_000;

test("spans of all series and of one, with comments", () => {
  const text = `[
    { "from": "2001-01-01", "to": "2001-01-02T00:00:00Z", "note": "holiday" }, // closed
    { "from": "2001-01-03", "to": "2001-01-04", "series": "departures{origin=BOS}" },
  ]`;
  expect(parseLabels(text, "labels.json")).toEqual([
    { from: JANUARY, to: JANUARY + DAY },
    { from: JANUARY + 2 * DAY, to: JANUARY + 3 * DAY, series: "departures{origin=BOS}" },
  ]);
});

test.each([
  ["an object", "{}", "must be a list"],
  ["broken text", '[{ "from": ', "is no JSON"],
  ["an entry without times", '[{ "note": "x" }]', "entry 1"],
  ["an entry that is none", "[null]", "entry 1"],
  ["times the wrong way round", '[{ "from": "2001-01-02", "to": "2001-01-01" }]', "entry 1"],
  ["an empty span", '[{ "from": "2001-01-02", "to": "2001-01-02" }]', "entry 1"],
])("%s is refused with words", (_, text, words) => {
  const found = (() => {
    try {
      return parseLabels(text, "labels.json");
    } catch (error) {
      return Fault.from(error);
    }
  })();
  expect(found).toBeInstanceOf(Fault);
  expect((found as Fault).message).toMatch(/^labels\.json: /);
  expect((found as Fault).message).toContain(words);
});
