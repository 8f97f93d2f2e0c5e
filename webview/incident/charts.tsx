/** A contributor's chart as it was when the incident opened, beside the same windows as they are now. */
import { useMemo } from "preact/hooks";
import { type ChartColumns, type Incident, packChart } from "../../src/rpc/page.ts";
import { type ChartSource, useLiveChart } from "../parts/chart/live.ts";
import { SeriesChart } from "../parts/chart/series-chart.tsx";
import { extent, newestActual, newestIndex, type Range } from "../parts/chart/visible.ts";
import { WindowTable } from "../parts/chart/window-table.tsx";
import { formatTime, type Zone } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { FaultNotice } from "../parts/notice.tsx";
import { fullLabel } from "../parts/series.ts";

interface Props {
  readonly incident: Incident;
  readonly source: ChartSource;
  readonly series: string;
  readonly zone: Zone;
  readonly tables: boolean;
  readonly onTables: (tables: boolean) => void;
}

/** What is shown before the first breaching window. */
const BEFORE = 36;
/** What is shown after the newest one. */
const AFTER = 12;

export function Charts({ incident, source, series, zone, tables, onTables }: Props) {
  const frozen = useMemo(() => {
    const chart = incident.frozen.find((each) => each.series === series);
    return chart ? packChart(chart) : null;
  }, [incident.frozen, series]);
  const live = useLiveChart(source, incident.pipeline, series);
  const name = fullLabel(series);
  const shared = useMemo(() => rangeOf(incident, frozen, live.columns), [incident, frozen, live.columns]);
  const shown = (columns: ChartColumns, range: Range, what: string) => (
    <>
      <SeriesChart columns={columns} range={range} zone={zone} interactive={false} label={`${name} ${what}`} />
      {tables && (
        <div class="chart-table">
          <WindowTable columns={columns} range={range} zone={zone} label={`${name} ${what}: windows`} />
        </div>
      )}
    </>
  );
  return (
    <>
      <div class="row charts-head">
        <h3 class="grow ellipsis">{name}</h3>
        <button
          type="button"
          class="tool"
          aria-pressed={tables}
          title="The charts' windows as tables"
          onClick={() => onTables(!tables)}
        >
          <Icon name="table" />
          Tables
        </button>
      </div>
      <div class={`twin-charts${tables ? " with-tables" : ""}`}>
        <figure>
          <figcaption>
            At opening <span class="muted">{formatTime(incident.openedAt, zone)}</span>
          </figcaption>
          {frozen && shared ? (
            shown(frozen, shared, "as it was when the incident opened")
          ) : (
            <p class="muted chart-none">No picture was kept of this series: it joined after the opening.</p>
          )}
        </figure>
        <figure>
          <figcaption>
            {incident.status === "open" ? "Now" : "Since"}
            {live.columns && <Newest columns={live.columns} zone={zone} />}
          </figcaption>
          {live.columns && shared ? (
            shown(live.columns, shared, "as it is now")
          ) : live.fault ? (
            <FaultNotice fault={live.fault} onRetry={live.reload} />
          ) : (
            <div class="chart-wait skeleton" />
          )}
        </figure>
      </div>
    </>
  );
}

/** Up to when the chart goes, and whether its newest window could be compared at all. */
function Newest({ columns, zone }: { readonly columns: ChartColumns; readonly zone: Zone }) {
  const newest = newestIndex(columns);
  const start = columns.start[newest];
  if (start === undefined) return null;
  return (
    <span class="muted">
      {" "}
      up to {formatTime(start + columns.every, zone)}
      {Number.isNaN(columns.deviation[newest]) && (
        <span class="not-compared">
          <i class="dot none" /> newest window not compared
        </span>
      )}
    </span>
  );
}

/** The same range for both, so that they can be compared: from before the incident to a little after its newest window. */
function rangeOf(incident: Incident, frozen: ChartColumns | null, live: ChartColumns | null): Range | null {
  const columns = live ?? frozen;
  const all = columns && extent(columns);
  if (!columns || !all) return null;
  const end = incident.resolvedAt ?? newestActual(columns) ?? incident.openedAt;
  return {
    from: Math.max(all.from, incident.from - BEFORE * columns.every),
    until: Math.min(all.until, Math.max(end, incident.openedAt) + AFTER * columns.every),
  };
}
