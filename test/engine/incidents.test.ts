import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Change, IncidentSummary } from "../../src/backend.ts";
import { eventually, faultOf, select, settled, sharedEngine, writePipeline } from "../support/engine.ts";
import { MINUTE, ordersBetween, ordersPipeline, START, toRecords } from "../support/orders.ts";
import { Producer } from "../support/producer.ts";

const engine = sharedEngine();
const NAME = "outage-shop";
const changes: Change[] = [];
let file: string;
let producer: Producer;
let opened: IncidentSummary;

/** An hour of ordinary orders, seven minutes without the south, then both again. */
beforeAll(async () => {
  const rule = { ...ordersPipeline(NAME).alarms[0], runbook: "runbooks/orders.md", resolveAfter: "10m" };
  file = await writePipeline(engine().folder, ordersPipeline(NAME, { alarms: [rule] }), {
    "runbooks/orders.md": "# Call the south",
  });
  engine().backend.onChange((change) => changes.push(change));
  await engine().backend.stack.deploy({ file, trusted: true });
  producer = new Producer(engine().endpoint, NAME);
  await producer.put(
    toRecords([...ordersBetween(0, 60), ...ordersBetween(60, 67, ["north"]), ...ordersBetween(67, 71)]),
  );
  await settled(engine().backend, NAME);
  const list = await engine().backend.incidents.list({ pipeline: NAME });
  opened = list[0]!;
}, 300_000);

describe("an incident that a rule opened", () => {
  it("says what broke, since when, how far, and carries its runbook and a frozen chart", async () => {
    const incident = await engine().backend.incidents.get(opened.id);
    expect(incident).toMatchObject({
      pipeline: NAME,
      title: "Orders below forecast at south",
      status: "open",
      severity: 2,
      rule: "orders-low",
      runbook: "# Call the south",
      openedAt: START + 62 * MINUTE,
      from: START + 60 * MINUTE,
    });
    expect(incident.contributors).toMatchObject([
      {
        series: "orders{region=south}",
        from: START + 60 * MINUTE,
        worst: { actual: 0 },
        recoveredAt: START + 69 * MINUTE,
      },
    ]);
    expect(incident.contributors[0]!.worst.deviation).toBeLessThan(-1);
    expect(incident.timeline.map((t) => t.kind)).toEqual(["opened", "recovered", "alarm"]);
    const [chart] = incident.frozen;
    expect(chart).toMatchObject({ series: "orders{region=south}", every: MINUTE });
    // Frozen when it opened: what had come up to then, and after it the forecast alone.
    expect(chart!.points.filter((p) => p.actual !== null).at(-1)!.start).toBe(START + 61 * MINUTE);
    expect(chart!.points.at(-1)!.median).not.toBeNull();
  });

  it("is told of by changes that name it", async () => {
    await eventually(
      () => changes.find((c) => c.noun === "incident" && c.kind === "added" && c.id === opened.id),
      "the change",
    );
    expect(changes).toContainEqual({ noun: "alarm", pipeline: NAME, id: "orders-low", kind: "changed" });
  });

  it("takes notes, severity, owner, evidence, and is resolved and reopened", async () => {
    const { incidents } = engine().backend;
    await incidents.note(opened.id, "Looking at **south**", "ann");
    await incidents.setSeverity(opened.id, 1, "ann");
    await incidents.setOwner(opened.id, "bob", "ann");
    const rows = Array.from({ length: 120 }, (_, i) => [String(i), i]);
    await incidents.pin(opened.id, { title: "Orders", sql: "SELECT 1", columns: ["id", "n"], rows }, "bob");
    const resolved = await incidents.resolve(opened.id, { author: "bob", notAnIncident: true });
    expect(resolved).toMatchObject({ status: "resolved", severity: 1, owner: "bob", notAnIncident: true });
    expect(resolved.resolvedAt).toBe(START + 69 * MINUTE);
    expect(await faultOf(incidents.resolve(opened.id, { author: "bob" }))).toMatchObject({ code: "incident.closed" });
    expect(await incidents.list({ pipeline: NAME, status: "open" })).toEqual([]);

    const reopened = await incidents.reopen(opened.id, "ann");
    expect(reopened).toMatchObject({ status: "open", resolvedAt: null, notAnIncident: false });
    expect(reopened.evidence).toMatchObject([{ title: "Orders", author: "bob" }]);
    expect(reopened.evidence[0]!.rows).toHaveLength(100);
    expect(reopened.timeline.map((t) => [t.kind, t.author]).slice(-6)).toEqual([
      ["note", "ann"],
      ["severity", "ann"],
      ["owner", "ann"],
      ["evidence", "bob"],
      ["resolved", "bob"],
      ["reopened", "ann"],
    ]);
    expect(new Set(reopened.timeline.map((t) => t.id)).size).toBe(reopened.timeline.length);
    expect(await faultOf(incidents.reopen(opened.id, "ann"))).toMatchObject({ code: "incident.closed" });
    expect((await engine().backend.stack.get(NAME)).openIncidents).toBe(1);
  });

  it("is written down as a post-mortem", async () => {
    const text = await engine().backend.incidents.postmortem(opened.id);
    expect(text).toContain("Orders below forecast at south");
    expect(text).toContain("Looking at **south**");
  });

  it("stands in the table `incident`", async () => {
    const rows = await select(engine().backend, NAME, "SELECT id, title, status, severity, rule FROM incident");
    expect(rows).toEqual([[opened.id, "Orders below forecast at south", "open", "1", "orders-low"]]);
  });

  it("resolves by itself once the rule has been quiet", async () => {
    await producer.put(toRecords(ordersBetween(71, 95)));
    await settled(engine().backend, NAME);
    const incident = await engine().backend.incidents.get(opened.id);
    expect(incident.status).toBe("resolved");
    expect(incident.timeline.at(-1)).toMatchObject({ kind: "resolved", author: null });
  });

  it("says so when its runbook is gone", async () => {
    await writeFile(join(dirname(file), "runbooks/orders.md"), "Now another text");
    expect((await engine().backend.incidents.get(opened.id)).runbook).toBe("Now another text");
  });
});

describe("a series that joins an open incident", () => {
  it("is measured by its worst window since it began to deviate, not by the one in which it joined", async () => {
    const name = "joining-shop";
    const path = await writePipeline(engine().folder, ordersPipeline(name));
    await engine().backend.stack.deploy({ file: path, trusted: true });
    // The south goes first; the north goes out for a minute, and comes back to a third of its orders.
    const few = ordersBetween(66, 68, ["north"]).filter((_, i) => i % 3 === 0);
    await new Producer(engine().endpoint, name).put(
      toRecords([
        ...ordersBetween(0, 60),
        ...ordersBetween(60, 65, ["north"]),
        ...few,
        ...ordersBetween(68, 72, ["north"]),
      ]),
    );
    await settled(engine().backend, name);
    const [incident] = await engine().backend.incidents.list({ pipeline: name });
    const north = incident!.contributors.find((c) => c.series === "orders{region=north}");
    expect(north).toMatchObject({ from: START + 65 * MINUTE, worst: { start: START + 65 * MINUTE, actual: 0 } });
    const [least] = await select(
      engine().backend,
      name,
      "SELECT min(deviation) FROM comparison WHERE series = 'orders{region=north}' AND window_start >= timestamp '2024-03-01 01:00:00'",
    );
    expect(north!.worst.deviation).toBe(least![0]);
  });
});

describe("an incident that a person declares", () => {
  it("is open, has its author as owner, and the series' charts", async () => {
    const incident = await engine().backend.incidents.declare({
      pipeline: NAME,
      title: "Checkout is down",
      severity: 3,
      series: ["orders{region=north}"],
      from: START + 90 * MINUTE,
      author: "ann",
    });
    expect(incident).toMatchObject({
      status: "open",
      owner: "ann",
      rule: null,
      severity: 3,
      title: "Checkout is down",
    });
    expect(incident.frozen.map((c) => c.series)).toEqual(["orders{region=north}"]);
    expect(incident.frozen[0]!.points.length).toBeGreaterThan(60);
    expect(await engine().backend.incidents.get(incident.id)).toEqual(incident);
  });

  it("is one of its own, however many are declared at once", async () => {
    const declared = await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        engine().backend.incidents.declare({
          pipeline: NAME,
          title: `Nr ${i}`,
          severity: 4,
          series: [],
          from: START,
          author: "ann",
        }),
      ),
    );
    expect(new Set(declared.map((d) => d.id)).size).toBe(5);
    for (const d of declared) expect((await engine().backend.incidents.get(d.id)).title).toBe(d.title);
  });

  it("needs a title, and a note needs words", async () => {
    const { incidents } = engine().backend;
    const request = { pipeline: NAME, title: " ", severity: 3, series: [], from: START, author: "ann" } as const;
    expect(await faultOf(incidents.declare(request))).toMatchObject({ code: "input.invalid" });
    expect(await faultOf(incidents.note(opened.id, "  ", "ann"))).toMatchObject({ code: "input.invalid" });
    expect(await faultOf(incidents.get("outage-shop.nothing"))).toMatchObject({ code: "incident.not-found" });
  });
});
