/** The contributors: which series left the forecast, how far at their worst, and whether they are back. */
import type { Incident } from "../../src/rpc/page.ts";
import { formatDeviation, formatNumber, formatPercent, formatTime, type Zone } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { fullLabel } from "../parts/series.ts";

interface Props {
  readonly incident: Incident;
  readonly zone: Zone;
  readonly selected: string | null;
  readonly onSelect: (series: string) => void;
  readonly onOpen: (series: string) => void;
  readonly onQuery: (series: string) => void;
}

export function Contributors({ incident, zone, selected, onSelect, onOpen, onQuery }: Props) {
  if (incident.contributors.length === 0) return <p class="muted">No series contributes to this incident.</p>;
  return (
    <div class="table-scroll">
      <table class="contributors">
        <thead>
          <tr>
            <th scope="col">
              <span class="contributors-series">Series</span>
            </th>
            <th scope="col" class="numeric">
              Deviation
            </th>
            <th scope="col" class="numeric">
              Actual
            </th>
            <th scope="col" class="numeric">
              Expected
            </th>
            <th scope="col">State</th>
            <th scope="col">Since</th>
            <th scope="col">Worst window</th>
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {incident.contributors.map(({ series, from, worst, recoveredAt }) => (
            <tr key={series} class={series === selected ? "selected" : ""}>
              <th scope="row">
                <button
                  type="button"
                  class="link"
                  aria-pressed={series === selected}
                  title={`${fullLabel(series)}: show its charts below`}
                  onClick={() => onSelect(series)}
                >
                  {fullLabel(series)}
                </button>
              </th>
              {worst.deviation === null ? (
                <td class="numeric muted">{worst.actual === null ? "no value" : "not compared"}</td>
              ) : (
                <td class="number numeric bad">
                  {formatDeviation(worst.deviation)}{" "}
                  <span class="muted percent">{formatPercent(worst.actual, worst.expected)}</span>
                </td>
              )}
              <td class="number numeric">{formatNumber(worst.actual)}</td>
              <td class="number numeric">{formatNumber(worst.expected)}</td>
              <td>
                {recoveredAt === null ? (
                  <span class="pill bad">{incident.status === "open" ? "Breaching" : "Not recovered"}</span>
                ) : (
                  <span class="pill good" title={`Recovered ${formatTime(recoveredAt, zone)}`}>
                    Recovered {formatTime(recoveredAt, zone)}
                  </span>
                )}
              </td>
              <td class="number">{formatTime(from, zone)}</td>
              <td class="number">{formatTime(worst.start, zone)}</td>
              <td class="actions">
                <button
                  type="button"
                  class="tool bare"
                  aria-label={`Open the forecast of ${fullLabel(series)}`}
                  title="Open in the forecast page"
                  onClick={() => onOpen(series)}
                >
                  <Icon name="chart" />
                </button>
                <button
                  type="button"
                  class="tool bare"
                  aria-label={`Query ${fullLabel(series)} in this window`}
                  title="Query this series and window"
                  onClick={() => onQuery(series)}
                >
                  <Icon name="query" />
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
