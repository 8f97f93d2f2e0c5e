/** What is said of alarms that would not be heard, or not be made, before anything is deployed. */
import { describe, expect, test } from "vitest";
import { type Incidents, synthesize } from "../../../infra/template/synthesize.ts";
import type { PipelineSpec } from "../../../src/core/spec.ts";
import { CLICKS, FLIGHTS, options } from "./pipelines.ts";

test("more queries over all series than an account has unasked are warned of", () => {
  const rules = (n: number) => ({
    ...CLICKS,
    alarms: Array.from({ length: n }, (_, i) => ({ ...CLICKS.alarms[1]!, name: `low-${i}` })),
  });
  const warned = (n: number) =>
    synthesize(rules(n), options({ groups: [["home", "true"]] })).warnings.filter((w) =>
      w.includes("Metrics Insights"),
    );
  expect(warned(200)).toEqual([]);
  expect(warned(201)).toEqual([expect.stringMatching(/^201 alarms .* an account has 200 such alarms in a region/)]);
});

describe("alarms that nobody would hear are warned of, with what to do", () => {
  const { email: _, ...noMail } = options();
  const contact = "arn:aws:ssm-contacts:eu-west-1:123456789012:contact/on-call";
  const none = { ...FLIGHTS, alarms: [] };
  const silent = /^Nobody hears the alarms: OpsCenter does not page.*--email.*AlarmTopicArn/;
  const unwell = /^Nobody hears when the pipeline itself fails: .*--email.*AlarmTopicArn/;
  const unpaged = /^Incidents page nobody: .*--contact/;
  test.each([
    { what: "mail, OpsCenter", over: {}, warned: [] },
    { what: "no mail, OpsCenter", chosen: noMail, warned: [silent] },
    { what: "no mail, OpsCenter, no rules", chosen: noMail, spec: none, warned: [unwell] },
    { what: "mail, Incident Manager", over: { kind: "incident-manager" }, warned: [unpaged] },
    {
      what: "mail, Incident Manager, nobody named",
      over: { kind: "incident-manager", contacts: [] },
      warned: [unpaged],
    },
    { what: "mail, Incident Manager, no rules", over: { kind: "incident-manager" }, spec: none, warned: [] },
    { what: "mail, Incident Manager, a contact", over: { kind: "incident-manager", contacts: [contact] }, warned: [] },
    {
      what: "no mail, Incident Manager, a contact",
      chosen: noMail,
      over: { kind: "incident-manager", contacts: [contact] },
      warned: [unwell],
    },
    {
      what: "no mail, Incident Manager",
      chosen: noMail,
      over: { kind: "incident-manager" },
      warned: [unwell, unpaged],
    },
  ] as readonly {
    readonly what: string;
    readonly chosen?: typeof noMail;
    readonly over?: Partial<Incidents>;
    readonly spec?: PipelineSpec;
    readonly warned: readonly RegExp[];
  }[])("$what", ({ chosen = options(), over = {}, spec = FLIGHTS, warned }) => {
    const incidents = { kind: "ops-center", ...over } as Incidents;
    const { warnings } = synthesize(spec, { ...chosen, incidents });
    expect(warnings).toEqual(warned.map((w) => expect.stringMatching(w)));
  });
});
