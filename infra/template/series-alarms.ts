/**
 * An alarm a series of a rule, under composites in as many layers as it takes. They lie in the pipeline's own stack while that holds
 * them; of more, each 300 are a stack of their own inside it, made one after another: CloudFormation deals with 2,500 resources
 * of nested stacks at once, in some regions with 500, and CloudWatch takes a few alarms a second.
 *
 * Logical ids are of the group, so that a group put before others renames none of their alarms; and the names in nested stacks
 * carry the stack's number, because a name that moves from one stack to another would be made there before it is removed here.
 * Series and composites have a folder each, so that no group's name is a composite's.
 */

import { watchedMetric } from "../../src/core/compare.ts";
import { digest } from "../../src/core/digest.ts";
import { type Group, groupKey, seriesId } from "../../src/core/series.ts";
import { type AlarmRule, byFields } from "../../src/core/spec.ts";
import { SECOND } from "../../src/core/time.ts";
import { metricDimension } from "../lambda/names.ts";
import { type AlarmActions, alarmName, boundedName, type Child, common, composite, ruleId } from "./alarm.ts";
import { type NestedTemplate, nestedStack, nestedTemplate, type Resource, tagged } from "./cfn.ts";
import { type Context, tagsOf } from "./context.ts";

/** A composite alarm's rule: children, and characters (CloudWatch User Guide, "Create a composite alarm"). */
const COMPOSITE_CHILDREN = 100;
const COMPOSITE_LENGTH = 10_240;
/** Series a nested stack: with their composites within its 500 resources, and with the longest names within its megabyte. */
const NESTED_SERIES = 3 * COMPOSITE_CHILDREN;

/**
 * The alarms of a rule over `groups`; the topmost composite has the rule's name, and alone the actions.
 * @param after the nested stack of another rule, which comes first.
 */
export function seriesAlarms(
  context: Context,
  rule: AlarmRule,
  groups: readonly Group[],
  acting: { readonly id: string; readonly actions: AlarmActions },
  after?: string,
): { readonly resources: Record<string, Resource>; readonly nested: readonly NestedTemplate[] } {
  const id = ruleId(rule);
  const name = alarmName(context, rule);
  const resources: Record<string, Resource> = {};
  const nested: NestedTemplate[] = [];
  let layer: Child[] = [];
  if (context.seriesAlarms === "nested") {
    for (let first = 0; first < groups.length; first += NESTED_SERIES) {
      const number = first / NESTED_SERIES;
      const part = nestedPart(context, rule, groups.slice(first, first + NESTED_SERIES), number);
      const before = nested.at(-1)?.id ?? after;
      resources[part.template.id] = nestedStack(context.options.artifacts.bucket, part.template, before);
      nested.push(part.template);
      layer.push(...part.tops);
    }
  } else {
    for (const group of groups) {
      const child = { id: `${id}Series${digest(groupKey(group))}`, name: seriesName(`${name}/series/`, group) };
      resources[child.id] = seriesAlarm(context, rule, group, child.name);
      layer.push(child);
    }
  }
  // A composite takes a hundred children at most, and its rule has a length: more series take a layer more.
  const stacks = nested.map((template) => template.id);
  for (let depth = context.seriesAlarms === "nested" ? 1 : 0; ; depth++) {
    const parts = split(layer);
    // The first composites above nested stacks stand on names alone.
    const first = layer[0]?.id === undefined ? stacks : [];
    if (parts.length === 1) {
      resources[acting.id] = composite(rule, name, parts[0]!, acting.actions, first);
      return { resources, nested };
    }
    layer = parts.map((part, p) => {
      const above = { id: `${id}Part${depth}x${p}`, name: `${name}/part/${depth}-${p}` };
      resources[above.id] = composite(rule, above.name, part, undefined, first);
      return above;
    });
  }
}

/** A stack of some of the rule's series, and the composites over all of them. */
function nestedPart(context: Context, rule: AlarmRule, groups: readonly Group[], number: number) {
  const head = `${alarmName(context, rule)}/stack-${number}/`;
  const resources: Record<string, Resource> = {};
  const children = groups.map((group) => {
    const child = { id: `Series${digest(groupKey(group))}`, name: seriesName(`${head}series/`, group) };
    resources[child.id] = seriesAlarm(context, rule, group, child.name);
    return child;
  });
  const tops = split(children).map((part, p) => {
    const top = { id: `Part${p}`, name: `${head}part/${p}` };
    resources[top.id] = composite(rule, top.name, part);
    return { name: top.name };
  });
  const words = `Forewatch pipeline ${context.spec.name}: series of the alarm ${rule.name}, part ${number + 1}`;
  return { template: nestedTemplate(`${ruleId(rule)}Stack${number}`, words, tagged(resources, tagsOf(context))), tops };
}

function seriesAlarm(context: Context, rule: AlarmRule, group: Group, name: string): Resource {
  return {
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmName: name,
      ...common(context, rule),
      Namespace: context.names.namespace,
      MetricName: watchedMetric(rule),
      Dimensions: [
        { Name: "Measure", Value: rule.measure },
        { Name: "Series", Value: metricDimension(seriesId(rule.measure, byFields(context.spec), group)) },
      ],
      Period: context.spec.series.every / SECOND,
      Statistic: rule.direction === "below" ? "Minimum" : "Maximum",
    },
  };
}

/** A group in an alarm's name: ASCII, and nothing that would end the quotes around it in a composite's rule. */
function seriesName(head: string, group: Group): string {
  const text = metricDimension(groupKey(group)).replace(/["\\]/g, (c) => encodeURIComponent(c));
  return boundedName(head, text || "all");
}

/** Runs of alarms that keep within a composite's limits. */
function split(children: readonly Child[]): Child[][] {
  const parts: Child[][] = [[]];
  let used = 0;
  for (const child of children) {
    const cost = child.name.length + 'ALARM("") OR '.length;
    if (parts.at(-1)!.length === COMPOSITE_CHILDREN || used + cost > COMPOSITE_LENGTH) {
      parts.push([]);
      used = 0;
    }
    parts.at(-1)!.push(child);
    used += cost;
  }
  return parts;
}
