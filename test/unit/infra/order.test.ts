/**
 * A first deployment that fails is taken back. A bucket that something was written to meanwhile cannot be deleted, and the stack
 * would be stuck: so nothing is set going before everything that can fail is there.
 */
import { describe, expect, test } from "vitest";
import type { Resource } from "../../../infra/template/cfn.ts";
import { last } from "../../../infra/template/order.ts";
import { type Incidents, synthesize } from "../../../infra/template/synthesize.ts";
import { CLICKS, options, PIPELINES } from "./pipelines.ts";

const INCIDENTS: readonly Incidents[] = [{ kind: "ops-center" }, { kind: "incident-manager" }];
const LONG = { ...CLICKS.alarms[1]!, periods: 40, datapoints: 30 };
const groups = Array.from({ length: 610 }, (_, i) => [`page ${i}`, "false"]);
const STACKS = [
  ...Object.entries(PIPELINES).flatMap(([name, spec]) =>
    INCIDENTS.map(
      (incidents) => [`${name}, ${incidents.kind}`, synthesize(spec, options({ incidents })).template] as const,
    ),
  ),
  ["alarms in stacks of their own", synthesize({ ...CLICKS, alarms: [LONG] }, options({ groups })).template] as const,
  ["alarms on a region's log by hand", synthesize(CLICKS, options({ region: "ca-west-1" })).template] as const,
];

/** What a template's resource waits for, by its text. */
function awaited(resources: Readonly<Record<string, Resource>>, id: string): string[] {
  const text = JSON.stringify(resources[id]);
  const named = /"Ref":"(\w+)"|"Fn::GetAtt":\["(\w+)"|\$\{(\w+)[.}]/g;
  const found = [...text.matchAll(named)].map(([, ref, att, filled]) => ref ?? att ?? filled!);
  return [...new Set([...found, ...(resources[id]!.DependsOn ?? [])])].filter((name) => name in resources);
}

describe.each(STACKS)("%s", (_, { Resources }) => {
  test("trains only when everything else is there", () => {
    const reached = new Set<string>();
    const reach = (id: string) => {
      if (reached.has(id)) return;
      reached.add(id);
      awaited(Resources, id).forEach(reach);
    };
    reach("TrainingSchedule");
    expect(Object.keys(Resources).filter((id) => !reached.has(id))).toEqual([]);
  });

  test("waits in no circle", () => {
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (id: string, path: readonly string[]) => {
      if (path.includes(id)) circles.push([...path.slice(path.indexOf(id)), id].join(" -> "));
      else if (!done.has(id)) {
        for (const next of awaited(Resources, id)) visit(next, [...path, id]);
        done.add(id);
      }
    };
    for (const id of Object.keys(Resources)) visit(id, []);
    expect(circles).toEqual([]);
  });
});

test("the last one names what nobody else waits for, and nothing twice", () => {
  const resource = (Properties: Resource["Properties"], DependsOn?: readonly string[]): Resource => ({
    Type: "AWS::SNS::Topic",
    Properties,
    ...(DependsOn && { DependsOn }),
  });
  const ordered = last(
    {
      First: resource({}),
      End: resource({ Own: { Ref: "Named" } }),
      Named: resource({}),
      ByAttribute: resource({ A: [{ "Fn::GetAtt": ["First", "Arn"] }] }),
      ByText: resource({
        A: { "Fn::Sub": ["${ByList}/${Mine}/${AWS::Region}/${!Alone}", { Mine: { Ref: "InValues" } }] },
      }),
      ByList: resource({}),
      InValues: resource({}),
      Mine: resource({}),
      Alone: resource({}),
      Waits: resource({}, ["ByAttribute"]),
    },
    "End",
  );
  expect(ordered.End!.DependsOn).toEqual(["ByText", "Mine", "Alone", "Waits"]);
});
