import { describe, expect, test } from "vitest";
import { alarmShape } from "../../../infra/template/alert.ts";
import { contextOf } from "../../../infra/template/context.ts";
import { type Incidents, type Synthesis, synthesize } from "../../../infra/template/synthesize.ts";
import { digest } from "../../../src/core/digest.ts";
import { type PipelineSpec, requireSpec } from "../../../src/core/spec.ts";
import { CLICKS, FLIGHTS, options, PIPELINES } from "./pipelines.ts";

const byType = (template: ReturnType<typeof synthesize>["template"], type: string) =>
  Object.entries(template.Resources).filter(([, r]) => r.Type === type);

describe("the shape of a rule's alarm", () => {
  const cases = [
    // The newest of the three hours' data are not there yet: a minute's lateness, and three on the way.
    { every: "1h", datapoints: "2 of 2", shape: "insights" },
    { every: "1h", datapoints: "3 of 3", shape: "per-series" },
    { every: "5m", datapoints: "10 of 35", shape: "insights" },
    { every: "5m", datapoints: "10 of 36", shape: "per-series" },
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
  const children = byType(template, "AWS::CloudWatch::Alarm").filter(([id]) =>
    id.startsWith("RuleDeparturesLowSeries"),
  );
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
  const composite = template.Resources.RuleDeparturesLowAlarm!;
  expect(composite.Type).toBe("AWS::CloudWatch::CompositeAlarm");
  expect(composite.Properties.AlarmName).toBe("fw-flights/departures-low");
  const rule = (composite.Properties.AlarmRule as { "Fn::Sub": string })["Fn::Sub"];
  expect(rule.match(/ALARM\("\$\{RuleDeparturesLowSeries\w+\}"\)/g)).toHaveLength(8);
  expect(JSON.stringify(composite.Properties.AlarmActions)).toContain("opsitem:2#CATEGORY=Availability");
});

test("a rule that looks back three hours becomes one query over every series, under a composite that alone acts", () => {
  const { template } = synthesize(CLICKS, options());
  const alarms = byType(template, "AWS::CloudWatch::Alarm").filter(([id]) => id.startsWith("Rule"));
  expect(alarms.map(([id]) => id)).toEqual(["RuleTrafficOddQuery", "RuleViewsLowQuery"]);
  const [odd, low] = alarms.map(([, a]) => (a.Properties.Metrics as { Expression: string }[])[0]!.Expression);
  expect(low).toBe(
    `SELECT MIN(DeviationBelowOrSilence) FROM SCHEMA("Forewatch/clicks-per-page-2", Measure, Series) WHERE Measure = 'views' GROUP BY Series ORDER BY MIN() ASC`,
  );
  expect(odd).toContain("SELECT MAX(DeviationSize)");
  // Its actions would be taken once a contributor.
  for (const [id, { Properties }] of alarms) {
    expect(Properties.AlarmActions, id).toBeUndefined();
    expect(Properties.OKActions, id).toBeUndefined();
  }
  expect(template.Resources.RuleViewsLowAlarm).toMatchObject({
    Type: "AWS::CloudWatch::CompositeAlarm",
    Properties: {
      AlarmName: "fw-clicks-per-page-2/views-low",
      AlarmRule: { "Fn::Sub": 'ALARM("${RuleViewsLowQuery}")' },
      AlarmActions: [{ "Fn::Sub": expect.stringContaining(":opsitem:1#CATEGORY=Availability") }, { Ref: "AlarmTopic" }],
      OKActions: [{ Ref: "AlarmTopic" }],
    },
  });
});

test("every rule has one alarm that acts, and it has the rule's name", () => {
  for (const spec of Object.values(PIPELINES)) {
    const { template } = synthesize(spec, options());
    const rules = ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"]
      .flatMap((type) => byType(template, type))
      .filter(([id]) => id.startsWith("Rule"));
    const acting = rules.filter(([, r]) => r.Properties.AlarmActions ?? r.Properties.OKActions);
    expect(acting.map(([, r]) => r.Properties.AlarmName)).toEqual(spec.alarms.map((r) => `fw-${spec.name}/${r.name}`));
    for (const [, { Type }] of acting) expect(Type).toBe("AWS::CloudWatch::CompositeAlarm");
  }
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

/** Every alarm of a synthesis by its name, with the names of its children; as CloudWatch would have them. */
function alarmsOf({
  template,
  nested,
}: Synthesis): Map<string, { readonly children: readonly string[]; readonly length: number }> {
  const alarms = new Map<string, { readonly children: readonly string[]; readonly length: number }>();
  for (const { Resources } of [template, ...nested.map((n) => n.template)]) {
    for (const [id, { Type, Properties }] of Object.entries(Resources)) {
      if (!Type.startsWith("AWS::CloudWatch::") || Type === "AWS::CloudWatch::Dashboard") continue;
      const rule = (Properties.AlarmRule ?? "") as string | { readonly "Fn::Sub": string };
      const text = (typeof rule === "string" ? rule : rule["Fn::Sub"]).replace(/\$\{(\w+)\}/g, (_, child: string) =>
        String(Resources[child]!.Properties.AlarmName),
      );
      const name = String(Properties.AlarmName);
      if (alarms.has(name)) throw new Error(`${id}: there are two alarms ${name}`);
      alarms.set(name, {
        children: [...text.matchAll(/ALARM\("([^"]*)"\)/g)].map(([, child]) => child!),
        length: text.length,
      });
    }
  }
  return alarms;
}

/** Names of the alarms below one, that have no children themselves. */
function leaves(alarms: ReturnType<typeof alarmsOf>, name: string): string[] {
  const { children } = alarms.get(name)!;
  return children.length === 0 ? [name] : children.flatMap((child) => leaves(alarms, child));
}

/** Hourly sensors with a rule that looks back further than Metrics Insights does. */
function sensors(values: readonly string[], datapoints = "4 of 6", rules = ["warm"]): PipelineSpec {
  return requireSpec(
    JSON.stringify({
      name: "sensors",
      source: { time: "t", fields: { t: "timestamp", id: "string", celsius: "double" } },
      series: { every: "1h", by: { id: values }, measures: { warmth: { avg: "celsius" } } },
      alarms: rules.map((name) => ({ name, measure: "warmth", direction: "above", datapoints })),
    }),
  );
}
const many = (n: number) => Array.from({ length: n }, (_, i) => `sensor-${i}`);

describe("more series than one composite, or one stack, takes", () => {
  test.each([
    { pipeline: "sensors", spec: PIPELINES.sensors!, name: "fw-sensors/warm", nested: 0 },
    { pipeline: "390 sensors", spec: sensors(many(390)), name: "fw-sensors/warm", nested: 0 },
    { pipeline: "501 sensors, three hours", spec: sensors(many(501), "2 of 3"), name: "fw-sensors/warm", nested: 2 },
    {
      pipeline: "2,000 sensors, two rules",
      spec: sensors(many(2_000), "3 of 4", ["warm", "hot"]),
      name: "fw-sensors/hot",
      nested: 14,
    },
    { pipeline: "10,000 sensors", spec: sensors(many(10_000), "3 of 4"), name: "fw-sensors/warm", nested: 34 },
  ])("$pipeline: $nested stacks inside the stack, and each series under the rule's alarm", ({ spec, name, nested }) => {
    const synthesis = synthesize(spec, options());
    const alarms = alarmsOf(synthesis);
    expect(synthesis.nested).toHaveLength(nested);
    const watched = leaves(alarms, name);
    expect(watched).toHaveLength(spec.series.by[0]!.values!.length);
    expect(new Set(watched).size).toBe(watched.length);
    const tooLarge = [...alarms].filter(([, { children, length }]) => children.length > 100 || length > 10_240);
    expect(tooLarge).toEqual([]);
  });

  test("stacks inside the stack lie under what they hold, come one after another, and before the composites above them", () => {
    const { template, nested } = synthesize(sensors(many(2_000), "3 of 4", ["warm", "hot"]), options());
    const stacks = byType(template, "AWS::CloudFormation::Stack");
    expect(stacks.map(([id]) => id)).toEqual(nested.map((n) => n.id));
    for (const [i, [id, stack]] of stacks.entries()) {
      expect(stack.DependsOn, id).toEqual(i === 0 ? undefined : [stacks[i - 1]![0]]);
      const { "Fn::Sub": url } = stack.Properties.TemplateURL as { "Fn::Sub": string };
      expect(url).toBe(`https://${options().artifacts.bucket}.s3.\${AWS::Region}.\${AWS::URLSuffix}/${nested[i]!.key}`);
      const { body, key, template: inner } = nested[i]!;
      expect(key).toBe(`templates/${stacks[i]![0]}-${digest(body)}.json`);
      expect(JSON.parse(body)).toEqual({ ...inner, Outputs: undefined });
      expect(Object.keys(inner.Resources).length).toBeLessThanOrEqual(500);
      expect(body.length).toBeLessThanOrEqual(1_000_000);
    }
    const own = (rule: string) => nested.map((n) => n.id).filter((id) => id.startsWith(rule));
    expect(template.Resources.RuleWarmAlarm!.DependsOn).toEqual(own("RuleWarm"));
    expect(template.Resources.RuleHotAlarm!.DependsOn).toEqual(own("RuleHot"));
  });

  test("a group, or a rule, that is put before others leaves their alarms what they are", () => {
    const named = (spec: PipelineSpec) => {
      const { template } = synthesize(spec, options());
      return new Map(
        Object.entries(template.Resources).flatMap(([id, r]) =>
          r.Properties.AlarmName ? [[r.Properties.AlarmName, id]] : [],
        ),
      );
    };
    const before = named(sensors(many(20)));
    for (const after of [named(sensors(["new", ...many(20)])), named(sensors(many(20), "4 of 6", ["hot", "warm"]))])
      for (const [name, id] of before) expect(after.get(name), String(name)).toBe(id);
  });

  test("more alarms than a region takes unasked are warned of", () => {
    expect(synthesize(sensors(many(400)), options()).warnings).toEqual([]);
    expect(synthesize(sensors(many(5_000)), options()).warnings).toEqual([
      expect.stringMatching(/has 50\d\d alarms, and a region takes 5000/),
    ]);
  });
});

describe("names of any length and alphabet", () => {
  const values = ["a".repeat(300), `${"a".repeat(300)}b`, "鹿児島市立中央保育園・北館".repeat(12), 'say "hi"\\', "50%"];
  test("are alarm names that CloudWatch takes, each another, that begin readably", () => {
    const names = leaves(alarmsOf(synthesize(sensors(values), options())), "fw-sensors/warm");
    expect(new Set(names).size).toBe(values.length);
    for (const name of names) {
      expect(name.length).toBeLessThanOrEqual(255);
      expect(name).toMatch(/^fw-sensors\/warm\/[\x20-\x7e]+$/);
      expect(name).not.toMatch(/["\\]|%(?![0-9A-F]{2})/);
    }
    expect(names[0]).toMatch(/^fw-sensors\/warm\/series\/a{200,}~[0-9a-f]{16}$/);
    expect(names[2]).toMatch(/^fw-sensors\/warm\/series\/%E9%B9%BF(%[0-9A-F]{2})+~[0-9a-f]{16}$/);
    expect(names.slice(3)).toEqual(["fw-sensors/warm/series/say %22hi%22%5C", "fw-sensors/warm/series/50%25"]);
  });

  test.each([130, 900])("%i groups that are called like composites have alarms of their own names", (count) => {
    const values = Array.from({ length: count }, (_, i) => `part-${i}`).concat(
      "part-0-0",
      "part/0-0",
      "part/0",
      "series",
    );
    const { template, nested } = synthesize(sensors(values, "4 of 6"), options());
    const names = [template, ...nested.map((n) => n.template)].flatMap(({ Resources }) =>
      Object.values(Resources).flatMap(({ Properties }) => (Properties.AlarmName as string | undefined) ?? []),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test("a hundred thousand letters of names do not make a rule too long", () => {
    const alarms = alarmsOf(
      synthesize(sensors(Array.from({ length: 390 }, (_, i) => `${i} ${"x".repeat(240)}`)), options()),
    );
    expect(leaves(alarms, "fw-sensors/warm")).toHaveLength(390);
    for (const [name, { length }] of alarms) expect(length, name).toBeLessThanOrEqual(10_240);
  });

  test("of rules that differ in a dash alone make ids that differ", () => {
    const rules = ["a-1", "a1", "a--1", "a-b", "ab"];
    const { template } = synthesize(sensors(["x"], "4 of 6", rules), options());
    expect(byType(template, "AWS::CloudWatch::CompositeAlarm")).toHaveLength(rules.length);
    for (const id of Object.keys(template.Resources)) expect(id).toMatch(/^[A-Za-z0-9]{1,255}$/);
  });
});

test("digests tell texts apart that differ little", () => {
  const texts = Array.from({ length: 20_000 }, (_, i) => `sensor-${i}`);
  expect(new Set(texts.map(digest)).size).toBe(texts.length);
  expect(new Set(texts.map((t) => digest(`${"x".repeat(500)}${t}`))).size).toBe(texts.length);
  // Neither half alone comes out the same, and every bit is as often set as not.
  const bits = texts.map((t) => BigInt(`0x${digest(t)}`));
  for (let bit = 0n; bit < 64n; bit++) {
    const set = bits.filter((b) => (b >> bit) & 1n).length / bits.length;
    expect(set, `bit ${bit}`).toBeGreaterThan(0.45);
    expect(set, `bit ${bit}`).toBeLessThan(0.55);
  }
});

describe("discovered groups", () => {
  test("beyond what an alarm sees are warned of, and have an alarm of their own", () => {
    const { template, warnings } = synthesize(CLICKS, options());
    expect(warnings).toEqual([expect.stringMatching(/^traffic-odd, views-low: .*500.*PARTIAL_DATA.*--groups/)]);
    expect(template.Resources.HealthGroupsBeyondAlarms!.Properties).toMatchObject({
      Threshold: 2_000,
      Metrics: expect.arrayContaining([expect.objectContaining({ Expression: "compared / closed" })]),
    });
  });
  test("that are given may be more too, of which the alarm tells; listed ones may not", () => {
    const { template, warnings } = synthesize(CLICKS, options({ groups: [["home", "true"]] }));
    expect(warnings).toEqual([]);
    expect(template.Resources.HealthGroupsBeyondAlarms).toBeDefined();
    const listed = synthesize(FLIGHTS, options()).template;
    expect(listed.Resources.HealthGroupsBeyondAlarms).toBeUndefined();
  });
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

describe("texts of any length keep within what CloudWatch and Incident Manager take", () => {
  /** A path of so many letters, of which some are two UTF-16 units. */
  const runbook = (letters: number) => `runbooks/${"é𝄞".repeat(letters / 2)}.md`;
  const rule = { ...FLIGHTS.alarms[0]!, name: `n${"-x".repeat(23)}y` };
  const stack = (letters: number) =>
    synthesize(
      { ...FLIGHTS, alarms: [{ ...rule, runbook: runbook(letters) }] },
      options({ incidents: { kind: "incident-manager" } }),
    ).template;
  const descriptions = (letters: number) =>
    ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"]
      .flatMap((type) => byType(stack(letters), type))
      .map(([, { Properties }]) => String(Properties.AlarmDescription));

  test("a description is whole where it fits, else its beginning, in whole letters", () => {
    const fits = descriptions(20).filter((text) => text.includes("Runbook"));
    expect(fits.length).toBeGreaterThan(8);
    for (const text of fits) expect(text.endsWith(`Runbook: ${runbook(20)}.`)).toBe(true);
    for (const letters of [1_200, 1_202, 1_204]) {
      const cut = descriptions(letters).filter((text) => text.includes("Runbook"));
      expect(cut).toHaveLength(fits.length);
      for (const text of cut) {
        expect(text).toMatch(/Runbook: runbooks\/é𝄞.*…$/u);
        expect(text).not.toMatch(/\p{Surrogate}/u);
        expect(text.length).toBeLessThanOrEqual(1_024);
        expect(text.length).toBeGreaterThan(1_020);
      }
    }
    for (const text of descriptions(1_200)) expect(text.length).toBeLessThanOrEqual(1_024);
  });

  test("names and the words of an incident are as they may be", () => {
    const { Resources } = stack(1_200);
    const [plan] = byType(stack(1_200), "AWS::SSMIncidents::ResponsePlan").map(([, p]) => p.Properties);
    const { Name, DisplayName, IncidentTemplate } = plan!;
    expect(Name).toMatch(/^[a-zA-Z0-9_-]{1,200}$/);
    expect(String(DisplayName).length).toBeLessThanOrEqual(200);
    const { Title, Summary, DedupeString } = IncidentTemplate as Record<string, string>;
    expect(Title!.length).toBeLessThanOrEqual(200);
    expect(Summary!.length).toBeLessThanOrEqual(4_000);
    expect(Summary).toContain("…");
    expect(DedupeString!.length).toBeLessThanOrEqual(1_000);
    for (const { Properties } of Object.values(Resources))
      expect(String(Properties.AlarmName ?? "").length).toBeLessThanOrEqual(255);
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
  expect(template.Resources.RuleDeparturesLowAlarm!.Properties.AlarmActions).toEqual([
    { "Fn::GetAtt": ["RuleDeparturesLowResponsePlan", "Arn"] },
    { Ref: "AlarmTopic" },
  ]);
  // One exists an account, and deleting it deletes every incident of the account.
  expect(byType(template, "AWS::SSMIncidents::ReplicationSet")).toHaveLength(0);
});
