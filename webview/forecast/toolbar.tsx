/** The forecast page's head: which series, which range, how it is shown, and what leaves the page. */
import { Icon } from "../parts/icon.tsx";
import { Menu } from "../parts/menu.tsx";
import { PRESETS, type Preset } from "./range.ts";

interface Props {
  readonly title: string;
  readonly detail: string;
  readonly preset: string | undefined;
  readonly view: "chart" | "multiples";
  readonly table: boolean;
  readonly follow: boolean;
  readonly picker: boolean;
  readonly ready: boolean;
  readonly onStep: (step: 1 | -1) => void;
  readonly onPreset: (preset: Preset) => void;
  readonly onToggle: (what: "view" | "table" | "follow" | "picker") => void;
  readonly onExport: (format: "png" | "csv") => void;
  readonly onDeclare: () => void;
}

export function Toolbar(props: Props) {
  const { title, detail, preset, view, table, follow, picker, ready } = props;
  return (
    <header class="toolbar">
      <Toggle icon="list" label="Series list" pressed={picker} onClick={() => props.onToggle("picker")} bare />
      <div class="toolbar-title">
        <h1 class="ellipsis" title={title}>
          {title}
        </h1>
        <p class="muted ellipsis">{detail}</p>
      </div>
      <div class="stepper">
        <button
          type="button"
          class="tool bare"
          aria-label="Previous series"
          title="Previous series ( [ )"
          onClick={() => props.onStep(-1)}
        >
          <Icon name="back" />
        </button>
        <button
          type="button"
          class="tool bare"
          aria-label="Next series"
          title="Next series ( ] )"
          onClick={() => props.onStep(1)}
        >
          <Icon name="forward" />
        </button>
      </div>
      <span class="grow" />
      <fieldset class="segments" aria-label="Range">
        {PRESETS.map((each) => (
          <button
            type="button"
            key={each.name}
            class="segment"
            aria-label={each.name === "all" ? "all" : `${each.name}: ${each.label}`}
            aria-pressed={preset === each.name}
            disabled={!ready}
            onClick={() => props.onPreset(each)}
          >
            {each.name}
          </button>
        ))}
      </fieldset>
      <button
        type="button"
        class={`tool follow${follow ? " on" : ""}`}
        aria-pressed={follow}
        title="Keep the newest window in view ( f )"
        onClick={() => props.onToggle("follow")}
      >
        <i class="live-dot" />
        Live
      </button>
      <div class="segments icons">
        <Toggle
          icon="grid"
          label="All series of the measure ( m )"
          pressed={view === "multiples"}
          onClick={() => props.onToggle("view")}
        />
        <Toggle icon="table" label="Table ( t )" pressed={table} onClick={() => props.onToggle("table")} />
      </div>
      <Menu
        label="Export"
        icon="export"
        disabled={!ready}
        items={[
          { label: "Picture", hint: "PNG", onChoose: () => props.onExport("png") },
          { label: "Visible windows", hint: "CSV", onChoose: () => props.onExport("csv") },
        ]}
      />
      <button type="button" class="tool" disabled={!ready} onClick={props.onDeclare} title="Declare an incident here">
        <Icon name="flag" />
        <span class="wide-only">Declare</span>
      </button>
    </header>
  );
}

interface ToggleProps {
  readonly icon: "grid" | "table" | "list";
  readonly label: string;
  readonly pressed: boolean;
  readonly bare?: boolean;
  readonly onClick: () => void;
}

function Toggle({ icon, label, pressed, bare = false, onClick }: ToggleProps) {
  return (
    <button
      type="button"
      class={bare ? "tool bare" : "segment"}
      aria-label={label.replace(/ \( . \)$/, "")}
      title={label}
      aria-pressed={pressed}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
