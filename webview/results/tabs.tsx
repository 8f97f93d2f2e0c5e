/** The runs of the panel as tabs, the newest first. */
import { useEffect, useRef } from "preact/hooks";
import type { RunInfo } from "../../src/rpc/page.ts";
import { Icon } from "../parts/icon.tsx";

interface Props {
  readonly runs: readonly RunInfo[];
  /** The run whose tab is open. */
  readonly shown: string;
  readonly onShow: (run: string) => void;
  readonly onClose: (run: RunInfo) => void;
}

export function Tabs({ runs, shown, onShow, onClose }: Props) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [shown]);

  /** Arrows go from tab to tab, as in every tab list; Delete closes one. */
  const onKeyDown = (event: KeyboardEvent, at: number) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step === undefined ? undefined : runs[(at + step + runs.length) % runs.length];
    if (next) {
      onShow(next.run);
      list.current?.querySelectorAll<HTMLElement>("[role=tab]")[runs.indexOf(next)]?.focus();
    } else if (event.key === "Delete") onClose(runs[at]!);
    else return;
    event.preventDefault();
  };

  return (
    <div class="tabs">
      <div class="tab-list" role="tablist" aria-label="Runs" ref={list}>
        {runs.map((run, i) => (
          <div key={run.run} role="presentation" class={`tab ${run.run === shown ? "shown" : ""}`}>
            <button
              type="button"
              role="tab"
              id={`tab-${run.run}`}
              aria-selected={run.run === shown}
              aria-keyshortcuts="Delete"
              tabIndex={run.run === shown ? 0 : -1}
              title={run.sql}
              onClick={() => onShow(run.run)}
              onKeyDown={(event) => onKeyDown(event, i)}
              onAuxClick={(event) => {
                if (event.button === 1) onClose(run);
              }}
            >
              <RunDot state={run.state} />
              <span class="ellipsis">{run.title}</span>
            </button>
            {/* For the pointer only: a tab list has nothing but tabs in it, and Delete closes the one that has the focus. */}
            <button
              type="button"
              class="tab-close"
              tabIndex={-1}
              aria-hidden="true"
              title={run.state === "running" ? "Cancel and close (Delete)" : "Close (Delete)"}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => onClose(run)}
            >
              <Icon name="close" />
            </button>
          </div>
        ))}
      </div>
    </div>
  );
}

const STATES = { succeeded: "in", failed: "out", running: "busy", cancelled: "none" } as const;

function RunDot({ state }: { readonly state: RunInfo["state"] }) {
  return <i class={`dot ${STATES[state]}`} role="img" aria-label={state} />;
}
