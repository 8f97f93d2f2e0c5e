import { expect, test } from "vitest";
import * as format from "../../../src/ui/format.ts";

const NOW = Date.UTC(2026, 10, 22, 12);

test.each<[unknown, unknown]>([
  [format.formatCount(1903322), "1,903,322"],
  [format.plural(1, "record"), "1 record"],
  [format.plural(0, "record"), "0 records"],
  [format.plural(2, "series", "series"), "2 series"],
  [format.formatRate(0), "0/s"],
  [format.formatRate(3.42), "3.42/s"],
  [format.formatRate(10_643), "10.6K/s"],
  [format.formatBytes(0), "0 B"],
  [format.formatBytes(999), "999 B"],
  [format.formatBytes(999_600), "1 MB"],
  [format.formatBytes(13_200_000), "13.2 MB"],
  [format.formatAge(NOW - 900, NOW), "now"],
  [format.formatAge(NOW + 5_000, NOW), "now"],
  [format.formatAge(NOW - 59_999, NOW), "59 s ago"],
  [format.formatAge(NOW - 60_000, NOW), "1 min ago"],
  [format.formatAge(NOW - 3 * 86_400_000, NOW), "3 d ago"],
  [format.formatSpan(12), "12 ms"],
  [format.formatSpan(4_200), "4.2 s"],
  [format.formatSpan(90 * 60_000), "1 h 30 min"],
  [format.formatSpan(48 * 3_600_000), "2 d"],
  [format.formatTime(Date.UTC(2001, 2, 5, 6), "utc", NOW), "5 Mar 2001, 06:00"],
  [format.formatTime(Date.UTC(2026, 2, 5, 6), "utc", NOW), "5 Mar, 06:00"],
  [format.formatValue(null), "no value"],
  [format.formatValue(61.23456), "61.23"],
  [format.formatDeviation(-4.24), "−4.2"],
  [format.formatDeviation(1), "+1.0"],
  [format.formatDeviation(0), "0.0"],
  [format.formatDeviation(null), "no deviation"],
  [format.formatShare(0.9751), "97.5%"],
])("%s", (actual, expected) => {
  expect(actual).toBe(expected);
});
