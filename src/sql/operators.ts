/** Operators: arithmetic by type, comparisons that Trino allows, concatenation, intervals. https://trino.io/docs/current/functions/ */
import type { ParserRuleContext } from "antlr4ng";
import { compositeComparison } from "./composite.ts";
import { type Pass, refuse, refuseUnknown, type Typed } from "./pass.ts";
import { raw, type Sql, sql } from "./text.ts";
import {
  arrayOf,
  asDecimal,
  BOOLEAN,
  commonType,
  DATE,
  DAY_INTERVAL,
  decimal,
  duckType,
  element,
  isFloat,
  isInteger,
  isInterval,
  isNumeric,
  isOpen,
  isText,
  type SqlType,
  timestamp,
  typeName,
  VARCHAR,
} from "./types.ts";
import { toInstant, toWall } from "./zones.ts";

/** `left operator right` for + - * / %; `plain` is the text with both sides rewritten and nothing else changed. */
export function arithmetic(
  pass: Pass,
  at: ParserRuleContext,
  operator: string,
  left: Typed,
  right: Typed,
  plain: Sql,
): Typed {
  const [a, b] = [left.type, right.type];
  if (isOpen(a) && isOpen(b)) return unknownOperands(pass, at, operator, a, b, plain);
  const moments = isMoment(a) || isMoment(b) || isInterval(a) || isInterval(b);
  if (moments) return moving(pass, at, operator, left, right, plain);
  if (isOpen(a) || isOpen(b)) {
    const known = isOpen(a) ? b : a;
    if (isFloat(known)) return { sql: plain, type: { kind: "double", nan: operator === "/" } };
    if (
      (operator === "/" || operator === "%" || known.kind === "decimal") &&
      (a.kind === "unknown" || b.kind === "unknown")
    )
      return unknownOperands(pass, at, operator, a, b, plain);
    return {
      sql: plain,
      type: isNumeric(known) && a.kind !== "unknown" && b.kind !== "unknown" ? known : { kind: "unknown" },
    };
  }
  if (!isNumeric(a) || !isNumeric(b)) return cannot(pass, at, operator, a, b);
  const type = commonType(a, b) as SqlType;
  if (isFloat(type)) return floating(operator, left, right, type, plain);
  if (type.kind === "decimal") return decimals(pass, at, operator, left, right, plain);
  if (operator !== "/" && operator !== "%") return { sql: plain, type };
  if (typeof right.literal === "number" && right.literal !== 0)
    return { sql: operator === "%" ? plain : sql`(${left.sql} // ${right.sql})`, type };
  return { sql: sql`trino.${operator === "/" ? "quotient" : "remainder"}(${left.sql}, ${right.sql})`, type };
}

function floating(operator: string, left: Typed, right: Typed, type: SqlType, plain: Sql): Typed {
  const divides = operator === "/" || operator === "%";
  const safe = typeof right.literal === "number" && right.literal !== 0;
  const nan = type.nan === true || (divides && !safe);
  const result: SqlType = nan ? { kind: type.kind, nan: true } : { kind: type.kind };
  if (!divides) return { sql: plain, type: result };
  // Both sides as floating point: DuckDB would divide a decimal by a double, or an integer by one, in its own way.
  const wide = duckType(type);
  return { sql: sql`(CAST(${left.sql} AS ${wide}) ${operator} CAST(${right.sql} AS ${wide}))`, type: result };
}

/** Decimals by Trino's rules of precision and scale: https://trino.io/docs/current/functions/decimal.html */
function decimals(pass: Pass, at: ParserRuleContext, operator: string, left: Typed, right: Typed, plain: Sql): Typed {
  const [a, b] = [asDecimal(left.type) as SqlType, asDecimal(right.type) as SqlType];
  const [p1, s1, p2, s2] = [a.precision ?? 38, a.scale ?? 0, b.precision ?? 38, b.scale ?? 0];
  const scale = Math.max(s1, s2);
  switch (operator) {
    case "+":
    case "-":
      return { sql: plain, type: decimal(Math.max(p1 - s1, p2 - s2) + scale + 1, scale) };
    case "*":
      if (s1 + s2 > 38) return refuse(pass, at, "The product has more than 38 decimals.");
      return { sql: plain, type: decimal(p1 + p2, s1 + s2) };
    case "%":
      return {
        sql: sql`trino.remainder(CAST(${left.sql} AS ${duckType(a)}), CAST(${right.sql} AS ${duckType(b)}))`,
        type: decimal(Math.min(p2 - s2, p1 - s1) + scale, scale),
      };
    default: {
      const type = decimal(p1 + s2 + Math.max(0, s2 - s1), scale);
      return {
        sql: quotient(
          sql`CAST(${left.sql} AS ${duckType(a)})`,
          sql`CAST(${right.sql} AS ${duckType(b)})`,
          s2,
          scale,
          type,
        ),
        type,
      };
    }
  }
}

/** An exact quotient of decimals, rounded half up to `scale`: both sides become whole numbers first. */
export function quotient(left: Sql, right: Sql, rightScale: number, scale: number, type: SqlType): Sql {
  const up = (value: Sql, digits: number): Sql => (digits === 0 ? value : sql`${value} * ${power(digits)}`);
  const whole = sql`trino.decimal_quotient(CAST(${up(left, scale + rightScale)} AS HUGEINT), CAST(${up(right, rightScale)} AS HUGEINT))`;
  const down =
    scale === 0 ? raw("") : sql` * ${raw(`CAST(0.${"0".repeat(scale - 1)}1 AS DECIMAL(${scale + 1}, ${scale}))`)}`;
  return sql`CAST(CAST(${whole} AS DECIMAL(38, 0))${down} AS ${duckType(type)})`;
}

const power = (digits: number): Sql => raw(`CAST(1${"0".repeat(digits)} AS DECIMAL(${digits + 1}, 0))`);

const isMoment = (type: SqlType): boolean => ["date", "timestamp", "timestamptz", "time"].includes(type.kind);

/** Dates, timestamps and intervals. */
function moving(pass: Pass, at: ParserRuleContext, operator: string, left: Typed, right: Typed, plain: Sql): Typed {
  const [a, b] = [left.type, right.type];
  if (a.kind === "unknown" || b.kind === "unknown") return unknownOperands(pass, at, operator, a, b, plain);
  if (isInterval(a) && isInterval(b) && a.kind === b.kind && (operator === "+" || operator === "-"))
    return { sql: plain, type: a };
  if (isInterval(a) && isInterval(b) && a.kind !== b.kind) return cannot(pass, at, operator, a, b);
  if (operator === "*" && (isInterval(a) ? isNumeric(b) : isInterval(b) && isNumeric(a))) {
    const other = isInterval(a) ? b : a;
    if (other.kind === "decimal")
      return refuse(pass, at, "An interval times a decimal is not done here.", "Cast the decimal to double.");
    if (isFloat(other))
      return refuse(
        pass,
        at,
        "An interval times a floating-point number rounds differently here.",
        "Use whole numbers.",
      );
    return { sql: plain, type: isInterval(a) ? a : b };
  }
  if (operator === "/" && isInterval(a) && isInteger(b) && a.kind === DAY_INTERVAL.kind)
    return {
      sql: sql`to_microseconds(CAST(trino.quotient(trino.micros(${left.sql}) // 1000, ${right.sql}) AS BIGINT) * 1000)`,
      type: a,
    };
  if (operator === "-" && isMoment(a) && isMoment(b)) return between(pass, at, left, right);
  const [moment, step] = isMoment(a) ? [left, right] : [right, left];
  if (!isInterval(step.type) || (operator === "-" && moment !== left) || (operator !== "+" && operator !== "-"))
    return cannot(pass, at, operator, a, b);
  return shifted(pass, at, operator, moment, step, plain);
}

function between(pass: Pass, at: ParserRuleContext, left: Typed, right: Typed): Typed {
  const [a, b] = [left.type, right.type];
  if (a.kind !== b.kind && commonType(a, b) === undefined) return cannot(pass, at, "-", a, b);
  if (a.kind === "date" && b.kind === "date")
    return { sql: sql`to_days(CAST(${left.sql} - ${right.sql} AS INTEGER))`, type: DAY_INTERVAL };
  return { sql: sql`to_microseconds(epoch_us(${left.sql}) - epoch_us(${right.sql}))`, type: DAY_INTERVAL };
}

function shifted(pass: Pass, at: ParserRuleContext, operator: string, moment: Typed, step: Typed, plain: Sql): Typed {
  const { type } = moment;
  if (type.kind === "date") {
    if (step.type.kind === DAY_INTERVAL.kind && step.literal !== "days" && step.literal !== undefined)
      return refuse(pass, at, "Cannot add hours, minutes or seconds to a date.", "Cast the date to timestamp first.");
    return { sql: sql`CAST(${moment.sql} ${operator} ${step.sql} AS DATE)`, type: DATE };
  }
  if (type.kind === "time") return refuse(pass, at, "Arithmetic with time values is not done here.", "Use timestamps.");
  const precision = Math.max(type.precision ?? 3, step.type.kind === DAY_INTERVAL.kind ? 3 : 0);
  if (type.kind === "timestamp") return { sql: plain, type: timestamp(precision) };
  if (step.type.kind === DAY_INTERVAL.kind)
    return {
      sql: sql`timezone('UTC', timezone('UTC', ${moment.sql}) ${operator} ${step.sql})`,
      type: { ...type, precision },
      ...(moment.wall && { wall: sql`(${moment.wall} ${operator} ${step.sql})` }),
    };
  if (type.zone === undefined)
    return refuse(
      pass,
      at,
      "Adding months needs the timestamp's zone, which comes with each value.",
      "Use AT TIME ZONE first.",
    );
  return { sql: toInstant(sql`(${toWall(moment.sql, type.zone)} ${operator} ${step.sql})`, type.zone), type };
}

function unknownOperands(
  pass: Pass,
  at: ParserRuleContext,
  operator: string,
  a: SqlType,
  b: SqlType,
  plain: Sql,
): Typed {
  if (a.kind === "null" && b.kind === "null") return { sql: raw("NULL"), type: a };
  if (operator === "*") return { sql: plain, type: { kind: "unknown" } };
  return refuseUnknown(
    pass,
    at,
    `What ${operator} gives depends on the types of its operands, which are not known here.`,
    "Refresh the catalogue, or cast the operands.",
  );
}

function cannot(pass: Pass, at: ParserRuleContext, operator: string, a: SqlType, b: SqlType): never {
  return refuse(pass, at, `Cannot apply operator: ${typeName(a)} ${operator} ${typeName(b)}.`, "Cast one side.");
}

/** A comparison; `plain` as for `arithmetic`. */
export function comparison(
  pass: Pass,
  at: ParserRuleContext,
  operator: string,
  left: Typed,
  right: Typed,
  plain: Sql,
): Typed {
  const common = comparable(pass, at, operator, left.type, right.type);
  if (isFloat(common) && (left.type.nan === true || right.type.nan === true)) {
    const unequal = operator === "<>" || operator === "!=";
    const test = sql`coalesce(isnan(CAST(${left.sql} AS DOUBLE)), false) OR coalesce(isnan(CAST(${right.sql} AS DOUBLE)), false)`;
    return {
      sql: sql`CASE WHEN ${test} THEN ${unequal ? "true" : "false"} ELSE ${left.sql} ${operator} ${right.sql} END`,
      type: BOOLEAN,
    };
  }
  return { sql: compositeComparison(pass, at, operator, [left, right], common) ?? plain, type: BOOLEAN };
}

/** The type in which two values are compared; refuses what Trino refuses. */
export function comparable(pass: Pass, at: ParserRuleContext, operator: string, a: SqlType, b: SqlType): SqlType {
  const common = commonType(a, b);
  if (common === undefined) return cannot(pass, at, operator, a, b);
  const ordered = operator.includes("<") && operator !== "<>" ? true : operator.includes(">") && operator !== "<>";
  if (common.kind === "json")
    return refuse(pass, at, "Comparing json compares its text here.", "Cast both sides to a type first.");
  if (common.kind === "map")
    return refuse(pass, at, "Maps compare in the order of their entries here.", "Compare their values.");
  if (ordered && common.kind === "row")
    return refuse(pass, at, "Ordering rows is not done here.", "Compare their fields.");
  if (common.kind === "char")
    return refuse(pass, at, "char(n) ignores trailing spaces in comparisons, which is not done here.");
  return common;
}

/** `left || right` */
export function concatenation(pass: Pass, at: ParserRuleContext, left: Typed, right: Typed): Typed {
  const [a, b] = [left.type, right.type];
  if (a.kind === "array" || b.kind === "array") {
    const list = a.kind === "array" ? a : b;
    const other = list === a ? b : a;
    const common = commonType(element(list), other.kind === "array" ? element(other) : other);
    if (common === undefined) return cannot(pass, at, "||", a, b);
    const wrap = (value: Typed): Sql =>
      value.type.kind === "array" || isOpen(value.type) ? value.sql : sql`[${value.sql}]`;
    return { sql: nullWhen(left, right, sql`list_concat(${wrap(left)}, ${wrap(right)})`), type: arrayOf(common) };
  }
  const text = (type: SqlType): boolean => isText(type) || type.kind === "null";
  if (text(a) && text(b)) return { sql: sql`(${left.sql} || ${right.sql})`, type: VARCHAR };
  if (a.kind === "varbinary" && b.kind === "varbinary") return { sql: sql`(${left.sql} || ${right.sql})`, type: a };
  if (a.kind === "unknown" || b.kind === "unknown") return unknownOperands(pass, at, "||", a, b, left.sql);
  return cannot(pass, at, "||", a, b);
}

/** DuckDB's list_concat takes NULL for an empty list. */
function nullWhen(left: Typed, right: Typed, result: Sql): Sql {
  return sql`CASE WHEN (${left.sql}) IS NOT NULL AND (${right.sql}) IS NOT NULL THEN ${result} END`;
}
