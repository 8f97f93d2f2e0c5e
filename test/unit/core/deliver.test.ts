import { describe, expect, test, vi } from "vitest";
import { countRejected } from "../../../src/core/collect.ts";
import { deliverer, type Enrich, partition } from "../../../src/core/deliver.ts";
import { specWith } from "./sample.ts";

const T = "2001-03-05T12:00:00Z";
const time = Date.parse(T);
const spec = specWith({ source: { fields: { t: "timestamp", x: "double" } } });
const record = (object: unknown) => new TextEncoder().encode(JSON.stringify(object));
const run = (enrich: unknown, data: Uint8Array = record({ t: T, x: 1 })) => deliverer(spec, enrich as Enrich)(data);

test("without enrich, events pass as they are", () => {
  expect(deliverer(spec)(record({ t: T, x: 1 }))).toEqual({
    events: [{ time, values: [time, 1] }],
    rejections: [],
    dropped: 0,
  });
});

const LISTED = "enrich returned a list with a promise in it; it must be a plain function, without async";

describe("enrich", () => {
  test.each<[string, Enrich, number[]]>([
    ["may change the event", (e) => ({ ...e, x: (e.x as number) + 1 }), [2]],
    ["may change it in place", (e) => Object.assign(e, { x: 5 }), [5]],
    [
      "may make several of it",
      (e) => [
        { ...e, x: 1 },
        { ...e, x: 2 },
      ],
      [1, 2],
    ],
    ["may give the same twice", (e) => [e, e], [1, 1]],
    ["may give the object without a prototype", (e) => Object.assign(Object.create(null), e), [1]],
  ])("%s", (_, enrich, xs) => {
    const { events, rejections, dropped } = run(enrich);
    expect(events.map((e) => e.values[1])).toEqual(xs);
    expect([rejections, dropped]).toEqual([[], 0]);
  });

  test.each<[string, unknown]>([
    ["null", null],
    ["an empty list", []],
  ])("drops an event by %s", (_, result) =>
    expect(run(() => result)).toEqual({ events: [], rejections: [], dropped: 1 }));

  test.each<[string, unknown, string]>([
    ["undefined", undefined, "enrich returned nothing; to drop an event, it returns null"],
    ["a number", 5, "enrich must return an object, a list of objects, or null"],
    ["text", "x", "enrich must return an object, a list of objects, or null"],
    ["a list within a list", [[{ t: T }]], "enrich must return an object, a list of objects, or null"],
    ["null in a list", [{ t: T }, null], "enrich must return an object, a list of objects, or null"],
    ["a list with a hole", new Array(1), "enrich must return an object, a list of objects, or null"],
    ["a promise", Promise.resolve({ t: T }), "enrich returned a promise; it must be a plain function, without async"],
    ["a thenable", { then: () => undefined }, "enrich returned a promise; it must be a plain function, without async"],
    ["a list with a promise", [{ t: T }, 5, Promise.resolve({ t: T })], LISTED],
    ["a list of thenables", [{ then: () => undefined }], LISTED],
  ])("may not return %s", (_, result, detail) => {
    const data = record({ t: T, x: 1 });
    expect(run(() => result, data)).toEqual({
      events: [],
      rejections: [{ reason: "enrich-invalid", detail, data }],
      dropped: 0,
    });
  });

  test.each<[string, () => unknown, string]>([
    [
      "an error",
      () => {
        throw new TypeError("no x");
      },
      "TypeError: no x",
    ],
    [
      "text",
      () => {
        throw "no x";
      },
      "threw no x",
    ],
    [
      "null",
      () => {
        throw null;
      },
      "threw null",
    ],
    [
      "a symbol",
      () => {
        throw Symbol("s");
      },
      "threw Symbol(s)",
    ],
    [
      "what has no text",
      () => {
        throw Object.create(null);
      },
      "threw something that has no text",
    ],
    [
      "a getter that throws later",
      () => ({
        t: T,
        get x() {
          throw new Error("trap");
        },
      }),
      "Error: trap",
    ],
  ])("may throw %s: the event is rejected with its bytes", (_, enrich, detail) => {
    const data = record({ t: T, x: 1 });
    expect(run(enrich, data)).toEqual({
      events: [],
      rejections: [{ reason: "enrich-failed", detail, data }],
      dropped: 0,
    });
  });

  const later = async () => {
    throw new Error("later");
  };
  test.each<[string, () => unknown]>([
    ["a promise", later],
    ["promises in a list", () => [later(), 5, later()]],
  ])("%s that fail later disturb nobody", async (_, enrich) => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      run(enrich);
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });

  test("a thenable's own code is not run: it may hang", async () => {
    const then = vi.fn();
    run(() => ({ then }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(then).not.toHaveBeenCalled();
  });

  test("sees each line of a batch by itself; one failure leaves the rest", () => {
    const lines = [
      { t: T, x: 1 },
      { t: T, x: 2 },
      { t: T, x: 3 },
    ].map((o) => JSON.stringify(o));
    const data = new TextEncoder().encode(lines.join("\n"));
    const enrich: Enrich = (e) => {
      const x = e.x;
      e.x = 99;
      if (x === 2) throw new Error("not two");
      return { ...e, x: x as number };
    };
    const { events, rejections } = run(enrich, data);
    expect(events.map((e) => e.values[1])).toEqual([1, 3]);
    expect(rejections.map((r) => new TextDecoder().decode(r.data))).toEqual([lines[1]]);
  });

  test("what it makes is checked against the fields; the original bytes are kept", () => {
    const data = record({ t: T, x: 1 });
    const { events, rejections } = run(() => [{ t: T, x: 7 }, { t: T, x: "seven" }, { x: 7 }], data);
    expect(events.map((e) => e.values[1])).toEqual([7]);
    expect(rejections).toEqual([
      { reason: "wrong-type", detail: '"x" should be a number, not "seven"', data },
      { reason: "time-missing", detail: 'the event has no "t"', data },
    ]);
  });

  test("of many that it makes and that do not fit, the bytes are kept once a reason, with how many they are", () => {
    const data = record({ t: T, x: 1 });
    const made = (i: number) => (i % 5 === 0 ? { x: i } : { t: T, x: i % 5 === 1 ? i : `no ${i}` });
    const { events, rejections } = run(() => Array.from({ length: 5_000 }, (_, i) => made(i)), data);
    expect(events).toHaveLength(1_000);
    expect(rejections).toEqual([
      {
        reason: "time-missing",
        detail: 'the event has no "t" (1,000 events that enrich made of this one)',
        data,
        count: 1_000,
      },
      {
        reason: "wrong-type",
        detail: `${[2, 3, 4].map((i) => `"x" should be a number, not "no ${i}"`).join("; ")} (3,000 events that enrich made of this one)`,
        data,
        count: 3_000,
      },
    ]);
    expect(countRejected(rejections)).toBe(4_000);
  });

  test("a value that JSON cannot show is still a rejection", () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(run(() => ({ t: T, x: circle })).rejections).toMatchObject([
      { reason: "wrong-type", detail: '"x" should be a number, not [object Object]' },
    ]);
    expect(run(() => ({ t: T, x: 1n })).rejections).toMatchObject([{ detail: '"x" should be a number, not 1n' }]);
  });

  test("is not asked about what is no event", () => {
    const enrich = vi.fn((e: Record<string, unknown>) => e);
    run(enrich, new TextEncoder().encode("[1]"));
    expect(enrich).not.toHaveBeenCalled();
  });
});

test("an event's partition is the UTC day of its time", () => {
  expect(partition(Date.parse("2001-03-05T23:59:59.999Z"))).toBe("2001-03-05");
  expect(partition(Date.parse("2001-03-05T23:59:59-05:00"))).toBe("2001-03-06");
});
