/** What a file of groups may hold: values that events can have, in a form that is read as it was meant. */
import { describe, expect, test } from "vitest";
import { parseGroups } from "../../../infra/synth/groups.ts";
import { requireSpec } from "../../../src/core/spec.ts";

/** A pipeline by these fields. */
function by(fields: Readonly<Record<string, "string" | "integer" | "boolean">>) {
  return requireSpec(
    JSON.stringify({
      name: "shops",
      source: { time: "t", fields: { t: "timestamp", ...fields } },
      series: { every: "1h", by: Object.keys(fields), measures: { sales: { count: "*" } } },
    }),
  );
}
const SHOP = by({ shop: "string" });
const TILL = by({ shop: "string", till: "integer" });
const AREA = by({ shop: "string", area: "string" });
const CLUB = by({ shop: "string", member: "boolean" });

test.each([
  [
    "numbers, as events have them",
    TILL,
    '[["north", 1], ["north", -2]]',
    [
      ["north", "1"],
      ["north", "-2"],
    ],
  ],
  [
    "truth values",
    CLUB,
    '[["north", true], ["north", "false"]]',
    [
      ["north", "true"],
      ["north", "false"],
    ],
  ],
  ["braces within lines", SHOP, "{north}\n{south}\n", [["{north}"], ["{south}"]]],
  ["a brace in the only line", SHOP, "{north}", [["{north}"]]],
  [
    "brackets at both ends of lines",
    AREA,
    "[unknown]|1\nnorth|[2]\n",
    [
      ["[unknown]", "1"],
      ["north", "[2]"],
    ],
  ],
  ["lines with nothing but white space between them", SHOP, "north\n  \n\nsouth", [["north"], ["south"]]],
  ["a control character in a JSON list", SHOP, '["north\\tside"]', [["north\tside"]]],
])("takes %s", (_, spec, text, groups) => {
  expect(parseGroups(text, "f", spec)).toEqual(groups);
});

describe("refuses", () => {
  test.each([
    ["an object", SHOP, '{\n  "groups": ["north"]\n}', "f, line 1: it is a JSON object, and no list."],
    ["an object that is broken", SHOP, '{"north": 1', "f, line 1: it is no JSON (CloseBraceExpected)."],
    ["a list too deep", TILL, '[\n [["north", 1]]]', "f, line 2: a group is a list of texts."],
    ["a list too flat", TILL, '["north", "south"]', 'f, line 1: 1 value where "by" has 2.'],
    ["nothing", SHOP, "", "f, line 1: there is no group."],
    ["white space", SHOP, " \n ", "f, line 1: there is no group."],
    ["an empty list", SHOP, "[]", "f, line 1: there is no group."],
    ["a list of nothing", TILL, "[[]]", 'f, line 1: 0 values where "by" has 2.'],
    ["a text for an integer", TILL, "north|one", 'f, line 1: "till" is an integer, so it is never "one".'],
    ["a fraction for an integer", TILL, '[["north", 2.5]]', 'f, line 1: "till" is an integer, so it is never "2.5".'],
    ["more digits than are exact", TILL, "north|12345678901234567890", 'never "12345678901234567890"'],
    ["other words for truth", CLUB, "north|yes", 'so it is "true" or "false", never "yes".'],
    [
      "a number that would be read as another",
      SHOP,
      "[2.50]",
      "f, line 1: 2.50 would be read as 2.5: put it in quotes.",
    ],
    ["a number beyond numbers", SHOP, "[1e400]", "f, line 1: 1e400 would be read as Infinity"],
    ["another table's separator", SHOP, "north\nsouth\twest", "f, line 2: there is a control character."],
    [
      "text in another encoding",
      SHOP,
      Buffer.from("north", "utf16le").toString(),
      "f, line 1: there is a control character.",
    ],
    ["a group twice", TILL, '[["north", 1],\n["north", "1"]]', "f, line 2: the same group as in line 1."],
  ])("%s", (_, spec, text, words) => {
    expect(() => parseGroups(text, "f", spec)).toThrow(words);
  });

  test("more groups than are watched, of a long list as soon as of a short one", () => {
    const list = JSON.stringify(
      Array.from({ length: 20_000 }, (_, i) => `shop-${i}`),
      undefined,
      1,
    );
    const began = performance.now();
    expect(() => parseGroups(list, "f", SHOP)).toThrow("f, line 10002: a pipeline watches 10000 groups of 1 measures.");
    // A line counted anew for each group took twenty seconds.
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
