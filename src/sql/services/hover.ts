/** What stands under the pointer: a table with its columns, a column with its type, a function with its documentation, a parameter. */
import type { Catalogue } from "../catalogue.ts";
import { REFUSED_FUNCTIONS } from "../differences.ts";
import { FUNCTIONS } from "../functions/index.ts";
import { significant } from "../lexer.ts";
import { type Statement, splitStatements } from "../split.ts";
import { statementAt } from "./at.ts";
import { documentationUrl } from "./documentation.ts";
import { relationsOf, withQueries, wordOf } from "./relations.ts";

export interface Hover {
  /** Where the thing stands in the file. */
  readonly offset: number;
  readonly length: number;
  readonly markdown: string;
}

/**
 * The hover at `offset` of the file, or undefined where there is nothing to tell.
 * @param statements those of `text`, where they are known already
 */
export function hover(
  text: string,
  offset: number,
  catalogue?: Catalogue,
  statements: readonly Statement[] = splitStatements(text),
): Hover | undefined {
  const statement = statementAt(statements, text, offset);
  if (statement === undefined) return undefined;
  const tokens = significant(statement.text);
  const index = tokens.findIndex(
    (token) =>
      token.offset + statement.offset <= offset && offset < token.offset + statement.offset + token.text.length,
  );
  const token = tokens[index];
  if (token === undefined) return undefined;
  const at = (markdown: string): Hover => ({
    offset: token.offset + statement.offset,
    length: token.text.length,
    markdown,
  });
  if (token.kind === "parameter")
    return at(`\`${token.text}\`: a named parameter of this file, asked for when the statement runs.`);
  if (token.kind !== "word" && token.kind !== "quoted") return undefined;
  const name = wordOf(token);
  const overloads = tokens[index + 1]?.text === "(" ? FUNCTIONS.get(name) : undefined;
  if (overloads !== undefined) {
    const [first] = overloads;
    return at(
      `\`\`\`sql\n${overloads.map((overload) => overload.signature).join("\n")}\n\`\`\`\n${first?.doc ?? ""}\n\n[Trino's documentation](${documentationUrl(first)})`,
    );
  }
  if (tokens[index + 1]?.text === "(" && REFUSED_FUNCTIONS[name] !== undefined)
    return at(`\`${name}\` runs on Athena only: ${REFUSED_FUNCTIONS[name]}`);
  const relations = relationsOf(tokens, catalogue);
  const before = tokens[index - 1]?.text === "." ? wordOf(tokens[index - 2]) : undefined;
  const columns = relations.flatMap((relation) =>
    (before === undefined || relation.name === before ? relation.columns : [])
      .filter((column) => column.name.toLowerCase() === name)
      .map((column) => ({ ...column, table: relation.table })),
  );
  const table = relations.find((relation) => relation.name === name || relation.table.toLowerCase() === name);
  if (table !== undefined && (columns.length === 0 || ["from", "join", "into"].includes(wordOf(tokens[index - 1]))))
    return at(tableText(table));
  const query = withQueries(tokens).find((one) => one.name === name);
  if (columns.length === 0) return query === undefined ? undefined : at(tableText(query));
  return at(
    columns
      .map(
        (column) =>
          `**${column.table}.${column.name}** ${column.type === "" ? "" : `\`${column.type}\``}${column.comment === undefined ? "" : `\n\n${column.comment}`}`,
      )
      .join("\n\n"),
  );
}

function tableText(table: {
  table: string;
  comment?: string;
  columns: readonly { name: string; type: string; comment?: string }[];
}): string {
  const rows = table.columns.map(
    (column) => `| ${column.name} | ${column.type} | ${(column.comment ?? "").replaceAll("|", "\\|")} |`,
  );
  const columns = rows.length === 0 ? "" : `\n\n| column | type | |\n|---|---|---|\n${rows.join("\n")}`;
  return `**${table.table}**${table.comment === undefined ? "" : `\n\n${table.comment}`}${columns}`;
}
