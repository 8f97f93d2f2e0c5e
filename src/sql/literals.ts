/** Literals: numbers, typed texts such as TIMESTAMP '...', intervals. https://trino.io/docs/current/language/types.html */

import type { ParserRuleContext } from "antlr4ng";
import type { IntervalContext, TypeConstructorContext } from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import { cast } from "./casts.ts";
import { quote, unquote } from "./lexer.ts";
import { original, type Pass, refuse, sourceOf, type Typed } from "./pass.ts";
import { raw, type Sql, sql } from "./text.ts";
import {
  BIGINT,
  DATE,
  DAY_INTERVAL,
  DOUBLE,
  decimal,
  INTEGER,
  JSON_TYPE,
  parseType,
  timestamp,
  YEAR_INTERVAL,
  zoned,
} from "./types.ts";
import { isZone, toInstant } from "./zones.ts";

/** A number: an integer, a decimal unless it has an exponent. */
export function numberLiteral(pass: Pass, context: ParserRuleContext): Typed {
  const text = sourceOf(pass, context).replace(/\s+/g, "");
  const value = Number(text);
  const kept = original(pass, context);
  if (/[eE]/.test(text)) return { sql: kept, type: DOUBLE, literal: value };
  if (text.includes(".")) {
    const [whole = "", fraction = ""] = text.replace(/^[-+]/, "").split(".");
    const digits = whole.replace(/^0+/, "").length + fraction.length;
    if (digits > 38) refuse(pass, context, "A decimal has at most 38 digits.");
    return {
      sql: text.endsWith(".")
        ? sql`CAST(${raw(text.slice(0, -1))} AS DECIMAL(${String(Math.max(1, digits))}, 0))`
        : kept,
      type: decimal(Math.max(1, digits), fraction.length),
      literal: value,
    };
  }
  const big = BigInt(text);
  if (big > 9223372036854775807n || big < -9223372036854775808n)
    refuse(pass, context, `Invalid numeric literal: ${text}`);
  const small = big >= -2147483648n && big <= 2147483647n;
  return { sql: kept, type: small ? INTEGER : BIGINT, literal: value };
}

const TIMESTAMP =
  /^([+-]?\d{4,}-\d{1,2}-\d{1,2})(?: (\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.(\d+))?)?))?(?:\s*([A-Za-z].*|[+-]\d{1,2}(?::?\d{2})?))?$/;

/** `DATE '...'`, `TIMESTAMP '...'`, `DECIMAL '...'` and the like. */
export function typedLiteral(pass: Pass, context: TypeConstructorContext): Typed {
  const name = context.identifier()?.getText().toLowerCase() ?? "double";
  const node = context.string();
  const value = unquote(sourceOf(pass, node));
  if (name === "timestamp") return timestampLiteral(pass, context, value);
  if (name === "date") {
    if (!/^\s*[+-]?\d{4,}-\d{1,2}-\d{1,2}\s*$/.test(value))
      refuse(pass, node, `'${value}' is not a valid date literal.`);
    return { sql: original(pass, context), type: DATE, literal: value };
  }
  if (name === "decimal" || name === "numeric") {
    const [whole = "", fraction = ""] = value.replace(/^[-+]/, "").split(".");
    if (!/^[-+]?\d*\.?\d*$/.test(value)) refuse(pass, node, `'${value}' is not a valid decimal literal.`);
    const digits = Math.max(1, whole.replace(/^0+/, "").length + fraction.length);
    const type = decimal(digits, fraction.length);
    return { sql: sql`CAST(${quote(value)} AS DECIMAL(${String(digits)}, ${String(fraction.length)}))`, type };
  }
  if (name === "json") return { sql: sql`CAST(${quote(value)} AS JSON)`, type: JSON_TYPE };
  if (name === "time") return refuse(pass, context, "time values are not done here.", "Use timestamps.");
  const type = parseType(name);
  if (type === undefined) return refuse(pass, context, `Unknown type: ${name}`);
  return cast(pass, context, { sql: original(pass, node), type: { kind: "varchar" } }, type);
}

function timestampLiteral(pass: Pass, context: TypeConstructorContext, value: string): Typed {
  const parts = TIMESTAMP.exec(value);
  if (parts === null)
    return refuse(
      pass,
      context.string(),
      `'${value}' is not a valid timestamp literal.`,
      "Write TIMESTAMP '2024-01-31 12:00:00'.",
    );
  const [, date = "", time = "00:00:00", fraction = "", zone] = parts;
  if (Number(time.split(":")[0]) > 23)
    return refuse(pass, context.string(), `'${value}' is not a valid timestamp literal: hours end at 23.`);
  if (fraction.length > 6) return refuse(pass, context.string(), "Timestamps have at most six decimals here.");
  const wall = `${date} ${/^\d+:\d+$/.test(time) ? `${time}:00` : time}`;
  if (zone === undefined)
    return {
      sql: value.includes(":") ? original(pass, context) : raw(`TIMESTAMP ${quote(wall)}`),
      type: timestamp(fraction.length),
      literal: value,
    };
  if (!isZone(zone)) return refuse(pass, context.string(), `'${zone}' is not a time zone.`);
  return { sql: toUtc(wall, zone), type: zoned(zone, fraction.length) };
}

function toUtc(wall: string, zone: string): Sql {
  return toInstant(sql`TIMESTAMP ${quote(wall)}`, zone);
}

const SECONDS: Record<string, number> = { DAY: 86_400, HOUR: 3600, MINUTE: 60, SECOND: 1 };

/** `INTERVAL '2' DAY`, `INTERVAL '1:30' HOUR TO MINUTE`. */
export function intervalLiteral(pass: Pass, context: IntervalContext): Typed {
  const text = unquote(sourceOf(pass, context.string())).trim();
  const fields = context.intervalField().map((field) => field.getText().toUpperCase());
  const negative = (context._sign?.text === "-") !== text.startsWith("-");
  const body = text.replace(/^[-+]/, "");
  const sign = negative ? "-" : "";
  const [from = "", to = from] = fields;
  const invalid = (): never =>
    refuse(pass, context, `'${text}' is not an interval of ${fields.join(" to ").toLowerCase()}.`);
  if (from === "YEAR" || from === "MONTH") {
    const match = from === to ? /^(\d+)$/.exec(body) : /^(\d+)-(\d+)$/.exec(body);
    if (match === null) return invalid();
    const months = from === "YEAR" ? Number(match[1]) * 12 + Number(match[2] ?? 0) : Number(match[1]);
    return { sql: sql`to_months(${sign}${String(months)})`, type: YEAR_INTERVAL };
  }
  const units = ["DAY", "HOUR", "MINUTE", "SECOND"];
  const span = units.slice(units.indexOf(from), units.indexOf(to) + 1);
  const numbers = body.split(/[ :]/);
  if (
    span.length === 0 ||
    numbers.length !== span.length ||
    numbers.some((n, i) => !(span[i] === "SECOND" ? /^\d+(\.\d{1,6})?$/ : /^\d+$/).test(n))
  )
    return invalid();
  const micros = span.reduce(
    (sum, unit, i) => sum + Math.round(Number(numbers[i]) * 1e6) * (SECONDS[unit] as number),
    0,
  );
  const days = from === "DAY" && to === "DAY";
  if (fields.length === 1 && !body.includes(".") && context._sign == null && !negative)
    return { sql: original(pass, context), type: DAY_INTERVAL, literal: days ? "days" : "time" };
  return {
    sql: days ? sql`to_days(${sign}${body})` : sql`to_microseconds(${sign}${String(micros)})`,
    type: DAY_INTERVAL,
    literal: days ? "days" : "time",
  };
}
