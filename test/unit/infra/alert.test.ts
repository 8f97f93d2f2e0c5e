import { describe, expect, test } from "vitest";
import { alarmShape } from "../../../infra/template/alert.ts";
import { contextOf } from "../../../infra/template/context.ts";
import { type Incidents, synthesize } from "../../../infra/template/synthesize.ts";
import { requireSpec } from "../../../src/core/spec.ts";
import { CLICKS, FLIGHTS, options, PIPELINES } from "./pipelines.ts";

const byType = (template: ReturnType<typeof synthesize>["template"], type: string) =>
  Object.entries(template.Resources).filter(([, r]) => r.Type === type);

describe("the shape of a rule's alarm", () => {
  const cases = [
    { every: "1h", datapoints: "3 of 3", shape: "insights" },
    { every: "1h", datapoints: "3 of 4", shape: "per-series" },
    { every: "5m", datapoints: "10 of 36", shape: "insights" },
    { every: "5m", datapoints: "10 of 37", shape: "per-series" },
    { every: "1d", datapoints: "1 of 1", shape: "per-series" },
  ] as const;
  test.each(cases)("$datapoints of $every is $shape", ({ every, datapoints, shape }) => {
    const spec = requireSpec(
      JSON.stringify({
        name: "p",
        source: { time: "t", fields: { t: "timestamp", g: "string" } },
        series: { every, by: { g: ["a", "b"] }, measures: { n: { count: "*" } } },
        forecast: { history: "20w", horizon: "2d", retrain: "1d" },
        alarms: [{ name: "low", measure: "n", datapoints }],
      }),
    );
    expect(alarmShape(contextOf(spec, options()), spec.alarms[0]!)).toBe(shape);
  });
});

test("a rule over listed series becomes an alarm each under one composite, which alone acts", () => {
  const { template } = synthesize(FLIGHTS, options());
  const children = byType(template, "AWS::CloudWatch::Alarm").filter(([id]) => id.startsWith("Rule0Series"));
  expect(children).toHaveLength(8);
  for (const [, { Properties }] of children) {
    expect(Properties.AlarmActions).toBeUndefined();
    expect(Properties).toMatchObject({
      MetricName: "DeviationBelowOrSilence",
      Statistic: "Minimum",
      Threshold: -1,
      ComparisonOperator: "LessThanThreshold",
      EvaluationPeriods: 4,
      DatapointsToAlarm: 3,
      // Silence is a datum; a pipeline that stands still writes none, and is no outage of the business.
      TreatMissingData: "ignore",
      Period: 3_600,
    });
  }
  const composite = template.Resources.Rule0Alarm!;
  expect(composite.Type).toBe("AWS::CloudWatch::CompositeAlarm");
  expect(composite.Properties.AlarmName).toBe("fw-flights/departures-low");
  const rule = (composite.Properties.AlarmRule as { "Fn::Sub": string })["Fn::Sub"];
  expect(rule.match(/ALARM\("\$\{Rule0Series\d+\}"\)/g)).toHaveLength(8);
  expect(JSON.stringify(composite.Properties.AlarmActions)).toContain("opsitem:2#CATEGORY=Availability");
});

test("a rule that looks back three hours becomes one query over every series", () => {
  const { template } = synthesize(CLICKS, options());
  const alarms = byType(template, "AWS::CloudWatch::Alarm").filter(([id]) => id.startsWith("Rule"));
  expect(alarms.map(([id]) => id)).toEqual(["Rule0Alarm", "Rule1Alarm"]);
  const [odd, low] = alarms.map(([, a]) => (a.Properties.Metrics as { Expression: string }[])[0]!.Expression);
  expect(low).toBe(
    `SELECT MIN(DeviationBelowOrSilence) FROM SCHEMA("Forewatch/clicks-per-page-2", Measure, Series) WHERE Measure = 'views' GROUP BY Series ORDER BY MIN() ASC`,
  );
  expect(odd).toContain("SELECT MAX(DeviationSize)");
});

test("no rule takes windows that were never written for a breach", () => {
  for (const spec of Object.values(PIPELINES)) {
    const rules = byType(synthesize(spec, options()).template, "AWS::CloudWatch::Alarm").filter(([id]) =>
      id.startsWith("Rule"),
    );
    for (const [id, { Properties }] of rules) expect(Properties.TreatMissingData, id).not.toBe("breaching");
  }
});

test("discovered series and a long look back are refused with what to do about it", () => {
  const spec = { ...CLICKS, alarms: [{ ...CLICKS.alarms[1]!, periods: 40, datapoints: 30 }] };
  expect(() => synthesize(spec, options())).toThrow(/discovered/);
  const known = synthesize(
    spec,
    options({
      groups: [
        ["home", "true"],
        ["cart", "false"],
      ],
    }),
  );
  expect(byType(known.template, "AWS::CloudWatch::CompositeAlarm")).toHaveLength(1);
});

test("a look back beyond CloudWatch's reach is refused", () => {
  const rule = { ...FLIGHTS.alarms[0]!, periods: 169, datapoints: 3 };
  expect(() => synthesize({ ...FLIGHTS, alarms: [rule] }, options())).toThrow(
    /looks back 169h; CloudWatch looks back 1w/,
  );
});

test("more series than a composite takes get a layer more, and no rule grows too long", () => {
  const { template } = synthesize(PIPELINES.sensors!, options());
  const composites = byType(template, "AWS::CloudWatch::CompositeAlarm");
  expect(composites.map(([id]) => id).sort()).toEqual(["Rule0Alarm", "Rule0Part0x0", "Rule0Part0x1"]);
  const named = (id: string) => String(template.Resources[id]!.Properties.AlarmName);
  const watched = new Set<string>();
  for (const [id, composite] of composites) {
    const text = (composite.Properties.AlarmRule as { "Fn::Sub": string })["Fn::Sub"];
    const children = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, child]) => child!);
    expect(children.length, id).toBeLessThanOrEqual(100);
    expect(text.replace(/\$\{(\w+)\}/g, (_, child: string) => named(child)).length, id).toBeLessThanOrEqual(10_240);
    for (const child of children) watched.add(child);
  }
  expect([...watched].filter((id) => id.includes("Series"))).toHaveLength(130);
  expect(named("Rule0Series7")).toBe("fw-sensors/warm/Z%C3%BCrich %227%22");
});

describe("who is told of an incident", () => {
  const contact = "arn:aws:ssm-contacts:eu-west-1:123456789012:contact/on-call";
  const stack = (incidents: Incidents) => synthesize(FLIGHTS, options({ incidents })).template;
  /** Services that a policy of the stack lets do an action. */
  const services = (document: unknown, action: string) =>
    (
      document as { Statement: { Effect: string; Principal: { Service?: string }; Action: string | string[] }[] }
    ).Statement.filter((s) => s.Effect === "Allow" && [s.Action].flat().includes(action))
      .flatMap((s) => s.Principal.Service ?? [])
      .filter((s) => typeof s === "string");

  test.each([
    { incidents: { kind: "ops-center" }, publishers: ["cloudwatch.amazonaws.com"] },
    {
      incidents: { kind: "incident-manager" },
      publishers: ["cloudwatch.amazonaws.com", "ssm-incidents.amazonaws.com"],
    },
  ] as const)("of $incidents.kind: the topic takes messages of $publishers, and they may use its key", ({
    incidents,
    publishers,
  }) => {
    const { AlarmTopicPolicy, DataKey } = stack(incidents).Resources;
    expect(services(AlarmTopicPolicy!.Properties.PolicyDocument, "sns:Publish")).toEqual(publishers);
    for (const action of ["kms:Decrypt", "kms:GenerateDataKey"])
      expect(services(DataKey!.Properties.KeyPolicy, action)).toEqual(publishers);
  });

  test("the contacts that were named are engaged, by every plan", () => {
    const plans = (incidents: Incidents) =>
      byType(stack(incidents), "AWS::SSMIncidents::ResponsePlan").map(([, p]) => p.Properties.Engagements);
    expect(plans({ kind: "incident-manager", contacts: [contact] })).toEqual([[contact], [contact]]);
    expect(plans({ kind: "incident-manager" })).toEqual([undefined, undefined]);
  });
});

test("a response plan a rule folds repeats into one open incident", () => {
  const { template } = synthesize(FLIGHTS, options({ incidents: { kind: "incident-manager" } }));
  const plans = byType(template, "AWS::SSMIncidents::ResponsePlan");
  expect(plans).toHaveLength(2);
  expect(plans[0]![1].Properties.IncidentTemplate).toMatchObject({
    DedupeString: "fw-flights/departures-low",
    Impact: 2,
  });
  expect(template.Resources.Rule0Alarm!.Properties.AlarmActions).toEqual([
    { "Fn::GetAtt": ["Rule0ResponsePlan", "Arn"] },
    { Ref: "AlarmTopic" },
  ]);
  // One exists an account, and deleting it deletes every incident of the account.
  expect(byType(template, "AWS::SSMIncidents::ReplicationSet")).toHaveLength(0);
});
