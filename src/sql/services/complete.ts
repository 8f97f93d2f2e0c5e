/** Completion: tables after FROM, columns with their types, functions with signature and documentation, keywords. */
import type { Catalogue } from "../catalogue.ts";
import { AGGREGATES, FUNCTIONS, WINDOWS } from "../functions/index.ts";
import { significant, type Token } from "../lexer.ts";
import { type Statement, splitStatements } from "../split.ts";
import { statementAt, tokenAt } from "./at.ts";
import { documentationUrl } from "./documentation.ts";
import { relationsOf, withQueries, wordOf } from "./relations.ts";

export interface CompletionItem {
  readonly label: string;
  readonly kind: "table" | "column" | "function" | "keyword" | "relation" | "parameter";
  /** Beside the label: the type of a column, the signature of a function. */
  readonly detail?: string;
  /** Markdown. */
  readonly documentation?: string;
  /** The text to insert where it is not the label; `$0` is where the cursor goes. */
  readonly insert?: string;
  /** Items with smaller numbers come first. */
  readonly rank: number;
}

const KEYWORDS =
  "SELECT,FROM,WHERE,GROUP BY,ORDER BY,HAVING,LIMIT,OFFSET,WITH,WITH RECURSIVE,JOIN,LEFT JOIN,RIGHT JOIN,FULL JOIN,CROSS JOIN,CROSS JOIN UNNEST,UNNEST,WITH ORDINALITY,LATERAL,ON,USING,AS,AND,OR,NOT,IN,EXISTS,BETWEEN,LIKE,ESCAPE,IS NULL,IS NOT NULL,IS DISTINCT FROM,CASE,WHEN,THEN,ELSE,END,CAST,TRY_CAST,DISTINCT,ALL,UNION,UNION ALL,INTERSECT,EXCEPT,VALUES,INTERVAL,DATE,TIMESTAMP,AT TIME ZONE,EXTRACT,OVER,PARTITION BY,ROWS BETWEEN,RANGE BETWEEN,UNBOUNDED PRECEDING,PRECEDING,FOLLOWING,CURRENT ROW,UNBOUNDED FOLLOWING,FILTER (WHERE,IGNORE NULLS,NULLS FIRST,NULLS LAST,ASC,DESC,GROUPING SETS,ROLLUP,CUBE,TABLESAMPLE BERNOULLI,ARRAY,MAP,ROW,TRUE,FALSE,NULL,UNLOAD,CREATE TABLE,CREATE VIEW,INSERT INTO,DELETE FROM,UPDATE,MERGE INTO,PREPARE,EXECUTE,DEALLOCATE PREPARE,SHOW TABLES,SHOW COLUMNS,SHOW CREATE TABLE,DESCRIBE,EXPLAIN,CURRENT_DATE,CURRENT_TIMESTAMP,LOCALTIMESTAMP".split(
    ",",
  );

/**
 * What may stand at `offset` of the file; the editor filters by what is already typed.
 * @param statements those of `text`, where they are known already
 */
export function complete(
  text: string,
  offset: number,
  catalogue?: Catalogue,
  statements: readonly Statement[] = splitStatements(text),
): readonly CompletionItem[] {
  const at = tokenAt(statements, text, offset);
  if (at !== undefined && insideText(at, offset)) return [];
  const statement = statementAt(statements, text, offset);
  const tokens = statement === undefined ? [] : significant(statement.text);
  const inside = offset - (statement?.offset ?? offset);
  const before = tokens.filter(
    (token) =>
      token.offset + token.text.length < inside ||
      (token.offset + token.text.length === inside && !/\w$/.test(token.text)),
  );
  if (at?.kind === "parameter" || before.at(-1)?.text === ":") return parameters(statements);
  const previous = before.at(-1);
  if (previous?.text === ".") return qualified(tokens, before, catalogue);
  if (
    ["from", "join", "into", "update", "table", "describe", "desc"].includes(wordOf(previous)) &&
    previous?.kind === "word"
  )
    return tables(tokens, catalogue);
  return [
    ...columns(tokens, catalogue),
    ...functions(),
    ...keywords(before.length === 0),
    ...(before.length === 0 ? [] : tables(tokens, catalogue, 6)),
  ];
}

function insideText(token: Token, offset: number): boolean {
  const end = token.offset + token.text.length;
  if (token.kind === "comment") return token.text.startsWith("--") || offset < end || !token.text.endsWith("*/");
  return token.kind === "string" && (offset < end || token.text.length === 1 || !token.text.endsWith("'"));
}

function qualified(
  tokens: readonly Token[],
  before: readonly Token[],
  catalogue: Catalogue | undefined,
): readonly CompletionItem[] {
  const name = wordOf(before.at(-2));
  const relation = relationsOf(tokens, catalogue).find((one) => one.name === name);
  if (relation !== undefined) return relation.columns.map((column) => columnItem(column, relation.table, 1));
  // A schema before a table's name.
  return tables([], catalogue);
}

function columnItem(
  column: { name: string; type: string; comment?: string },
  table: string,
  rank: number,
): CompletionItem {
  return {
    label: column.name,
    kind: "column",
    detail: column.type === "" ? table : `${column.type} · ${table}`,
    ...(column.comment !== undefined && { documentation: column.comment }),
    rank,
    ...(/^[a-z_]\w*$/i.test(column.name) ? {} : { insert: `"${column.name}"` }),
  };
}

function columns(tokens: readonly Token[], catalogue: Catalogue | undefined): CompletionItem[] {
  const relations = relationsOf(tokens, catalogue);
  const seen = new Set<string>();
  const items = relations.flatMap((relation) =>
    relation.columns.flatMap((column): CompletionItem[] => {
      if (seen.has(column.name.toLowerCase())) return [];
      seen.add(column.name.toLowerCase());
      return [columnItem(column, relation.table, 1)];
    }),
  );
  const names = relations.map(
    ({ name, table }): CompletionItem => ({ label: name, kind: "relation", detail: table, rank: 2 }),
  );
  return [...items, ...names];
}

function tables(tokens: readonly Token[], catalogue: Catalogue | undefined, rank = 1): CompletionItem[] {
  const queries = withQueries(tokens).map(
    ({ name }): CompletionItem => ({ label: name, kind: "table", detail: "WITH query", rank }),
  );
  const known = (catalogue?.tables ?? []).map(
    (table): CompletionItem => ({
      label: table.name,
      kind: "table",
      detail: `${table.columns.length} columns`,
      documentation: [
        table.comment ?? "",
        table.columns.map((column) => `- \`${column.name}\` ${column.type}`).join("\n"),
      ]
        .filter((part) => part !== "")
        .join("\n\n"),
      rank,
    }),
  );
  return [...queries, ...known];
}

function functions(): CompletionItem[] {
  return [...FUNCTIONS].map(([name, overloads]): CompletionItem => {
    const [first] = overloads;
    const kind = AGGREGATES.has(name) ? "aggregate" : WINDOWS.has(name) ? "window" : "";
    const signatures = overloads.map((overload) => overload.signature).join("\n");
    return {
      label: name,
      kind: "function",
      detail: [first?.signature ?? name, kind].filter((part) => part !== "").join(" · "),
      documentation: `${first?.doc ?? ""}\n\n\`\`\`sql\n${signatures}\n\`\`\`\n\n[Trino's documentation](${documentationUrl(first)})`,
      insert: overloads.every((overload) => overload.params.length === 0) ? `${name}()` : `${name}($0)`,
      rank: 4,
    };
  });
}

function keywords(first: boolean): CompletionItem[] {
  const starts =
    /^(SELECT|WITH|VALUES|UNLOAD|CREATE|INSERT|DELETE|UPDATE|MERGE|PREPARE|EXECUTE|DEALLOCATE|SHOW|DESCRIBE|EXPLAIN)/;
  return KEYWORDS.filter((word) => !first || starts.test(word)).map((label) => ({
    label,
    kind: "keyword",
    rank: first ? 0 : 5,
  }));
}

/** The parameters that the file names already, and the usual ones. */
function parameters(statements: readonly Statement[]): CompletionItem[] {
  const named = statements.flatMap((statement) => statement.parameters.map(({ name }) => name));
  return [...new Set(["since", "until", "series", ...named])].map((name) => ({
    label: `:${name}`,
    kind: "parameter",
    rank: 0,
  }));
}
