/** The snowstorm's incident over the recorded flights, and a host that keeps it: what it is told changes it. */
import type { Contributor, Incident, TimelineEntry } from "../../../src/backend.ts";
import { Fault } from "../../../src/core/fault.ts";
import { type PageHandlers, type PageStates, packChart } from "../../../src/rpc/page.ts";
import { type Recorded, STORM, STRUCK } from "./flights.ts";
import { type Log, type Mood, moody, SETTINGS, slice } from "./hosts.ts";

const HOUR = 3_600_000;
const NOTED = Date.UTC(2026, 0, 12, 9, 30);

export const RUNBOOK = `# Departures below forecast

1. Is it **one airport** or a region? Look at the contributors.
2. Check the [FAA advisories](https://www.fly.faa.gov/) for ground stops.
3. Compare with arrivals:

\`\`\`sql
SELECT destination, count(*) FROM raw GROUP BY 1
\`\`\`

> Weather resolves itself; a silent feed does not.

- [x] Feed alive
- [ ] Airline informed
`;

/** The incident as it stands in the evening of its second day. */
export function stormIncident(data: Recorded): Incident {
  const ids = STRUCK.map((airport) => `departures{origin=${airport}}`);
  const contributors = ids.map((series): Contributor => {
    const points = data.charts.get(series)!.points.filter((p) => p.start >= STORM.from && p.deviation !== null);
    const worst = points.reduce((a, b) => ((b.deviation ?? 0) < (a.deviation ?? 0) ? b : a));
    return {
      series,
      from: points.find((p) => (p.deviation ?? 0) < -1)?.start ?? STORM.from,
      worst: { start: worst.start, actual: worst.actual, expected: worst.median, deviation: worst.deviation },
      recoveredAt: series.includes("EWR") ? Date.UTC(2001, 2, 6, 16) : null,
    };
  });
  const entry = (id: number, kind: TimelineEntry["kind"], at: number, text: string, author: string | null = null) => ({
    ...{ id, kind, at, author, text },
  });
  return {
    id: "inc-1",
    pipeline: "flights",
    title: "Departures below forecast at BOS, EWR and JFK",
    status: "open",
    severity: 2,
    owner: null,
    rule: "departures-low",
    from: STORM.from,
    openedAt: STORM.opened,
    resolvedAt: null,
    contributors,
    runbook: "runbooks/departures.md",
    notAnIncident: false,
    frozen: ids.map((id) => freeze(data, id)),
    evidence: [
      {
        title: "Departures by airport in the window",
        sql: "SELECT origin, count(*) AS departures FROM raw GROUP BY 1",
        columns: ["origin", "departures", "usual"],
        rows: [
          ["BOS", 87, 312],
          ["EWR", 124, 340],
          ["JFK", 58, 171],
          ["LGA", 52, null],
        ],
        pinnedAt: NOTED + 120_000,
        author: "Ada",
      },
    ],
    timeline: [
      entry(1, "opened", STORM.opened, "Departures below forecast at BOS, since 2001-03-05T06:00:00Z"),
      entry(2, "joined", STORM.opened + HOUR, "departures JFK joined, since 2001-03-05T06:00:00Z"),
      entry(3, "joined", STORM.opened + 3 * HOUR, "departures EWR joined, since 2001-03-05T08:00:00Z"),
      entry(
        4,
        "note",
        NOTED,
        "Snowstorm over the **north-east**. NWS warns until Tuesday night.\n\n- BOS closed both runways at 11:00\n- `LGA` follows, but is not in ALARM yet",
        "Ada",
      ),
      entry(5, "evidence", NOTED + 120_000, "Pinned: Departures by airport in the window", "Ada"),
      entry(6, "recovered", Date.UTC(2001, 2, 6, 16), "departures EWR recovered"),
    ],
  };
}

/** The incident after it was resolved. */
export function resolvedStorm(data: Recorded): Incident {
  const storm = stormIncident(data);
  const at = Date.UTC(2001, 2, 7, 6);
  return {
    ...{ ...storm, status: "resolved", resolvedAt: at, owner: "Ada" },
    contributors: storm.contributors.map((each) => ({ ...each, recoveredAt: each.recoveredAt ?? at })),
  };
}

/** The incident with fifteen contributors, a long title and a long timeline. */
export function longStorm(data: Recorded): Incident {
  const storm = stormIncident(data);
  const [first] = storm.contributors;
  const names = Array.from({ length: 12 }, (_, i) => `departures{origin=an-airport-with-a-long-name-${i + 1}}`);
  const notes = Array.from(
    { length: 120 },
    (_, i): TimelineEntry => ({
      ...{ id: 100 + i, kind: "note", at: NOTED + i * 60_000, author: "Ada" },
      text: `Note ${i + 1}: ${"averylongwordthatdoesnotbreak".repeat(i % 3)} and a table\n\n| a | b |\n|---|---|\n| 1 | 2 |`,
    }),
  );
  return {
    ...storm,
    title: `${storm.title} and at twelve more`,
    contributors: [...storm.contributors, ...names.map((series) => ({ ...first!, series }))],
    timeline: [...storm.timeline, ...notes],
  };
}

function freeze(data: Recorded, id: string) {
  const chart = slice(data.charts.get(id)!, STORM.from - 72 * HOUR, STORM.opened + 12 * HOUR);
  const points = chart.points.map((p) =>
    p.start < STORM.opened ? p : { ...p, actual: null, deviation: null, late: 0 },
  );
  return { ...chart, points, incidents: [] };
}

export interface IncidentOptions {
  readonly mood?: Mood;
  readonly log?: Log;
  readonly state?: PageStates["incident"];
  readonly incident?: Incident;
  readonly runbook?: string | null;
  /** Makes every change fail. */
  readonly refuse?: boolean;
}

export function incidentHost(data: Recorded, options: IncidentOptions = {}): PageHandlers<"incident"> {
  const { mood = "full", log = [], state = null, runbook = RUNBOOK, refuse = false } = options;
  let incident = options.incident ?? stormIncident(data);
  const bare = (): Incident => ({
    ...incident,
    contributors: [],
    evidence: [],
    frozen: [],
    timeline: incident.timeline.slice(0, 1),
  });
  const note = (method: string) => (params: unknown) => {
    log.push({ method, params });
    return null;
  };
  const change = (
    method: string,
    kind: TimelineEntry["kind"],
    text: string,
    patch: Partial<Incident>,
    params: unknown,
  ) => {
    log.push({ method, params });
    if (refuse) throw new Fault("incident.closed", "The incident is resolved.", { next: "Reopen it to change it." });
    const entry: TimelineEntry = { id: incident.timeline.length + 1, kind, at: NOTED + 600_000, author: "Ada", text };
    incident = { ...incident, ...patch, timeline: [...incident.timeline, entry] };
    return incident;
  };
  return {
    "page.open": () => ({ subject: { incident: "inc-1" }, state, settings: SETTINGS }),
    "clipboard.write": note("clipboard.write"),
    "files.save": () => ({ saved: true }),
    "incidents.get": () => moody(mood, () => incident, bare()),
    "incidents.note": (p) => change("incidents.note", "note", p.markdown, {}, p),
    "incidents.setSeverity": (p) =>
      change(
        "incidents.setSeverity",
        "severity",
        `Severity ${incident.severity} to ${p.severity}`,
        { severity: p.severity },
        p,
      ),
    "incidents.setOwner": (p) =>
      change("incidents.setOwner", "owner", p.owner ? `Owner: ${p.owner}` : "No owner", { owner: p.owner }, p),
    "incidents.resolve": (p) =>
      change(
        "incidents.resolve",
        "resolved",
        p.notAnIncident ? "Resolved: not an incident" : "Resolved",
        { status: "resolved", resolvedAt: Date.UTC(2001, 2, 6, 18), notAnIncident: p.notAnIncident },
        p,
      ),
    "incidents.reopen": (p) =>
      change("incidents.reopen", "reopened", "Reopened", { status: "open", resolvedAt: null, notAnIncident: false }, p),
    "incidents.postmortem": note("incidents.postmortem"),
    "forecasts.chart": (r) => packChart(slice(data.charts.get(r.series)!, r.from, r.until)),
    "runbook.read": () =>
      moody(mood, () => (runbook === null ? null : { path: "runbooks/departures.md", markdown: runbook }), null),
    "runbook.edit": note("runbook.edit"),
    "queries.open": note("queries.open"),
    "evidence.open": note("evidence.open"),
    "forecasts.open": note("forecasts.open"),
    "links.open": note("links.open"),
  };
}
