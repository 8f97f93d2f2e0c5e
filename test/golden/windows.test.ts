import { describe, expect, test } from "vitest";
import { Analyzer, type ClosedWindow } from "../../src/core/analyze.ts";
import { type Event, eventReader } from "../../src/core/collect.ts";
import { requireSpec } from "../../src/core/spec.ts";
import { formatInstant } from "../../src/core/time.ts";
import golden from "./windows.golden.json" with { type: "json" };

type Feed = { readonly tick: string } | { readonly t: string; readonly late?: boolean };

describe("the engine's fold closes the golden windows", () => {
  test.each(golden.cases)("$name", ({ series, feed, windows }) => {
    const spec = requireSpec(JSON.stringify({ name: "golden", source: golden.source, series }));
    const read = eventReader(spec.source);
    const analyzer = new Analyzer(spec);
    const closed: ClosedWindow[] = [];
    for (const entry of feed as readonly Feed[]) {
      if ("tick" in entry) analyzer.tick(Date.parse(entry.tick), 0);
      else {
        const event = read(entry as Record<string, unknown>) as Event;
        const verdict = analyzer.add(event, event.time);
        expect(verdict, entry.t).toBe(entry.late ? "late" : "counted");
      }
      closed.push(...analyzer.close());
    }
    const digits = (x: number) => (Number.isNaN(x) ? null : Number(x.toPrecision(9)));
    const found = closed.map((w) => ({
      start: formatInstant(w.start),
      groups: Object.fromEntries(
        w.groups.map((g) => [
          g.key,
          Object.fromEntries(spec.series.measures.map((m, i) => [m.name, digits(g.values[i]!)])),
        ]),
      ),
    }));
    const expected = windows.map((w) => ({
      ...w,
      groups: Object.fromEntries(
        Object.entries(w.groups as Record<string, Record<string, number | null>>).map(([key, values]) => [
          key,
          Object.fromEntries(Object.entries(values).map(([name, x]) => [name, x === null ? null : digits(x)])),
        ]),
      ),
    }));
    expect(found).toEqual(expected);
  });
});
