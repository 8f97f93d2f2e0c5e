/** What every step stands on: the key that encrypts, the bucket that keeps, the topic that tells. */

import { DAY } from "../../src/core/time.ts";
import { scheduleEvery, stepsToReach } from "../workflow/times.ts";
import { ACCOUNT, arn, att, type Fragment, ref, sub, tagList } from "./cfn.ts";
import { type Context, keeping, PREFIX } from "./context.ts";

export function foundation(context: Context): Fragment {
  const { spec, options, names } = context;
  // Beyond the lake's time by what a version is in use: with a lake of a week and trainings a month apart, the one in use stays.
  const keepForecasts = spec.retention.lake + stepsToReach(spec) * spec.series.every + 2 * scheduleEvery(spec);
  return {
    Resources: {
      DataKey: {
        Type: "AWS::KMS::Key",
        // The lake outlives the stack, and without its key it would be noise.
        ...keeping(context),
        Properties: {
          Description: `Forewatch pipeline ${spec.name}: streams, lake, models, logs`,
          EnableKeyRotation: true,
          Tags: dataTags(context),
          KeyPolicy: {
            Version: "2012-10-17",
            Statement: [
              {
                Sid: "AccountAdministers",
                Effect: "Allow",
                Principal: { AWS: sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root") },
                Action: "kms:*",
                Resource: "*",
              },
              {
                Sid: "LogGroups",
                Effect: "Allow",
                // The one service whose name in policies has the region in it, and the partition's suffix.
                Principal: { Service: sub("logs.${AWS::Region}.${AWS::URLSuffix}") },
                Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                Resource: "*",
                Condition: {
                  ArnLike: { "kms:EncryptionContext:aws:logs:arn": arn("logs", "log-group:*") },
                },
              },
              ...publishers(context).map(({ sid, ...who }) => ({
                Sid: `${sid}UseKeyOfTopic`,
                Effect: "Allow",
                ...who,
                Action: ["kms:Decrypt", "kms:GenerateDataKey"],
                Resource: "*",
              })),
            ],
          },
        },
      },
      DataKeyAlias: {
        Type: "AWS::KMS::Alias",
        Properties: { AliasName: `alias/${names.prefix}`, TargetKeyId: ref("DataKey") },
      },
      DataBucket: {
        Type: "AWS::S3::Bucket",
        ...keeping(context),
        Properties: {
          Tags: dataTags(context),
          BucketEncryption: {
            ServerSideEncryptionConfiguration: [
              {
                BucketKeyEnabled: true,
                ServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: att("DataKey", "Arn") },
              },
            ],
          },
          PublicAccessBlockConfiguration: {
            BlockPublicAcls: true,
            BlockPublicPolicy: true,
            IgnorePublicAcls: true,
            RestrictPublicBuckets: true,
          },
          OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
          LifecycleConfiguration: {
            Rules: [
              expire("lake", PREFIX.lake, days(spec.retention.lake)),
              expire("rejected", PREFIX.rejected, days(spec.retention.lake)),
              expire("failed", PREFIX.failed, days(spec.retention.lake)),
              expire("results", PREFIX.results, 14),
              expire("training", PREFIX.training, 30),
              expire("models", PREFIX.models, 30),
              expire("forecasts", PREFIX.versions, days(keepForecasts)),
              expire("reports", PREFIX.reports, days(keepForecasts)),
              {
                Id: "unfinished-uploads",
                Status: "Enabled",
                AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 },
              },
            ],
          },
        },
      },
      DataBucketPolicy: { Type: "AWS::S3::BucketPolicy", Properties: bucketPolicy("DataBucket") },
      AlarmTopic: {
        Type: "AWS::SNS::Topic",
        Properties: {
          TopicName: `${names.prefix}-alarms`,
          DisplayName: `Forewatch ${spec.name}`.slice(0, 100),
          KmsMasterKeyId: ref("DataKey"),
        },
      },
      AlarmTopicPolicy: {
        Type: "AWS::SNS::TopicPolicy",
        Properties: {
          Topics: [ref("AlarmTopic")],
          PolicyDocument: {
            Version: "2012-10-17",
            Statement: [
              ...publishers(context).map(({ sid, ...who }) => ({
                Sid: `${sid}Publish`,
                Effect: "Allow",
                ...who,
                Action: "sns:Publish",
                Resource: ref("AlarmTopic"),
              })),
              {
                Sid: "TlsOnly",
                Effect: "Deny",
                Principal: "*",
                Action: "sns:Publish",
                Resource: ref("AlarmTopic"),
                Condition: { Bool: { "aws:SecureTransport": "false" } },
              },
            ],
          },
        },
      },
      ...(options.email !== undefined && {
        AlarmMail: {
          Type: "AWS::SNS::Subscription",
          Properties: { TopicArn: ref("AlarmTopic"), Protocol: "email", Endpoint: options.email },
        },
      }),
    },
    Outputs: {
      DataBucketName: { Description: "The lake, the models and the forecasts", Value: ref("DataBucket") },
      AlarmTopicArn: { Description: "Alarms and their ends are sent here", Value: ref("AlarmTopic") },
    },
  };
}

/**
 * What becomes of the data with the stack, as a tag too: CloudFormation updates no deletion policy by itself (User Guide,
 * "DeletionPolicy attribute").
 */
function dataTags({ options }: Context) {
  return tagList({ "forewatch:data": options.keepData === false ? "discarded with the stack" : "kept" });
}

/** Who publishes to the topic of alarms, and so uses the key that encrypts it. */
function publishers({ options }: Context) {
  return [
    {
      sid: "Alarms",
      Principal: { Service: "cloudwatch.amazonaws.com" },
      Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT } },
    },
    // Incident Manager does not always say for which account it publishes (its User Guide, "Creating and integrating chat
    // channels for responders").
    ...(options.incidents.kind === "incident-manager"
      ? [
          {
            sid: "Incidents",
            Principal: { Service: "ssm-incidents.amazonaws.com" },
            Condition: { StringEqualsIfExists: { "aws:SourceAccount": ACCOUNT } },
          },
        ]
      : []),
  ];
}

/** A bucket that answers over TLS only. */
export function bucketPolicy(bucket: string) {
  return {
    Bucket: ref(bucket),
    PolicyDocument: {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "TlsOnly",
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: [att(bucket, "Arn"), sub(`\${${bucket}.Arn}/*`)],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ],
    },
  };
}

function expire(id: string, prefix: string, after: number) {
  return { Id: id, Status: "Enabled", Prefix: prefix, ExpirationInDays: after };
}

function days(millis: number): number {
  return Math.max(1, Math.ceil(millis / DAY));
}
