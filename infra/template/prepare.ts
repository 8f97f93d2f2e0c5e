/** Step 3, prepare: the workgroups that people's queries and the trainings' run in, and the preparation query under a name. */
import { windowStart } from "../../src/core/series.ts";
import { athenaSql } from "../workflow/unload.ts";
import { att, type Fragment, type Resource, ref, sub } from "./cfn.ts";
import { type Context, PREFIX } from "./context.ts";

/**
 * A query of a person's may read this much, so that a slip does not cost more than half a dollar: 100 GiB at 5 dollars a TB. A training's has
 * no such bound: it reads what the pipeline file says, which at a few hundred records a second is more.
 */
export const SCAN_CUTOFF = 107_374_182_400;

/** A span that stands for any: the named query is an example to start from, the training fills in its own. */
const EXAMPLE_UNTIL = Date.UTC(2026, 0, 1);

export function prepare(context: Context): Fragment {
  const { spec, names } = context;
  const until = windowStart(EXAMPLE_UNTIL, spec.series.every);
  return {
    Resources: {
      WorkGroup: workGroup(names.prefix, `Forewatch pipeline ${spec.name}`, SCAN_CUTOFF),
      TrainingWorkGroup: workGroup(`${names.prefix}-training`, `Forewatch pipeline ${spec.name}: trainings`),
      SeriesQuery: {
        Type: "AWS::Athena::NamedQuery",
        Properties: {
          Name: `${names.prefix}-series`,
          Description: "The windows of every series; set the two times",
          Database: ref("Database"),
          WorkGroup: ref("WorkGroup"),
          QueryString: athenaSql(spec, { from: until - spec.forecast.history, until }),
        },
      },
    },
    Outputs: {
      WorkGroupName: { Description: "Athena workgroup of the pipeline's queries", Value: ref("WorkGroup") },
    },
  };
}

function workGroup(name: string, description: string, cutoff?: number): Resource {
  return {
    Type: "AWS::Athena::WorkGroup",
    Properties: {
      Name: name,
      Description: description,
      State: "ENABLED",
      RecursiveDeleteOption: true,
      WorkGroupConfiguration: {
        // What a client asks for does not override the place, the encryption and the cutoff.
        EnforceWorkGroupConfiguration: true,
        PublishCloudWatchMetricsEnabled: true,
        ...(cutoff !== undefined && { BytesScannedCutoffPerQuery: cutoff }),
        EngineVersion: { SelectedEngineVersion: "Athena engine version 3" },
        ResultConfiguration: {
          OutputLocation: sub(`s3://\${DataBucket}/${PREFIX.results}`),
          EncryptionConfiguration: { EncryptionOption: "SSE_KMS", KmsKey: att("DataKey", "Arn") },
        },
      },
    },
  };
}
