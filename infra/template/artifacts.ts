/** The small stack that comes first: a bucket for code, which templates are deployed from. One an account and region. */
import { ref, type Template } from "./cfn.ts";
import { KEEP } from "./context.ts";
import { bucketPolicy } from "./foundation.ts";

export const ARTIFACTS_STACK = "forewatch-artifacts";

export function artifactsTemplate(): Template {
  return {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: "Forewatch: the code of pipelines, by content hash",
    Resources: {
      ArtifactsBucket: {
        Type: "AWS::S3::Bucket",
        ...KEEP,
        Properties: {
          Tags: [{ Key: "forewatch:artifacts", Value: "true" }],
          // Code is no secret and is read by services' own roles: the bucket's managed key spares a key policy a reader.
          BucketEncryption: {
            ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
          },
          PublicAccessBlockConfiguration: {
            BlockPublicAcls: true,
            BlockPublicPolicy: true,
            IgnorePublicAcls: true,
            RestrictPublicBuckets: true,
          },
          OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
          VersioningConfiguration: { Status: "Enabled" },
          LifecycleConfiguration: {
            Rules: [
              { Id: "replaced", Status: "Enabled", NoncurrentVersionExpiration: { NoncurrentDays: 90 } },
              {
                Id: "unfinished-uploads",
                Status: "Enabled",
                AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 },
              },
            ],
          },
        },
      },
      ArtifactsBucketPolicy: { Type: "AWS::S3::BucketPolicy", Properties: bucketPolicy("ArtifactsBucket") },
    },
    Outputs: { ArtifactsBucketName: { Description: "Code is put here", Value: ref("ArtifactsBucket") } },
  };
}
