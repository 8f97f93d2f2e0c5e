/**
 * Series, groups, windows and the grid they lie on.
 * A group is one combination of the `by` values; a series is one measure of one group; a window is one interval of it.
 */

/** One combination of the `by` values, in the order of the pipeline file's `by`. Empty when there is no `by`. */
export type Group = readonly string[];

/** An interval of event time [start, end), epoch ms. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** A series by its parts. */
export interface SeriesKey {
  readonly measure: string;
  /** Field to value, in the order of `by`. */
  readonly by: Readonly<Record<string, string>>;
}

/** The start of the window that `time` falls into; windows are aligned to the epoch, so to UTC midnight. */
export function windowStart(time: number, every: number): number {
  return Math.floor(time / every) * every;
}

/** A group as one string, to key maps with: unique, because the parts are escaped. */
export function groupKey(group: Group): string {
  return group.length === 1 ? group[0]! : group.map((part) => part.replace(/[\\|]/g, "\\$&")).join("|");
}

/** The group that `groupKey` made; `size` is the number of `by` fields. */
export function parseGroupKey(key: string, size: number): Group {
  if (size === 0) return [];
  if (size === 1) return [key];
  const parts: string[] = [""];
  for (let i = 0; i < key.length; i++) {
    const c = key[i]!;
    if (c === "\\") parts[parts.length - 1] += key[++i] ?? "";
    else if (c === "|") parts.push("");
    else parts[parts.length - 1] += c;
  }
  return parts;
}

/** The id of a series, readable and unique: `departures{origin=BOS}`, or `departures` when there is no `by`. */
export function seriesId(measure: string, fields: readonly string[], group: Group): string {
  if (fields.length === 0) return measure;
  const parts = fields.map((field, i) => `${field}=${(group[i] ?? "").replace(/[\\,{}=]/g, "\\$&")}`);
  return `${measure}{${parts.join(",")}}`;
}

/** The parts of a series id; undefined when the text is none. */
export function parseSeriesId(id: string): SeriesKey | undefined {
  const open = id.indexOf("{");
  if (open < 0) return id.length > 0 ? { measure: id, by: {} } : undefined;
  if (!id.endsWith("}") || open === 0) return undefined;
  const by: Record<string, string> = {};
  let field: string | undefined;
  let text = "";
  const inner = id.slice(open + 1, -1);
  for (let i = 0; i <= inner.length; i++) {
    const c = inner[i];
    if (c === "\\") {
      const escaped = inner[++i];
      if (escaped === undefined) return undefined;
      text += escaped;
    } else if (c === "=" && field === undefined) {
      field = text;
      text = "";
    } else if (c === "," || c === undefined) {
      if (field === undefined) return undefined;
      by[field] = text;
      field = undefined;
      text = "";
    } else text += c;
  }
  return { measure: id.slice(0, open), by };
}

/** A series as people read it in a list: `departures BOS`. */
export function seriesLabel(key: SeriesKey): string {
  return [key.measure, ...Object.values(key.by)].join(" ");
}

/** The same of a series id; an id that is none is its own label. */
export function labelOf(id: string): string {
  const key = parseSeriesId(id);
  return key ? seriesLabel(key) : id;
}

/**
 * The most series of a pipeline: each is folded, stored and forecast in every window, also when it is empty, and a field that
 * names every customer would make more without end. Of discovered groups the first that appear are watched; events of
 * others lie in the lake alone, and the pipeline says so.
 */
export const MOST_SERIES = 10_000;

/** The groups that make the most series. */
export function mostGroups(measures: number): number {
  return Math.floor(MOST_SERIES / measures);
}

/** Every group that the listed values make, in the order of the lists. */
export function* combinations(lists: readonly (readonly string[])[], head: Group = []): Generator<Group> {
  if (head.length === lists.length) yield head;
  else for (const value of lists[head.length]!) yield* combinations(lists, [...head, value]);
}

/** A measure's name as people read it: `mean_delay` is `Mean delay`. */
export function humanise(name: string): string {
  const words = name.replaceAll(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
