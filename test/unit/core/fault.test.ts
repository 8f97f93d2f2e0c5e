import { describe, expect, test } from "vitest";
import { describeFault, Fault } from "../../../src/core/fault.ts";

const AT = { offset: 10, length: 3, line: 2, column: 5 };

test("a fault crosses a transport as JSON and comes back the same", () => {
  const fault = new Fault("spec.invalid", "There is no field.", { next: "Add it.", cause: new Error("why"), at: AT });
  const back = Fault.from(JSON.parse(JSON.stringify(fault.toData())));
  expect(back).toBeInstanceOf(Fault);
  expect(back.toData()).toEqual({
    code: "spec.invalid",
    message: "There is no field.",
    next: "Add it.",
    cause: "why",
    at: AT,
  });
  expect(Fault.from(fault)).toBe(fault);
});

describe("anything thrown becomes a fault with words", () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;
  test.each<[string, unknown, string]>([
    ["an error", new TypeError("no good"), "no good"],
    ["an error without a message", new RangeError(), "RangeError"],
    ["text", "no good", "no good"],
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["a BigInt", 5n, "[object BigInt]"],
    ["a circle", circular, "[object Object]"],
    ["an object", { a: 1 }, '{"a":1}'],
  ])("%s", (_, thrown, message) => expect(Fault.from(thrown)).toMatchObject({ code: "unexpected", message }));

  test("a system error's code is not a fault's", () => {
    const error = Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT" });
    const fault = Fault.from(error);
    expect(fault).toMatchObject({ code: "unexpected", message: "ENOENT: no such file" });
    expect(fault.cause).toBe(error);
  });
});

test("a fault reads well on one line", () => {
  const fault = new Fault("spec.invalid", "No.", { next: "Do.", cause: "why", at: { ...AT, file: "a.json" } });
  expect(describeFault(fault)).toBe("a.json:2:5: No. (why) Do. [spec.invalid]");
  expect(describeFault(new Fault("cancelled", "No.", { at: AT }))).toBe("line 2:5: No. [cancelled]");
  expect(describeFault(new Fault("cancelled", "No.", { cause: "No." }))).toBe("No. [cancelled]");
});
