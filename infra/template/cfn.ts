/**
 * CloudFormation as data: the few intrinsic functions the templates use, and fragments that merge into one template.
 * A fragment is one step's part. Everything is a plain value, so that equal input gives an equal template.
 */

/** A value in a template: JSON, with intrinsic functions as objects of one key. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, Value>>;
  readonly DependsOn?: readonly string[];
  readonly Condition?: string;
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
}

export interface Template {
  readonly AWSTemplateFormatVersion: "2010-09-09";
  readonly Description: string;
  readonly Parameters?: Readonly<Record<string, Value>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, Output>>;
}

/** CloudFormation's own limits (CloudFormation User Guide, "Understand CloudFormation quotas"). */
export const LIMITS = { resources: 500, templateBytes: 1_000_000, outputs: 200 } as const;

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

/** Tags as resources take them. */
export function tagList(tags: Readonly<Record<string, string>>): readonly Value[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Types that take a list of tags, among those that the templates use (their schemas' `tagging`). */
export const TAGGABLE: ReadonlySet<string> = new Set([
  "AWS::Athena::WorkGroup",
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
  const put = <T>(into: Record<string, T>, from: Readonly<Record<string, T>> = {}) => {
    for (const [name, value] of Object.entries(from)) {
      if (name in into) throw new Error(`Two templates define ${name}.`);
      into[name] = value;
    }
  };
  for (const fragment of fragments) {
    put(Resources, fragment.Resources);
    put(Outputs, fragment.Outputs);
  }
  return { Resources, Outputs };
}
