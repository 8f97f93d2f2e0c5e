/** What a region lacks: refused with the next step, or left out of the stack with a warning. */
import { describe, expect, test } from "vitest";
import images from "../../../infra/template/deepar-images.json" with { type: "json" };
import regions from "../../../infra/template/regions.json" with { type: "json" };
import { synthesize } from "../../../infra/template/synthesize.ts";
import { Fault } from "../../../src/core/fault.ts";
import { FLIGHTS, options } from "./pipelines.ts";

const REGIONS = Object.keys(images.accounts).filter((region) => !region.includes("-iso"));
const LOGGING = "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption";
const RESPONSE_PLAN = "AWS::SSMIncidents::ResponsePlan";
const types = (region: string, kind: "ops-center" | "incident-manager") =>
  Object.values(synthesize(FLIGHTS, options({ region, incidents: { kind } })).template.Resources).map((r) => r.Type);

test("the list says where it is from, and names no region that has no DeepAR", () => {
  expect(regions.source).toContain("cfn-lint");
  expect(regions.date).toMatch(/^\d{4}-\d\d-\d\d$/);
  for (const listed of Object.values(regions.absent)) {
    expect(listed.length).toBeGreaterThan(0);
    expect(listed.filter((region) => !REGIONS.includes(region))).toEqual([]);
  }
});

describe.each(REGIONS)("%s", (region) => {
  test("has a stack of types that it has", () => {
    const made = types(region, "ops-center");
    expect(made).not.toContain(RESPONSE_PLAN);
    expect(made.includes(LOGGING)).toBe(!regions.absent[LOGGING].includes(region));
  });
  test("has incidents of Incident Manager, or refuses them with the next step", () => {
    if (!regions.absent[RESPONSE_PLAN].includes(region)) {
      expect(types(region, "incident-manager")).toContain(RESPONSE_PLAN);
      return;
    }
    const refused = expect.objectContaining({
      code: "target.unsupported",
      message: expect.stringContaining(`Incident Manager is not to be had in ${region}.`),
      next: expect.stringContaining("ops-center"),
    });
    expect(() => types(region, "incident-manager")).toThrow(Fault);
    expect(() => types(region, "incident-manager")).toThrow(refused);
  });
});

test("where CloudFormation cannot attach Flink's log, it is made, named and warned of", () => {
  const { template, warnings } = synthesize(FLIGHTS, options({ region: "eu-south-2" }));
  expect(template.Outputs.FlinkLogStreamArn?.Value).toEqual({
    "Fn::Sub":
      "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${FlinkLogs}:log-stream:${FlinkLogStream}",
  });
  expect(template.Resources.FlinkLogStream?.Type).toBe("AWS::Logs::LogStream");
  expect(warnings).toEqual([expect.stringMatching(/^eu-south-2: .*log.*FlinkLogStreamArn/)]);
  const elsewhere = synthesize(FLIGHTS, options({ region: "eu-west-1" }));
  expect(elsewhere.template.Outputs).not.toHaveProperty("FlinkLogStreamArn");
  expect(elsewhere.warnings).toEqual([]);
});
