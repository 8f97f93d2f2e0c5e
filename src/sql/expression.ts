/** Expressions, one rule of the grammar after the other. What needs no change keeps its text. */
import type { ParserRuleContext } from "antlr4ng";
import * as G from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";
import { call } from "./call.ts";
import { clauses } from "./call-parts.ts";
import { cast } from "./casts.ts";
import { quote } from "./lexer.ts";
import { intervalLiteral, numberLiteral, typedLiteral } from "./literals.ts";
import { nameOf } from "./names.ts";
import { refuseNaNFirst } from "./nan.ts";
import { arithmetic, comparison, concatenation } from "./operators.ts";
import { original, type Pass, refuse, refuseUnknown, sourceOf, type Typed, weave } from "./pass.ts";
import { predicate } from "./predicate.ts";
import { reference } from "./reference.ts";
import { atZone, checkedZone, NOW } from "./special/datetime.ts";
import { join, raw, sql } from "./text.ts";
import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  commonType,
  DATE,
  element,
  isInterval,
  isNumeric,
  isOpen,
  NULL,
  parseType,
  rowOf,
  type SqlType,
  timestamp,
  typeName,
  UNKNOWN,
  VARCHAR,
  zoned,
} from "./types.ts";
import { literalText } from "./unwrap.ts";

/** The rewriting of an expression, and of clauses that hold expressions (FILTER, OVER, ORDER BY items). */
export function expression(pass: Pass, at: ParserRuleContext): Typed {
  if (at instanceof G.FunctionCallContext) return functionCall(pass, at);
  if (at instanceof G.PredicatedContext && at.predicate() !== null) return predicate(pass, at);
  if (at instanceof G.LogicalNotContext || at instanceof G.AndContext || at instanceof G.OrContext)
    return logical(pass, at);
  if (at instanceof G.ArithmeticBinaryContext) {
    const [left, right] = [
      pass.typed(at._left as G.ValueExpressionContext),
      pass.typed(at._right as G.ValueExpressionContext),
    ];
    return arithmetic(pass, at, at._operator?.text ?? "+", left, right, weave(pass, at));
  }
  if (at instanceof G.ArithmeticUnaryContext) return unary(pass, at);
  if (at instanceof G.ConcatenationContext)
    return concatenation(
      pass,
      at,
      pass.typed(at._left as G.ValueExpressionContext),
      pass.typed(at._right as G.ValueExpressionContext),
    );
  if (at instanceof G.AtTimeZoneContext) return atTimeZone(pass, at);
  if (
    at instanceof G.ColumnReferenceContext ||
    at instanceof G.ColumnRefContext ||
    at instanceof G.DereferenceContext ||
    at instanceof G.JoinColumnReferenceContext
  )
    return reference(pass, at);
  return literal(pass, at) ?? keyword(pass, at) ?? composite(pass, at) ?? through(pass, at);
}

/** Layers of the grammar with one child, and clauses whose parts are expressions. */
function through(pass: Pass, at: ParserRuleContext): Typed {
  const children = (at.children ?? []).filter((child): child is ParserRuleContext => !("symbol" in child));
  const clause =
    at instanceof G.SortItemContext ||
    at instanceof G.FilterContext ||
    at instanceof G.WhereClauseContext ||
    at instanceof G.OverContext ||
    at instanceof G.WindowSpecificationContext ||
    at instanceof G.PartitionByContext ||
    at instanceof G.WindowFrameContext ||
    at instanceof G.FrameExtentContext ||
    at instanceof G.FrameBoundContext ||
    at instanceof G.WindowDefinitionContext;
  if (
    at instanceof G.WindowFrameContext &&
    (at.KW_MEASURES() !== null || at.KW_DEFINE() !== null || at.KW_PATTERN() !== null)
  )
    return refuse(pass, at, "Row patterns in windows run on Athena only.");
  const layer = at.children?.length === 1 || at instanceof G.ParenthesizedExpressionContext;
  if (!clause && (children.length !== 1 || !layer))
    return refuse(pass, at, "This expression is not done here.", "It runs on Athena.");
  let last: Typed = { sql: [], type: UNKNOWN };
  for (const child of children) if (!(child instanceof G.IdentifierContext)) last = pass.typed(child);
  if (at instanceof G.SortItemContext && at.KW_FIRST() !== null) refuseNaNFirst(pass, at, last.type);
  if (clause) return { sql: weave(pass, at), type: UNKNOWN };
  return at.children?.length === 1 ? last : { ...last, sql: weave(pass, at) };
}

function functionCall(pass: Pass, at: G.FunctionCallContext): Typed {
  const parts = at.functionName().qualifiedName().identifier();
  const name = nameOf(pass, parts.at(-1) as G.IdentifierContext).toLowerCase();
  if (parts.length > 1) return refuse(pass, at, "Functions of a catalogue or schema run on Athena only.");
  if (at.ASTERISK() !== null) {
    if (name !== "count") return refuse(pass, at, `Unexpected parameters (*) for function ${name}.`);
    const { F } = clauses(pass, at);
    return { sql: sql`count(*)${F ?? []}`, type: BIGINT };
  }
  return call(pass, { at, name, args: at.expression(), node: at });
}

function logical(pass: Pass, at: ParserRuleContext): Typed {
  for (const child of at.children ?? []) {
    if ("symbol" in child) continue;
    condition(pass, child as ParserRuleContext);
  }
  return { sql: weave(pass, at), type: BOOLEAN };
}

/** An expression that must be boolean. */
export function condition(pass: Pass, at: ParserRuleContext): Typed {
  const value = pass.typed(at);
  if (value.type.kind !== "boolean" && !isOpen(value.type))
    refuse(pass, at, `This must be boolean, not ${typeName(value.type)}.`, "Compare it with something.");
  return value;
}

function unary(pass: Pass, at: G.ArithmeticUnaryContext): Typed {
  const value = pass.typed(at.valueExpression());
  if (!isNumeric(value.type) && !isInterval(value.type) && !isOpen(value.type))
    refuse(pass, at, `Cannot negate ${typeName(value.type)}.`);
  const negative = at._operator?.text === "-";
  const known = typeof value.literal === "number" ? { literal: negative ? -value.literal : value.literal } : {};
  // Without the space `- -x` would begin a comment.
  return { sql: negative ? sql`(- ${value.sql})` : value.sql, type: value.type, ...known };
}

function atTimeZone(pass: Pass, at: G.AtTimeZoneContext): Typed {
  const zone = at.timeZoneSpecifier();
  const text = zone instanceof G.TimeZoneStringContext ? literalText(pass.source, zone.string()) : undefined;
  if (text === undefined) return refuse(pass, zone, "A time zone must be a literal text to run here.");
  return atZone(pass, at.valueExpression(), checkedZone(pass, zone, text));
}

function literal(pass: Pass, at: ParserRuleContext): Typed | undefined {
  if (at instanceof G.NullLiteralContext) return { sql: original(pass, at), type: NULL };
  if (at instanceof G.BooleanLiteralContext)
    return { sql: original(pass, at), type: BOOLEAN, literal: at.getText().toLowerCase() === "true" };
  if (at instanceof G.NumericLiteralContext) return numberLiteral(pass, at);
  if (at instanceof G.TypeConstructorContext) return typedLiteral(pass, at);
  if (at instanceof G.IntervalLiteralContext) return intervalLiteral(pass, at.interval());
  if (at instanceof G.BinaryLiteralContext) {
    const hex = sourceOf(pass, at).replace(/^[xX]'|'$|\s/g, "");
    return { sql: sql`unhex(${quote(hex)})`, type: { kind: "varbinary" } };
  }
  if (at instanceof G.StringLiteralContext) {
    const text = literalText(pass.source, at);
    if (text === undefined)
      return refuse(pass, at, "U&'...' literals are not done here.", "Write the characters themselves.");
    return { sql: original(pass, at), type: VARCHAR, literal: text };
  }
  if (at instanceof G.ParameterContext) return { sql: original(pass, at), type: UNKNOWN };
  return undefined;
}

/** Expressions that are a keyword, with or without brackets. */
function keyword(pass: Pass, at: ParserRuleContext): Typed | undefined {
  if (at instanceof G.CurrentDateContext) return { sql: raw("current_date"), type: DATE };
  if (at instanceof G.CurrentTimestampContext) return { sql: NOW, type: zoned("UTC") };
  if (at instanceof G.LocalTimestampContext) return { sql: sql`timezone('UTC', ${NOW})`, type: timestamp() };
  if (at instanceof G.CurrentTimeContext || at instanceof G.LocalTimeContext)
    return refuse(pass, at, "time values are not done here.", "Use localtimestamp.");
  if (
    at instanceof G.CurrentUserContext ||
    at instanceof G.CurrentCatalogContext ||
    at instanceof G.CurrentSchemaContext ||
    at instanceof G.CurrentPathContext
  )
    return refuse(pass, at, `${at.getText()} differs between the targets.`);
  if (at instanceof G.CoalesceContext) return call(pass, { at, name: "coalesce", args: at.expression() });
  if (at instanceof G.ExtractContext) return extract(pass, at);
  if (at instanceof G.PositionContext) return call(pass, { at, name: "position", args: at.valueExpression() });
  if (at instanceof G.SubstringContext) return call(pass, { at, name: "substring", args: at.valueExpression() });
  if (at instanceof G.TrimContext) return trim(pass, at);
  if (at instanceof G.GroupingOperationContext) return { sql: weave(pass, at), type: BIGINT };
  if (at instanceof G.ListAggContext) return listAgg(pass, at);
  if (at instanceof G.CastContext) return castOf(pass, at);
  return undefined;
}

const FIELDS: Record<string, string> = {
  day_of_month: "day",
  dow: "day_of_week",
  doy: "day_of_year",
  yow: "year_of_week",
};
const EXTRACTABLE = new Set(
  "year quarter month week day day_of_month day_of_week dow day_of_year doy year_of_week yow hour minute second".split(
    " ",
  ),
);

function extract(pass: Pass, at: G.ExtractContext): Typed {
  const field = at.identifier().getText().toLowerCase();
  if (!EXTRACTABLE.has(field))
    return refuse(
      pass,
      at.identifier(),
      `EXTRACT of ${field} is not done here.`,
      `Fields: ${[...EXTRACTABLE].join(", ")}.`,
    );
  return call(pass, { at, name: FIELDS[field] ?? field, args: [at.valueExpression()] });
}

function trim(pass: Pass, at: G.TrimContext): Typed {
  const mode = at.trimsSpecification()?.getText().toUpperCase();
  const args = [at._trimSource, at._trimChar].filter((arg) => arg !== undefined && arg !== null) as ParserRuleContext[];
  return call(pass, { at, name: mode === "LEADING" ? "ltrim" : mode === "TRAILING" ? "rtrim" : "trim", args });
}

function listAgg(pass: Pass, at: G.ListAggContext): Typed {
  if (at.listAggOverflowBehavior()?.KW_TRUNCATE()) return refuse(pass, at, "ON OVERFLOW TRUNCATE is not done here.");
  const value = pass.typed(at.expression());
  if (!isOpen(value.type) && value.type.kind !== "varchar")
    return refuse(
      pass,
      at.expression(),
      `listagg takes a varchar, not ${typeName(value.type)}.`,
      "Cast it to varchar.",
    );
  for (const item of at.sortItem()) pass.typed(item);
  const separator = at.string() === null ? "''" : sourceOf(pass, at.string() as G.StringContext);
  const filter = at.filter();
  if (filter !== null) pass.typed(filter);
  const distinct = at.setQuantifier()?.KW_DISTINCT() ? "DISTINCT " : "";
  const order = join(
    at.sortItem().map((item) => weave(pass, item)),
    ", ",
  );
  return {
    sql: sql`string_agg(${distinct}${value.sql}, ${separator} ORDER BY ${order})${filter === null ? "" : sql` ${weave(pass, filter)}`}`,
    type: VARCHAR,
  };
}

/** The type written at `at`. */
export function typeAt(pass: Pass, at: G.TypeContext): SqlType {
  const type = parseType(sourceOf(pass, at));
  if (type === undefined) return refuse(pass, at, `Type ${sourceOf(pass, at)} is not done here.`);
  return type;
}

function castOf(pass: Pass, at: G.CastContext): Typed {
  const value = pass.typed(at.expression());
  const result = cast(pass, at, value, typeAt(pass, at.type() as G.TypeContext));
  return at.KW_TRY_CAST() === null ? result : { ...result, sql: sql`TRY(${result.sql})` };
}

/** The common type of branches or elements; refuses what Trino refuses. */
export function unify(pass: Pass, values: readonly { type: SqlType; at: ParserRuleContext }[]): SqlType {
  let common: SqlType = NULL;
  for (const { type, at } of values) {
    const next = commonType(common, type);
    if (next === undefined)
      return refuse(
        pass,
        at,
        `All values must be of one type: ${typeName(common)} and ${typeName(type)} do not go together.`,
        "Cast one of them.",
      );
    common = next;
  }
  return common;
}

function composite(pass: Pass, at: ParserRuleContext): Typed | undefined {
  const typedAll = (nodes: readonly ParserRuleContext[]) => nodes.map((node) => ({ ...pass.typed(node), at: node }));
  if (at instanceof G.ArrayConstructorContext) {
    const values = typedAll(at.expression());
    return {
      sql: sql`[${join(
        values.map((value) => value.sql),
        ", ",
      )}]`,
      type: arrayOf(values.length === 0 ? NULL : unify(pass, values)),
    };
  }
  if (at instanceof G.RowConstructorContext) {
    const values = typedAll(at.expression());
    return {
      sql: sql`row(${join(
        values.map((value) => value.sql),
        ", ",
      )})`,
      type: rowOf(values.map((value) => value.type)),
    };
  }
  if (at instanceof G.SubscriptContext) return subscript(pass, at);
  if (at instanceof G.SearchedCaseContext || at instanceof G.SimpleCaseContext) return caseOf(pass, at);
  if (at instanceof G.ExistsContext) {
    pass.query(at.query());
    return { sql: weave(pass, at), type: BOOLEAN };
  }
  if (at instanceof G.SubqueryExpressionContext) {
    const columns = pass.query(at.query());
    if (columns.length !== 1)
      return refuse(
        pass,
        at,
        `A subquery that stands for a value must have one column; this one has ${columns.length}.`,
      );
    return { sql: weave(pass, at), type: columns[0]?.type ?? UNKNOWN };
  }
  return undefined;
}

function subscript(pass: Pass, at: G.SubscriptContext): Typed {
  const [base, index] = [
    pass.typed(at._value as G.PrimaryExpressionContext),
    pass.typed(at._index as G.ValueExpressionContext),
  ];
  if (base.type.kind === "array")
    return { sql: sql`trino.subscript(${base.sql}, ${index.sql})`, type: element(base.type) };
  if (base.type.kind === "map") {
    if (commonType(element(base.type), index.type) === undefined)
      refuse(pass, at, `The keys of this map are ${typeName(element(base.type))}, not ${typeName(index.type)}.`);
    return { sql: sql`trino.entry(${base.sql}, ${index.sql})`, type: element(base.type, 1) };
  }
  if (base.type.kind === "row" && typeof index.literal === "number") {
    const field = base.type.of?.[index.literal - 1];
    if (field === undefined)
      return refuse(pass, at, `The row has ${base.type.of?.length ?? 0} fields; fields count from 1.`);
    const name = base.type.names?.[index.literal - 1];
    return {
      sql:
        name === undefined
          ? sql`(${base.sql})[${String(index.literal)}]`
          : sql`struct_extract(${base.sql}, ${quote(name)})`,
      type: field,
    };
  }
  if (base.type.kind === "unknown")
    return refuseUnknown(
      pass,
      at,
      "What [ ] gives depends on whether this is an array or a map, which is not known here.",
      "Refresh the catalogue, or use element_at.",
    );
  return refuse(pass, at, `Cannot subscript ${typeName(base.type)}.`);
}

function caseOf(pass: Pass, at: G.SearchedCaseContext | G.SimpleCaseContext): Typed {
  const operand = at instanceof G.SimpleCaseContext ? pass.typed(at._operand as G.ExpressionContext) : undefined;
  const results: { type: SqlType; at: ParserRuleContext }[] = [];
  for (const branch of at.whenClause()) {
    const [when, then] = [branch._condition as G.ExpressionContext, branch._result as G.ExpressionContext];
    if (operand === undefined) condition(pass, when);
    else {
      const value = pass.typed(when);
      const test = comparison(pass, when, "=", operand, value, sql`x`);
      if (test.sql.length !== 1)
        return refuse(
          pass,
          when,
          "CASE over values that may be NaN is not done here.",
          "Write CASE WHEN x = ... THEN.",
        );
    }
    results.push({ type: pass.typed(then).type, at: then });
  }
  const otherwise = at._elseExpression;
  if (otherwise !== undefined && otherwise !== null) results.push({ type: pass.typed(otherwise).type, at: otherwise });
  return { sql: weave(pass, at), type: unify(pass, results) };
}
