/**
 * CloudFormation as data: the few intrinsic functions the templates use, and fragments that merge into one template.
 * A fragment is one step's part. Everything is a plain value, so that equal input gives an equal template.
 */
import { digest } from "../../src/core/digest.ts";

/** A value in a template: JSON, with intrinsic functions as objects of one key. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, Value>>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: "Delete" | "Retain" | "RetainExceptOnCreate";
  readonly UpdateReplacePolicy?: "Delete" | "Retain";
  readonly Metadata?: Value;
}

export interface Output {
  readonly Description: string;
  readonly Value: Value;
}

/** A step's part of the stack. */
export interface Fragment {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, Output>>;
  /** Templates of the stacks inside the stack. */
  readonly Nested?: readonly NestedTemplate[];
}

/** The template of a stack inside the stack, which lies in the bucket of code under a key that carries a hash of its content. */
export interface NestedTemplate {
  /** Logical id of the stack. */
  readonly id: string;
  readonly key: string;
  readonly template: Template;
  /** The template's text, as it is uploaded. */
  readonly body: string;
}

export interface Template {
  readonly AWSTemplateFormatVersion: "2010-09-09";
  readonly Description: string;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, Output>>;
}

/** CloudFormation's own limits (CloudFormation User Guide, "Understand CloudFormation quotas"). */
export const LIMITS = { resources: 500, templateBytes: 1_000_000 } as const;

export const ref = (logicalId: string): Value => ({ Ref: logicalId });
export const att = (logicalId: string, attribute: string): Value => ({ "Fn::GetAtt": [logicalId, attribute] });
/** Text with `${LogicalId}`, `${LogicalId.Attribute}` and `${AWS::Region}` filled in; `values` adds names of its own. */
export const sub = (text: string, values?: Readonly<Record<string, Value>>): Value => ({
  "Fn::Sub": values ? [text, values] : text,
});

export const REGION = ref("AWS::Region");
export const ACCOUNT = ref("AWS::AccountId");

/** An ARN of this partition, region and account: `arn("glue", "catalog")`. The resource part may hold `${...}`. */
export function arn(service: string, resource: string): Value {
  return sub(`arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${resource}`);
}

/** Text that goes into `sub` unchanged, whatever `${` it holds. */
export function literal(text: string): string {
  return text.replaceAll("${", "${!");
}

export function nestedTemplate(
  id: string,
  description: string,
  Resources: Readonly<Record<string, Resource>>,
): NestedTemplate {
  const template: Template = {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: description,
    Resources,
    Outputs: {},
  };
  // Without white space: hundreds of alarms are to fit into the megabyte that a template may have.
  const body = `${JSON.stringify({ ...template, Outputs: undefined })}\n`;
  return { id, key: `templates/${id}-${digest(body)}.json`, template, body };
}

/** The stack of a nested template that lies in `bucket`; made after the stack `after`. */
export function nestedStack(bucket: string, { key }: NestedTemplate, after?: string): Resource {
  return {
    Type: "AWS::CloudFormation::Stack",
    ...(after !== undefined && { DependsOn: [after] }),
    Properties: { TemplateURL: sub(`https://${bucket}.s3.\${AWS::Region}.\${AWS::URLSuffix}/${key}`) },
  };
}

/** Tags as resources take them. */
export function tagList(tags: Readonly<Record<string, string>>): readonly Value[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Types that take a list of tags, among those that the templates use (their schemas' `tagging`). */
export const TAGGABLE: ReadonlySet<string> = new Set([
  "AWS::Athena::WorkGroup",
  "AWS::CloudFormation::Stack",
  "AWS::CloudWatch::Alarm",
  "AWS::CloudWatch::CompositeAlarm",
  "AWS::IAM::Role",
  "AWS::KMS::Key",
  "AWS::Kinesis::Stream",
  "AWS::KinesisAnalyticsV2::Application",
  "AWS::KinesisFirehose::DeliveryStream",
  "AWS::Lambda::EventSourceMapping",
  "AWS::Lambda::Function",
  "AWS::Logs::LogGroup",
  "AWS::S3::Bucket",
  "AWS::SNS::Topic",
  "AWS::SQS::Queue",
  "AWS::SSMIncidents::ResponsePlan",
  "AWS::StepFunctions::StateMachine",
]);

/** The resources with these tags on each that can have them, before its own. */
export function tagged(
  resources: Readonly<Record<string, Resource>>,
  tags: Readonly<Record<string, string>>,
): Record<string, Resource> {
  return Object.fromEntries(
    Object.entries(resources).map(([id, resource]) => {
      if (!TAGGABLE.has(resource.Type)) return [id, resource];
      const own = (resource.Properties.Tags ?? []) as readonly Value[];
      return [id, { ...resource, Properties: { ...resource.Properties, Tags: [...tagList(tags), ...own] } }];
    }),
  );
}

/** All fragments as one; a name that two of them use is a mistake in the templates, and throws. */
export function merge(fragments: readonly Fragment[]): Required<Fragment> {
  const Resources: Record<string, Resource> = {};
  const Outputs: Record<string, Output> = {};
  const Nested: NestedTemplate[] = [];
  const put = <T>(into: Record<string, T>, from: Readonly<Record<string, T>> = {}) => {
    for (const [name, value] of Object.entries(from)) {
      if (name in into) throw new Error(`Two templates define ${name}.`);
      into[name] = value;
    }
  };
  for (const fragment of fragments) {
    put(Resources, fragment.Resources);
    put(Outputs, fragment.Outputs);
    Nested.push(...(fragment.Nested ?? []));
  }
  return { Resources, Outputs, Nested };
}
