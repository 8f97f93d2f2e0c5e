/** Calls of functions: finds the overload by Trino's rules, types lambdas, and writes DuckDB's call. */

import type { ParserRuleContext } from "antlr4ng";
import type { FunctionCallContext, LambdaContext } from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import { clauses, lambdaBody } from "./call-parts.ts";
import { unknownZone } from "./casts.ts";
import { REFUSED_FUNCTIONS } from "./differences.ts";
import { AGGREGATES, FUNCTIONS, type Overload, WINDOWS } from "./functions/index.ts";
import { type Bindings, bind, match, type Pattern } from "./functions/signature.ts";
import { nanTemplate } from "./nan.ts";
import { nearest } from "./nearest.ts";
import { type Pass, refuse, refuseUnknown, type Typed } from "./pass.ts";
import { SPECIAL } from "./special/index.ts";
import { fill, join, raw, type Sql, sql } from "./text.ts";
import { decimal, isFloat, type SqlType, typeName, UNKNOWN } from "./types.ts";
import { lambdaOf } from "./unwrap.ts";
import { wallOf } from "./zones.ts";

/** A call as the parser found it. */
export interface Call {
  readonly at: ParserRuleContext;
  readonly name: string;
  readonly args: readonly ParserRuleContext[];
  /** Only for functions written as such, not for keywords such as COALESCE. */
  readonly node?: FunctionCallContext;
}

/** The rewriting of a call. */
export function call(pass: Pass, { at, name, args, node }: Call): Typed {
  const overloads = FUNCTIONS.get(name);
  if (overloads === undefined) return missing(pass, at, name);
  checkPlacement(pass, at, name, node);
  const special = SPECIAL[name];
  if (special !== undefined) {
    const result = special(pass, { at, name, args, ...(node && { node }) });
    if (result !== undefined) return result;
  }
  const found = resolve(pass, at, name, overloads, args);
  return write(pass, at, found, node);
}

function missing(pass: Pass, at: ParserRuleContext, name: string): never {
  const reason = REFUSED_FUNCTIONS[name];
  if (reason !== undefined) return refuse(pass, at, `${name} is not done here: ${reason}`, "It runs on Athena.");
  const near = nearest(name, FUNCTIONS.keys());
  return refuse(
    pass,
    at,
    `Function '${name}' is not known${near === undefined ? "" : `; did you mean '${near}'?`}`,
    "Functions that this dialect lacks are refused, never guessed.",
  );
}

function checkPlacement(pass: Pass, at: ParserRuleContext, name: string, node: FunctionCallContext | undefined): void {
  if (node === undefined) return;
  if (node.processingMode() !== null)
    refuse(pass, at, "RUNNING and FINAL belong to MATCH_RECOGNIZE, which runs on Athena only.");
  const aggregate = AGGREGATES.has(name);
  if (WINDOWS.has(name) && node.over() === null) refuse(pass, at, `Window function ${name} must have an OVER clause.`);
  if (!aggregate && node.setQuantifier() !== null)
    refuse(pass, at, `DISTINCT is not valid for ${name}, which is not an aggregate.`);
  if (!aggregate && node.filter() !== null)
    refuse(pass, at, `FILTER is only valid for aggregates, which ${name} is not.`);
  if (!aggregate && !WINDOWS.has(name) && node.over() !== null) refuse(pass, at, `${name} is no window function.`);
  if (node.nullTreatment() !== null && !["first_value", "last_value", "nth_value", "lag", "lead"].includes(name))
    refuse(pass, at, `IGNORE NULLS and RESPECT NULLS are not valid for ${name}.`);
}

interface Resolved {
  readonly overload: Overload;
  readonly args: readonly Typed[];
  readonly type: SqlType;
}

/** The overload that takes the arguments at the least distance. */
function resolve(
  pass: Pass,
  at: ParserRuleContext,
  name: string,
  overloads: readonly Overload[],
  args: readonly ParserRuleContext[],
): Resolved {
  const lambdas = args.map((arg) => lambdaOf(arg));
  const typed = args.map((arg, i) => (lambdas[i] === undefined ? pass.typed(arg) : undefined));
  const types = typed.map((value): SqlType => value?.type ?? { kind: "function" });
  let best: { overload: Overload; bindings: Bindings; cost: number } | undefined;
  const alike: Overload[] = [];
  for (const overload of overloads) {
    const params = paramsFor(overload, args.length);
    if (params === undefined) continue;
    const bindings: Bindings = new Map();
    let cost = 0;
    for (const [i, param] of params.entries()) {
      const distance = match(param, types[i] as SqlType, bindings);
      cost = distance === undefined ? Number.POSITIVE_INFINITY : cost + distance;
    }
    if (cost === Number.POSITIVE_INFINITY) continue;
    if (best === undefined || cost < best.cost) best = { overload, bindings, cost };
    alike.push(overload);
  }
  if (best === undefined) return noOverload(pass, at, name, overloads, types);
  const chosen = best.overload;
  if (types.some((type) => type.kind === "unknown") && alike.some((other) => other.sql !== chosen.sql))
    refuseUnknown(
      pass,
      at,
      `What ${name} gives depends on the type of its argument, which is not known here.`,
      "Refresh the catalogue, or cast the argument.",
    );
  const params = paramsFor(chosen, args.length) as readonly Pattern[];
  const values = typed.map(
    (value, i) => value ?? lambda(pass, lambdas[i] as LambdaContext, params[i] as Pattern, best.bindings),
  );
  return { overload: chosen, args: values, type: resultType(chosen, values, best.bindings) };
}

function paramsFor(overload: Overload, count: number): readonly Pattern[] | undefined {
  const { params, variadic } = overload;
  if (!variadic) return params.length === count ? params : undefined;
  if (count < params.length) return undefined;
  return Array.from({ length: count }, (_, i) => params[Math.min(i, params.length - 1)] as Pattern);
}

function noOverload(
  pass: Pass,
  at: ParserRuleContext,
  name: string,
  overloads: readonly Overload[],
  types: readonly SqlType[],
): never {
  const given = types.map(typeName).join(", ");
  return refuse(
    pass,
    at,
    `Unexpected parameters (${given}) for function ${name}.`,
    `Expected: ${overloads.map((overload) => overload.signature).join("; ")}.`,
  );
}

/** A lambda as DuckDB writes it; its result type joins the bindings. */
function lambda(pass: Pass, node: LambdaContext, param: Pattern, bindings: Bindings): Typed {
  const inputs = param.of.slice(0, -1);
  const names = node.identifier();
  if (names.length !== inputs.length)
    refuse(pass, node, `This lambda takes ${names.length} parameters; ${inputs.length} are given.`);
  const bound = names.map((name, i) => ({ name: name.getText(), type: bind((inputs[i] as Pattern).name, bindings) }));
  const body = lambdaBody(
    pass,
    node,
    bound.map(({ name, type }) => ({ name, type, sql: raw(name) })),
  );
  const result = param.of.at(-1) as Pattern;
  if (match(result, body.type, bindings) === undefined)
    refuse(pass, node.expression(), `This lambda must give ${result.name}, not ${typeName(body.type)}.`);
  return { sql: sql`lambda ${bound.map(({ name }) => name).join(", ")}: ${body.sql}`, type: { kind: "function" } };
}

function resultType(overload: Overload, args: readonly Typed[], bindings: Bindings): SqlType {
  const first = args[0]?.type ?? UNKNOWN;
  const [precision, scale] = [first.precision ?? 38, first.scale ?? 0];
  const nan =
    args.some((arg) => arg.type.nan === true) ||
    ["ln", "log", "log2", "log10", "sqrt", "acos", "asin", "pow", "power"].includes(overload.name);
  switch (overload.returns) {
    case "same":
      return first;
    case "whole":
      return decimal(precision - scale + Math.min(1, scale), 0);
    case "rounded":
      return decimal(precision + 1, scale);
    case "total":
      return decimal(38, scale);
    case "double nan":
      return { kind: "double", nan: true };
    default: {
      const type = bind(overload.returns, bindings);
      if (overload.name === "from_unixtime") return { ...type, zone: "UTC" };
      return isFloat(type) && nan ? { ...type, nan: true } : type;
    }
  }
}

function write(pass: Pass, at: ParserRuleContext, found: Resolved, node: FunctionCallContext | undefined): Typed {
  const { overload, args, type } = found;
  const walls: Record<string, Sql> = {};
  for (const [i, arg] of args.entries()) {
    if (!overload.sql.includes(`$L${i + 1}`)) continue;
    walls[`L${i + 1}`] = wallOf(arg) ?? unknownZone(pass, at);
  }
  const values = args.map((arg) => arg.sql);
  if (overload.sql === "trino_extreme") return { sql: extreme(overload.name, args), type };
  if (overload.sql === "" || overload.sql === "trino_refused")
    return refuse(pass, at, `${overload.name} is not done here.`, "It runs on Athena.");
  const suffix = node === undefined ? {} : clauses(pass, node);
  const template = nanTemplate(pass, at, overload.name, args, overload.sql);
  const text = fill(template.includes(")$F") ? withClauses(template) : template, values, { ...walls, ...suffix });
  const rounded =
    overload.returns === "rounded"
      ? sql`CAST(${text} AS DECIMAL(${String(type.precision)}, ${String(type.scale)}))`
      : text;
  return { sql: rounded, type };
}

/** Puts the places of DISTINCT and ORDER BY inside the brackets that `$F` follows. */
function withClauses(template: string): string {
  const close = template.indexOf(")$F");
  let depth = 0;
  let open = close;
  do {
    if (template[open] === ")") depth++;
    if (template[open] === "(") depth--;
    open--;
  } while (depth > 0 && open >= 0);
  return `${template.slice(0, open + 2)}$D${template.slice(open + 2, close)}$O${template.slice(close)}`;
}

/** greatest and least are NULL when an argument is; DuckDB's pass over NULLs. Neither is NaN unless all arguments are. */
function extreme(name: string, args: readonly Typed[]): Sql {
  const present = join(
    args.map((arg) => sql`(${arg.sql}) IS NOT NULL`),
    " AND ",
  );
  const of = (values: readonly Sql[]) => sql`${name}(${join(values, ", ")})`;
  const values = args.map((arg) => arg.sql);
  const result =
    name === "greatest" && args.some((arg) => arg.type.nan === true)
      ? sql`coalesce(${of(values.map((value) => sql`trino.real_number(${value})`))}, ${of(values)})`
      : of(values);
  return sql`CASE WHEN ${present} THEN ${result} END`;
}
