/** What the dialect refuses and where it differs, held against a file that the documentation is made from. */
import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/core/fault.ts";
import { DIFFERENCES, REFUSED, REFUSED_FUNCTIONS, rewriteForDuckDB } from "../../../src/sql/index.ts";
import { CATALOGUE } from "../../unit/sql/cases/fixture.ts";

/** The refusal of a statement as a person reads it: the words, and the part that is meant. */
function refusalOf(sql: string): string {
  try {
    rewriteForDuckDB(sql, { catalogue: CATALOGUE });
  } catch (error) {
    const fault = Fault.from(error);
    const part = fault.at === undefined ? "" : sql.slice(fault.at.offset, fault.at.offset + fault.at.length);
    return `${fault.message}${fault.next === undefined ? "" : ` ${fault.next}`} [${part}]`;
  }
  return "not refused";
}

function page(): string {
  const lines = ["# What runs on Athena only, and what differs", "", "## Refused constructs", ""];
  for (const { construct, reason, instead, example } of REFUSED)
    lines.push(
      `- **${construct}**: ${reason}${instead === undefined ? "" : ` Instead: ${instead}.`}`,
      `  \`${example}\``,
      `  ${refusalOf(example)}`,
    );
  lines.push("", "## Refused functions", "");
  for (const [name, reason] of Object.entries(REFUSED_FUNCTIONS).sort(([a], [b]) => (a < b ? -1 : 1)))
    lines.push(`- \`${name}\`: ${reason}`, `  ${refusalOf(`SELECT ${name}(n) FROM t`)}`);
  lines.push("", "## Kept differences", "");
  for (const { construct, athena, here } of DIFFERENCES)
    lines.push(`- **${construct}**: Athena: ${athena} Here: ${here}`);
  return `${lines.join("\n")}\n`;
}

describe("the dialect's differences", () => {
  it("are those of the golden file", async () => {
    const text = page();
    expect(text).not.toContain("not refused");
    await expect(text).toMatchFileSnapshot("./differences.golden.md");
  });
});
