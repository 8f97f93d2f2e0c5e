/** What EXPLAIN gives: the plan's lines as they are, under each other. */
import { PLAN_COLUMN, type RunInfo } from "../../src/rpc/page.ts";
import { FaultNotice, Loading } from "../parts/notice.tsx";
import { useAsked } from "../parts/page.tsx";
import type { Rows } from "./rows.ts";

/** Is the result a plan, not rows of data? */
export function isPlan({ columns }: NonNullable<RunInfo["result"]>): boolean {
  return columns.length === 1 && columns[0]?.name === PLAN_COLUMN;
}

interface Props {
  readonly name: string;
  readonly rows: Rows;
}

export function Plan({ name, rows }: Props) {
  const asked = useAsked(name, (signal) => rows.read(0, rows.rowCount, signal));
  if (asked.fault) return <FaultNotice fault={asked.fault} onRetry={asked.reload} />;
  if (!asked.value) return <Loading label="Reading the plan" />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="plan" tabIndex={0} aria-label="Query plan">
      <pre>{asked.value.map(([line]) => String(line ?? "")).join("\n")}</pre>
    </section>
  );
}
