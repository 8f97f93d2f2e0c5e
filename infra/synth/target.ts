/** Where a pipeline is deployed to, and who manages its incidents there. */
import { Fault } from "../../src/core/fault.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import type { Incidents } from "../template/context.ts";
import { lacks } from "../template/regions.ts";
import type { Options } from "./options.ts";

export interface Chosen {
  readonly region: string;
  /** Undefined where the pipeline file has no target: then it is the account of whoever deploys. */
  readonly account: string | undefined;
  readonly profile: string | undefined;
  readonly incidents: Incidents;
  readonly words: readonly string[];
}

/** @throws Fault `input.invalid` where the file has no such target, or there is no such incident manager. */
export function choose(
  spec: PipelineSpec,
  options: Pick<Options, "target" | "region" | "incidents" | "contacts">,
): Chosen {
  const names = Object.keys(spec.targets);
  const name = options.target ?? names[0];
  const target = name !== undefined && Object.hasOwn(spec.targets, name) ? spec.targets[name] : undefined;
  if (options.target !== undefined && target === undefined) {
    throw new Fault("input.invalid", `The pipeline file has no target "${options.target}".`, {
      next: names.length > 0 ? `Give one of ${names.join(", ")}.` : "Leave --target out.",
    });
  }
  const region = options.region ?? target?.region ?? "us-east-1";
  const kind = options.incidents ?? target?.incidents ?? "ops-center";
  const incidents = incidentsOf(kind, options.contacts);
  const first = names.length > 1 && options.target === undefined ? `, the first of ${names.length} (--target)` : "";
  const hint = lacks(region, "AWS::SSMIncidents::ResponsePlan")
    ? "is OpsCenter here: Incident Manager is not to be had"
    : "looks into the account, which this command does not: give --incidents incident-manager where it is in use";
  const auto = kind === "auto" ? ` ("auto" ${hint})` : "";
  return {
    region,
    account: target?.account,
    profile: target?.profile,
    incidents,
    words: [
      name === undefined ? "target: none in the pipeline file" : `target: ${name}${first}`,
      ...(target ? [`account: ${target.account}${target.profile ? `, with the profile ${target.profile}` : ""}`] : []),
      `region: ${region}`,
      `incidents: ${incidents.kind}${auto}`,
    ],
  };
}

function incidentsOf(kind: string, contacts: readonly string[]): Incidents {
  if (kind === "incident-manager") return { kind, contacts };
  // "auto" is settled by looking into the account, which this command does not.
  if (kind !== "ops-center" && kind !== "auto") {
    throw new Fault("input.invalid", `There is no incident manager "${kind}".`, {
      next: "Give incident-manager or ops-center.",
    });
  }
  if (contacts.length === 0) return { kind: "ops-center" };
  throw new Fault("input.invalid", "Only incidents of Incident Manager engage contacts.", {
    next: "Leave --contact out, or give --incidents incident-manager.",
  });
}
