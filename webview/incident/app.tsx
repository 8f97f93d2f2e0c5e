/** The incident page: what broke, the evidence, what was done about it, and what to do next. */
import { useEffect, useMemo } from "preact/hooks";
import type { Incident, PageStates } from "../../src/rpc/page.ts";
import type { ChartSource } from "../parts/chart/live.ts";
import { FaultNotice, FaultStrip, Loading } from "../parts/notice.tsx";
import { type Page, useAction, useAsked } from "../parts/page.tsx";
import { Charts } from "./charts.tsx";
import { Contributors } from "./contributors.tsx";
import { Header } from "./header.tsx";
import { EvidenceList, Properties, Runbook } from "./side.tsx";
import { Timeline } from "./timeline.tsx";

export const INCIDENT_STATE: PageStates["incident"] = {
  draft: "",
  preview: false,
  series: null,
  tables: false,
};

export function IncidentPage(page: Page<"incident">) {
  const { client, subject, settings, state, keep } = page;
  const zone = settings.timeZone;
  const id = subject.incident;
  const asked = useAsked(id, (signal) => client.request("incidents.get", { incident: id }, signal));
  const runbook = useAsked(id, (signal) => client.request("runbook.read", { incident: id }, signal));
  const action = useAction();
  const { reload } = asked;

  useEffect(() => {
    const changed = client.on("change", (change) => change.noun === "incident" && change.id === id && reload());
    const restored = client.on("connection", (connection) => connection.state === "restored" && reload());
    return () => {
      changed.dispose();
      restored.dispose();
    };
  }, [client, id, reload]);

  const source = useMemo<ChartSource>(
    () => ({
      chart: (request, signal) => client.request("forecasts.chart", request, signal),
      onChange: (listener) => client.on("change", listener),
      onRestored: (listener) => client.on("connection", (c) => c.state === "restored" && listener()),
    }),
    [client],
  );

  const incident = asked.value;
  const title = incident?.title;
  useEffect(() => {
    if (title) client.tell("page.title", { title });
  }, [client, title]);

  if (!incident) {
    if (asked.fault) return <FaultNotice fault={asked.fault} onRetry={asked.reload} />;
    return <Loading label="Reading the incident" />;
  }

  const change = (name: string, ask: () => Promise<Incident>) => action.run(name, async () => asked.put(await ask()));
  const ask = (name: string, make: () => Promise<unknown>) => void action.run(name, make);
  const resolve = (notAnIncident: boolean) =>
    void change("resolve", () => client.request("incidents.resolve", { incident: id, notAnIncident }));
  const reopen = () => void change("reopen", () => client.request("incidents.reopen", { incident: id }));
  const query = (series?: string) =>
    ask("query", () => client.request("queries.open", { incident: id, ...(series !== undefined && { series }) }));
  const openLink = (href: string) => ask("link", () => client.request("links.open", { href }));
  const addNote = async () => {
    const markdown = state.draft.trim();
    if (await change("note", () => client.request("incidents.note", { incident: id, markdown })))
      keep({ draft: "", preview: false });
  };

  const series =
    incident.contributors.find((each) => each.series === state.series)?.series ??
    incident.contributors[0]?.series ??
    incident.frozen[0]?.series ??
    null;

  return (
    <div class="incident">
      {action.fault && <FaultStrip fault={action.fault} onClose={action.clear} />}
      <div class="incident-layout">
        <div class="incident-main">
          <Header
            incident={incident}
            zone={zone}
            busy={action.busy}
            onQuery={() => query()}
            onResolve={resolve}
            onReopen={reopen}
            onPostmortem={() => ask("postmortem", () => client.request("incidents.postmortem", { incident: id }))}
          />
          <section aria-labelledby="contributors-title">
            <h2 class="section-title" id="contributors-title">
              Contributors <span class="muted">{incident.contributors.length}</span>
            </h2>
            <Contributors
              incident={incident}
              zone={zone}
              selected={series}
              onSelect={(next) => keep({ series: next })}
              onOpen={(next) =>
                ask("forecast", () =>
                  client.request("forecasts.open", {
                    pipeline: incident.pipeline,
                    series: next,
                    from: incident.from,
                    until: incident.resolvedAt ?? incident.openedAt,
                  }),
                )
              }
              onQuery={query}
            />
            {series && (
              <Charts
                incident={incident}
                source={source}
                series={series}
                zone={zone}
                tables={state.tables}
                onTables={(tables) => keep({ tables })}
              />
            )}
          </section>
          <section aria-labelledby="timeline-title">
            <h2 class="section-title" id="timeline-title">
              Timeline
            </h2>
            <Timeline
              incident={incident}
              zone={zone}
              draft={state.draft}
              preview={state.preview}
              busy={action.busy === "note"}
              author={settings.author}
              onDraft={(draft) => keep({ draft })}
              onPreview={(preview) => keep({ preview })}
              onNote={() => void addNote()}
              onLink={openLink}
            />
          </section>
        </div>
        <aside class="incident-side" aria-label="Details">
          <Properties
            incident={incident}
            author={settings.author}
            busy={action.busy !== null}
            onSeverity={(severity) =>
              void change("severity", () => client.request("incidents.setSeverity", { incident: id, severity }))
            }
            onOwner={(owner) =>
              void change("owner", () => client.request("incidents.setOwner", { incident: id, owner }))
            }
            onStatus={(open) => (open ? reopen() : resolve(false))}
          />
          <Runbook
            runbook={runbook.value}
            loading={runbook.loading}
            fault={runbook.fault}
            onEdit={() => ask("runbook", () => client.request("runbook.edit", { incident: id }))}
            onLink={openLink}
          />
          <EvidenceList
            incident={incident}
            zone={zone}
            onOpen={(index) => ask("evidence", () => client.request("evidence.open", { incident: id, index }))}
            onQuery={() => query()}
          />
        </aside>
      </div>
    </div>
  );
}
