/** One run's rows: grid or chart, sorted and filtered by the host, copied and exported from here. */
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Fault, type FaultData } from "../../src/core/fault.ts";
import type { RunInfo } from "../../src/rpc/page.ts";
import { count } from "../parts/format.ts";
import { type CopyFormat, cellText, copyRows } from "../parts/grid/copy.ts";
import { Grid, type GridCell } from "../parts/grid/grid.tsx";
import type { Rectangle } from "../parts/grid/selection.ts";
import { nextSorting, type Sorting } from "../parts/grid/sorting.ts";
import { FaultStrip } from "../parts/notice.tsx";
import { type Page, useAction } from "../parts/page.tsx";
import { Bar } from "./bar.tsx";
import { ResultChart } from "./chart.tsx";
import { fittingWidth, isNumeric } from "./columns.ts";
import { isPlan, Plan } from "./plan.tsx";
import { Rows } from "./rows.ts";

interface Props {
  readonly page: Page<"results">;
  readonly run: RunInfo;
  /** What stands in place of rows while there are none. */
  readonly children: ComponentChildren;
}

/** Rows that one copy may hold; more is for an export. */
const MOST_COPIED = 100_000;
/** Rows beyond the view that are there too. */
const BEYOND = 10;
/** A filter waits until typing rests, ms. */
const REST = 250;

export function ResultView({ page, run, children }: Props) {
  const { client, settings, state, keep } = page;
  const { result } = run;
  const action = useAction();
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const [filter, setFilter] = useState("");
  const [message, setMessage] = useState<string | null>(null);
  const selection = useRef<Rectangle | null>(null);
  const view = useView(page, result, sorting, filter);
  const { rows, query } = view;
  const shows = state.views[run.run] ?? run.shows ?? "grid";
  const empty = result?.columns.length === 0;

  // The grid draws some rows beyond its view, so that a scroll finds them there.
  const onView = useCallback(
    (first: number, end: number) => rows?.need(Math.max(0, first - BEYOND), end + BEYOND),
    [rows],
  );

  // Read during drawing: the grid asks again whenever rows have come.
  const cell = (row: number, column: number): GridCell | undefined => {
    const value = rows?.row(row)?.[column];
    if (value === undefined) return undefined;
    if (value === null) return { text: "NULL", tone: "null" };
    if (value === "") return { text: "empty", tone: "empty" };
    return { text: cellText(value) };
  };

  const columns = useMemo(
    () =>
      (result?.columns ?? []).map((column, i) => ({
        name: column.name,
        type: column.type.toLowerCase(),
        numeric: isNumeric(column),
        width: state.widths[column.name] ?? fittingWidth(column, i, result?.rows ?? []),
      })),
    [result, state.widths],
  );

  const copy = (format: CopyFormat, chosen: Rectangle | null) =>
    action.run("copy", async () => {
      if (!result || !rows) return;
      const area = chosen ?? { top: 0, bottom: rows.rowCount - 1, left: 0, right: columns.length - 1 };
      const height = area.bottom - area.top + 1;
      if (height > MOST_COPIED) {
        throw new Fault("input.invalid", `${count(height, "row")} are too many for the clipboard.`, {
          next: "Select fewer, or export them to a file.",
        });
      }
      const taken = await rows.read(area.top, area.bottom + 1, new AbortController().signal);
      const names = result.columns.slice(area.left, area.right + 1).map((column) => column.name);
      const cells = taken.map((row) => row.slice(area.left, area.right + 1));
      await client.request("clipboard.write", { text: copyRows(names, cells, format) });
      setMessage(
        `Copied ${count(cells.length, "row")} as ${format === "markdown" ? "Markdown" : format.toUpperCase()}`,
      );
    });

  useEffect(() => {
    if (!message) return;
    const timer = setTimeout(() => setMessage(null), 2_500);
    return () => clearTimeout(timer);
  }, [message]);

  const fault = action.fault ?? view.fault;
  return (
    <div class="result">
      <Bar
        run={run}
        view={shows}
        rows={result !== undefined && !empty && !isPlan(result)}
        filter={filter}
        left={filter && rows ? rows.rowCount : null}
        onView={(next) => keep({ views: { ...state.views, [run.run]: next } })}
        onFilter={setFilter}
        onCopy={(format) => void copy(format, selection.current)}
        onExport={(format) =>
          query && void action.run("export", () => client.request("queries.exportTo", { query, format }))
        }
        onPin={() => query && void action.run("pin", () => client.request("incidents.pin", { query, run: run.run }))}
        onAgain={() => void action.run("again", () => client.request("runs.again", { run: run.run }))}
        onReveal={() => void action.run("reveal", () => client.request("runs.reveal", { run: run.run }))}
      />
      {fault && <FaultStrip fault={fault} onClose={action.fault ? action.clear : view.dismiss} />}
      <div class={`results-body${view.loading ? " waiting" : ""}`}>
        {!result || !rows || empty ? (
          children
        ) : isPlan(result) ? (
          <Plan rows={rows} name={query ?? ""} />
        ) : shows === "chart" ? (
          <ResultChart name={query ?? ""} columns={result.columns} rows={rows} zone={settings.timeZone} />
        ) : (
          <Grid
            label={`Rows of ${run.title}`}
            columns={columns}
            rowCount={rows.rowCount}
            cell={cell}
            onView={onView}
            sorting={sorting}
            onSort={(column) => setSorting((old) => nextSorting(old, column))}
            onResize={(i, width) => keep({ widths: { ...state.widths, [columns[i]?.name ?? ""]: width } })}
            onSelect={(area) => {
              selection.current = area;
            }}
            onCopy={(area) => void copy("csv", area)}
            numbered
          />
        )}
      </div>
      <div class="toast-place" role="status">
        {message && <span class="toast">{message}</span>}
      </div>
    </div>
  );
}

interface View {
  readonly query: string | null;
  readonly rows: Rows | null;
  readonly loading: boolean;
  readonly fault: FaultData | null;
  dismiss(): void;
}

/** The result as it is, or the host's view of it in another order or with fewer rows. */
function useView(
  { client }: Page<"results">,
  result: RunInfo["result"],
  sorting: Sorting | null,
  filter: string,
): View {
  const [, drawn] = useState(0);
  const [fault, setFault] = useState<FaultData | null>(null);
  const [shown, setShown] = useState<{ query: string; rows: Rows } | null>(null);
  const [loading, setLoading] = useState(false);
  const [settled, setSettled] = useState(filter);

  useEffect(() => {
    const timer = setTimeout(() => setSettled(filter), REST);
    return () => clearTimeout(timer);
  }, [filter]);

  useEffect(() => {
    if (!result) return setShown(null);
    const abort = new AbortController();
    const whole = sorting === null && settled === "";
    let opened: { query: string; rows: Rows } | undefined;
    const open = (query: string, rowCount: number, first: RowsFirst) => {
      const rows = new Rows({
        rowCount,
        first,
        fetch: (offset, limit, signal) => client.request("queries.rows", { query, offset, limit }, signal),
        onChange: (failure) => {
          if (failure) setFault(Fault.from(failure).toData());
          drawn((n) => n + 1);
        },
      });
      opened = { query, rows };
      setShown(opened);
      setLoading(false);
    };
    setFault(null);
    if (whole) open(result.query, result.rowCount, result.rows);
    else {
      setLoading(true);
      client.request("queries.view", { query: result.query, order: sorting, filter: settled }, abort.signal).then(
        (view) => {
          if (!abort.signal.aborted) open(view.query, view.rowCount, []);
          else if (view.query !== result.query) void client.request("queries.release", { query: view.query });
        },
        (error: unknown) => {
          if (abort.signal.aborted) return;
          setFault(Fault.from(error).toData());
          setLoading(false);
        },
      );
    }
    return () => {
      abort.abort();
      opened?.rows.close();
      if (opened && opened.query !== result.query) void client.request("queries.release", { query: opened.query });
    };
  }, [client, result, sorting, settled]);

  const dismiss = useCallback(() => setFault(null), []);
  return { query: shown?.query ?? null, rows: shown?.rows ?? null, loading, fault, dismiss };
}

type RowsFirst = NonNullable<RunInfo["result"]>["rows"];
