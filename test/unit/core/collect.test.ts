import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventReader, MAX_EVENT_BYTES, parseRecord, type Rejection } from "../../../src/core/collect.ts";
import { specWith } from "./sample.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
const BAD_UTF8 = Uint8Array.of(0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d); // {"a":"<ff>"}

function parse(data: Uint8Array): { objects: unknown[]; rejections: Rejection[] } {
  const rejections: Rejection[] = [];
  const objects = parseRecord(data, (r) => rejections.push(r)).map((p) => p.object);
  return { objects, rejections };
}

describe("a record's objects", () => {
  test.each<[string, string, unknown[]]>([
    ["one object", '{"a":1}', [{ a: 1 }]],
    ["one object over several lines", '{\n  "a": 1\n}\n', [{ a: 1 }]],
    ["an object a line", '{"a":1}\n{"a":2}', [{ a: 1 }, { a: 2 }]],
    ["CRLF and a last line feed", '{"a":1}\r\n{"a":2}\r\n', [{ a: 1 }, { a: 2 }]],
    ["empty lines between", '\n{"a":1}\n\n \t\r\n{"a":2}\n\n', [{ a: 1 }, { a: 2 }]],
    ["a byte order mark", '\uFEFF{"a":1}', [{ a: 1 }]],
    ["a byte order mark before lines", '\uFEFF{"a":1}\n{"a":2}', [{ a: 1 }, { a: 2 }]],
    ["a line separator inside a text", '{"a":"x\u2028y"}', [{ a: "x\u2028y" }]],
    ["the last of double keys", '{"a":1,"a":2}', [{ a: 2 }]],
  ])("%s", (_, text, objects) => expect(parse(encode(text))).toEqual({ objects, rejections: [] }));
});

describe("what is no object is rejected with its bytes", () => {
  test.each<[string, string, string, string | RegExp]>([
    ["an empty record", "", "malformed-json", "the record is empty"],
    ["white space", " \r\n\t\n", "malformed-json", "the record is empty"],
    ["broken JSON", '{"a":', "malformed-json", /JSON/],
    ["a broken object over several lines is one rejection", '{\n  "a": 1,\n  "b":\n}', "malformed-json", /JSON/],
    ["text", "hello", "malformed-json", /JSON/],
    ["an array", "[1,2]", "not-an-object", "an event is a JSON object, not [1,2]"],
    ["a number", "5", "not-an-object", "an event is a JSON object, not 5"],
    ["null", "null", "not-an-object", "an event is a JSON object, not null"],
    ["a string", '"x"', "not-an-object", 'an event is a JSON object, not "x"'],
    ["true", "true", "not-an-object", "an event is a JSON object, not true"],
  ])("%s", (_, text, reason, detail) => {
    const data = encode(text);
    const { objects, rejections } = parse(data);
    expect(objects).toEqual([]);
    expect(rejections).toHaveLength(1);
    expect(rejections[0]).toMatchObject({ reason, data });
    expect(rejections[0]!.detail).toMatch(detail);
  });

  test("bytes that are not UTF-8", () => {
    expect(parse(BAD_UTF8)).toEqual({
      objects: [],
      rejections: [{ reason: "not-utf8", detail: "the bytes are not UTF-8 text", data: BAD_UTF8 }],
    });
  });

  test("a record that is too large for delivery, and not one that just fits", () => {
    const filled = (size: number) => encode(`{"a":"${"x".repeat(size - 8)}"}`);
    expect(parse(filled(MAX_EVENT_BYTES)).objects).toHaveLength(1);
    const { objects, rejections } = parse(filled(1_048_576));
    expect(objects).toEqual([]);
    expect(rejections).toMatchObject([
      { reason: "too-large", detail: "the record has 1,048,576 bytes; delivery takes 1,024,000 at most" },
    ]);
    expect(rejections[0]!.data).toHaveLength(1_048_576);
  });

  test("a bad line does not take the good ones with it, whatever is bad about it", () => {
    const bad: [Uint8Array, string][] = [
      [BAD_UTF8, "not-utf8"],
      [encode("{broken"), "malformed-json"],
      [encode("[1]"), "not-an-object"],
      [encode("7"), "not-an-object"],
    ];
    for (const [line, reason] of bad) {
      const data = Uint8Array.of(...encode('{"a":1}\r\n'), ...line, ...encode('\n{"a":2}\n'));
      const { objects, rejections } = parse(data);
      expect(objects).toEqual([{ a: 1 }, { a: 2 }]);
      expect(rejections).toMatchObject([{ reason, data: line }]);
    }
  });
});

test("every line of any batch is either an event or a rejection with exactly its bytes", () => {
  const good = fc.json().map((j) => `{"v":${j.replaceAll("\n", " ")}}`);
  const line = fc.oneof(
    good.map(encode),
    fc.string().map((s) => encode(s.replaceAll("\n", ""))),
    fc.uint8Array({ maxLength: 20 }).map((b) => b.filter((x) => x !== 10)),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      // A first good line makes it a batch; the second keeps the record from being one good object.
      const all = [encode('{"first":1}'), encode('{"second":2}'), ...lines];
      const data = Uint8Array.from(all.flatMap((l, i) => [...(i > 0 ? [10] : []), ...l]));
      const taken: string[] = [];
      const rejected: string[] = [];
      for (const p of parseRecord(data, (r) => rejected.push(decode(r.data)))) taken.push(decode(p.data));
      const blank = (l: Uint8Array) => l.every((b) => b === 32 || b === 9 || b === 13);
      expect([...taken, ...rejected].sort()).toEqual(
        all
          .filter((l) => !blank(l))
          .map(decode)
          .sort(),
      );
    }),
  );
});

describe("fields", () => {
  const read = eventReader(specWith().source);
  const T = "2001-03-05T12:00:00Z";
  const time = Date.parse(T);

  test("an event holds its values in the order of the fields, null where it has none, and nothing else", () => {
    expect(read({ ok: true, n: 3, t: T, g: "a", x: 1.5, u: 0, extra: 1, h: null })).toEqual({
      time,
      values: [time, "a", null, 1.5, 3, true, 0],
    });
    expect(read({ t: T })).toEqual({ time, values: [time, null, null, null, null, null, null] });
  });

  test.each<[unknown, string, string]>([
    [{}, "time-missing", 'the event has no "t"'],
    [{ t: null }, "time-missing", 'the event has no "t"'],
    [{ t: "2001-02-30" }, "time-unparsable", '"t" is "2001-02-30"'],
    [{ t: "soon" }, "time-unparsable", '"t" is "soon"'],
    [{ t: true }, "time-unparsable", '"t" is true'],
    [{ t: {} }, "time-unparsable", '"t" is {}'],
    [{ t: T, x: "1" }, "wrong-type", '"x" should be a number, not "1"'],
    [{ t: T, x: true }, "wrong-type", '"x" should be a number, not true'],
    [JSON.parse(`{"t":"${T}","x":1e999}`), "wrong-type", '"x" should be a number, not Infinity'],
    [{ t: T, n: 1.5 }, "wrong-type", '"n" should be a whole number, not 1.5'],
    [
      JSON.parse(`{"t":"${T}","n":9007199254740993}`),
      "wrong-type",
      '"n" should be a whole number, not 9007199254740992',
    ],
    [{ t: T, n: 5n }, "wrong-type", '"n" should be a whole number, not 5n'],
    [{ t: T, g: 5 }, "wrong-type", '"g" should be text, not 5'],
    [{ t: T, g: ["a"] }, "wrong-type", '"g" should be text, not ["a"]'],
    [{ t: T, ok: 1 }, "wrong-type", '"ok" should be true or false, not 1'],
    [{ t: T, ok: "true" }, "wrong-type", '"ok" should be true or false, not "true"'],
    [
      { t: T, u: "yesterday" },
      "wrong-type",
      '"u" should be an ISO 8601 time or epoch seconds or milliseconds, from year 1 to 9999, not "yesterday"',
    ],
    // Microseconds by mistake: in milliseconds it is the year 33658, which no table can hold.
    [
      { t: T, u: 1e15 },
      "wrong-type",
      '"u" should be an ISO 8601 time or epoch seconds or milliseconds, from year 1 to 9999, not 1000000000000000',
    ],
    [{ t: 1e15 }, "time-unparsable", '"t" is 1000000000000000'],
    [{ t: "0000-12-31" }, "time-unparsable", '"t" is "0000-12-31"'],
    [{ t: "9999-12-31T23:30:00-01:00" }, "time-unparsable", '"t" is "9999-12-31T23:30:00-01:00"'],
    [{ t: "0001-01-01T00:30:00+01:00" }, "time-unparsable", '"t" is "0001-01-01T00:30:00+01:00"'],
    [{ t: T, g: () => 1 }, "wrong-type", '"g" should be text, not () => 1'],
  ])("case %#", (object, reason, detail) =>
    expect(read(object as Record<string, unknown>)).toEqual({ reason, detail }));

  test("a long value is cut in the detail", () => {
    const event = read({ t: T, x: "y".repeat(500) });
    expect(event).toMatchObject({ reason: "wrong-type" });
    expect((event as Rejection).detail.length).toBeLessThan(130);
  });

  test.each(["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])("%s is an instant still", (t) => {
    expect(read({ t, u: t })).toEqual({
      time: Date.parse(t),
      values: [Date.parse(t), null, null, null, null, null, Date.parse(t)],
    });
  });

  test("whole numbers up to 2^53 are exact, doubles beyond it welcome", () => {
    expect(read({ t: T, n: Number.MAX_SAFE_INTEGER, x: 1e300 })).toMatchObject({
      values: [time, null, null, 1e300, Number.MAX_SAFE_INTEGER, null, null],
    });
  });

  test.each([
    ["ISO 8601 with an offset", "2001-03-05T07:00:00-05:00"],
    ["epoch seconds", time / 1_000],
    ["epoch milliseconds", time],
    ["digits", String(time)],
  ])("the time may be %s", (_, t) => expect(read({ t })).toMatchObject({ time }));
});
