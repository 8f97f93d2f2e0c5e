/** The forecast page: a pipeline's series, their actuals against the forecast, live. */
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Fault } from "../../src/core/fault.ts";
import { type PageStates, packChart, type SeriesInfo } from "../../src/rpc/page.ts";
import { useLiveChart } from "../parts/chart/live.ts";
import { legendOf } from "../parts/chart/plot.ts";
import { type ChartHandle, SeriesChart } from "../parts/chart/series-chart.tsx";
import { extent as extentOf, newestActual, newestIndex, type Range } from "../parts/chart/visible.ts";
import { WindowTable } from "../parts/chart/window-table.tsx";
import { count, formatFullTime, formatLength, formatTime } from "../parts/format.ts";
import { Empty, FaultNotice, FaultStrip, Loading } from "../parts/notice.tsx";
import { type Page, useAction } from "../parts/page.tsx";
import { fullLabel, groupSeries, neighbour } from "../parts/series.ts";
import { chartCsv } from "./csv.ts";
import { useChartSource, useSeries } from "./data.ts";
import { Legend } from "./legend.tsx";
import { Multiples, type MultiplesHandle } from "./multiples.tsx";
import { Overview } from "./overview.tsx";
import { Picker } from "./picker.tsx";
import { type Extent, following, keyAction, moved, PRESETS, presetOf, presetRange } from "./range.ts";
import { Toolbar } from "./toolbar.tsx";

export const FORECAST_STATE: PageStates["forecast"] = {
  series: null,
  view: "chart",
  table: false,
  follow: true,
  range: null,
  picker: true,
  search: "",
};

const DEFAULT_SPAN = PRESETS[3].span;
const NONE: readonly SeriesInfo[] = [];
/** What the chart has until it has been read: its canvas and axes are ready then, and the data are all that is drawn. */
const NO_WINDOWS = packChart({ series: "", every: 3_600_000, points: [], rules: [], incidents: [] });
const NO_RANGE: Range = { from: 0, until: DEFAULT_SPAN };
/** Ranges change with every frame of a gesture; the host is told when it rests. */
const REST = 150;

export function ForecastPage(page: Page<"forecast">) {
  const { client, subject, settings, state, keep } = page;
  const zone = settings.timeZone;
  const source = useChartSource(page);
  const asked = useSeries(page);
  const series = asked.value ?? NONE;
  const all = useMemo(() => groupSeries(series), [series]);
  const found = useMemo(() => groupSeries(series, state.search), [series, state.search]);
  const known = series.some((each) => each.id === state.series);
  const id = known ? state.series : (all[0]?.series[0]?.id ?? null);
  const measure = all.find((group) => group.series.some((each) => each.id === id));
  const chart = useLiveChart(source, subject.pipeline, id);
  const { columns } = chart;
  const handle = useRef<ChartHandle>(null);
  const multiples = useRef<MultiplesHandle>(null);
  const action = useAction();

  const legend = useMemo(() => (columns ? legendOf(columns) : { edge: null, late: false }), [columns]);
  const extent = useMemo<Extent | null>(() => {
    const whole = columns && extentOf(columns);
    return whole && columns ? { all: whole, newest: newestActual(columns), every: columns.every } : null;
  }, [columns]);

  const [gesture, setGesture] = useState<Range | null>(null);
  const wanted = gesture ?? state.range;
  const range = useMemo(() => {
    if (!extent) return null;
    if (!wanted) return presetRange(DEFAULT_SPAN, extent);
    return state.follow && !gesture ? following(wanted, extent) : wanted;
  }, [extent, wanted, gesture, state.follow]);

  // A gesture holds the range until it rests; then it is kept.
  useEffect(() => {
    if (!gesture) return;
    const timer = setTimeout(() => {
      keep({ range: gesture, follow: false });
      setGesture(null);
    }, REST);
    return () => clearTimeout(timer);
  }, [gesture, keep]);
  // Said and listed of where the chart rests, not of every frame of a gesture.
  const rest = useRef<Range | null>(null);
  if (!gesture) rest.current = range ?? rest.current;
  const onGesture = useCallback((next: Range) => setGesture(next), []);
  const setRange = (next: Range, follow = false) => {
    setGesture(null);
    keep({ range: next, follow });
  };

  const title = id ? fullLabel(id) : subject.pipeline;
  useEffect(() => client.tell("page.title", { title }), [client, title]);

  const select = (next: string | undefined, view = state.view) => next !== undefined && keep({ series: next, view });
  const openIncident = (incident: string) => action.run("open", () => client.request("incidents.open", { incident }));
  const toggle = (what: "view" | "table" | "follow" | "picker") => {
    if (what === "view") keep({ view: state.view === "chart" ? "multiples" : "chart" });
    else if (what === "table") keep({ table: !state.table });
    else if (what === "picker") keep({ picker: !state.picker });
    else if (range && extent && !state.follow) setRange(following(range, extent), true);
    else keep({ follow: false });
  };

  const keys = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (target.closest("input, textarea, select, vscode-text-field, [role=menu]")) return;
    const act = keyAction(event);
    if (!act) return;
    event.preventDefault();
    if (act === "previous" || act === "next") select(neighbour(all, id, act === "next" ? 1 : -1));
    else if (act === "table" || act === "follow") toggle(act);
    else if (act === "multiples") toggle("view");
    else if (act === "search") {
      keep({ picker: true });
      requestAnimationFrame(() => document.getElementById("series-search")?.focus());
    } else if ("read" in act) handle.current?.readBy(act.read);
    else if (range && extent) setGesture(moved(range, act, extent));
  };
  const onKey = useRef(keys);
  onKey.current = keys;
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKey.current(event);
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, []);

  const exportAs = (format: "png" | "csv") =>
    void action.run("export", async () => {
      if (!columns || !range) return;
      const all = state.view === "multiples" ? multiples.current : null;
      const shown = all ? all.shown() : [columns];
      if (shown.length === 0) {
        throw new Fault("input.invalid", "None of the charts has been read yet.", {
          next: "Export again in a moment.",
        });
      }
      const name = `${(all && measure ? measure.measure : columns.series).replaceAll(/[^A-Za-z0-9_-]+/g, "-").replace(/-$/, "")}.${format}`;
      const file =
        format === "csv"
          ? { content: chartCsv(shown, range), encoding: "utf8" as const }
          : { content: (all ?? handle.current!).toPng().split(",")[1]!, encoding: "base64" as const };
      await client.request("files.save", { name, ...file });
    });
  const declare = () =>
    id &&
    range &&
    void action.run("declare", () =>
      client.request("incidents.declare", { pipeline: subject.pipeline, series: id, from: range.from }),
    );

  // The same element while a gesture moves the range, so that a list of hundreds is left alone.
  const picker = useMemo(
    () =>
      state.picker && (
        <Picker
          groups={found}
          total={series.length}
          selected={id}
          search={state.search}
          onSearch={(search) => keep({ search })}
          onSelect={(next) => keep({ series: next })}
        />
      ),
    [state.picker, found, series.length, id, state.search, keep],
  );

  if (!asked.value) {
    if (asked.fault) return <FaultNotice fault={asked.fault} onRetry={asked.reload} />;
    return <Loading label="Reading the series" />;
  }
  if (series.length === 0) {
    return (
      <Empty icon="chart" title="No series yet">
        <p>
          Series of <b>{subject.pipeline}</b> appear here when its first windows close.
        </p>
        <p>Send records to its stream, or a file of them with “Forewatch: Send Records”.</p>
      </Empty>
    );
  }

  const noForecast = columns?.median.every(Number.isNaN) ?? false;
  const latest = columns ? newestIndex(columns) : -1;
  const notCompared = latest >= 0 && Number.isNaN(columns?.deviation[latest]);
  const newest = extent?.newest ?? null;
  const detail = [
    subject.pipeline,
    columns && `a window every ${formatLength(columns.every)}`,
    newest !== null && `newest ${formatTime(newest, zone, { year: true })}${notCompared ? ", not compared" : ""}`,
  ]
    .filter(Boolean)
    .join(" · ");
  const seen = rest.current ?? range;
  const label =
    seen && columns
      ? `${title}, ${formatFullTime(seen.from, zone)} to ${formatFullTime(seen.until, zone)}: actual against forecast. ${count(
          columns.incidents.length,
          "incident",
        )}. The table view has the same data.`
      : title;

  return (
    <div class={`forecast${state.picker ? "" : " no-picker"}${state.table ? " with-table" : ""}`}>
      <Toolbar
        title={state.view === "multiples" && measure ? `${measure.title}: all series` : title}
        detail={detail}
        preset={range && extent ? presetOf(range, extent)?.name : undefined}
        view={state.view}
        table={state.table}
        follow={state.follow && !gesture}
        picker={state.picker}
        ready={columns !== null}
        onStep={(step) => select(neighbour(all, id, step))}
        onPreset={({ span }) => extent && setRange(presetRange(span, extent), true)}
        onToggle={toggle}
        onExport={exportAs}
        onDeclare={declare}
      />
      {action.fault && <FaultStrip fault={action.fault} onClose={action.clear} />}
      {chart.fault && columns && <FaultStrip fault={chart.fault} onClose={chart.reload} />}
      <div class="forecast-body">
        {picker}
        <div class="forecast-main">
          {chart.fault && !columns ? (
            <FaultNotice fault={chart.fault} onRetry={chart.reload} />
          ) : columns && !extent ? (
            <Empty icon="chart" title="No windows yet">
              <p>{title} has no closed window yet.</p>
            </Empty>
          ) : (
            <>
              {(noForecast || notCompared) && (
                <div class="strip info" role="status">
                  <span class="grow">
                    {noForecast
                      ? "There is no forecast for this series yet: only what arrived is shown."
                      : "There is no forecast for the newest window: it was not compared."}
                  </span>
                  <vscode-button
                    appearance="secondary"
                    disabled={action.busy === "train"}
                    onClick={() =>
                      void action.run("train", () => client.request("forecasts.train", { pipeline: subject.pipeline }))
                    }
                  >
                    Train now
                  </vscode-button>
                </div>
              )}
              {state.view === "multiples" && measure && range ? (
                <Multiples
                  source={source}
                  pipeline={subject.pipeline}
                  group={measure}
                  range={range}
                  zone={zone}
                  selected={id}
                  onOpen={(next) => select(next, "chart")}
                  handle={multiples}
                />
              ) : (
                <>
                  {columns ? (
                    <Legend {...legend} incidents={columns.incidents.length} noForecast={noForecast} />
                  ) : (
                    <div class="legend-wait" />
                  )}
                  <SeriesChart
                    columns={columns ?? NO_WINDOWS}
                    range={range ?? rest.current ?? NO_RANGE}
                    zone={zone}
                    label={label}
                    waiting={!columns}
                    onRange={onGesture}
                    onIncident={(incident) => void openIncident(incident)}
                    handle={handle}
                  />
                </>
              )}
              {columns && range && extent ? (
                <Overview columns={columns} extent={extent} range={range} zone={zone} onRange={onGesture} />
              ) : (
                <div class="overview-wait skeleton" />
              )}
            </>
          )}
        </div>
        {state.table && columns && seen && (
          <aside class="forecast-table" aria-label="Table">
            <WindowTable columns={columns} range={seen} zone={zone} label={`${title}: windows in view`} />
          </aside>
        )}
      </div>
    </div>
  );
}
