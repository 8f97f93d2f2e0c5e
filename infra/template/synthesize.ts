/**
 * A pipeline file becomes one CloudFormation stack: a fragment a step, merged. Pure and deterministic: the same pipeline and
 * choices give the same bytes, so that a change set shows what changed and nothing else.
 */
import { Fault } from "../../src/core/fault.ts";
import type { PipelineSpec } from "../../src/core/spec.ts";
import { type FlinkJob, flinkJob } from "../flink/job.ts";
import { alert } from "./alert.ts";
import { analyze } from "./analyze.ts";
import { LIMITS, merge, type Template, tagged } from "./cfn.ts";
import { collect } from "./collect.ts";
import { compare } from "./compare.ts";
import { contextOf, type SynthesisOptions, tagsOf } from "./context.ts";
import { deliver } from "./deliver.ts";
import { forecast } from "./forecast.ts";
import { foundation } from "./foundation.ts";
import { health } from "./health.ts";
import { prepare } from "./prepare.ts";

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
  readonly flink: FlinkJob;
  /** What CloudFormation leaves to whoever deploys, in order. */
  readonly afterwards: readonly string[];
}

/** The steps in the data's order; each is a file beside this one. */
const STEPS = [foundation, collect, deliver, prepare, forecast, analyze, compare, alert, health] as const;

/**
 * The stack of a pipeline.
 * @throws Fault `target.unsupported` when the pipeline cannot be had in this shape on AWS: no DeepAR in the region, more
 *   series than a stack holds, or an alarm that CloudWatch cannot express.
 */
export function synthesize(spec: PipelineSpec, options: SynthesisOptions): Synthesis {
  const context = contextOf(spec, options);
  const { Resources: made, Outputs } = merge(STEPS.map((step) => step(context)));
  const Resources = tagged(made, tagsOf(context));
  const count = Object.keys(Resources).length;
  const template: Template = {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: `Forewatch pipeline ${spec.name}: stream, lake, forecast, comparison, alarms`,
    Resources,
    Outputs,
  };
  const body = `${JSON.stringify(template, undefined, 2)}\n`;
  if (count > LIMITS.resources || body.length > LIMITS.templateBytes) {
    throw new Fault(
      "target.unsupported",
      `This pipeline needs ${count} resources (${body.length} bytes); CloudFormation takes ${LIMITS.resources} (${LIMITS.templateBytes} bytes).`,
      {
        next: `Let each alarm's windows span three hours at most, which needs one alarm a rule instead of one a series.`,
      },
    );
  }
  return {
    stackName: context.names.prefix,
    template,
    body,
    flink: flinkJob(spec),
    afterwards: [
      `Start the Flink application ${context.names.prefix}-windows (kinesisanalyticsv2 StartApplication).`,
      ...(options.email !== undefined ? [`Confirm the subscription that AWS mails to ${options.email}.`] : []),
      "Train the first forecast: start an execution of the training state machine once the lake holds history.",
    ],
  };
}
