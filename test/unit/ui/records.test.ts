import { type ParseError, parse } from "jsonc-parser";
import { expect, test } from "vitest";
import type { PeekedRecord } from "../../../src/backend.ts";
import { peekText, rejectedText } from "../../../src/ui/records.ts";

const record = (data: string, encoding: "utf8" | "base64" = "utf8"): PeekedRecord => ({
  sequence: "495",
  shard: "shardId-000000000000",
  partitionKey: "k\n// not a comment's end",
  arrival: Date.UTC(2001, 2, 5),
  data,
  encoding,
});

test.each<[string, readonly PeekedRecord[], unknown[]]>([
  ["none", [], []],
  ["JSON", [record('{"a":1}\n')], [{ a: 1 }]],
  ["JSON lines in one record", [record('{"a":1}\n{"a":2}\n')], [{ a: 1 }, { a: 2 }]],
  ["what is no JSON", [record('{"a":')], ['{"a":']],
  ["bytes", [record("AP8=", "base64")], ["AP8="]],
  ["several", [record("1"), record('"x"')], [1, "x"]],
])("peeked records are JSON with comments: %s", (_, records, values) => {
  const errors: ParseError[] = [];
  expect(parse(peekText("flights", records), errors)).toEqual(values);
  expect(errors).toEqual([]);
});

test("rejected records come with their reasons", () => {
  const text = rejectedText("flights", [
    { sequence: "7", arrival: 0, reason: "time", detail: "There is no scheduled.", data: "{}", encoding: "utf8" },
  ]);
  expect(text).toContain("// time: There is no scheduled.");
  expect(parse(text)).toEqual([{}]);
});
