/** Beside the incident: its properties, the runbook, the evidence. */
import { useEffect, useState } from "preact/hooks";
import type { Cell, FaultData, Incident, Severity } from "../../src/rpc/page.ts";
import { count, formatTime, type Zone } from "../parts/format.ts";
import { cellText } from "../parts/grid/copy.ts";
import { Icon } from "../parts/icon.tsx";
import { Markdown } from "../parts/markdown.tsx";
import { named, textOf } from "../parts/toolkit.ts";
import { StatusPill } from "./header.tsx";

const SEVERITIES: readonly [Severity, string][] = [
  [1, "1 · Critical"],
  [2, "2 · High"],
  [3, "3 · Medium"],
  [4, "4 · Low"],
  [5, "5 · No impact"],
];

interface PropertiesProps {
  readonly incident: Incident;
  readonly author: string;
  readonly busy: boolean;
  readonly onSeverity: (severity: Severity) => void;
  readonly onOwner: (owner: string | null) => void;
  readonly onStatus: (open: boolean) => void;
}

export function Properties({ incident, author, busy, onSeverity, onOwner, onStatus }: PropertiesProps) {
  const [owner, setOwner] = useState(incident.owner ?? "");
  useEffect(() => setOwner(incident.owner ?? ""), [incident.owner]);
  const commit = () => {
    const next = owner.trim() || null;
    if (next !== incident.owner) onOwner(next);
  };
  return (
    <section class="side-section" aria-label="Properties">
      <dl class="properties">
        <dt>Status</dt>
        <dd class="row">
          <StatusPill incident={incident} />
          <button
            type="button"
            class="link subtle"
            disabled={busy}
            onClick={() => onStatus(incident.status === "resolved")}
          >
            {incident.status === "open" ? "Resolve" : "Reopen"}
          </button>
        </dd>
        <dt id="severity-label">Severity</dt>
        <dd>
          <vscode-dropdown
            aria-label="Severity"
            disabled={busy}
            value={String(incident.severity)}
            onChange={(event) => {
              const next = Number(textOf(event)) as Severity;
              if (next !== incident.severity) onSeverity(next);
            }}
          >
            {SEVERITIES.map(([value, label]) => (
              <vscode-option key={value} value={String(value)} selected={value === incident.severity}>
                {label}
              </vscode-option>
            ))}
          </vscode-dropdown>
        </dd>
        <dt>Owner</dt>
        <dd class="row">
          <vscode-text-field
            ref={named("Owner")}
            placeholder="Nobody yet"
            disabled={busy}
            value={owner}
            onInput={(event) => setOwner(textOf(event))}
            onBlur={commit}
            onKeyDown={(event) => {
              if (event.key === "Enter") commit();
              else if (event.key === "Escape") setOwner(incident.owner ?? "");
            }}
          />
          {incident.owner !== author && (
            <button type="button" class="link subtle" disabled={busy} onClick={() => onOwner(author)}>
              Take
            </button>
          )}
        </dd>
      </dl>
    </section>
  );
}

interface RunbookProps {
  readonly runbook: { readonly path: string; readonly markdown: string } | null;
  readonly loading: boolean;
  readonly fault: FaultData | null;
  readonly onEdit: () => void;
  readonly onLink: (href: string) => void;
}

export function Runbook({ runbook, loading, fault, onEdit, onLink }: RunbookProps) {
  return (
    <section class="side-section" aria-labelledby="runbook-title">
      <h2 class="side-title" id="runbook-title">
        <Icon name="book" />
        <span class="grow">Runbook</span>
        {runbook && (
          <button type="button" class="link subtle" title={runbook.path} onClick={onEdit}>
            Edit
          </button>
        )}
      </h2>
      {runbook ? (
        <Markdown text={runbook.markdown} onLink={onLink} />
      ) : fault ? (
        <p class="bad">
          {fault.message} {fault.next}
        </p>
      ) : loading ? (
        <div class="lines">
          <span class="skeleton" />
          <span class="skeleton" />
        </div>
      ) : (
        <p class="muted">The alarm rule names no runbook. Add one with “runbook” in the pipeline file.</p>
      )}
    </section>
  );
}

interface EvidenceProps {
  readonly incident: Incident;
  readonly zone: Zone;
  readonly onOpen: (index: number) => void;
  readonly onQuery: () => void;
}

/** Rows of a piece of evidence that are shown before it is opened. */
const SHOWN = 5;

export function EvidenceList({ incident, zone, onOpen, onQuery }: EvidenceProps) {
  const { evidence } = incident;
  return (
    <section class="side-section" aria-labelledby="evidence-title">
      <h2 class="side-title" id="evidence-title">
        <Icon name="pin" />
        <span class="grow">Evidence</span>
        <span class="muted">{evidence.length > 0 ? evidence.length : ""}</span>
      </h2>
      {evidence.length === 0 && (
        <p class="muted">
          Pin a query's result here.{" "}
          <button type="button" class="link" onClick={onQuery}>
            Query this window
          </button>
        </p>
      )}
      {evidence.map((each, i) => (
        <details key={i} class="pinned" open={i === evidence.length - 1}>
          <summary>
            <span class="grow ellipsis">{each.title}</span>
            <span class="muted">{count(each.rows.length, "row")}</span>
          </summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
          <section class="table-scroll" tabIndex={0} aria-label={each.title}>
            <table class="mini">
              <thead>
                <tr>
                  {each.columns.map((name, k) => (
                    <th key={k} scope="col" class={isNumeric(each.rows, k) ? "numeric" : ""}>
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {each.rows.slice(0, SHOWN).map((row, k) => (
                  <tr key={k}>
                    {row.map((cell, c) => (
                      <td key={c} class={`${isNumeric(each.rows, c) ? "numeric" : ""} ${cell === null ? "muted" : ""}`}>
                        {cellText(cell)}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
          <p class="row muted evidence-foot">
            <span class="grow">
              {each.author} · {formatTime(each.pinnedAt, zone, { year: true })}
            </span>
            <button type="button" class="link subtle" onClick={() => onOpen(i)}>
              Open query
            </button>
          </p>
        </details>
      ))}
    </section>
  );
}

function isNumeric(rows: readonly (readonly Cell[])[], column: number): boolean {
  return rows.some((row) => typeof row[column] === "number");
}
