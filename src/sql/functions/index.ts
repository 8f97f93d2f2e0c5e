/** Every function that runs here, by name, with its overloads. */
import { AGGREGATE, WINDOW } from "./aggregate.ts";
import { COLLECTIONS } from "./collections.ts";
import { DATETIME } from "./datetime.ts";
import { MATH } from "./math.ts";
import type { Overload } from "./signature.ts";
import { STRING } from "./string.ts";

export type { Overload } from "./signature.ts";

export const FUNCTIONS: ReadonlyMap<string, readonly Overload[]> = byName([
  ...DATETIME,
  ...STRING,
  ...MATH,
  ...COLLECTIONS,
  ...AGGREGATE,
  ...WINDOW,
]);

/** The names that take FILTER, DISTINCT and ORDER BY. */
export const AGGREGATES: ReadonlySet<string> = new Set(AGGREGATE.map((overload) => overload.name));
/** The names that only stand before OVER. */
export const WINDOWS: ReadonlySet<string> = new Set(WINDOW.map((overload) => overload.name));

function byName(overloads: readonly Overload[]): Map<string, Overload[]> {
  const map = new Map<string, Overload[]>();
  for (const overload of overloads) map.set(overload.name, [...(map.get(overload.name) ?? []), overload]);
  return map;
}
