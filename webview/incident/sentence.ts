/** An incident in words: one sentence of what broke, where, how far, since when; and its timeline's. */
import { labelOf, parseSeriesId } from "../../src/core/series.ts";
import type { Incident } from "../../src/rpc/page.ts";
import { formatTime, humanise, list, type Zone } from "../parts/format.ts";
import { fullLabel } from "../parts/series.ts";

type Told = Pick<Incident, "contributors" | "from" | "status" | "resolvedAt" | "title">;

/**
 * Such as `Departures at BOS, EWR and JFK are 93% below forecast since 5 Mar 06:00`. How far is taken over the
 * contributors' worst windows together; where nothing was expected, or they differ in sign, only that they are off it.
 * An incident without contributors (declared by hand for no series) is told by its title.
 */
export function incidentSentence(incident: Told, zone: Zone): string {
  const { contributors } = incident;
  const since = formatTime(incident.from, zone);
  const over = incident.status === "resolved";
  const until = incident.resolvedAt === null ? "" : ` until ${formatTime(incident.resolvedAt, zone)}`;
  const when = over ? `from ${since}${until}` : `since ${since}`;
  if (contributors.length === 0) return `${incident.title}, ${when}`;

  const keys = contributors.map((each) => parseSeriesId(each.series) ?? { measure: each.series, by: {} });
  const measures = [...new Set(keys.map((key) => key.measure))];
  const places = [...new Set(keys.map((key) => Object.values(key.by).join(" · ")).filter((place) => place !== ""))];
  const what = list(measures.map((measure, i) => (i === 0 ? humanise(measure) : humanise(measure).toLowerCase())));
  const where = places.length > 0 ? ` at ${list(places)}` : "";
  const plural = measures.length > 1 || places.length > 1 || /[^s]s$/.test(measures[0] ?? "");
  const verb = over ? (plural ? "were" : "was") : plural ? "are" : "is";
  return `${what}${where} ${verb} ${howFar(contributors)} forecast ${when}`;
}

function howFar(contributors: Told["contributors"]): string {
  const signs = new Set(contributors.map(({ worst }) => Math.sign(worst.deviation ?? 0)).filter((sign) => sign !== 0));
  if (signs.size !== 1) return "off";
  const side = signs.has(-1) ? "below" : "above";
  const pairs = contributors.flatMap(({ worst }) =>
    worst.actual !== null && worst.expected !== null ? [{ actual: worst.actual, expected: worst.expected }] : [],
  );
  const expected = pairs.reduce((sum, pair) => sum + pair.expected, 0);
  const actual = pairs.reduce((sum, pair) => sum + pair.actual, 0);
  const share = Math.round(((actual - expected) / expected) * 100);
  if (expected <= 0 || !Number.isFinite(share) || share === 0 || share > 0 !== (side === "above")) return `far ${side}`;
  return share >= 300 ? `${(actual / expected).toFixed(1)} times the` : `${Math.abs(share)}% ${side}`;
}

const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z/g;

/**
 * What a timeline's entry says (notes, which are people's own Markdown, apart), as the page writes series and instants:
 * `departures BOS joined, since 2001-03-05T05:00:00Z` is `Departures at BOS joined, since 5 Mar 05:00`.
 */
export function entryText(text: string, contributors: Told["contributors"], zone: Zone): string {
  const names = contributors
    .flatMap(({ series }) => {
      const measure = parseSeriesId(series)?.measure ?? series;
      return [
        { stored: labelOf(series), told: fullLabel(series) },
        { stored: measure, told: humanise(measure) },
      ];
    })
    .toSorted((a, b) => b.stored.length - a.stored.length);
  const first = names.find(({ stored }) => text.startsWith(`${stored} `));
  const named = first ? first.told + text.slice(first.stored.length) : text.charAt(0).toUpperCase() + text.slice(1);
  return named.replaceAll(INSTANT, (instant) => formatTime(Date.parse(instant), zone));
}
