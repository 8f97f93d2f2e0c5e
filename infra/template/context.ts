/** What every step's template is made from: the pipeline, the choices of a deployment, and the names both lead to. */
import { Fault } from "../../src/core/fault.ts";
import { combinations, type Group } from "../../src/core/series.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import type { Resource } from "./cfn.ts";
import { lacks } from "./regions.ts";

/** Where the code lies: keys carry a hash of the content, because CloudFormation takes equal keys for equal code. */
export interface Artifacts {
  readonly bucket: string;
  readonly functions: Readonly<Record<FunctionName, string>>;
  readonly flink: string;
}

export const FUNCTIONS = ["enrich", "relay", "compare", "sweep", "publish"] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

/** How an alarm becomes an incident. */
export type Incidents =
  /** A response plan of Incident Manager, which pages; only in accounts that have a replication set. */
  | {
      readonly kind: "incident-manager";
      /** ARNs of the contacts, escalation plans or on-call schedules that an incident engages; without any, nobody is paged. */
      readonly contacts?: readonly string[];
    }
  /** An OpsItem in OpsCenter, and a message to the topic, because OpsCenter does not page. */
  | { readonly kind: "ops-center" };

export interface SynthesisOptions {
  readonly artifacts: Artifacts;
  readonly incidents: Incidents;
  /** Region the stack is for; needed because DeepAR's image lies in another account in each. */
  readonly region: string;
  /** Groups known from the data, for `by` fields without listed values; rules that need an alarm a series use them. */
  readonly groups?: readonly Group[];
  /** Address that the alarm topic mails to. */
  readonly email?: string;
  /** Whether the lake and its key outlive the stack; default true. Without them CloudFormation asks for the bucket to be emptied. */
  readonly keepData?: boolean;
  /** Tags of every resource, besides `forewatch:pipeline`. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Instance types of training and batch transform; CPU is enough for DeepAR at these sizes. */
  readonly trainingInstance?: string;
  readonly transformInstance?: string;
}

export interface Context {
  readonly spec: PipelineSpec;
  readonly options: SynthesisOptions;
  readonly names: Names;
  /** Every group whose series are known beforehand; undefined when they are discovered. */
  readonly groups: readonly Group[] | undefined;
  /** Where the alarms a series lie: beside everything else, or, when that is more than a stack holds, in stacks inside it. */
  readonly seriesAlarms: "beside" | "nested";
}

/** Names of what people and other programs look for; everything else CloudFormation names itself. */
export interface Names {
  /** Stack name, and the prefix of names; short, because a function's name ends at 64 letters. */
  readonly prefix: string;
  /** The stream that producers write to: the pipeline's own name, as on the local target. */
  readonly stream: string;
  /** The stream of checked and enriched events that the analysis reads. */
  readonly events: string;
  /** The stream of closed windows. */
  readonly windows: string;
  readonly database: string;
  /** CloudWatch namespace of the comparisons. */
  readonly namespace: string;
  /** Namespace of the pipeline's own health. */
  readonly health: string;
}

export function namesOf(pipeline: string): Names {
  return {
    prefix: `fw-${pipeline}`,
    stream: pipeline,
    events: `${pipeline}-events`,
    windows: `${pipeline}-windows`,
    database: `forewatch_${pipeline.replaceAll("-", "_")}`,
    namespace: `Forewatch/${pipeline}`,
    health: `Forewatch/${pipeline}/Health`,
  };
}

/** Places in the data bucket. */
export const PREFIX = {
  lake: "lake/raw/",
  rejected: "lake/rejected/",
  failed: "failed/",
  results: "athena-results/",
  training: "training/",
  models: "models/",
  forecasts: "forecasts/",
  /** Below it: a file a version, of which current.json names those in use, and what trainings reported. */
  versions: "forecasts/versions/",
  reports: "forecasts/reports/",
} as const;

/** The part of AWS that a region belongs to; the beginning of its name says it. */
export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  const [isolated, which = ""] = /^[a-z]{2}-iso([a-z]?)-/.exec(region) ?? [];
  if (isolated === undefined) return "aws";
  return which === "" ? "aws-iso" : `aws-iso-${which}`;
}

/**
 * @throws Fault `target.unsupported` where the templates cannot work, or nothing is known of whether they do: the isolated
 *   partitions' services and names of services are not public, and Incident Manager is not in every region.
 */
function checkRegion({ region, incidents }: SynthesisOptions): void {
  if (partitionOf(region).startsWith("aws-iso")) {
    throw new Fault("target.unsupported", `Pipelines are not made for ${region}: its partition is an isolated one.`, {
      next: "Choose a region of the commercial partition, of GovCloud or of China.",
    });
  }
  if (incidents.kind === "incident-manager" && lacks(region, "AWS::SSMIncidents::ResponsePlan")) {
    throw new Fault("target.unsupported", `Incident Manager is not to be had in ${region}.`, {
      next: 'Let OpsCenter manage the incidents ("incidents": "ops-center" of the target, or --incidents ops-center).',
    });
  }
}

/** What the names of a pipeline's own streams and workgroups end with. */
const RESERVED = ["events", "windows", "training"] as const;

/** @throws Fault `target.unsupported` where another pipeline's stream, or its workgroup, may have the name of this one's. */
function checkName(name: string): void {
  const suffix = RESERVED.find((reserved) => name.endsWith(`-${reserved}`));
  if (suffix === undefined) return;
  const other = name.slice(0, -suffix.length - 1);
  throw new Fault(
    "target.unsupported",
    `On AWS "${name}" may be a part of the pipeline "${other}": names that end with ${RESERVED.map((r) => `-${r}`).join(", ")} are kept for those.`,
    { next: `Give the pipeline a name that ends otherwise, such as "${other}-${suffix}-feed".` },
  );
}

export function contextOf(spec: PipelineSpec, options: SynthesisOptions): Context {
  checkRegion(options);
  checkName(spec.name);
  const listed = spec.series.by.every((b) => b.values);
  const groups = listed ? [...combinations(spec.series.by.map((b) => b.values ?? []))] : options.groups;
  for (const group of groups ?? []) {
    if (group.length !== spec.series.by.length) {
      throw new Fault(
        "input.invalid",
        `The group ${JSON.stringify(group)} does not have a value for each "by" field.`,
        {
          next: `Give ${spec.series.by.length} values a group.`,
        },
      );
    }
  }
  return { spec, options, names: namesOf(spec.name), groups, seriesAlarms: "beside" };
}

/**
 * What happens to a resource with data. What was made by a deployment that then failed is removed even when data is kept: it holds
 * none, and would be left behind by each attempt.
 */
export function keeping({ options }: Context): Pick<Resource, "DeletionPolicy" | "UpdateReplacePolicy"> {
  return options.keepData === false ? DISCARD : KEEP;
}

export const KEEP = { DeletionPolicy: "RetainExceptOnCreate", UpdateReplacePolicy: "Retain" } as const;
export const DISCARD = { DeletionPolicy: "Delete", UpdateReplacePolicy: "Delete" } as const;

export function tagsOf({ spec, options }: Context): Readonly<Record<string, string>> {
  return { "forewatch:pipeline": spec.name, ...options.tags };
}
