/** The series as the picker shows them: grouped by measure, found by words, in a stable order. */
import { parseSeriesId } from "../../src/core/series.ts";
import type { SeriesInfo } from "../../src/rpc/page.ts";
import { humanise } from "./format.ts";

export interface SeriesGroup {
  readonly measure: string;
  readonly title: string;
  readonly series: readonly SeriesInfo[];
}

/** The series whose measure or values contain every word of `search`, case-insensitive, by measure. */
export function groupSeries(series: readonly SeriesInfo[], search = ""): SeriesGroup[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map<string, SeriesInfo[]>();
  for (const each of series) {
    const text = [each.measure, humanise(each.measure), ...Object.entries(each.by).flat()].join(" ").toLowerCase();
    if (!words.every((word) => text.includes(word))) continue;
    groups.set(each.measure, [...(groups.get(each.measure) ?? []), each]);
  }
  return [...groups].map(([measure, members]) => ({
    measure,
    title: humanise(measure),
    series: members.toSorted((a, b) => shortLabel(a.id).localeCompare(shortLabel(b.id), "en", { numeric: true })),
  }));
}

/** A series within its measure: `BOS`, `BOS · LGA`; the measure's name when there is no `by`. */
export function shortLabel(id: string): string {
  const key = parseSeriesId(id);
  if (!key) return id;
  return Object.values(key.by).join(" · ") || humanise(key.measure);
}

/** A series by itself: `Departures at BOS`. */
export function fullLabel(id: string): string {
  const key = parseSeriesId(id);
  if (!key) return id;
  const where = Object.values(key.by).join(" · ");
  return where ? `${humanise(key.measure)} at ${where}` : humanise(key.measure);
}

/** The series `step` places away in the picker's order; it goes round. */
export function neighbour(groups: readonly SeriesGroup[], id: string | null, step: 1 | -1): string | undefined {
  const ids = groups.flatMap((group) => group.series.map((each) => each.id));
  const at = id === null ? -1 : ids.indexOf(id);
  if (at < 0) return ids[0];
  return ids[(at + step + ids.length) % ids.length];
}
