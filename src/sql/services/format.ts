/** Formatting by sql-formatter's Trino dialect; a statement that it does not take stays as it is. */
import { type FormatOptionsWithLanguage, format as formatSql } from "sql-formatter";
import { type Token, tokenize } from "../lexer.ts";
import { splitStatements } from "../split.ts";

const OPTIONS: FormatOptionsWithLanguage = {
  language: "trino",
  keywordCase: "preserve",
  functionCase: "preserve",
  dataTypeCase: "preserve",
  tabWidth: 2,
  paramTypes: { named: [":"] },
  expressionWidth: 80,
};

/** The text with each statement formatted; comments, and what stands between statements, are kept. */
export function format(text: string): string {
  let out = "";
  let position = 0;
  for (const statement of splitStatements(text)) {
    out += text.slice(position, statement.offset) + formatStatement(statement.text);
    position = statement.offset + statement.length;
  }
  return out + text.slice(position);
}

function formatStatement(text: string): string {
  try {
    return withUpperKeywords(formatSql(text, OPTIONS));
  } catch {
    // The formatter takes fewer texts than Athena; leaving one alone is the right answer, the diagnostics tell what is wrong.
    return text;
  }
}

/**
 * Words that are written in capitals: Trino's reserved words, and others that are hardly ever names. The formatter's own list has
 * every word of the grammar, and would write columns such as `at` or `day` in capitals too.
 */
const KEYWORDS = new Set(
  `all alter and any as asc between by case cast constraint create cross cube current_date current_time current_timestamp
  deallocate delete desc describe distinct drop else end escape except execute exists explain extract false fetch following for from
  full group grouping having if in inner insert intersect into is join lateral left like limit localtime localtimestamp natural not
  null nulls offset on or order ordinality outer over partition preceding prepare recursive right rollup rows select table then true
  try_cast unbounded union unload unnest update using values when where with`.split(/\s+/),
);

function withUpperKeywords(text: string): string {
  let before: Token | undefined;
  return tokenize(text)
    .map((token) => {
      const name = before?.text === ".";
      const order = /^nulls$/i.test(before?.text ?? "") && /^(?:first|last)$/i.test(token.text);
      if (token.kind !== "space" && token.kind !== "comment") before = token;
      const isKeyword = token.kind === "word" && !name && KEYWORDS.has(token.text.toLowerCase());
      return isKeyword || order ? token.text.toUpperCase() : token.text;
    })
    .join("");
}
