/** Functions of date and time that depend on a unit, a format or a zone. https://trino.io/docs/current/functions/datetime.html */
import type { ParserRuleContext } from "antlr4ng";
import { unknownZone } from "../casts.ts";
import { type Format, jodaFormat, mysqlFormat } from "../formats.ts";
import { quote } from "../lexer.ts";
import { nearest } from "../nearest.ts";
import { type Pass, refuse, refuseUnknown, type Typed } from "../pass.ts";
import { raw, type Sql, sql } from "../text.ts";
import {
  BIGINT,
  DATE,
  isInteger,
  isOpen,
  isText,
  type SqlType,
  timestamp,
  typeName,
  VARCHAR,
  zoned,
} from "../types.ts";
import { isZone, toInstant, toWall, wallOf } from "../zones.ts";
import { arity, literal, type Special, type SpecialCall } from "./kinds.ts";

const TIME_UNITS = ["millisecond", "second", "minute", "hour"];
const DATE_UNITS = ["day", "week", "month", "quarter", "year"];
const MICROS: Record<string, number> = {
  millisecond: 1e3,
  second: 1e6,
  minute: 6e7,
  hour: 3.6e9,
  day: 8.64e10,
  week: 6.048e11,
};

/** The unit, checked as Trino does. */
function unitOf(pass: Pass, call: SpecialCall, type: SqlType): string {
  const unit = literal(pass, call, 0, "its unit").toLowerCase();
  const all = [...TIME_UNITS, ...DATE_UNITS];
  if (!all.includes(unit)) {
    const near = nearest(unit, all);
    return refuse(
      pass,
      call.args[0] as ParserRuleContext,
      `'${unit}' is not a valid unit${near === undefined ? "" : `; did you mean '${near}'?`}`,
    );
  }
  if (type.kind === "date" && TIME_UNITS.includes(unit))
    return refuse(
      pass,
      call.args[0] as ParserRuleContext,
      `'${unit}' is not a valid DATE field.`,
      "Cast the date to timestamp first.",
    );
  return unit;
}

function momentAt(pass: Pass, call: SpecialCall, index: number): Typed {
  const arg = call.args[index] as ParserRuleContext;
  const value = pass.typed(arg);
  if (["date", "timestamp", "timestamptz"].includes(value.type.kind)) return value;
  if (value.type.kind === "unknown")
    return refuseUnknown(
      pass,
      arg,
      `What ${call.name} gives depends on the type of this argument, which is not known here.`,
      "Refresh the catalogue, or cast the argument.",
    );
  if (value.type.kind === "null") return { sql: sql`CAST(NULL AS TIMESTAMP)`, type: timestamp() };
  return refuse(pass, arg, `${call.name} takes a date or a timestamp, not ${typeName(value.type)}.`, "Cast it first.");
}

const step = (unit: string, count: Sql): Sql => {
  const many = (factor: number): Sql => sql`to_months(CAST(${count} AS INTEGER) * ${String(factor)})`;
  if (unit === "month") return many(1);
  if (unit === "quarter") return many(3);
  if (unit === "year") return many(12);
  if (unit === "day") return sql`to_days(CAST(${count} AS INTEGER))`;
  if (unit === "week") return sql`to_days(CAST(${count} AS INTEGER) * 7)`;
  return sql`to_${raw(unit)}s(${count})`;
};

const dateAdd: Special = (pass, call) => {
  arity(pass, call, 3);
  const moment = momentAt(pass, call, 2);
  const unit = unitOf(pass, call, moment.type);
  const count = pass.typed(call.args[1] as ParserRuleContext);
  if (!isInteger(count.type) && !isOpen(count.type))
    refuse(pass, call.args[1] as ParserRuleContext, `date_add takes a whole number, not ${typeName(count.type)}.`);
  const by = step(unit, count.sql);
  const { type } = moment;
  if (type.kind === "date") return { sql: sql`CAST(${moment.sql} + ${by} AS DATE)`, type: DATE };
  const precise: SqlType = unit === "millisecond" ? { ...type, precision: Math.max(3, type.precision ?? 3) } : type;
  if (type.kind === "timestamp") return { sql: sql`(${moment.sql} + ${by})`, type: precise };
  if (TIME_UNITS.includes(unit)) {
    const shifted = sql`timezone('UTC', timezone('UTC', ${moment.sql}) + ${by})`;
    return { sql: shifted, type: precise, ...(moment.wall && { wall: sql`(${moment.wall} + ${by})` }) };
  }
  if (type.zone === undefined) return unknownZone(pass, call.at);
  return { sql: toInstant(sql`(${toWall(moment.sql, type.zone)} + ${by})`, type.zone), type };
};

const dateDiff: Special = (pass, call) => {
  arity(pass, call, 3);
  let [from, to] = [momentAt(pass, call, 1), momentAt(pass, call, 2)];
  const both = from.type.kind === "date" && to.type.kind === "date";
  const unit = unitOf(pass, call, both ? DATE : timestamp());
  if (both && (unit === "day" || unit === "week"))
    return {
      sql: unit === "day" ? sql`(${to.sql} - ${from.sql})` : sql`((${to.sql} - ${from.sql}) // 7)`,
      type: BIGINT,
    };
  if (!TIME_UNITS.includes(unit) && (from.type.kind === "timestamptz" || to.type.kind === "timestamptz")) {
    // Days and longer are counted on the wall clock of the first argument's zone.
    const zone = from.type.kind === "timestamptz" ? from.type.zone : "UTC";
    if (zone === undefined) return unknownZone(pass, call.at);
    const local = (value: Typed): Typed => ({
      sql: value.type.kind === "timestamptz" ? toWall(value.sql, zone) : value.sql,
      type: timestamp(),
    });
    [from, to] = [local(from), local(to)];
  }
  const micros = MICROS[unit];
  if (micros !== undefined)
    return { sql: sql`((epoch_us(${to.sql}) - epoch_us(${from.sql})) // ${String(micros)})`, type: BIGINT };
  const months = sql`trino.months_apart(CAST(${from.sql} AS TIMESTAMP), CAST(${to.sql} AS TIMESTAMP))`;
  const parts = unit === "month" ? 1 : unit === "quarter" ? 3 : 12;
  return { sql: parts === 1 ? months : sql`(${months} // ${String(parts)})`, type: BIGINT };
};

const dateTrunc: Special = (pass, call) => {
  arity(pass, call, 2);
  const moment = momentAt(pass, call, 1);
  const unit = unitOf(pass, call, moment.type);
  const { type } = moment;
  if (type.kind === "date") return { sql: sql`CAST(date_trunc(${quote(unit)}, ${moment.sql}) AS DATE)`, type };
  if (type.kind === "timestamp") return { sql: sql`date_trunc(${quote(unit)}, ${moment.sql})`, type };
  const wall = wallOf(moment) ?? unknownZone(pass, call.at);
  const cut = sql`date_trunc(${quote(unit)}, ${wall})`;
  // Below a day the instant moves by what is cut off, which holds through a change of summer time.
  if (TIME_UNITS.includes(unit) || type.zone === undefined) {
    if (!TIME_UNITS.includes(unit)) return unknownZone(pass, call.at);
    return {
      sql: sql`timezone('UTC', timezone('UTC', ${moment.sql}) - (${wall} - ${cut}))`,
      type,
      ...(moment.wall && { wall: cut }),
    };
  }
  return { sql: toInstant(cut, type.zone), type };
};

const atTimezone: Special = (pass, call) => {
  arity(pass, call, 2);
  return atZone(pass, call.args[0] as ParserRuleContext, zoneOf(pass, call));
};

/** `value AT TIME ZONE zone`: the same instant; a timestamp without zone counts in the session's, UTC. */
export function atZone(pass: Pass, arg: ParserRuleContext, zone: string): Typed {
  const value = pass.typed(arg);
  const { type } = value;
  if (type.kind === "timestamptz") return { sql: value.sql, type: zoned(zone, type.precision) };
  if (type.kind === "timestamp") return { sql: sql`timezone('UTC', ${value.sql})`, type: zoned(zone, type.precision) };
  return refuse(pass, arg, `AT TIME ZONE takes a timestamp, not ${typeName(type)}.`, "Cast it first.");
}

function zoneOf(pass: Pass, call: SpecialCall): string {
  const zone = literal(pass, call, 1, "its time zone");
  return checkedZone(pass, call.args[1] as ParserRuleContext, zone);
}

/** Refuses a zone that does not exist. */
export function checkedZone(pass: Pass, at: ParserRuleContext, zone: string): string {
  if (!isZone(zone))
    return refuse(
      pass,
      at,
      `'${zone}' is not a time zone.`,
      "Use a region such as 'Europe/Paris' or an offset such as '+02:00'.",
    );
  return zone;
}

const withTimezone: Special = (pass, call) => {
  arity(pass, call, 2);
  const value = momentAt(pass, call, 0);
  if (value.type.kind === "timestamptz")
    return refuse(
      pass,
      call.args[0] as ParserRuleContext,
      "with_timezone takes a timestamp without time zone.",
      "Use at_timezone.",
    );
  const zone = zoneOf(pass, call);
  return { sql: toInstant(sql`CAST(${value.sql} AS TIMESTAMP)`, zone), type: zoned(zone, value.type.precision) };
};

const fromUnixtime: Special = (pass, call) => {
  if (call.args.length !== 2) return undefined;
  const seconds = pass.typed(call.args[0] as ParserRuleContext);
  return { sql: sql`trino.from_unixtime(${seconds.sql})`, type: zoned(zoneOf(pass, call)) };
};

const fromIso: Special = (pass, call) => {
  arity(pass, call, 1);
  const text = pass.typed(call.args[0] as ParserRuleContext);
  if (!isText(text.type) && !isOpen(text.type))
    return refuse(
      pass,
      call.args[0] as ParserRuleContext,
      `from_iso8601_timestamp takes a text, not ${typeName(text.type)}.`,
    );
  const fixed = typeof text.literal === "string" ? /(?:(Z)|([+-]\d{2}:?\d{2}))$/.exec(text.literal.slice(10)) : null;
  const zone = typeof text.literal === "string" ? (fixed?.[2] ?? "UTC") : undefined;
  return {
    sql: sql`trino.iso_instant(${text.sql})`,
    type: zoned(zone),
    ...(zone === undefined && { wall: sql`trino.iso_wall(${text.sql})` }),
  };
};

const toIso: Special = (pass, call) => {
  arity(pass, call, 1);
  const value = momentAt(pass, call, 0);
  if (value.type.kind === "date") return { sql: sql`strftime(${value.sql}, '%Y-%m-%d')`, type: VARCHAR };
  const digits = raw(String(Math.min(6, value.type.precision ?? 3)));
  const wall = wallOf(value) ?? unknownZone(pass, call.at);
  const text = sql`trino.iso_text(${wall}, ${digits})`;
  if (value.type.kind === "timestamp") return { sql: text, type: VARCHAR };
  if (value.type.zone === undefined) return unknownZone(pass, call.at);
  if (value.type.zone === "UTC") return { sql: sql`(${text} || 'Z')`, type: VARCHAR };
  return { sql: sql`(${text} || trino.offset_text(${wall}, timezone('UTC', ${value.sql})))`, type: VARCHAR };
};

function formatOf(pass: Pass, call: SpecialCall, read: (format: string) => Format): Format {
  const format = read(literal(pass, call, 1, "its format"));
  if (format.unsupported !== undefined)
    refuse(
      pass,
      call.args[1] as ParserRuleContext,
      `'${format.unsupported}' in a format of ${call.name} is not done here.`,
      "Write the parts apart.",
    );
  return format;
}

const write =
  (read: (format: string) => Format): Special =>
  (pass, call) => {
    arity(pass, call, 2);
    const value = momentAt(pass, call, 0);
    const format = formatOf(pass, call, read);
    const wall = wallOf(value) ?? unknownZone(pass, call.at);
    if (format.zone === true)
      return refuse(
        pass,
        call.args[1] as ParserRuleContext,
        `${call.name} with a zone in its format is not done here.`,
        "Use to_iso8601.",
      );
    return { sql: sql`strftime(${wall}, ${quote(format.format)})`, type: VARCHAR };
  };

const read =
  (format: (format: string) => Format): Special =>
  (pass, call) => {
    arity(pass, call, 2);
    const text = pass.typed(call.args[0] as ParserRuleContext);
    if (!isText(text.type) && !isOpen(text.type))
      return refuse(pass, call.args[0] as ParserRuleContext, `${call.name} takes a text, not ${typeName(text.type)}.`);
    const how = formatOf(pass, call, format);
    const parsed = sql`strptime(${text.sql}, ${quote(how.format)})`;
    if (call.name === "date_parse") return { sql: sql`date_trunc('millisecond', ${parsed})`, type: timestamp() };
    if (how.zone === true) return { sql: sql`CAST(${parsed} AS TIMESTAMPTZ)`, type: zoned(undefined) };
    return { sql: sql`timezone('UTC', ${parsed})`, type: zoned("UTC") };
  };

/** The time at which the query started, to the millisecond. */
export const NOW: Sql = sql`date_trunc('millisecond', now())`;

const now: Special = (pass, call) => {
  arity(pass, call, 0);
  return { sql: NOW, type: zoned("UTC") };
};

export const DATETIME_CALLS: Readonly<Record<string, Special>> = {
  date_add: dateAdd,
  date_diff: dateDiff,
  date_trunc: dateTrunc,
  at_timezone: atTimezone,
  with_timezone: withTimezone,
  from_unixtime: fromUnixtime,
  from_iso8601_timestamp: fromIso,
  to_iso8601: toIso,
  date_format: write(mysqlFormat),
  format_datetime: write(jodaFormat),
  date_parse: read(mysqlFormat),
  parse_datetime: read(jodaFormat),
  now,
};
