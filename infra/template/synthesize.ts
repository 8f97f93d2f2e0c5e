/**
 * A pipeline file becomes one CloudFormation stack: a fragment a step, merged. Pure and deterministic: the same pipeline and
 * choices give the same bytes, so that a change set shows what changed and nothing else.
 */
import { Fault } from "../../src/core/fault.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { type FlinkJob, flinkJob } from "../flink/job.ts";
import { alert } from "./alert.ts";
import { analyze } from "./analyze.ts";
import { LIMITS, merge, type NestedTemplate, type Template, tagged } from "./cfn.ts";
import { collect } from "./collect.ts";
import { compare } from "./compare.ts";
import { type Context, contextOf, type SynthesisOptions, tagsOf } from "./context.ts";
import { deliver } from "./deliver.ts";
import { forecast } from "./forecast.ts";
import { foundation } from "./foundation.ts";
import { health } from "./health.ts";
import { last } from "./order.ts";
import { prepare } from "./prepare.ts";
import { warningsOf } from "./warnings.ts";

export { ARTIFACTS_STACK, artifactsTemplate } from "./artifacts.ts";
export {
  type Artifacts,
  FUNCTIONS,
  type FunctionName,
  type Incidents,
  namesOf,
  type SynthesisOptions,
} from "./context.ts";

/** What a deployment needs besides the functions' bundles. */
export interface Synthesis {
  readonly stackName: string;
  readonly template: Template;
  /** The template's text, as it is uploaded. */
  readonly body: string;
  /** Templates of the stacks inside it, which lie in the bucket of code before it is made. */
  readonly nested: readonly NestedTemplate[];
  readonly flink: FlinkJob;
  /** What the pipeline will not do there, or only with an account's limits raised. */
  readonly warnings: readonly string[];
}

/** The steps in the data's order; each is a file beside this one. */
const STEPS = [foundation, collect, deliver, prepare, forecast, analyze, compare, alert, health] as const;

/**
 * The stack of a pipeline.
 * @throws Fault `target.unsupported` when the pipeline cannot be had in this shape on AWS: no DeepAR in the region, more
 *   resources than a stack holds, or an alarm that CloudWatch cannot express.
 */
export function synthesize(spec: PipelineSpec, options: SynthesisOptions): Synthesis {
  const context = contextOf(spec, options);
  const beside = assemble(context);
  const { template, body, nested } = fits(beside) ? beside : assemble({ ...context, seriesAlarms: "nested" });
  for (const one of [{ template, body }, ...nested]) checkSize(one);
  return {
    stackName: context.names.prefix,
    template,
    body,
    nested,
    flink: flinkJob(spec),
    warnings: warningsOf(context, [template, ...nested.map((n) => n.template)]),
  };
}

type Assembled = Pick<Synthesis, "template" | "body" | "nested">;

function assemble(context: Context): Assembled {
  const { Resources, Outputs, Nested } = merge(STEPS.map((step) => step(context)));
  const template: Template = {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: `Forewatch pipeline ${context.spec.name}: stream, lake, forecast, comparison, alarms`,
    // Made before the rest, its first training would run at once, and what that writes keeps a stack that fails from being undone.
    Resources: tagged(last(Resources, "TrainingSchedule"), tagsOf(context)),
    Outputs,
  };
  return { template, body: `${JSON.stringify(template, undefined, 2)}\n`, nested: Nested };
}

function fits({ template, body }: Pick<Assembled, "template" | "body">): boolean {
  return Object.keys(template.Resources).length <= LIMITS.resources && Buffer.byteLength(body) <= LIMITS.templateBytes;
}

function checkSize(one: Pick<Assembled, "template" | "body">): void {
  if (fits(one)) return;
  const count = Object.keys(one.template.Resources).length;
  throw new Fault(
    "target.unsupported",
    `"${one.template.Description}" has ${count} resources and ${Buffer.byteLength(one.body)} bytes; CloudFormation takes ${LIMITS.resources}, and ${LIMITS.templateBytes} bytes.`,
    { next: "Have fewer alarms, measures or tags, or make several pipelines of it." },
  );
}
