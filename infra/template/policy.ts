/**
 * Least privilege, written down once: a role is one component's, its trust is bound to this account, and each statement
 * says what it is for. The tests hold every action against what the component calls.
 */
import { ACCOUNT, att, type Fragment, type Resource, ref, sub, type Value } from "./cfn.ts";
import { DISCARD } from "./context.ts";

export interface Statement {
  /** What the permission is for: letters and digits, as IAM's Sid takes them. */
  readonly sid: string;
  readonly actions: readonly string[];
  readonly resources: Value;
  readonly condition?: Value;
}

/**
 * A role that `service` may take on in this account only.
 * @param sourceArn who exactly asks, where the service tells (the confused-deputy guard); a pattern.
 */
export function role(service: string, statements: readonly Statement[], sourceArn?: Value): Resource {
  return {
    Type: "AWS::IAM::Role",
    Properties: {
      AssumeRolePolicyDocument: {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: service },
            Action: "sts:AssumeRole",
            Condition: {
              StringEquals: { "aws:SourceAccount": ACCOUNT },
              ...(sourceArn !== undefined && { ArnLike: { "aws:SourceArn": sourceArn } }),
            },
          },
        ],
      },
      Policies: [{ PolicyName: "least-privilege", PolicyDocument: policy(statements) }],
    },
  };
}

export function policy(statements: readonly Statement[]): Value {
  return {
    Version: "2012-10-17",
    Statement: statements.map((s) => ({
      Sid: s.sid,
      Effect: "Allow",
      Action: s.actions,
      Resource: s.resources,
      ...(s.condition !== undefined && { Condition: s.condition }),
    })),
  };
}

/** Reading an encrypted resource. */
export const DECRYPT: Statement = { sid: "Decrypt", actions: ["kms:Decrypt"], resources: att("DataKey", "Arn") };
/** Reading and writing an encrypted resource. */
export const ENCRYPT: Statement = {
  sid: "Encrypt",
  actions: ["kms:Decrypt", "kms:GenerateDataKey"],
  resources: att("DataKey", "Arn"),
};

export const READ_STREAM = [
  "kinesis:DescribeStream",
  "kinesis:DescribeStreamSummary",
  "kinesis:GetRecords",
  "kinesis:GetShardIterator",
  "kinesis:ListShards",
] as const;

/** What a function needs besides its role's permissions. */
export interface FunctionSpec {
  readonly name: string;
  readonly description: string;
  readonly code: { readonly bucket: string; readonly key: string };
  readonly memory: number;
  /** Seconds. */
  readonly timeout: number;
  readonly environment: Readonly<Record<string, Value>>;
  readonly statements: readonly Statement[];
}

/**
 * Node 22 on arm64, its role and its log group, under the logical ids `<id>Function`, `<id>Role`, `<id>Logs`. Its settings are encrypted
 * with the pipeline's key, so among its statements must be one that lets it decrypt (Lambda Developer Guide, "Securing environment
 * variables").
 */
export function lambda(id: string, fn: FunctionSpec): Fragment {
  return {
    Resources: {
      [`${id}Logs`]: logGroup(`/aws/lambda/${fn.name}`),
      // Bound to the account alone: what Lambda names as the source is not always the function, such as when it reads a stream.
      [`${id}Role`]: role("lambda.amazonaws.com", [
        {
          sid: "WriteLogs",
          actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
          resources: att(`${id}Logs`, "Arn"),
        },
        ...fn.statements,
      ]),
      [`${id}Function`]: {
        Type: "AWS::Lambda::Function",
        Properties: {
          FunctionName: fn.name,
          Description: fn.description,
          Runtime: "nodejs22.x",
          Architectures: ["arm64"],
          Handler: "index.handler",
          Code: { S3Bucket: fn.code.bucket, S3Key: fn.code.key },
          Role: att(`${id}Role`, "Arn"),
          MemorySize: fn.memory,
          Timeout: fn.timeout,
          LoggingConfig: { LogGroup: ref(`${id}Logs`), LogFormat: "JSON" },
          KmsKeyArn: att("DataKey", "Arn"),
          Environment: {
            Variables: { POWERTOOLS_SERVICE_NAME: fn.name, ...fn.environment },
          },
        },
      },
    },
  };
}

/** Days that logs are kept: long enough to explain last month's incident. */
export const LOG_DAYS = 30;

export function logGroup(name: string): Resource {
  return {
    Type: "AWS::Logs::LogGroup",
    ...DISCARD,
    Properties: { LogGroupName: name, RetentionInDays: LOG_DAYS, KmsKeyId: att("DataKey", "Arn") },
  };
}

/** A queue for what failed for good; kept the longest that SQS can. */
export function deadLetters(description: string): Resource {
  return {
    Type: "AWS::SQS::Queue",
    ...DISCARD,
    Metadata: { Purpose: description },
    Properties: { SqsManagedSseEnabled: true, MessageRetentionPeriod: 1_209_600 },
  };
}

/** Objects under the prefixes of the data bucket. */
export function objects(...prefixes: readonly string[]): Value {
  return prefixes.map((p) => sub(`\${DataBucket.Arn}/${p}*`));
}

/** Listing a bucket, but only under these prefixes. */
export function listing(...prefixes: readonly string[]): Statement {
  return {
    sid: "ListOwnPrefixes",
    actions: ["s3:ListBucket"],
    resources: att("DataBucket", "Arn"),
    condition: { StringLike: { "s3:prefix": prefixes.map((p) => `${p}*`) } },
  };
}
