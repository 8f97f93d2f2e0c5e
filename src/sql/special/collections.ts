/** Functions that bind the parameters of a lambda to parts of a value, and others that need more than a template. */
import type { ParserRuleContext } from "antlr4ng";
import type { LambdaContext } from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import { clauses, lambdaBody } from "../call-parts.ts";
import { arithmetic, quotient } from "../operators.ts";
import { type Pass, refuse, refuseUnknown, type Typed } from "../pass.ts";
import { fill, raw, type Sql, sql } from "../text.ts";
import {
  arrayOf,
  BIGINT,
  DATE,
  duckType,
  element,
  isInteger,
  mapOf,
  type SqlType,
  typeName,
  VARCHAR,
  YEAR_INTERVAL,
} from "../types.ts";
import { lambdaOf } from "../unwrap.ts";
import { arity, type Special, type SpecialCall } from "./kinds.ts";

const argument = (call: SpecialCall, index: number): ParserRuleContext => call.args[index] as ParserRuleContext;

function of(pass: Pass, call: SpecialCall, index: number, kind: "array" | "map"): Typed {
  const value = pass.typed(argument(call, index));
  if (value.type.kind !== kind)
    return refuse(
      pass,
      argument(call, index),
      `${call.name} takes ${kind === "map" ? "a map" : "an array"}, not ${typeName(value.type)}.`,
    );
  return value;
}

function lambda(pass: Pass, call: SpecialCall, index: number, params: readonly (readonly [Sql, SqlType])[]): Typed {
  const node: LambdaContext =
    lambdaOf(argument(call, index)) ?? refuse(pass, argument(call, index), `${call.name} takes a lambda here.`);
  const names = node.identifier();
  if (names.length !== params.length)
    refuse(pass, node, `This lambda takes ${names.length} parameters; ${params.length} are given.`);
  return lambdaBody(
    pass,
    node,
    names.map((name, i) => ({
      name: name.getText(),
      sql: (params[i] as readonly [Sql, SqlType])[0],
      type: (params[i] as readonly [Sql, SqlType])[1],
    })),
  );
}

const zipWith: Special = (pass, call) => {
  arity(pass, call, 3);
  const [a, b] = [of(pass, call, 0, "array"), of(pass, call, 1, "array")];
  const i = pass.fresh("i");
  const body = lambda(pass, call, 2, [
    [sql`(${a.sql})[${i}]`, element(a.type)],
    [sql`(${b.sql})[${i}]`, element(b.type)],
  ]);
  const positions = sql`range(1, greatest(len(${a.sql}), len(${b.sql})) + 1)`;
  const present = sql`(${a.sql}) IS NOT NULL AND (${b.sql}) IS NOT NULL`;
  return {
    sql: sql`CASE WHEN ${present} THEN list_transform(${positions}, lambda ${i}: ${body.sql}) END`,
    type: arrayOf(body.type),
  };
};

/** map_filter, transform_keys and transform_values go over the entries of the map. */
const overEntries: Special = (pass, call) => {
  arity(pass, call, 2);
  const map = of(pass, call, 0, "map");
  const [key, value] = [element(map.type, 0), element(map.type, 1)];
  const e = pass.fresh("e");
  const body = lambda(pass, call, 1, [
    [sql`${e}.key`, key],
    [sql`${e}.value`, value],
  ]);
  const entries = sql`map_entries(${map.sql})`;
  if (call.name === "map_filter")
    return { sql: sql`map_from_entries(list_filter(${entries}, lambda ${e}: ${body.sql}))`, type: map.type };
  const keys = call.name === "transform_keys";
  const fields = keys ? sql`{'key': ${body.sql}, 'value': ${e}.value}` : sql`{'key': ${e}.key, 'value': ${body.sql}}`;
  return {
    sql: sql`map_from_entries(list_transform(${entries}, lambda ${e}: ${fields}))`,
    type: keys ? mapOf(body.type, value) : mapOf(key, body.type),
  };
};

const mapZipWith: Special = (pass, call) => {
  arity(pass, call, 3);
  const [a, b] = [of(pass, call, 0, "map"), of(pass, call, 1, "map")];
  const k = pass.fresh("k");
  const body = lambda(pass, call, 2, [
    [raw(k), element(a.type)],
    [sql`(${a.sql})[${k}]`, element(a.type, 1)],
    [sql`(${b.sql})[${k}]`, element(b.type, 1)],
  ]);
  const keys = sql`trino.distinct_of(list_concat(map_keys(${a.sql}), map_keys(${b.sql})))`;
  const present = sql`(${a.sql}) IS NOT NULL AND (${b.sql}) IS NOT NULL`;
  return {
    sql: sql`CASE WHEN ${present} THEN map_from_entries(list_transform(${keys}, lambda ${k}: {'key': ${k}, 'value': ${body.sql}})) END`,
    type: mapOf(element(a.type), body.type),
  };
};

/** The state travels beside the elements in structs, since DuckDB's list_reduce knows one type for both. */
const reduce: Special = (pass, call) => {
  arity(pass, call, 4);
  const list = of(pass, call, 0, "array");
  const start = pass.typed(argument(call, 1));
  const [s, x, r] = [pass.fresh("s"), pass.fresh("x"), pass.fresh("r")];
  const once = (state: SqlType): Typed =>
    lambda(pass, call, 2, [
      [sql`${s}.s`, state],
      [sql`${x}.x`, element(list.type)],
    ]);
  const step = once(start.type);
  const state = step.type.kind === "unknown" ? start.type : step.type;
  if (state.kind === "unknown" || state.kind === "null")
    return refuseUnknown(
      pass,
      call.at,
      "The type of the state of reduce is not known here.",
      "Cast the initial state.",
    );
  const [st, xt] = [duckType(state), duckType(element(list.type))];
  const states = sql`list_transform(${list.sql}, lambda ${x}: {'s': CAST(NULL AS ${st}), 'x': CAST(${x} AS ${xt})})`;
  const folded = sql`list_reduce(${states}, lambda ${s}, ${x}: {'s': CAST(${step.sql} AS ${st}), 'x': CAST(NULL AS ${xt})}, {'s': CAST(${start.sql} AS ${st}), 'x': CAST(NULL AS ${xt})})`;
  const result = lambda(pass, call, 3, [[sql`${r}.s`, state]]);
  return {
    sql: sql`CASE WHEN (${list.sql}) IS NOT NULL THEN list_transform([${folded}], lambda ${r}: ${result.sql})[1] END`,
    type: result.type,
  };
};

const sequence: Special = (pass, call) => {
  arity(pass, call, 2, 3);
  const [from, to] = [pass.typed(argument(call, 0)), pass.typed(argument(call, 1))];
  const by = call.args.length === 3 ? pass.typed(argument(call, 2)) : undefined;
  const whole = (type: SqlType): boolean => isInteger(type) || type.kind === "unknown";
  if (whole(from.type) && whole(to.type)) {
    if (by !== undefined && !whole(by.type))
      return refuse(pass, argument(call, 2), `The step must be a whole number, not ${typeName(by.type)}.`);
    const text =
      by === undefined
        ? sql`trino.series(${from.sql}, ${to.sql})`
        : sql`trino.sequence_of(${from.sql}, ${to.sql}, ${by.sql})`;
    return { sql: text, type: arrayOf(BIGINT) };
  }
  if (from.type.kind !== to.type.kind || (from.type.kind !== "date" && from.type.kind !== "timestamp"))
    return refuse(
      pass,
      call.at,
      `sequence of ${typeName(from.type)} and ${typeName(to.type)} is not done here.`,
      "Use whole numbers, dates or timestamps.",
    );
  if (by === undefined && from.type.kind === "timestamp")
    return refuse(pass, call.at, "sequence of timestamps needs a step.", "Add INTERVAL '1' HOUR.");
  const step = by?.sql ?? sql`CASE WHEN ${from.sql} <= ${to.sql} THEN INTERVAL 1 DAY ELSE -INTERVAL 1 DAY END`;
  const moments = sql`trino.${by?.type.kind === YEAR_INTERVAL.kind ? "months_series" : "moments"}(CAST(${from.sql} AS TIMESTAMP), CAST(${to.sql} AS TIMESTAMP), ${step})`;
  return from.type.kind === "date"
    ? { sql: sql`CAST(${moments} AS DATE[])`, type: arrayOf(DATE) }
    : { sql: moments, type: arrayOf(from.type) };
};

const mod: Special = (pass, call) => {
  arity(pass, call, 2);
  const [a, b] = [pass.typed(argument(call, 0)), pass.typed(argument(call, 1))];
  return arithmetic(pass, call.at, "%", a, b, sql`(${a.sql} % ${b.sql})`);
};

/** The average of decimals keeps their scale, and is exact. */
const avg: Special = (pass, call) => {
  if (call.node === undefined || call.args.length !== 1) return undefined;
  const value = pass.typed(argument(call, 0));
  if (value.type.kind !== "decimal") return undefined;
  const extra = clauses(pass, call.node);
  const scale = value.type.scale ?? 0;
  const sum = fill("sum($D$1)$F", [value.sql], extra);
  const count = fill("CAST(count($D$1)$F AS DECIMAL(18, 0))", [value.sql], extra);
  return {
    sql: sql`CASE WHEN ${fill("count($D$1)$F", [value.sql], extra)} > 0 THEN ${quotient(sum, count, 0, scale, value.type)} END`,
    type: value.type,
  };
};

const typeOf: Special = (pass, call) => {
  arity(pass, call, 1);
  const { type } = pass.typed(argument(call, 0));
  const name = typeName(type);
  if (/unknown\b/.test(name) && type.kind !== "null")
    return refuseUnknown(pass, call.at, "The type of this expression is not known here.");
  if (/varchar(?!\()/.test(name))
    return refuse(pass, call.at, "Trino's typeof gives the length of a varchar, which is not tracked here.");
  return { sql: raw(`'${name}'`), type: VARCHAR };
};

export const COLLECTION_CALLS: Readonly<Record<string, Special>> = {
  zip_with: zipWith,
  map_filter: overEntries,
  transform_keys: overEntries,
  transform_values: overEntries,
  map_zip_with: mapZipWith,
  reduce,
  sequence,
  mod,
  avg,
  typeof: typeOf,
};
