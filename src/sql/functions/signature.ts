/**
 * Signatures of functions and how a call finds its overload: the patterns of Trino's documentation (`array(T)`, `function(T, U)`),
 * type variables, and Trino's implicit coercions.
 */
import {
  asDecimal,
  coerces,
  commonType,
  element,
  isFloat,
  isInteger,
  isNumeric,
  isOpen,
  parseType,
  type SqlType,
  UNKNOWN,
} from "../types.ts";

/**
 * One overload of a function, as it stands in the tables of this folder.
 * `params`: types parted by commas; `...` after the last repeats it; single capitals are type variables; `moment` is a date or
 * timestamp with or without zone, `number` any numeric type, `integral` any integer type.
 * `sql`: DuckDB's expression; `$1` an argument, `$L1` its wall-clock time, `$*` all arguments.
 */
export interface Overload {
  readonly name: string;
  readonly params: readonly Pattern[];
  readonly variadic: boolean;
  /** The text of the parameters, for documentation. */
  readonly signature: string;
  readonly returns: string;
  readonly sql: string;
  readonly doc: string;
  /** Page of Trino's documentation below /functions/. */
  readonly page: string;
}

export interface Pattern {
  readonly name: string;
  readonly of: readonly Pattern[];
}

/** A row of a table: name, parameters, result, DuckDB's expression, documentation (once a name). */
export type Row = readonly [name: string, params: string, returns: string, sql: string, doc?: string];

/** The overloads that the rows of one documentation page describe. */
export function table(page: string, rows: readonly Row[]): Overload[] {
  const docs = new Map<string, string>();
  return rows.map(([name, params, returns, sql, doc]) => {
    if (doc !== undefined) docs.set(name, doc);
    const variadic = params.endsWith("...");
    return {
      name,
      params: patterns(variadic ? params.slice(0, -3) : params),
      variadic,
      signature: `${name}(${params}) → ${returns}`,
      returns,
      sql,
      doc: docs.get(name) ?? "",
      page,
    };
  });
}

/** Reads `varchar, array(T), function(T, U)`. */
export function patterns(text: string): Pattern[] {
  const found: Pattern[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (c === "(") depth++;
    else if (c === ")") depth--;
    else if ((c === "," && depth === 0) || i === text.length) {
      const part = text.slice(start, i).trim();
      if (part !== "") found.push(pattern(part));
      start = i + 1;
    }
  }
  return found;
}

function pattern(text: string): Pattern {
  const nested = /^(\w+)\((.*)\)$/s.exec(text);
  return nested === null ? { name: text, of: [] } : { name: nested[1] as string, of: patterns(nested[2] as string) };
}

export type Bindings = Map<string, SqlType>;

const SETS: Record<string, (type: SqlType) => boolean> = {
  moment: (type) => ["date", "timestamp", "timestamptz"].includes(type.kind),
  number: isNumeric,
  integral: isInteger,
  float: isFloat,
  any: () => true,
  interval: (type) => type.kind.startsWith("interval"),
};

/** How far `type` is from `pattern` (0 exact), or undefined where it does not fit; binds type variables. */
export function match(pattern: Pattern, type: SqlType, bindings: Bindings): number | undefined {
  const { name } = pattern;
  if (/^[A-Z]$/.test(name)) {
    const bound = bindings.get(name);
    const common = bound === undefined ? type : commonType(bound, type);
    if (common === undefined) return undefined;
    bindings.set(name, common);
    return bound === undefined || bound.kind === common.kind ? 0 : 1;
  }
  if (name === "function") return type.kind === "function" || type.kind === "unknown" ? 0 : undefined;
  if (type.kind === "function") return undefined;
  if (isOpen(type)) {
    for (const inner of pattern.of) match(inner, UNKNOWN, bindings);
    return 0;
  }
  const set = SETS[name];
  if (set !== undefined) return set(type) ? 0 : undefined;
  if (name === "array" || name === "map") {
    if (type.kind !== name) return undefined;
    let cost = 0;
    for (const [i, inner] of pattern.of.entries()) {
      const distance = match(inner, element(type, i), bindings);
      if (distance === undefined) return undefined;
      cost += distance;
    }
    return cost;
  }
  if (name === type.kind) return 0;
  if (name === "decimal") return asDecimal(type) === undefined ? undefined : 2;
  const wanted = named(name);
  if (wanted === undefined || !coerces(type, wanted)) return undefined;
  return isInteger(type) && isFloat(wanted) ? 3 : 1;
}

/** The types that the tables name, read once. */
const NAMED = new Map<string, SqlType | undefined>();

function named(name: string): SqlType | undefined {
  if (!NAMED.has(name)) NAMED.set(name, parseType(name === "timestamptz" ? "timestamp with time zone" : name));
  return NAMED.get(name);
}

/** The type that a `returns` text names under the bindings. */
export function bind(returns: string, bindings: Bindings): SqlType {
  const variable = /^[A-Z]$/.test(returns);
  if (variable) return bindings.get(returns) ?? UNKNOWN;
  const [root] = patterns(returns);
  if (root === undefined) return UNKNOWN;
  if ((root.name === "array" || root.name === "map" || root.name === "row") && root.of.length > 0) {
    const of = root.of.map((inner) => bind(write(inner), bindings));
    return { kind: root.name, of, ...(root.name === "row" && { names: of.map(() => undefined) }) };
  }
  return named(returns) ?? UNKNOWN;
}

function write(pattern: Pattern): string {
  return pattern.of.length === 0 ? pattern.name : `${pattern.name}(${pattern.of.map(write).join(", ")})`;
}
