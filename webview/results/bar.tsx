/** The results page's head: which run, how it went, and what can be done with its rows. */
import type { RunInfo } from "../../src/rpc/page.ts";
import { count, formatBytes, formatLength } from "../parts/format.ts";
import type { CopyFormat } from "../parts/grid/copy.ts";
import { Icon } from "../parts/icon.tsx";
import { Menu } from "../parts/menu.tsx";
import { named, textOf } from "../parts/toolkit.ts";
import { isPlan } from "./plan.tsx";

interface Props {
  readonly run: RunInfo;
  readonly view: "grid" | "chart";
  /** Are there rows to do something with? */
  readonly rows: boolean;
  readonly filter: string;
  /** Rows that the filter leaves; null without one. */
  readonly left: number | null;
  readonly onView: (view: "grid" | "chart") => void;
  readonly onFilter: (filter: string) => void;
  readonly onCopy: (format: CopyFormat) => void;
  readonly onExport: (format: "csv" | "parquet" | "json") => void;
  readonly onPin: () => void;
  readonly onAgain: () => void;
  readonly onReveal: () => void;
}

export function Bar(props: Props) {
  const { run, view, filter } = props;
  return (
    <header class="results-bar">
      <RunFacts run={run} left={props.left} />
      <span class="grow" />
      {props.rows && (
        <>
          <vscode-text-field
            class="results-filter"
            type="search"
            placeholder="Filter rows"
            ref={named("Filter rows")}
            value={filter}
            onInput={(event) => props.onFilter(textOf(event))}
            onKeyDown={(event) => {
              if (event.key === "Escape") props.onFilter("");
            }}
          />
          <fieldset class="segments icons" aria-label="View">
            <button
              type="button"
              class="segment"
              aria-label="Grid"
              title="Grid"
              aria-pressed={view === "grid"}
              onClick={() => props.onView("grid")}
            >
              <Icon name="table" />
            </button>
            <button
              type="button"
              class="segment"
              aria-label="Chart"
              title="Chart"
              aria-pressed={view === "chart"}
              onClick={() => props.onView("chart")}
            >
              <Icon name="chart" />
            </button>
          </fieldset>
          <Menu
            label="Copy"
            icon="copy"
            items={[
              { label: "As CSV", onChoose: () => props.onCopy("csv") },
              { label: "As JSON", onChoose: () => props.onCopy("json") },
              { label: "As Markdown", onChoose: () => props.onCopy("markdown") },
            ]}
          />
          <Menu
            label="Export"
            icon="export"
            items={[
              { label: "CSV", hint: "all rows", onChoose: () => props.onExport("csv") },
              { label: "Parquet", hint: "all rows", onChoose: () => props.onExport("parquet") },
              { label: "JSON", hint: "all rows", onChoose: () => props.onExport("json") },
            ]}
          />
          <button type="button" class="tool" title="Pin to an incident as evidence" onClick={props.onPin}>
            <Icon name="pin" />
            Pin
          </button>
        </>
      )}
      <button
        type="button"
        class="tool bare"
        aria-label="Show the statement"
        title="Show the statement in the editor"
        onClick={props.onReveal}
      >
        <Icon name="query" />
      </button>
      {run.state !== "running" && (
        <button type="button" class="tool bare" aria-label="Run again" title="Run again" onClick={props.onAgain}>
          <Icon name="refresh" />
        </button>
      )}
    </header>
  );
}

function RunFacts({ run, left }: { readonly run: RunInfo; readonly left: number | null }) {
  const { result } = run;
  if (!result) return null;
  const rows = result.columns.length === 0 ? "done" : isPlan(result) ? "plan" : count(result.rowCount, "row");
  const facts = [
    left === null ? rows : `${left.toLocaleString("en-US")} of ${rows}`,
    formatLength(run.elapsed),
    ...(result.bytesScanned === null ? [] : [`${formatBytes(result.bytesScanned)} scanned`]),
  ];
  return (
    <span class="muted number results-facts" role="status">
      {facts.join(" · ")}
    </span>
  );
}
