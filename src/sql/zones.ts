/** Timestamps with a zone: DuckDB keeps the instant only, so the zone travels in the type and wall-clock times are made when asked for. */

import { quote } from "./lexer.ts";
import type { Typed } from "./pass.ts";
import { raw, type Sql, sql } from "./text.ts";

const OFFSET = /^([+-])(\d{1,2}):?(\d{2})?$/;

/** The wall-clock time of `value`: itself for types without zone; undefined where the zone is not known here. */
export function wallOf(value: Typed): Sql | undefined {
  if (value.type.kind !== "timestamptz") return value.sql;
  if (value.wall !== undefined) return value.wall;
  return value.type.zone === undefined ? undefined : toWall(value.sql, value.type.zone);
}

/** The wall-clock time in `zone` of an instant. */
export function toWall(instant: Sql, zone: string): Sql {
  const shift = minutesOf(zone);
  if (shift === undefined) return sql`timezone(${quote(zone)}, ${instant})`;
  return shift === 0
    ? sql`timezone('UTC', ${instant})`
    : sql`(timezone('UTC', ${instant}) + to_minutes(${raw(String(shift))}))`;
}

/** The instant of a wall-clock time in `zone`. */
export function toInstant(wall: Sql, zone: string): Sql {
  const shift = minutesOf(zone);
  if (shift === undefined) return sql`timezone(${quote(zone)}, ${wall})`;
  return shift === 0
    ? sql`timezone('UTC', ${wall})`
    : sql`timezone('UTC', ${wall} - to_minutes(${raw(String(shift))}))`;
}

/** Minutes east of UTC of a fixed offset such as `+05:30`, `UTC` or `Z`; undefined for a region. */
export function minutesOf(zone: string): number | undefined {
  if (/^(UTC|GMT|Z|UT)$/i.test(zone)) return 0;
  const offset = OFFSET.exec(zone.replace(/^(UTC|GMT|UT)(?=[+-])/i, ""));
  if (offset === null) return undefined;
  return (offset[1] === "-" ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3] ?? 0));
}

/** Whether `zone` is an offset or a region of the IANA database. */
export function isZone(zone: string): boolean {
  if (minutesOf(zone) !== undefined) return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    // Intl throws a RangeError for a name that it does not know; that is the answer.
    return false;
  }
}
