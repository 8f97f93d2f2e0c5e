/** What the chart's lines and marks mean; only what can be seen. */

interface Props {
  /** How the alarm's edge is called; null when no rule watches the series. */
  readonly edge: string | null;
  readonly late: boolean;
  readonly incidents: number;
  readonly noForecast: boolean;
}

export function Legend({ edge, late, incidents, noForecast }: Props) {
  return (
    <ul class="legend" aria-label="Legend">
      <Entry mark="actual">Actual</Entry>
      {!noForecast && <Entry mark="expected">Expected</Entry>}
      {!noForecast && <Entry mark="band">Band</Entry>}
      {edge && !noForecast && <Entry mark="edge">{edge}</Entry>}
      {!noForecast && <Entry mark="breach">Breaching</Entry>}
      {incidents > 0 && <Entry mark="incident">Incident</Entry>}
      {late && <Entry mark="late">Late events</Entry>}
    </ul>
  );
}

function Entry({ mark, children }: { readonly mark: string; readonly children: string }) {
  return (
    <li>
      <i class={`key ${mark}`} />
      {children}
    </li>
  );
}
