import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cbor, codecFor, json } from "../../../src/engine/endpoint/codec.ts";

const serialization = expect.objectContaining({ type: "SerializationException", status: 400 });

describe("JSON", () => {
  it("carries any bytes as base64", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(Uint8Array.from(json.readBlob(json.blob(bytes)))).toEqual(Uint8Array.from(bytes));
      }),
    );
  });

  it.each([
    "a",
    "ab",
    "abc",
    "ab-_",
    "a b=",
    "====",
    "a===",
    "ab=c",
    "äöüß",
    "ab\n=",
    1,
    true,
    [],
    {},
  ])("refuses %j as a blob", (value) => {
    expect(() => json.readBlob(value)).toThrow(serialization);
  });

  it("has times in seconds", () => {
    expect(json.time(1_700_000_000_123)).toBe(1_700_000_000.123);
    expect(json.readTime(1_700_000_000.123)).toBe(1_700_000_000_123);
    expect(() => json.readTime("2020-01-01")).toThrow(serialization);
  });
});

describe("CBOR", () => {
  it("carries any bytes as a byte string", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const decoded = cbor.decode(cbor.encode({ Data: cbor.blob(bytes) })) as { Data: unknown };
        expect(Uint8Array.from(cbor.readBlob(decoded.Data))).toEqual(Uint8Array.from(bytes));
      }),
    );
  });

  it("writes times tagged 1, as whole milliseconds", () => {
    // c1: tag 1; 1b: an unsigned integer of eight bytes.
    expect(cbor.encode(cbor.time(1_700_000_000_123)).toString("hex")).toBe("c11b0000018bcfe5687b");
  });

  it.each([
    ["milliseconds, tagged, as the Java SDKs write them", "a16154c11b0000018bcfe5687b", 1_700_000_000_123],
    ["seconds, tagged, as the standard has them", "a16154c11a6553f100", 1_700_000_000_000],
    ["fractions of a second, tagged", "a16154c1fb41d954fc4007df3b", 1_700_000_000.123 * 1000],
    ["an indefinite map, as Jackson writes it", "bf6154c11b0000018bcfe5687bff", 1_700_000_000_123],
  ])("reads times as %s", (_, hex, expected) => {
    const decoded = cbor.decode(Buffer.from(hex, "hex")) as { T: unknown };
    expect(Math.abs(cbor.readTime(decoded.T) - expected)).toBeLessThan(1);
  });

  it.each([
    ["nothing", ""],
    ["a map cut short", "a2615401"],
    ["an array that claims four thousand million items", "9affffffff"],
    ["a map that claims as many", "baffffffff"],
    ["a text that is longer than the body", "7affffffff61"],
    ["a reserved byte", "fc"],
    ["arrays nested a hundred thousand deep", "81".repeat(100_000)],
  ])("refuses %s", (_, hex) => {
    expect(() => cbor.decode(Buffer.from(hex, "hex"))).toThrow(serialization);
  });
});

describe("the codec", () => {
  it.each([
    ["application/x-amz-json-1.1", json],
    ["application/x-amz-json-1.1; charset=utf-8", json],
    ["application/json", json],
    ["Application/X-Amz-CBOR-1.1", cbor],
    ["text/plain", undefined],
    [undefined, undefined],
  ])("for %s is found", (type, codec) => {
    expect(codecFor(type)).toBe(codec);
  });
});
