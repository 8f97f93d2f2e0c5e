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

/** The walkthrough's page: the same lists, for people. */
function walkthrough(): string {
  const cell = (text: string) => text.replaceAll("|", "\\|");
  const reasons = new Map<string, string[]>();
  for (const [name, reason] of Object.entries(REFUSED_FUNCTIONS))
    reasons.set(reason, [...(reasons.get(reason) ?? []), `\`${name}\``]);
  return [
    "## SQL that runs here runs on Athena",
    "",
    "Statements of `.sql` files are written in Athena's dialect. On this machine DuckDB runs them with the same results; what it",
    "cannot do alike is refused and underlined, with the reason. Nothing is silently different, but for the differences below.",
    "",
    "**Run** stands above each statement; `Ctrl+Enter` runs the one at the cursor or the selection, `Ctrl+Shift+Enter` the file.",
    "Parameters such as `:since` are asked for once and remembered for the file.",
    "",
    "### What differs",
    "",
    "| | On Athena | Here |",
    "|:--|:--|:--|",
    ...DIFFERENCES.map(({ construct, athena, here }) => `| ${cell(construct)} | ${cell(athena)} | ${cell(here)} |`),
    "",
    "### What is refused here, and what to write instead",
    "",
    "| | Why | Instead |",
    "|:--|:--|:--|",
    ...REFUSED.map(
      ({ construct, reason, instead = "" }) => `| ${cell(construct)} | ${cell(reason)} | ${cell(instead)} |`,
    ),
    "",
    "### Functions that run on Athena only",
    "",
    ...[...reasons].map(([reason, names]) => `- ${names.sort().join(", ")}: ${reason}`),
    "",
  ].join("\n");
}

describe("the dialect's differences", () => {
  it("are those of the walkthrough's page", async () => {
    await expect(walkthrough()).toMatchFileSnapshot("../../../media/walkthrough/sql.md");
  });

  it("are those of the golden file", async () => {
    const text = page();
    expect(text).not.toContain("not refused");
    await expect(text).toMatchFileSnapshot("./differences.golden.md");
  });
});
