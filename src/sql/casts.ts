/** CAST and TRY_CAST as Trino does them: https://trino.io/docs/current/functions/conversion.html */
import type { ParserRuleContext } from "antlr4ng";
import { type Pass, refuse, refuseUnknown, type Typed } from "./pass.ts";
import { raw, type Sql, sql } from "./text.ts";
import {
  duckType,
  element,
  isFloat,
  isInteger,
  isNumeric,
  isOpen,
  isText,
  type SqlType,
  typeName,
  zoned,
} from "./types.ts";
import { toInstant, wallOf } from "./zones.ts";

/** `value` cast to `to`; refuses casts that Trino does not have, or whose result would differ. */
export function cast(pass: Pass, at: ParserRuleContext, value: Typed, to: SqlType): Typed {
  const result = convert(pass, at, value, to);
  const type = to.kind === "timestamptz" ? zoned(to.zone ?? sourceZone(value), to.precision) : to;
  const keepsWall = to.kind === "timestamptz" && value.type.kind === "timestamptz" && value.wall !== undefined;
  const nan = isFloat(to) && (isText(value.type) || value.type.nan === true);
  return {
    sql: result,
    type: nan ? { ...type, nan: true } : type,
    ...(keepsWall && { wall: value.wall as Sql }),
  };
}

function sourceZone(value: Typed): string | undefined {
  return value.type.kind === "timestamptz" ? value.type.zone : "UTC";
}

function convert(pass: Pass, at: ParserRuleContext, value: Typed, to: SqlType): Sql {
  const from = value.type;
  if (from.kind === "null") return sql`CAST(${value.sql} AS ${duckType(to)})`;
  if (from.kind === "unknown") return fromUnknown(pass, at, value, to);
  if (to.kind === "json") return toJson(pass, at, value);
  if (from.kind === "json") return fromJson(pass, at, value, to);
  if (isText(to)) return toText(pass, at, value, to);
  if (isText(from)) return fromText(pass, at, value, to);
  if (from.of !== undefined || to.of !== undefined) return nested(pass, at, value, to);
  if (isInteger(to) && (isFloat(from) || from.kind === "decimal"))
    return sql`CAST(round(${value.sql}) AS ${duckType(to)})`;
  if (isNumeric(from) && isNumeric(to)) return sql`CAST(${value.sql} AS ${duckType(to)})`;
  if (from.kind === "boolean" && isNumeric(to)) return sql`CAST(${value.sql} AS ${duckType(to)})`;
  if (isNumeric(from) && to.kind === "boolean") return sql`(${value.sql} <> 0)`;
  if (MOMENTS.includes(from.kind) && MOMENTS.includes(to.kind)) return moment(pass, at, value, to);
  if (from.kind === to.kind) return value.sql;
  if (from.kind === "varbinary" && to.kind === "uuid")
    return refuse(pass, at, "CAST of varbinary to uuid is not done here.");
  return refuse(pass, at, `Cannot cast ${typeName(from)} to ${typeName(to)}.`);
}

const MOMENTS: readonly string[] = ["date", "timestamp", "timestamptz"];

/** Without the source's type only the casts that DuckDB does alike for every source can be taken. */
function fromUnknown(pass: Pass, at: ParserRuleContext, value: Typed, to: SqlType): Sql {
  if (to.kind === "varbinary" || to.kind === "uuid") return sql`CAST(${value.sql} AS ${duckType(to)})`;
  return refuseUnknown(
    pass,
    at,
    `What this CAST to ${typeName(to)} gives depends on the type of its argument, which is not known here.`,
    "Refresh the catalogue, so that the table's columns are known.",
  );
}

function moment(pass: Pass, at: ParserRuleContext, value: Typed, to: SqlType): Sql {
  const { kind } = value.type;
  if (to.kind === "timestamptz") {
    if (kind === "timestamptz") return rounded(value.sql, value.type, to, true);
    return toInstant(sql`CAST(${rounded(value.sql, value.type, to)} AS TIMESTAMP)`, "UTC");
  }
  const wall = wallOf(value);
  if (wall === undefined) return unknownZone(pass, at);
  if (to.kind === "date") return sql`CAST(${wall} AS DATE)`;
  return kind === "date" ? sql`CAST(${wall} AS TIMESTAMP)` : rounded(wall, value.type, to);
}

/** Refuses what needs a wall-clock time whose zone is lost. */
export function unknownZone(pass: Pass, at: ParserRuleContext): never {
  return refuse(
    pass,
    at,
    "The time zone of this timestamp comes with each value, and is not kept here past the expression that made it.",
    "Choose a zone where the timestamp is made: x AT TIME ZONE 'UTC'.",
  );
}

function rounded(value: Sql, from: SqlType, to: SqlType, instant = false): Sql {
  const digits = to.precision ?? 3;
  if (from.kind === "date" || digits >= Math.min(6, from.precision ?? 3)) return value;
  if (instant) return sql`timezone('UTC', trino.rounded_to(timezone('UTC', ${value}), ${raw(String(digits))}))`;
  return sql`trino.rounded_to(${value}, ${raw(String(digits))})`;
}

function fromText(pass: Pass, at: ParserRuleContext, value: Typed, to: SqlType): Sql {
  const text = value.sql;
  if (isInteger(to)) return sql`CAST(trino.varchar_to_bigint(${text}) AS ${duckType(to)})`;
  switch (to.kind) {
    case "double":
    case "real":
      return sql`CAST(trino.varchar_to_double(${text}) AS ${duckType(to)})`;
    case "decimal":
      return sql`CAST(trim(${text}) AS ${duckType(to)})`;
    case "boolean":
      return sql`trino.varchar_to_boolean(${text})`;
    case "date":
      return sql`trino.varchar_to_date(${text})`;
    case "timestamp":
      return rounded(sql`trino.varchar_to_timestamp(${text})`, { kind: "timestamp", precision: 6 }, to);
    case "varbinary":
      return sql`encode(${text})`;
    case "uuid":
      return sql`CAST(${text} AS UUID)`;
    case "timestamptz":
      return refuse(
        pass,
        at,
        "CAST of a text to a timestamp with time zone is not done here: the zone stands in each text.",
        "Use from_iso8601_timestamp, or cast to timestamp and use with_timezone.",
      );
    default:
      return refuse(pass, at, `Cannot cast varchar to ${typeName(to)}.`);
  }
}

function toText(pass: Pass, at: ParserRuleContext, value: Typed, to: SqlType): Sql {
  const { type } = value;
  const text = textOf(pass, at, value);
  if (to.kind === "char")
    return refuse(pass, at, "char(n) pads with spaces in comparisons, which is not done here.", "Use varchar.");
  if (to.precision === undefined) return text;
  const size = String(to.precision);
  if (isText(type)) return sql`left(${text}, ${size})`;
  return sql`trino.unless(length(${text}) > ${size}, ${`'Value cannot be represented as varchar(${size})'`}, ${text})`;
}

function textOf(pass: Pass, at: ParserRuleContext, value: Typed): Sql {
  const { type, sql: v } = value;
  const digits = raw(String(Math.min(6, type.precision ?? 3)));
  if (isInteger(type) || ["boolean", "date", "decimal", "uuid"].includes(type.kind)) return sql`CAST(${v} AS VARCHAR)`;
  if (isText(type)) return v;
  if (type.kind === "timestamp") return sql`trino.timestamp_text(${v}, ${digits})`;
  if (type.kind === "timestamptz" && type.zone !== undefined)
    return sql`(trino.timestamp_text(${wallOf(value) as Sql}, ${digits}) || ${raw(`' ${type.zone}'`)})`;
  if (type.kind === "timestamptz") return unknownZone(pass, at);
  if (type.kind === "interval day to second") return sql`trino.interval_text(${v})`;
  if (isFloat(type))
    return refuse(
      pass,
      at,
      `CAST of ${typeName(type)} to varchar writes an exponent that depends on Trino's version (1.5E0 or 1.5).`,
      "Cast to a decimal first, or use format('%.2f', x).",
    );
  if (type.kind === "varbinary") return refuse(pass, at, "Cannot cast varbinary to varchar.", "Use from_utf8.");
  return refuse(pass, at, `Cannot cast ${typeName(type)} to varchar.`);
}

function toJson(pass: Pass, at: ParserRuleContext, value: Typed): Sql {
  const check = (type: SqlType): void => {
    if (type.of !== undefined && type.kind !== "row") type.of.forEach(check);
    else if (type.kind === "row")
      refuse(
        pass,
        at,
        "CAST of a row to json gives an array or an object by Trino's version.",
        "Cast a map or an array instead.",
      );
    else if (
      !isOpen(type) &&
      !isText(type) &&
      !isInteger(type) &&
      type.kind !== "boolean" &&
      type.kind !== "double" &&
      type.kind !== "json"
    )
      refuse(pass, at, `CAST of ${typeName(type)} to json is not done here.`, "Cast to varchar first.");
  };
  check(value.type);
  return value.type.kind === "json" ? value.sql : sql`to_json(${value.sql})`;
}

function fromJson(pass: Pass, at: ParserRuleContext, value: Typed, to: SqlType): Sql {
  const { sql: v } = value;
  if (isText(to)) return sql`trino.json_to_text(${v})`;
  if (isNumeric(to) || to.kind === "boolean") {
    const scalar: Typed = { sql: sql`trino.json_to_text(${v})`, type: { kind: "varchar" } };
    if (isInteger(to))
      return sql`CAST(round(CAST(trino.varchar_to_double(${scalar.sql}) AS DECIMAL(38, 6))) AS ${duckType(to)})`;
    return fromText(pass, at, scalar, to);
  }
  const safe = (type: SqlType): boolean =>
    type.of !== undefined
      ? type.of.every(safe)
      : isInteger(type) || isText(type) || type.kind === "double" || type.kind === "boolean" || type.kind === "json";
  if (to.of !== undefined && safe(to)) return sql`CAST(${v} AS ${duckType(to)})`;
  return refuse(pass, at, `CAST of json to ${typeName(to)} is not done here.`);
}

function nested(pass: Pass, at: ParserRuleContext, value: Typed, to: SqlType): Sql {
  const from = value.type;
  if (from.kind !== to.kind || from.of?.length !== to.of?.length)
    return refuse(pass, at, `Cannot cast ${typeName(from)} to ${typeName(to)}.`);
  if (same(from, to)) return value.sql;
  if (from.kind === "array") {
    const name = pass.fresh("e");
    const inner = convert(pass, at, { sql: raw(name), type: element(from) }, element(to));
    return sql`list_transform(${value.sql}, lambda ${name}: ${inner})`;
  }
  // Fields change type by DuckDB's own cast, which is Trino's for these.
  const alike = (a: SqlType, b: SqlType): boolean =>
    same(a, b) ||
    isOpen(a) ||
    (isInteger(a) && isNumeric(b)) ||
    (isText(a) && isText(b)) ||
    (a.kind === "decimal" && (b.kind === "decimal" || isFloat(b))) ||
    (a.of !== undefined && b.of !== undefined && a.of.every((t, i) => alike(t, element(b, i))));
  if (!(from.of ?? []).every((type, i) => alike(type, element(to, i))))
    return refuse(
      pass,
      at,
      `CAST of ${typeName(from)} to ${typeName(to)} is not done here.`,
      "Cast the fields one by one.",
    );
  return sql`CAST(${value.sql} AS ${duckType(to)})`;
}

const same = (a: SqlType, b: SqlType): boolean => typeName(a) === typeName(b);
