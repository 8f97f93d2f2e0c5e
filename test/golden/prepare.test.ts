import { describe, expect, test } from "vitest";
import { bucket, prepareSql } from "../../src/core/prepare.ts";
import { requireSpec } from "../../src/core/spec.ts";
import { parseDuration } from "../../src/core/time.ts";
import golden from "./prepare.golden.json" with { type: "json" };

const SPAN = { from: Date.UTC(2001, 2, 4), until: Date.UTC(2001, 2, 6) };

describe("the preparation query is the golden one", () => {
  test.each(golden.queries)("$name", ({ series, sql }) => {
    const spec = requireSpec(JSON.stringify({ name: "golden", source: golden.source, series }));
    expect(prepareSql(spec, SPAN).split("\n")).toEqual(sql);
  });

  test.each(Object.entries(golden.buckets))("a window of %s begins at %s", (every, sql) => {
    expect(bucket("t", parseDuration(every)!)).toBe(sql);
  });
});
