import fc from "fast-check";
import { expect, test } from "vitest";
import type { Event, Value } from "../../../src/core/collect.ts";
import { buffersOf, ColumnsBuilder, type EventColumns, eventAt } from "../../../src/engine/columns.ts";
import { specWith } from "../core/sample.ts";

/** Fields t, g, h, x, n, ok, u: times, text, numbers, truth. */
const spec = specWith({});
const orNull = <T extends Value>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values, { nil: null });
const time = fc.integer({ min: 0, max: 4e12 });
const row: fc.Arbitrary<Event> = fc
  .tuple(
    time,
    orNull(fc.string()),
    orNull(fc.constantFrom("", "a", "\u0000", "å")),
    orNull(fc.double({ noNaN: true, noDefaultInfinity: true })),
    orNull(fc.maxSafeInteger()),
    orNull(fc.boolean()),
    orNull(time),
  )
  .map((values) => ({ time: values[0], values }));
const rows = fc.array(fc.tuple(fc.nat(1_000), row), { maxLength: 60 });

function columnsOf(events: readonly (readonly [number, Event])[], expected: number): EventColumns {
  const builder = new ColumnsBuilder(spec, expected);
  for (const [record, event] of events) builder.add(record, event);
  return builder.done();
}

function rowsOf(columns: EventColumns): [number, Event][] {
  return Array.from({ length: columns.count }, (_, i) => [columns.record[i]!, eventAt(columns, i)]);
}

test("columns give back the events that went in, across threads and whatever room was expected", () => {
  fc.assert(
    fc.property(rows, fc.nat(80), (events, expected) => {
      const columns = columnsOf(events, expected);
      expect(rowsOf(structuredClone(columns, { transfer: buffersOf(columns) }))).toStrictEqual(events);
    }),
  );
});

test("parts of a batch are joined with their records counted on", () => {
  fc.assert(
    fc.property(rows, rows, fc.nat(500), (a, b, first) => {
      const builder = new ColumnsBuilder(spec, 0);
      builder.addAll(columnsOf(a, a.length), 0);
      builder.addAll(columnsOf(b, b.length), first);
      const moved = b.map(([record, event]) => [record + first, event]);
      expect(rowsOf(builder.done())).toStrictEqual([...a, ...moved]);
    }),
  );
});
