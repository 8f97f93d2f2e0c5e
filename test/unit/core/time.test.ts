import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DAY,
  formatDay,
  formatDuration,
  formatInstant,
  HOUR,
  MINUTE,
  parseDuration,
  parseInstant,
  SECOND,
  WEEK,
} from "../../../src/core/time.ts";

describe("durations", () => {
  test.each([
    ["90s", 90 * SECOND],
    ["10m", 10 * MINUTE],
    ["1h", HOUR],
    ["2d", 2 * DAY],
    ["8w", 8 * WEEK],
    ["0s", 0],
    ["0.5h", 30 * MINUTE],
    ["4.1h", 14_760_000],
    [" 5 m ", 5 * MINUTE],
  ])("%j is %d ms", (text, millis) => expect(parseDuration(text)).toBe(millis));

  test.each([
    "",
    "5",
    "m",
    "-1h",
    "1h30m",
    "1 hour",
    "1M",
    "1e3s",
    "0.0001s",
    "9999999999999w",
    "Infinityh",
  ])("%j is none", (text) => expect(parseDuration(text)).toBeUndefined());

  test("what is written is read back", () => {
    fc.assert(fc.property(fc.nat(10 * WEEK), (millis) => parseDuration(formatDuration(millis)) === millis));
    expect([HOUR, 90 * SECOND, WEEK, 48 * HOUR, 0].map(formatDuration)).toEqual(["1h", "90s", "1w", "2d", "0s"]);
  });
});

describe("instants", () => {
  const noon = Date.UTC(2001, 2, 5, 12);
  test.each<[unknown, number]>([
    ["2001-03-05T12:00:00Z", noon],
    ["2001-03-05T12:00:00", noon],
    ["2001-03-05 12:00", noon],
    ["2001-03-05t12:00:00z", noon],
    ["2001-03-05T13:00:00+01:00", noon],
    ["2001-03-05T13:00:00+0100", noon],
    ["2001-03-05T13:00:00 +01", noon],
    ["2001-03-05T06:30:00-05:30", noon],
    ["2001-03-05T12:00:00.5Z", noon + 500],
    ["2001-03-05T12:00:00,250Z", noon + 250],
    ["2001-03-05T12:00:00.123456789Z", noon + 123],
    ["2001-03-05", Date.UTC(2001, 2, 5)],
    ["2000-02-29", Date.UTC(2000, 1, 29)],
    [noon, noon],
    [noon / 1_000, noon],
    [983_793_600.123, 983_793_600_123],
    [0, 0],
    [String(noon), noon],
    [String(noon / 1_000), noon],
    [99_999_999_999, 99_999_999_999_000],
    [100_000_000_000, 100_000_000_000],
  ])("%j is read", (value, instant) => expect(parseInstant(value)).toBe(instant));

  test.each<[unknown]>([
    ["2001-02-30"],
    ["2001-02-29T00:00:00Z"],
    ["2001-04-31"],
    ["2001-13-01"],
    ["2001-00-10"],
    ["2001-01-00"],
    ["2001-03-05T24:00:00Z"],
    ["2001-03-05T12:60:00Z"],
    ["2001-03-05T12:00:60Z"],
    ["2001-03-05T12:00:00+24:00"],
    ["2001-03-05T12:00:00+01:60"],
    ["2001-3-5"],
    ["5 March 2001"],
    ["2001-03-05T"],
    ["20010305"],
    ["12345"],
    [""],
    ["now"],
    [-1],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [1e300],
    [null],
    [undefined],
    [true],
    [{}],
    [[]],
    [new Date(0)],
  ])("%j is none", (value) => expect(parseInstant(value)).toBeNaN());

  test("the first century is not the twentieth", () => {
    expect(parseInstant("0099-01-01T00:00:00Z")).toBe(Date.parse("0099-01-01T00:00:00Z"));
  });

  test("every fraction of a second is exact, in text and in epoch seconds", () => {
    for (let ms = 0; ms < 1_000; ms++) {
      const digits = String(ms).padStart(3, "0");
      expect(parseInstant(`2001-03-05T12:00:00.${digits}Z`)).toBe(noon + ms);
      expect(parseInstant(Number(`983793600.${digits}`))).toBe(983_793_600_000 + ms);
    }
  });

  test("the commonest form is read as its other spellings are, or refused as they are", () => {
    const digit = fc.constantFrom(..."0123456789/:-T ");
    const text = fc.array(fc.tuple(fc.nat(18), digit), { maxLength: 4 }).chain((changes) =>
      fc.date({ min: new Date(-6e13), max: new Date("9999-12-31"), noInvalidDate: true }).map((date) => {
        const characters = [...date.toISOString().slice(0, 19)];
        for (const [at, character] of changes) characters[at] = character;
        return characters.join("");
      }),
    );
    fc.assert(
      fc.property(text, (local) => {
        expect(parseInstant(`${local}Z`)).toBe(parseInstant(`${local}+00:00`));
      }),
      { numRuns: 2_000 },
    );
  });

  test("agrees with Date.parse on every date it takes", () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true }), (date) => {
        expect(parseInstant(date.toISOString())).toBe(date.getTime());
        expect(parseInstant(formatInstant(date.getTime()))).toBe(date.getTime());
        expect(formatDay(date.getTime())).toBe(date.toISOString().slice(0, 10));
      }),
    );
  });
});
