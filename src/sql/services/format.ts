/** Formatting by sql-formatter's Trino dialect; a statement that it does not take stays as it is. */
import { type FormatOptionsWithLanguage, format as formatSql } from "sql-formatter";
import { splitStatements } from "../split.ts";

const OPTIONS: FormatOptionsWithLanguage = {
  language: "trino",
  keywordCase: "upper",
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
    return formatSql(text, OPTIONS);
  } catch {
    // The formatter takes fewer texts than Athena; leaving one alone is the right answer, the diagnostics tell what is wrong.
    return text;
  }
}
