/** The preview page: what a deployment would do, what it costs, what is lacking; then how far it is. */
import { useEffect, useState } from "preact/hooks";
import type { Deployment, FaultData, PageStates, PlannedChange, PreviewInfo } from "../../src/rpc/page.ts";
import { count, formatDollars } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { FaultNotice, FaultStrip, Loading } from "../parts/notice.tsx";
import { type Page, useAction, useAsked } from "../parts/page.tsx";
import { Cost } from "./cost.tsx";
import { type Action, groupSteps, tally } from "./plan.ts";

export const PREVIEW_STATE: PageStates["preview"] = { all: false };

export function PreviewPage(page: Page<"preview">) {
  const { client, subject, state, keep } = page;
  const { file } = subject;
  const asked = useAsked(file, (signal) => client.request("stack.preview", { file }, signal));
  const action = useAction();
  const [deployment, setDeployment] = useState<Deployment | null>(null);

  useEffect(() => {
    const subscription = client.on("deployment", setDeployment);
    return () => subscription.dispose();
  }, [client]);
  useEffect(() => client.tell("page.title", { title: `Preview ${subject.pipeline}` }), [client, subject.pipeline]);

  if (!asked.value) {
    if (asked.fault) {
      const { fault } = asked;
      return (
        <FaultNotice fault={fault} onRetry={asked.reload}>
          {fault.at && (
            <vscode-button onClick={() => void client.request("files.reveal", { file, fault })}>
              Go to line {fault.at.line}
            </vscode-button>
          )}
        </FaultNotice>
      );
    }
    return <Loading label="Comparing the pipeline file with what is there" />;
  }

  const info = asked.value;
  const { plan } = info;
  const counts = tally(plan.changes);
  const nothing = counts.add + counts.change + counts.replace + counts.remove === 0;
  const running = deployment?.state === "running";
  return (
    <div class="preview">
      <div class="preview-scroll">
        <div class="preview-page">
          <header>
            <h1>
              Deploy {plan.pipeline} <span class="muted">to {info.target}</span>
            </h1>
            {info.identity && <p class="muted">As {info.identity}</p>}
            <Summary counts={counts} nothing={nothing} />
          </header>
          {action.fault && <FaultStrip fault={action.fault} onClose={action.clear} />}
          <Lacks
            lacks={plan.lacks}
            onReveal={(fault) => void action.run("reveal", () => client.request("files.reveal", { file, fault }))}
          />
          <Changes changes={plan.changes} all={state.all} onAll={(all) => keep({ all })} />
          <Cost cost={plan.monthlyCost} />
        </div>
      </div>
      <Foot
        info={info}
        nothing={nothing}
        deployment={deployment}
        onDeploy={() => {
          setDeployment({ state: "running", message: "Starting" });
          void action
            .run("deploy", () => client.request("stack.deploy", { file }))
            .then((begun) => !begun && setDeployment(null));
        }}
        onCancel={() =>
          void action.run("cancel", () =>
            running ? client.request("stack.cancel", { file }) : client.request("page.close", null),
          )
        }
        onAgain={() => {
          setDeployment(null);
          asked.reload();
        }}
      />
    </div>
  );
}

const SIGNS: Readonly<Record<Action, string>> = { add: "+", change: "~", replace: "±", remove: "−", keep: "=" };
const WORDS: Readonly<Record<Action, string>> = {
  add: "to add",
  change: "to change",
  replace: "to replace",
  remove: "to remove",
  keep: "unchanged",
};

function Summary({ counts, nothing }: { readonly counts: Record<Action, number>; readonly nothing: boolean }) {
  if (nothing) return <p class="preview-summary">Everything is as the pipeline file says: there is nothing to do.</p>;
  return (
    <ul class="preview-summary row">
      {(Object.keys(WORDS) as Action[])
        .filter((action) => counts[action] > 0)
        .map((action) => (
          <li key={action} class={`tally ${action}`}>
            <b>
              {SIGNS[action]}
              {counts[action]}
            </b>{" "}
            {WORDS[action]}
          </li>
        ))}
    </ul>
  );
}

interface LacksProps {
  readonly lacks: readonly FaultData[];
  readonly onReveal: (fault: FaultData) => void;
}

function Lacks({ lacks, onReveal }: LacksProps) {
  if (lacks.length === 0) return null;
  return (
    <section class="lacks" aria-labelledby="lacks-title">
      <h2 id="lacks-title">
        <Icon name="alert" size={16} />
        {count(lacks.length, "thing")} to settle first
      </h2>
      <ul>
        {lacks.map((fault, i) => (
          <li key={i}>
            <b>{fault.message}</b> <span class="muted">{fault.next}</span>{" "}
            {fault.at && (
              <button type="button" class="link" onClick={() => onReveal(fault)}>
                Line {fault.at.line}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

interface ChangesProps {
  readonly changes: readonly PlannedChange[];
  readonly all: boolean;
  readonly onAll: (all: boolean) => void;
}

function Changes({ changes, all, onAll }: ChangesProps) {
  const kept = changes.filter((change) => change.action === "keep").length;
  return (
    <section aria-labelledby="changes-title">
      <div class="row preview-section">
        <h2 id="changes-title" class="grow">
          Changes
        </h2>
        {kept > 0 && (
          <vscode-checkbox
            checked={all}
            onChange={(event) => onAll((event.currentTarget as HTMLElement & { checked: boolean }).checked)}
          >
            Show unchanged
          </vscode-checkbox>
        )}
      </div>
      <ol class="steps">
        {groupSteps(changes, all).map(({ step, number, title, changes: members, unchanged }) => (
          <li key={step} class={`step${members.length === 0 ? " quiet" : ""}`}>
            <span class="step-number" aria-hidden="true">
              {number}
            </span>
            <div class="step-body">
              <h3>
                {title}
                {members.length === 0 && <span class="muted"> {unchanged > 0 ? "unchanged" : "nothing to do"}</span>}
              </h3>
              <ul>
                {members.map((change, i) => (
                  <li key={i} class="planned">
                    <span class={`sign ${change.action}`} title={WORDS[change.action].replace("to ", "")}>
                      {SIGNS[change.action]}
                      <span class="visually-hidden">{change.action}</span>
                    </span>
                    <span>
                      {change.what} {change.detail && <span class="muted">{change.detail}</span>}
                    </span>
                  </li>
                ))}
              </ul>
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

interface FootProps {
  readonly info: PreviewInfo;
  readonly nothing: boolean;
  readonly deployment: Deployment | null;
  readonly onDeploy: () => void;
  readonly onCancel: () => void;
  readonly onAgain: () => void;
}

function Foot({ info, nothing, deployment, onDeploy, onCancel, onAgain }: FootProps) {
  const { lacks, monthlyCost } = info.plan;
  const running = deployment?.state === "running";
  const done = deployment !== null && !running;
  return (
    <footer class="preview-foot">
      {deployment && <Progress deployment={deployment} />}
      <div class="row">
        <span class="grow muted">
          {deployment
            ? ""
            : lacks.length > 0
              ? "Deploying waits until what is lacking is settled."
              : monthlyCost
                ? `About ${formatDollars(monthlyCost.total)} a month`
                : "Costs nothing"}
        </span>
        <vscode-button appearance="secondary" onClick={onCancel}>
          {done ? "Close" : "Cancel"}
        </vscode-button>
        {deployment && deployment.state !== "running" && deployment.state !== "succeeded" && (
          <vscode-button onClick={onAgain}>Preview again</vscode-button>
        )}
        {!done && (
          <vscode-button disabled={lacks.length > 0 || running} onClick={onDeploy}>
            {running ? "Deploying…" : nothing ? "Deploy anyway" : "Deploy"}
          </vscode-button>
        )}
      </div>
    </footer>
  );
}

function Progress({ deployment }: { readonly deployment: Deployment }) {
  const { state, message, done, total, fault } = deployment;
  const share = done !== undefined && total ? Math.min(1, done / total) : null;
  return (
    <div class={`progress ${state}`} role={state === "failed" ? "alert" : "status"}>
      <p class="row">
        {state === "succeeded" && <Icon name="check" />}
        {state === "failed" && <Icon name="alert" />}
        <span class="grow">
          {state === "failed" && fault ? `${fault.message} ${fault.next ?? ""}` : message}
          {state === "failed" && fault?.cause && <span class="muted"> {fault.cause}</span>}
        </span>
        {share !== null && state === "running" && (
          <span class="muted number">
            {done} of {total}
          </span>
        )}
      </p>
      {state === "running" && (
        <div class="progress-track">
          <div
            class={`progress-bar${share === null ? " unsure" : ""}`}
            style={{ width: `${((share ?? 0.3) * 100).toFixed(1)}%` }}
          />
        </div>
      )}
    </div>
  );
}
