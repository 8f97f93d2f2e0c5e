import { expect, test } from "vitest";
import { parseAnnouncement, readLogLine } from "../../../src/local/process.ts";
import { parseEngineRecord } from "../../../src/local/record.ts";

test.each<[string, ReturnType<typeof parseAnnouncement>]>([
  ['{"ready":true,"socket":"/tmp/s.sock","endpoint":"http://127.0.0.1:1"}', { kind: "ready", socket: "/tmp/s.sock" }],
  [
    '{"fault":{"code":"engine.locked","message":"Locked."}}',
    { kind: "fault", fault: { code: "engine.locked", message: "Locked." } },
  ],
  ["Debugger attached.", undefined],
  ['{"ready":true', undefined],
  ['{"ready":true}', undefined],
  ["{}", undefined],
])("a line of the engine: %s", (line, said) => {
  expect(parseAnnouncement(line)).toEqual(said);
});

test.each([
  ["2026-11-22T21:53:16.000Z error The disk is full.", ["error", "The disk is full."]],
  ["2026-11-22T21:53:16.000Z info a b", ["info", "a b"]],
  ["(node:1) ExperimentalWarning: x", ["warn", "(node:1) ExperimentalWarning: x"]],
])("a line of its log: %s", (line, entry) => {
  expect(readLogLine(line)).toEqual(entry);
});

test.each([
  ['{"pid":1,"version":"0.1.0","socket":"/s","endpointPort":4567}', { pid: 1, version: "0.1.0", socket: "/s" }],
  ['{"pid":1,"version":"0.1.0"}', undefined],
  ['{"pid":1,"ver', undefined],
  ["null", undefined],
])("an engine's note: %s", (text, record) => {
  expect(parseEngineRecord(text)).toEqual(record);
});
