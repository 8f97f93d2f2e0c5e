/** The results page's head: which run, how it went, and what can be done with its rows. */
import type { RunInfo } from "../../src/rpc/page.ts";
import { count, formatBytes, formatLength } from "../parts/format.ts";
import type { CopyFormat } from "../parts/grid/copy.ts";
import { Icon } from "../parts/icon.tsx";
import { Menu } from "../parts/menu.tsx";
import { named, textOf } from "../parts/toolkit.ts";

interface Props {
  readonly runs: readonly RunInfo[];
  readonly run: RunInfo;
  readonly view: "grid" | "chart";
  readonly filter: string;
  /** Rows that the filter leaves; null without one. */
  readonly left: number | null;
  readonly onRun: (run: string) => void;
  readonly onView: (view: "grid" | "chart") => void;
  readonly onFilter: (filter: string) => void;
  readonly onCopy: (format: CopyFormat) => void;
  readonly onExport: (format: "csv" | "parquet" | "json") => void;
  readonly onPin: () => void;
  readonly onAgain: () => void;
  readonly onReveal: () => void;
}

export function Bar(props: Props) {
  const { runs, run, view, filter } = props;
  const { result } = run;
  return (
    <header class="results-bar">
      <button type="button" class="results-title" title={`${run.sql}\n\nShow in the editor`} onClick={props.onReveal}>
        <RunDot state={run.state} />
        <b class="ellipsis">{run.title}</b>
      </button>
      {runs.length > 1 && (
        <Menu
          label="Runs"
          align="left"
          items={runs.map((each) => ({
            label: each.title,
            hint: `${each.state === "succeeded" ? count(each.result?.rowCount ?? 0, "row") : each.state}, ${formatLength(each.elapsed)}`,
            onChoose: () => props.onRun(each.run),
          }))}
        />
      )}
      <RunFacts run={run} left={props.left} />
      <span class="grow" />
      {result && (
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
      {run.state !== "running" && (
        <button type="button" class="tool bare" aria-label="Run again" title="Run again" onClick={props.onAgain}>
          <Icon name="refresh" />
        </button>
      )}
    </header>
  );
}

function RunDot({ state }: { readonly state: RunInfo["state"] }) {
  const tone = { succeeded: "in", failed: "out", running: "none", cancelled: "none" }[state];
  return <i class={`dot ${tone}`} />;
}

function RunFacts({ run, left }: { readonly run: RunInfo; readonly left: number | null }) {
  const { result } = run;
  if (!result) return null;
  const rows = count(result.rowCount, "row");
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
