import type { Overload } from "../functions/index.ts";

/** The entry of a function in Trino's documentation. */
export function documentationUrl(overload: Overload | undefined): string {
  const base = "https://trino.io/docs/current/functions";
  return overload === undefined ? `${base}.html` : `${base}/${overload.page}.html#${overload.name}`;
}
