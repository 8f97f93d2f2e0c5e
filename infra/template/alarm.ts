/** What the alarms of a rule have in common, whichever shape they take: names, thresholds, and the composite above them. */
import { digest } from "../../src/core/digest.ts";
import type { AlarmRule } from "../../src/core/spec.ts";
import { literal, type Resource, sub, tagList, type Value } from "./cfn.ts";
import type { Context } from "./context.ts";
import { evaluationPeriods, treatMissing } from "./lookback.ts";

/** An alarm's name and its description (CloudWatch API reference, PutMetricAlarm). */
const NAME_LENGTH = 255;
const DESCRIPTION_LENGTH = 1_024;

/** Actions of an alarm: the incident, and the topic. */
export interface AlarmActions {
  readonly alarm: readonly Value[];
  readonly ok: readonly Value[];
}

/** The name of a rule's alarm, by which the target finds it again. */
export function alarmName(context: Context, rule: Pick<AlarmRule, "name">): string {
  return `${context.names.prefix}/${rule.name}`;
}

/**
 * What a rule's logical ids begin with. It is of its name, not of its place in the file: a rule that was put before another would
 * rename that one's alarm, and CloudFormation, which makes before it removes, would find the name in use.
 */
export function ruleId({ name }: Pick<AlarmRule, "name">): string {
  const words = name.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
  return `Rule${words.includes("-") ? `${words.replaceAll("-", "")}x${digest(name)}` : words}`;
}

/** `head` and text of any length and alphabet as a name: as it is where it fits, else its beginning and a hash of the whole. */
export function boundedName(head: string, text: string): string {
  const whole = `${head}${text}`;
  if (whole.length <= NAME_LENGTH) return whole;
  const end = `~${digest(text)}`;
  // No half of a percent-encoded letter.
  return `${whole.slice(0, NAME_LENGTH - end.length).replace(/(%[0-9A-F]?)$/, "")}${end}`;
}

/** A rule as an alarm's description says it; of a runbook's path that is too long, the beginning. */
export function inWords(rule: AlarmRule): string {
  const side = rule.direction === "both" ? "beyond the band on either side" : rule.direction;
  const runbook = rule.runbook === undefined ? "" : ` Runbook: ${rule.runbook}.`;
  return boundedText(
    `${rule.measure}: ${rule.datapoints} of the last ${rule.periods} windows deviate ${side} by more than ${rule.threshold} half widths of the band.${runbook}`,
    DESCRIPTION_LENGTH,
  );
}

/** A text of so many UTF-16 units at most: as it is where it fits, else its first whole characters and an ellipsis. */
export function boundedText(text: string, length: number): string {
  if (text.length <= length) return text;
  let cut = "";
  for (const character of text) {
    if (cut.length + character.length >= length) break;
    cut += character;
  }
  return `${cut}…`;
}

/**
 * How the deviation of one series is judged.
 * @throws Fault `target.unsupported` when the rule's windows lie further back than CloudWatch looks.
 */
export function common({ spec }: Context, rule: AlarmRule) {
  return {
    EvaluationPeriods: evaluationPeriods(spec, rule),
    DatapointsToAlarm: rule.datapoints,
    TreatMissingData: treatMissing(rule),
    Threshold: rule.direction === "below" ? -rule.threshold : rule.threshold,
    ComparisonOperator: rule.direction === "below" ? "LessThanThreshold" : "GreaterThanThreshold",
    AlarmDescription: inWords(rule),
    Tags: tagList({ "forewatch:rule": rule.name, "forewatch:severity": String(rule.severity) }),
  };
}

/** An alarm under a composite. */
export interface Child {
  readonly name: string;
  /** Its logical id, where it lies in the composite's own template. */
  readonly id?: string;
}

/** An alarm that is on while any of its children is; `after` names what must be there before it, beside those it refers to. */
export function composite(
  rule: AlarmRule,
  name: string,
  children: readonly Child[],
  actions?: AlarmActions,
  after: readonly string[] = [],
): Resource {
  const own = children.some((child) => child.id !== undefined);
  const text = children
    .map((child) => `ALARM("${child.id === undefined ? (own ? literal(child.name) : child.name) : `\${${child.id}}`}")`)
    .join(" OR ");
  return {
    Type: "AWS::CloudWatch::CompositeAlarm",
    ...(after.length > 0 && { DependsOn: after }),
    Properties: {
      AlarmName: name,
      AlarmDescription: inWords(rule),
      AlarmRule: own ? sub(text) : text,
      ...(actions && { AlarmActions: actions.alarm, OKActions: actions.ok }),
      Tags: tagList({ "forewatch:rule": rule.name }),
    },
  };
}
