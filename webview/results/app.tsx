/** The results page: the runs of the panel, one of them shown. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { FaultData, PageStates, RunInfo } from "../../src/rpc/page.ts";
import { formatLength } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { Empty, FaultNotice, Loading } from "../parts/notice.tsx";
import { type Page, useAsked } from "../parts/page.tsx";
import { ResultView } from "./result.tsx";

export const RESULTS_STATE: PageStates["results"] = { run: null, view: "grid", widths: {} };

/** Runs that are remembered; the host keeps as many results. */
const MOST_RUNS = 50;

export function ResultsPage(page: Page<"results">) {
  const { client, subject, state, keep } = page;
  const asked = useAsked(subject.pipeline, (signal) =>
    client.request("runs.list", { pipeline: subject.pipeline }, signal),
  );
  const [told, setTold] = useState<ReadonlyMap<string, RunInfo>>(new Map());

  useEffect(() => {
    const known = new Set<string>();
    const subscription = client.on("run", (run) => {
      // A run that begins comes to the front.
      if (!known.has(run.run) && run.state === "running") keep({ run: run.run });
      known.add(run.run);
      setTold((old) => new Map(old).set(run.run, run));
    });
    return () => subscription.dispose();
  }, [client, keep]);

  const runs = useMemo(() => {
    const all = new Map((asked.value ?? []).map((run) => [run.run, run]));
    for (const [id, run] of told) all.set(id, run);
    return [...all.values()].sort((a, b) => b.startedAt - a.startedAt).slice(0, MOST_RUNS);
  }, [asked.value, told]);

  const run = runs.find((each) => each.run === state.run) ?? runs[0];
  if (!run) {
    if (asked.fault) return <FaultNotice fault={asked.fault} onRetry={asked.reload} />;
    if (asked.loading) return <Loading label="Reading the runs" />;
    return (
      <Empty icon="table" title="No results yet">
        <p>Run a statement of a .sql file: its rows appear here.</p>
      </Empty>
    );
  }
  return (
    <ResultView key={run.run} page={page} run={run} runs={runs}>
      <RunMessage
        run={run}
        onCancel={() => client.request("runs.cancel", { run: run.run })}
        onReveal={() => client.request("runs.reveal", { run: run.run })}
        onAgain={() => client.request("runs.again", { run: run.run })}
      />
    </ResultView>
  );
}

interface MessageProps {
  readonly run: RunInfo;
  readonly onCancel: () => void;
  readonly onReveal: () => void;
  readonly onAgain: () => void;
}

/** What stands in place of rows while there are none. */
function RunMessage({ run, onCancel, onReveal, onAgain }: MessageProps) {
  if (run.state === "running") return <Running run={run} onCancel={onCancel} />;
  if (run.state === "cancelled") {
    return (
      <Empty icon="stop" title="Cancelled">
        <p>The statement was stopped after {formatLength(run.elapsed)}.</p>
        <p class="row center">
          <vscode-button appearance="secondary" onClick={onAgain}>
            Run again
          </vscode-button>
        </p>
      </Empty>
    );
  }
  const fault: FaultData = run.fault ?? { code: "query.failed", message: "The statement failed." };
  return (
    <FaultNotice fault={fault}>
      <vscode-button appearance="secondary" onClick={onReveal}>
        {fault.at ? `Go to line ${fault.at.line}` : "Show the statement"}
      </vscode-button>
      <vscode-button appearance="secondary" onClick={onAgain}>
        Run again
      </vscode-button>
    </FaultNotice>
  );
}

function Running({ run, onCancel }: { readonly run: RunInfo; readonly onCancel: () => void }) {
  // The host's clock tells how long it has run so far; from here on this page's does.
  const [since] = useState(() => performance.now() - run.elapsed);
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 100);
    return () => clearInterval(timer);
  }, []);
  return (
    <div class="notice">
      <vscode-progress-ring aria-label="Running" />
      <p class="notice-title number">Running {formatLength(now - since)}</p>
      <pre class="cause running-sql">{run.sql}</pre>
      <vscode-button appearance="secondary" onClick={onCancel}>
        <Icon name="stop" />
        Cancel
      </vscode-button>
    </div>
  );
}
