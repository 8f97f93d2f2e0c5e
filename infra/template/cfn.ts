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

/** Tags as most resources take them. */
export function tagList(tags: Readonly<Record<string, string>>): Value {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
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
