/** The incident's head: the sentence, its state, and what can be done with it. */
import type { Incident } from "../../src/rpc/page.ts";
import { formatFullTime, formatLength, type Zone } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { Menu } from "../parts/menu.tsx";
import { incidentSentence } from "./sentence.ts";

interface Props {
  readonly incident: Incident;
  readonly zone: Zone;
  readonly busy: string | null;
  readonly onQuery: () => void;
  readonly onResolve: (notAnIncident: boolean) => void;
  readonly onReopen: () => void;
  readonly onPostmortem: () => void;
}

export function Header({ incident, zone, busy, onQuery, onResolve, onReopen, onPostmortem }: Props) {
  const open = incident.status === "open";
  const newest = Math.max(incident.openedAt, ...incident.contributors.map((each) => each.worst.start));
  const length = (incident.resolvedAt ?? newest) - incident.from;
  return (
    <header class="incident-head">
      <div class="row incident-tags">
        <StatusPill incident={incident} />
        <span class="pill">{`Severity ${incident.severity}`}</span>
        <span class="muted ellipsis">
          {incident.pipeline}
          {incident.rule ? ` · ${incident.rule}` : " · declared by hand"} · {incident.id}
        </span>
      </div>
      <h1>{incidentSentence(incident, zone)}</h1>
      <div class="incident-facts muted">
        <span>First window {formatFullTime(incident.from, zone)}</span>
        <span>Opened {formatFullTime(incident.openedAt, zone)}</span>
        {incident.resolvedAt !== null && <span>Resolved after {formatLength(length)}</span>}
      </div>
      <div class="row incident-actions">
        {open ? (
          <vscode-button disabled={busy !== null} onClick={() => onResolve(false)}>
            <Icon name="check" />
            Resolve
          </vscode-button>
        ) : (
          <vscode-button disabled={busy !== null} onClick={onReopen}>
            <Icon name="reopen" />
            Reopen
          </vscode-button>
        )}
        <vscode-button appearance="secondary" onClick={onQuery}>
          <Icon name="query" />
          Query this window
        </vscode-button>
        {open && (
          <vscode-button appearance="secondary" disabled={busy !== null} onClick={() => onResolve(true)}>
            <Icon name="ban" />
            Not an incident
          </vscode-button>
        )}
        <Menu
          label="More"
          items={[
            { label: "Export post-mortem", hint: "Markdown", onChoose: onPostmortem },
            ...(open ? [] : [{ label: "Query this window", onChoose: onQuery }]),
          ]}
        />
      </div>
    </header>
  );
}

export function StatusPill({ incident }: { readonly incident: Incident }) {
  if (incident.status === "open")
    return (
      <span class="pill bad">
        <i class="dot out" />
        Open
      </span>
    );
  return incident.notAnIncident ? (
    <span class="pill">Not an incident</span>
  ) : (
    <span class="pill good">
      <Icon name="check" size={11} />
      Resolved
    </span>
  );
}
