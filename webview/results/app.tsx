/** The results page: the runs of the panel, one of them shown. */
import { useEffect, useState } from "preact/hooks";
import type { FaultData, PageStates, RunInfo } from "../../src/rpc/page.ts";
import { formatLength } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { Empty, FaultNotice, Loading } from "../parts/notice.tsx";
import { type Page, useAsked } from "../parts/page.tsx";
import { ResultView } from "./result.tsx";
import { Tabs } from "./tabs.tsx";

export const RESULTS_STATE: PageStates["results"] = { run: null, views: {}, widths: {} };

/** Runs that are remembered; the host keeps as many results. */
const MOST_RUNS = 50;

export function ResultsPage(page: Page<"results">) {
  const { client, subject, state, keep } = page;
  const asked = useAsked(subject.pipeline, (signal) =>
    client.request("runs.list", { pipeline: subject.pipeline }, signal),
  );
  const [runs, setRuns] = useState<readonly RunInfo[]>([]);

  // Another pipeline has other runs.
  useEffect(() => setRuns([]), [subject.pipeline]);
  useEffect(() => {
    const listed = asked.value;
    // What was told since the list was made is newer than the list.
    if (listed) setRuns((told) => merged(listed, told).slice(0, MOST_RUNS));
  }, [asked.value]);
  useEffect(() => {
    const subscription = client.on("run", (run) => {
      // A run that begins comes to the front.
      if (run.state === "running") keep({ run: run.run });
      setRuns((old) => withRun(old, run));
    });
    return () => subscription.dispose();
  }, [client, keep]);

  const close = (closed: RunInfo) => {
    setRuns((old) => old.filter((each) => each.run !== closed.run));
    void client.request("runs.close", { run: closed.run });
  };
  const run = runs.find((each) => each.run === state.run) ?? runs[0];
  if (!run) {
    if (asked.fault) return <FaultNotice fault={asked.fault} onRetry={asked.reload} />;
    if (asked.loading) return <Loading label="Reading the runs" />;
    return (
      <Empty icon="table" title="No results yet">
        <p>Run a statement of a .sql file: its rows appear here.</p>
        <p class="row center">
          <vscode-button appearance="secondary" onClick={() => client.request("history.open", null)}>
            Query history
          </vscode-button>
        </p>
      </Empty>
    );
  }
  return (
    <div class="results">
      <Tabs runs={runs} shown={run.run} onShow={(id) => keep({ run: id })} onClose={close} />
      <ResultView key={run.run} page={page} run={run}>
        <RunMessage
          run={run}
          onCancel={() => client.request("runs.cancel", { run: run.run })}
          onReveal={() => client.request("runs.reveal", { run: run.run })}
          onAgain={() => client.request("runs.again", { run: run.run })}
        />
      </ResultView>
    </div>
  );
}

/** The listed runs as they were told of last, and before them those that are not on the list yet. */
function merged(listed: readonly RunInfo[], told: readonly RunInfo[]): readonly RunInfo[] {
  const known = new Map(told.map((run) => [run.run, run]));
  const ids = new Set(listed.map((run) => run.run));
  return [...told.filter((run) => !ids.has(run.run)), ...listed.map((run) => known.get(run.run) ?? run)];
}

/** The runs with one that began or changed: in its own place, in that of the run it replaces, else first. */
function withRun(runs: readonly RunInfo[], run: RunInfo): readonly RunInfo[] {
  const at = runs.findIndex((each) => each.run === run.run || each.run === run.replaces);
  if (at >= 0) return runs.with(at, run);
  // A run that ends without a tab was closed.
  return run.state === "running" ? [run, ...runs].slice(0, MOST_RUNS) : runs;
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
  if (run.state === "succeeded") {
    return (
      <Empty icon="check" title="Done">
        <p>The statement took {formatLength(run.elapsed)} and gives no rows.</p>
      </Empty>
    );
  }
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
