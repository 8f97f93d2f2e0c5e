/**
 * Trino's types as the rewriter reasons about them: reading and writing type names, DuckDB's equivalents and the implicit
 * coercions of Trino (https://trino.io/docs/current/language/types.html). `unknown` stands for a type that is not known before
 * the statement runs; it takes part in everything and decides nothing.
 */
import { significant, type Token, unquote } from "./lexer.ts";

export type Kind =
  | "unknown"
  | "null"
  | "boolean"
  | "tinyint"
  | "smallint"
  | "integer"
  | "bigint"
  | "decimal"
  | "real"
  | "double"
  | "varchar"
  | "char"
  | "varbinary"
  | "json"
  | "uuid"
  | "date"
  | "time"
  | "timestamp"
  | "timestamptz"
  | "interval day to second"
  | "interval year to month"
  | "array"
  | "map"
  | "row"
  | "function";

/** A type. Only the members that its kind needs are set. */
export interface SqlType {
  readonly kind: Kind;
  /** Decimal precision, or fractional digits of a time type. */
  readonly precision?: number;
  readonly scale?: number;
  /** Element of an array; key and value of a map; fields of a row. */
  readonly of?: readonly SqlType[];
  /** Field names of a row; undefined for a field without one. */
  readonly names?: readonly (string | undefined)[];
  /** The zone of a timestamp with time zone where the statement fixes it; undefined where each value may have its own. */
  readonly zone?: string;
  /** Whether a double or real may be NaN, whose comparisons differ. */
  readonly nan?: boolean;
  /** Whether json has its keys in the order in which they were written, not sorted. */
  readonly written?: boolean;
}

export const UNKNOWN: SqlType = { kind: "unknown" };
export const NULL: SqlType = { kind: "null" };
export const BOOLEAN: SqlType = { kind: "boolean" };
export const INTEGER: SqlType = { kind: "integer" };
export const BIGINT: SqlType = { kind: "bigint" };
export const DOUBLE: SqlType = { kind: "double" };
export const VARCHAR: SqlType = { kind: "varchar" };
export const DATE: SqlType = { kind: "date" };
export const JSON_TYPE: SqlType = { kind: "json" };
export const DAY_INTERVAL: SqlType = { kind: "interval day to second" };
export const YEAR_INTERVAL: SqlType = { kind: "interval year to month" };
export const timestamp = (precision = 3): SqlType => ({ kind: "timestamp", precision });
export const zoned = (zone: string | undefined, precision = 3): SqlType =>
  zone === undefined ? { kind: "timestamptz", precision } : { kind: "timestamptz", precision, zone };
export const decimal = (precision: number, scale: number): SqlType => ({
  kind: "decimal",
  precision: Math.min(38, precision),
  scale,
});
export const arrayOf = (element: SqlType): SqlType => ({ kind: "array", of: [element] });
export const mapOf = (key: SqlType, value: SqlType): SqlType => ({ kind: "map", of: [key, value] });
export const rowOf = (
  of: readonly SqlType[],
  names: readonly (string | undefined)[] = of.map(() => undefined),
): SqlType => ({
  kind: "row",
  of,
  names,
});

const INTEGERS: readonly Kind[] = ["tinyint", "smallint", "integer", "bigint"];
/** Digits that each integer type needs as a decimal. */
const DIGITS: Partial<Record<Kind, number>> = { tinyint: 3, smallint: 5, integer: 10, bigint: 19 };

export const isInteger = (type: SqlType) => INTEGERS.includes(type.kind);
export const isFloat = (type: SqlType) => type.kind === "double" || type.kind === "real";
export const isNumeric = (type: SqlType) => isInteger(type) || isFloat(type) || type.kind === "decimal";
export const isText = (type: SqlType) => type.kind === "varchar" || type.kind === "char";
export const isInterval = (type: SqlType) => type.kind.startsWith("interval");
export const isOpen = (type: SqlType) => type.kind === "unknown" || type.kind === "null";
export const element = (type: SqlType, index = 0): SqlType => type.of?.[index] ?? UNKNOWN;

/** `type` as a decimal, when it is an integer or a decimal. */
export function asDecimal(type: SqlType): SqlType | undefined {
  if (type.kind === "decimal") return type;
  const digits = DIGITS[type.kind];
  return digits === undefined ? undefined : decimal(digits, 0);
}

/** The type in Trino's words, as `typeof` gives it. */
export function typeName(type: SqlType): string {
  const of = type.of ?? [];
  switch (type.kind) {
    case "decimal":
      return `decimal(${type.precision ?? 38},${type.scale ?? 0})`;
    case "timestamp":
    case "time":
      return `${type.kind}(${type.precision ?? 3})`;
    case "timestamptz":
      return `timestamp(${type.precision ?? 3}) with time zone`;
    case "array":
      return `array(${typeName(element(type))})`;
    case "map":
      return `map(${typeName(element(type))}, ${typeName(element(type, 1))})`;
    case "row":
      return `row(${of.map((t, i) => (type.names?.[i] === undefined ? typeName(t) : `${type.names[i]} ${typeName(t)}`)).join(", ")})`;
    case "null":
      return "unknown";
    case "char":
      return `char(${type.precision ?? 1})`;
    case "varchar":
      return type.precision === undefined ? "varchar" : `varchar(${type.precision})`;
    default:
      return type.kind;
  }
}

/** DuckDB's type that stores values of `type`. */
export function duckType(type: SqlType): string {
  switch (type.kind) {
    case "decimal":
      return `DECIMAL(${type.precision ?? 38}, ${type.scale ?? 0})`;
    case "timestamptz":
      return "TIMESTAMPTZ";
    case "interval day to second":
    case "interval year to month":
      return "INTERVAL";
    case "array":
      return `${duckType(element(type))}[]`;
    case "map":
      return `MAP(${duckType(element(type))}, ${duckType(element(type, 1))})`;
    case "row":
      return `STRUCT(${(type.of ?? []).map((t, i) => `${identifier(type.names?.[i] ?? `field${i}`)} ${duckType(t)}`).join(", ")})`;
    case "varbinary":
      return "BLOB";
    case "null":
      return "INTEGER";
    case "unknown":
    case "varchar":
      return "VARCHAR";
    case "char":
      return "VARCHAR";
    case "real":
      return "REAL";
    default:
      return type.kind.toUpperCase();
  }
}

/** Whether a row without a name for each of its fields is in the type. */
export function hasUnnamedField(type: SqlType): boolean {
  const unnamed = type.kind === "row" && (type.names ?? []).some((name) => name === undefined);
  return unnamed || (type.of ?? []).some(hasUnnamedField);
}

/** A name as a quoted identifier where it needs quotes. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The type that both convert to without a cast, or undefined where Trino refuses to bring them together. */
export function commonType(a: SqlType, b: SqlType): SqlType | undefined {
  if (a.kind === "unknown" || b.kind === "unknown") return UNKNOWN;
  if (a.kind === "null") return b;
  if (b.kind === "null") return a;
  if (isNumeric(a) && isNumeric(b)) return commonNumeric(a, b);
  if (a.kind === b.kind) return commonSame(a, b);
  if (isText(a) && isText(b)) return VARCHAR;
  const times: readonly Kind[] = ["date", "timestamp", "timestamptz"];
  const [ra, rb] = [times.indexOf(a.kind), times.indexOf(b.kind)];
  if (ra < 0 || rb < 0) return undefined;
  const wide = ra > rb ? a : b;
  return {
    ...wide,
    precision: Math.max(a.precision ?? 0, b.precision ?? 0),
    ...(wide.kind === "timestamptz" && { zone: wide.zone }),
  } as SqlType;
}

function commonNumeric(a: SqlType, b: SqlType): SqlType {
  const nan = (a.nan || b.nan) === true ? { nan: true } : {};
  if (a.kind === "double" || b.kind === "double") return { kind: "double", ...nan };
  if (a.kind === "real" || b.kind === "real") return { kind: "real", ...nan };
  if (a.kind === "decimal" || b.kind === "decimal") {
    const [x, y] = [asDecimal(a) as SqlType, asDecimal(b) as SqlType];
    const scale = Math.max(x.scale ?? 0, y.scale ?? 0);
    return decimal(Math.max((x.precision ?? 38) - (x.scale ?? 0), (y.precision ?? 38) - (y.scale ?? 0)) + scale, scale);
  }
  return INTEGERS.indexOf(a.kind) >= INTEGERS.indexOf(b.kind) ? a : b;
}

function commonSame(a: SqlType, b: SqlType): SqlType | undefined {
  if (a.kind === "timestamptz")
    return zoned(a.zone === b.zone ? a.zone : undefined, Math.max(a.precision ?? 3, b.precision ?? 3));
  if (a.kind === "timestamp" || a.kind === "time")
    return { kind: a.kind, precision: Math.max(a.precision ?? 3, b.precision ?? 3) };
  if (a.kind === "varchar") return VARCHAR;
  if (a.of === undefined || b.of === undefined) return a;
  if (a.of.length !== b.of.length) return undefined;
  const of: SqlType[] = [];
  for (const [i, type] of a.of.entries()) {
    const common = commonType(type, b.of[i] as SqlType);
    if (common === undefined) return undefined;
    of.push(common);
  }
  return {
    kind: a.kind,
    of,
    ...(a.names && { names: a.names.map((name, i) => (name === b.names?.[i] ? name : undefined)) }),
  };
}

/** Whether a value of type `from` is taken without a cast where `to` is asked for. */
export function coerces(from: SqlType, to: SqlType): boolean {
  if (isOpen(from) || to.kind === "unknown") return true;
  const common = commonType(from, to);
  if (common === undefined) return false;
  if (to.kind === "decimal") return common.kind === "decimal";
  return common.kind === to.kind || common.kind === "unknown";
}

/** The type that `text` names, in Trino's or Hive's words; undefined where it names none. */
export function parseType(text: string): SqlType | undefined {
  const tokens = significant(text);
  const reader = { at: 0 };
  const type = readType(tokens, reader);
  return type !== undefined && reader.at === tokens.length ? type : undefined;
}

const SIMPLE: Record<string, SqlType> = {
  boolean: BOOLEAN,
  tinyint: { kind: "tinyint" },
  smallint: { kind: "smallint" },
  int: INTEGER,
  integer: INTEGER,
  bigint: BIGINT,
  real: { kind: "real" },
  float: { kind: "real" },
  double: DOUBLE,
  string: VARCHAR,
  varchar: VARCHAR,
  json: JSON_TYPE,
  uuid: { kind: "uuid" },
  date: DATE,
  varbinary: { kind: "varbinary" },
  binary: { kind: "varbinary" },
};

function readType(tokens: readonly Token[], r: { at: number }): SqlType | undefined {
  const take = (): string => (tokens[r.at++]?.text ?? "").toLowerCase();
  const peek = (): string => (tokens[r.at]?.text ?? "").toLowerCase();
  const numbers = (): number[] => {
    const found: number[] = [];
    if (peek() !== "(") return found;
    take();
    while (peek() !== ")" && r.at < tokens.length) {
      const text = take();
      if (text !== ",") found.push(Number(text));
    }
    take();
    return found;
  };
  const name = take();
  if (name === "timestamp" || name === "time") {
    const [precision = 3] = numbers();
    if (peek() === "with" || peek() === "without") {
      const zone = take() === "with";
      take();
      take();
      return zone ? zoned(undefined, precision) : { kind: name, precision };
    }
    return { kind: name, precision };
  }
  if (name === "decimal") {
    const [precision = 38, scale = 0] = numbers();
    return decimal(precision, scale);
  }
  if (name === "double" && peek() === "precision") take();
  if (name === "char") {
    const [precision = 1] = numbers();
    return { kind: "char", precision };
  }
  if (name === "interval") {
    const type = take() === "day" ? DAY_INTERVAL : YEAR_INTERVAL;
    r.at += 2;
    return type;
  }
  if (name === "array" || name === "map" || name === "row" || name === "struct") return readNested(name, tokens, r);
  const simple = SIMPLE[name];
  if (simple === VARCHAR) {
    const [length] = numbers();
    return length === undefined ? VARCHAR : { kind: "varchar", precision: length };
  }
  return simple;
}

function readNested(name: string, tokens: readonly Token[], r: { at: number }): SqlType | undefined {
  const open = tokens[r.at++]?.text;
  if (open !== "(" && open !== "<") return undefined;
  const close = open === "(" ? ")" : ">";
  const of: SqlType[] = [];
  const names: (string | undefined)[] = [];
  while (r.at < tokens.length) {
    const first = tokens[r.at] as Token;
    const next = tokens[r.at + 1];
    let field: string | undefined;
    const named = next !== undefined && (next.text === ":" || next.kind === "word" || next.kind === "parameter");
    if ((name === "row" || name === "struct") && named && !/^(timestamp|time|double|interval)$/i.test(first.text)) {
      field = first.kind === "quoted" ? unquote(first.text) : first.text.toLowerCase();
      r.at++;
      if (next.text === ":") r.at++;
    }
    const type = next?.kind === "parameter" && field !== undefined ? hiveField(tokens, r) : readType(tokens, r);
    if (type === undefined) return undefined;
    of.push(type);
    names.push(field);
    const separator = tokens[r.at++]?.text;
    if (separator === close) break;
    if (separator !== ",") return undefined;
  }
  if (name === "array") return of.length === 1 ? arrayOf(of[0] as SqlType) : undefined;
  if (name === "map") return of.length === 2 ? mapOf(of[0] as SqlType, of[1] as SqlType) : undefined;
  return rowOf(of, names);
}

/** `struct<a:int>`: the lexer takes `:int` for a parameter. */
function hiveField(tokens: readonly Token[], r: { at: number }): SqlType | undefined {
  const token = tokens[r.at] as Token;
  const inner = [
    { kind: "word" as const, offset: token.offset + 1, text: token.text.slice(1) },
    ...tokens.slice(r.at + 1),
  ];
  const nested = { at: 0 };
  const type = readType(inner, nested);
  r.at += nested.at;
  return type;
}
