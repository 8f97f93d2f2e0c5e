/** What the values of options may be. Each check returns the value; what it refuses is told with the option's name. */
import { Fault } from "../../src/core/fault.ts";

/** As in the pipeline file; which regions there are, and have what a pipeline needs, the templates know. */
const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;

export function checkRegion(region: string): string {
  if (REGION.test(region)) return region;
  throw new Fault("input.invalid", `--region is "${region}", which is no region.`, {
    next: "Give one such as eu-west-1.",
  });
}

/** Rules of a bucket's name, in the order they are told (S3 User Guide, "General purpose bucket naming rules"). */
const BUCKET_RULES: readonly (readonly [RegExp, string])[] = [
  [/^.{3,63}$/s, "has 3 to 63 characters"],
  [/^[a-z0-9.-]+$/, "has lower-case letters, digits, dots and hyphens alone"],
  [/^[a-z0-9].*[a-z0-9]$/, "begins and ends with a letter or a digit"],
  [/^(?!.*\.\.)/, "has no two dots beside each other"],
  [/^(?!\d+\.\d+\.\d+\.\d+$)/, "does not look like an IP address"],
  [/^(?!xn--|sthree-|amzn-s3-demo-)/, 'does not begin with "xn--", "sthree-" or "amzn-s3-demo-"'],
  [
    /^(?!.*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$)/,
    'does not end with "-s3alias", "--ol-s3", ".mrap", "--x-s3" or "--table-s3"',
  ],
];

export function checkBucket(name: string): string {
  const broken = BUCKET_RULES.find(([rule]) => !rule.test(name));
  if (broken === undefined) return name;
  throw new Fault("input.invalid", `--bucket is "${name}"; the name of a bucket ${broken[1]}.`, {
    next: "Give the bucket's name alone, without s3:// or an ARN around it.",
  });
}

/** One address: what else the mail's standards allow, SNS does not take. */
const EMAIL = /^[^\s@<>()[\]",;:\\]+@[a-z0-9-]+(\.[a-z0-9-]+)+$/i;

export function checkEmail(address: string): string {
  if (EMAIL.test(address) && address.length <= 254) return address;
  throw new Fault("input.invalid", `--email is "${address}", which is no address.`, {
    next: "Give one such as alarms@example.org.",
  });
}

/** How many contacts a response plan engages, and their ARNs (CloudFormation's schema of AWS::SSMIncidents::ResponsePlan). */
export const MOST_CONTACTS = 5;
/** Escalation plans and on-call schedules are contacts there too; Incident Manager is in the commercial partition alone. */
const CONTACT = /^arn:aws:ssm-contacts:([a-z]+-)+\d:\d{12}:contact\/[a-z0-9_-]+$/;

export function checkContact(arn: string): string {
  if (CONTACT.test(arn)) return arn;
  throw new Fault("input.invalid", `--contact is "${arn}", which is no ARN of a contact of Incident Manager.`, {
    next: "Give one such as arn:aws:ssm-contacts:eu-west-1:111111111111:contact/on-call.",
  });
}

export function positive(text: string, option: string): number {
  const value = numberOf(text);
  if (value > 0) return value;
  throw new Fault("input.invalid", `${option} is "${text}"; it must be a number above 0.`);
}

export function whole(text: string, option: string): number {
  const value = numberOf(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Fault("input.invalid", `${option} is "${text}"; it must be a whole number above 0.`);
}

/** NaN for what is no finite number, or is written as none that people count with, such as `0x10`. */
function numberOf(text: string): number {
  return /^(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?$/i.test(text) ? Number(text) : Number.NaN;
}
