/** Policies of a template as IAM reads them: references filled in, and one request judged after another. */
import type { Resource, Template, Value } from "../../../infra/template/cfn.ts";

/** What somebody asks for: an action on a resource's ARN, with the condition keys that the service tells. */
export interface Request {
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, string>>;
}

export interface Statement {
  readonly Sid: string;
  readonly Action: readonly string[];
  readonly Resource: Value;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, Value>>>>;
}

export const REGION = "eu-west-1";
export const ACCOUNT = "123456789012";
const PSEUDO: Readonly<Record<string, string>> = {
  "AWS::Partition": "aws",
  "AWS::Region": REGION,
  "AWS::AccountId": ACCOUNT,
  "AWS::URLSuffix": "amazonaws.com",
};

export const arnOf = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;

/** What each type's ARN is made of, and the property that names it. */
const ARNS: Readonly<Record<string, readonly [name: string, arn: (name: string) => string]>> = {
  "AWS::S3::Bucket": ["BucketName", (n) => `arn:aws:s3:::${n.toLowerCase()}`],
  "AWS::KMS::Key": ["KeyId", (n) => arnOf("kms", `key/${n}`)],
  "AWS::Kinesis::Stream": ["Name", (n) => arnOf("kinesis", `stream/${n}`)],
  "AWS::Lambda::Function": ["FunctionName", (n) => arnOf("lambda", `function:${n}`)],
  // The one ARN that CloudFormation gives with the streams of the group.
  "AWS::Logs::LogGroup": ["LogGroupName", (n) => arnOf("logs", `log-group:${n}:*`)],
  "AWS::SQS::Queue": ["QueueName", (n) => arnOf("sqs", n)],
  "AWS::IAM::Role": ["RoleName", (n) => `arn:aws:iam::${ACCOUNT}:role/${n}`],
  "AWS::StepFunctions::StateMachine": ["StateMachineName", (n) => arnOf("states", `stateMachine:${n}`)],
  "AWS::Athena::WorkGroup": ["Name", (n) => arnOf("athena", `workgroup/${n}`)],
};

/** Values of a template with its references filled in, as far as policies and settings have any. */
export class Resolver {
  readonly #template: Template;

  constructor(template: Template) {
    this.#template = template;
  }

  /** The name of a resource: its own, or, where CloudFormation makes one up, its logical id. */
  name(id: string): string {
    const { Type, Properties } = this.#resource(id);
    const given = Properties[ARNS[Type]?.[0] ?? "Name"] ?? (Properties.DatabaseInput as { Name?: Value })?.Name;
    return typeof given === "string" ? given : ((Properties.TableInput as { Name?: string })?.Name ?? id);
  }

  arn(id: string): string {
    const made = ARNS[this.#resource(id).Type];
    if (!made) throw new Error(`${id} has no ARN here`);
    return made[1](this.name(id));
  }

  /** Text, with every reference in it filled in. */
  text(value: Value): string {
    if (typeof value === "string") return value;
    const {
      Ref,
      "Fn::GetAtt": attribute,
      "Fn::Sub": sub,
    } = value as {
      readonly Ref?: string;
      readonly "Fn::GetAtt"?: readonly [string, string];
      readonly "Fn::Sub"?: string;
    };
    if (Ref !== undefined) return this.#reference(Ref);
    if (attribute) return this.#reference(attribute.join("."));
    return sub!.replace(/\$\{([^}!]+)\}/g, (_, reference: string) => this.#reference(reference));
  }

  texts(value: Value): string[] {
    return Array.isArray(value) ? (value as Value[]).map((v) => this.text(v)) : [this.text(value)];
  }

  #reference(reference: string): string {
    const pseudo = PSEUDO[reference];
    if (pseudo !== undefined) return pseudo;
    const [id, attribute] = reference.split(".") as [string, string | undefined];
    if (attribute === "Arn" || this.#resource(id).Type === "AWS::StepFunctions::StateMachine") return this.arn(id);
    // A bucket's name is as its ARN has it.
    return this.#resource(id).Type === "AWS::S3::Bucket" ? this.name(id).toLowerCase() : this.name(id);
  }

  #resource(id: string): Resource {
    const resource = this.#template.Resources[id];
    if (!resource) throw new Error(`There is no resource ${id}`);
    return resource;
  }
}

export function statementsOf(template: Template, role: string): Statement[] {
  const policies = template.Resources[role]!.Properties.Policies as unknown as {
    readonly PolicyDocument: { readonly Statement: readonly Statement[] };
  }[];
  return policies.flatMap((p) => p.PolicyDocument.Statement);
}

/** Whether one of the statements allows it; there are none here that deny. */
export function allows(statements: readonly Statement[], resolver: Resolver, request: Request): boolean {
  return statements.some(
    (statement) =>
      statement.Action.includes(request.action) &&
      resolver.texts(statement.Resource).some((pattern) => matches(pattern, request.resource)) &&
      Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
        Object.entries(keys).every(([key, wanted]) => {
          const given = request.context?.[key];
          if (given === undefined) return false;
          const all = (Array.isArray(wanted) ? (wanted as Value[]) : [wanted]).map((v) =>
            typeof v === "boolean" ? String(v) : resolver.text(v),
          );
          if (operator === "StringEquals" || operator === "Bool") return all.includes(given);
          if (operator === "StringLike") return all.some((pattern) => matches(pattern, given));
          throw new Error(`No condition ${operator}`);
        }),
      ),
  );
}

/** IAM's patterns: `*` is any text, the empty one too. */
function matches(pattern: string, text: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(text);
}
