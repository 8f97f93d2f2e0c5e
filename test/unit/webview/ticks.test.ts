// Where clocks are put forward and back: read by Date when it is first used.
process.env.TZ = "Europe/Berlin";

import { describe, expect, it } from "vitest";
import { roundInstants, roundValues } from "../../../webview/parts/chart/ticks.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MARCH = Date.UTC(2001, 2, 5);

const named = (from: number, span: number, zone: "utc" | "local" = "utc", most = 8) =>
  roundInstants({ from, until: from + span }, zone, most).map(({ label, major }) => (major ? `*${label}` : label));

describe("round values on an axis", () => {
  it.each([
    [-4.2, 55.5, [0, 10, 20, 30, 40, 50]],
    [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [1_234, 1_301, [1_240, 1_260, 1_280, 1_300]],
    [-0.031, 0.012, [-0.03, -0.02, -0.01, 0, 0.01]],
  ])("from %d to %d", (low, high, values) => {
    expect(roundValues(low, high, 6)).toEqual(values);
  });
});

describe("round instants on an axis", () => {
  it.each([
    ["seconds", MARCH + 7_000, 20_000, ["00:00:10", "00:00:15", "00:00:20", "00:00:25"]],
    ["minutes", MARCH - 600_000, 1_800_000, ["23:50", "23:55", "*5 Mar", "00:05", "00:10", "00:15", "00:20"]],
    ["hours", MARCH - 5 * HOUR, DAY, ["21:00", "*5 Mar", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00"]],
    ["half days", MARCH + HOUR, 3 * DAY, ["12:00", "*6 Mar", "12:00", "*7 Mar", "12:00", "*8 Mar"]],
    ["days", MARCH - 6 * DAY, 7 * DAY, ["27 Feb", "28 Feb", "*1 Mar", "2 Mar", "3 Mar", "4 Mar", "5 Mar", "6 Mar"]],
    ["weeks from Monday", MARCH + DAY, 49 * DAY, ["12 Mar", "19 Mar", "26 Mar", "2 Apr", "9 Apr", "16 Apr", "23 Apr"]],
    ["the new year", MARCH - 70 * DAY, 10 * DAY, ["26 Dec", "28 Dec", "30 Dec", "*1 Jan 2001", "3 Jan"]],
    ["months", MARCH, 200 * DAY, ["Apr", "May", "Jun", "Jul", "Aug", "Sept"]],
    ["years", MARCH, 3_000 * DAY, ["2002", "2004", "2006", "2008"]],
  ])("are %s", (_, from, span, names) => {
    expect(named(from, span)).toEqual(names);
  });

  it.each([
    // Clocks went from 02:00 to 03:00, and from 03:00 back to 02:00.
    ["forward", Date.UTC(2001, 2, 24, 23), ["*25 Mar", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]],
    ["back", Date.UTC(2001, 9, 27, 22), ["*28 Oct", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]],
  ])("keep to the clock of the zone when it is put %s", (_, from, names) => {
    expect(named(from, 22 * HOUR, "local")).toEqual(names);
    const hours = roundInstants({ from, until: from + 8 * HOUR }, "local", 8).map(({ at }) => at);
    expect(hours).toEqual([...new Set(hours)].toSorted((a, b) => a - b));
  });

  it("are never more than asked for", () => {
    for (let span = 10_000; span < 40 * 365 * DAY; span *= 1.37) {
      const instants = roundInstants({ from: MARCH, until: MARCH + span }, "utc", 9);
      expect(instants.length).toBeLessThanOrEqual(11);
      expect(instants.length).toBeGreaterThanOrEqual(1);
    }
  });
});
