/** The series picker: search, groups by measure, each series with the deviation of its newest window. */
import { useEffect, useRef } from "preact/hooks";
import type { SeriesInfo } from "../../src/rpc/page.ts";
import { formatDeviation, formatPercent } from "../parts/format.ts";
import { healthOf } from "../parts/health.ts";
import { fullLabel, type SeriesGroup, shortLabel } from "../parts/series.ts";
import { named, textOf } from "../parts/toolkit.ts";

interface Props {
  readonly groups: readonly SeriesGroup[];
  readonly total: number;
  readonly selected: string | null;
  readonly search: string;
  readonly onSearch: (search: string) => void;
  readonly onSelect: (series: string) => void;
}

export function Picker({ groups, total, selected, search, onSearch, onSelect }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const ids = groups.flatMap((group) => group.series.map((each) => each.id));
  const active = selected !== null && ids.includes(selected) ? selected : ids[0];

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, []);

  const choose = (id: string | undefined) => {
    if (id === undefined) return;
    onSelect(id);
    requestAnimationFrame(() => {
      const option = list.current?.querySelector<HTMLElement>(`[data-series="${CSS.escape(id)}"]`);
      option?.focus();
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const at = active === undefined ? -1 : ids.indexOf(active);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: ids.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    choose(ids[Math.max(0, Math.min(ids.length - 1, next))]);
  };

  return (
    <nav class="picker" aria-label="Series">
      <div class="picker-search">
        <vscode-text-field
          id="series-search"
          type="search"
          placeholder={`Search ${total} series`}
          ref={named("Search series")}
          value={search}
          onInput={(event) => onSearch(textOf(event))}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown" || event.key === "Enter") choose(active);
            else if (event.key === "Escape") onSearch("");
          }}
        />
      </div>
      {ids.length === 0 ? (
        <p class="muted picker-none">No series match “{search}”.</p>
      ) : (
        <div ref={list} class="picker-list" role="listbox" tabIndex={-1} aria-label="Series" onKeyDown={onKeyDown}>
          {groups.map((group) => (
            // biome-ignore lint/a11y/useSemanticElements: a group of options
            <div key={group.measure} role="group" aria-label={group.title}>
              <div class="picker-measure" role="presentation">
                {group.title} <span class="muted">{group.series.length}</span>
              </div>
              {group.series.map((each) => (
                <Option
                  key={each.id}
                  series={each}
                  selected={each.id === selected}
                  reachable={each.id === active}
                  onSelect={onSelect}
                />
              ))}
            </div>
          ))}
        </div>
      )}
    </nav>
  );
}

interface OptionProps {
  readonly series: SeriesInfo;
  readonly selected: boolean;
  /** Whether Tab reaches it: one option of the list is. */
  readonly reachable: boolean;
  readonly onSelect: (series: string) => void;
}

function Option({ series, selected, reachable, onSelect }: OptionProps) {
  const deviation = series.last?.deviation ?? null;
  const percent = formatPercent(series.last?.actual, series.last?.median);
  const { health, said } = healthOf(series.last);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the listbox handles the keys
    <div
      role="option"
      tabIndex={reachable ? 0 : -1}
      aria-selected={selected ? "true" : "false"}
      aria-label={`${shortLabel(series.id)} ${health === "none" ? "" : `${formatDeviation(deviation)}, `}${said}`}
      data-series={series.id}
      class="picker-option"
      title={`${fullLabel(series.id)}\n${said}${deviation === null ? "" : `, deviation ${formatDeviation(deviation)} ${percent}`}${
        series.method ? `\nForecast by ${series.method}${series.reason ? `: ${series.reason}` : ""}` : ""
      }`}
      onClick={() => onSelect(series.id)}
    >
      <i class={`dot ${health}`} />
      <span class="grow ellipsis">{shortLabel(series.id)}</span>{" "}
      <span class={`number ${health === "out" ? "bad" : "muted"}`}>
        {health === "none" ? said : formatDeviation(deviation)}
      </span>
    </div>
  );
}
