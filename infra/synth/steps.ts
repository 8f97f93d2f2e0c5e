/** What is to be done with the files that the command wrote, as commands of the AWS CLI, in order. */
import { ARTIFACTS_STACK, type Synthesis } from "../template/synthesize.ts";

export interface Written {
  /** The folder they are in. */
  readonly out: string;
  readonly region: string;
  /** The bucket of code that the template names; undefined while it is not known. */
  readonly bucket: string | undefined;
  /** Folders of what goes into the bucket. */
  readonly folders: readonly string[];
}

/** Lines that begin with `before: `, `deploy: ` and `then: `; those that are commands as they are typed. */
export function steps(synthesis: Synthesis, { out, region, bucket, folders }: Written): string[] {
  const aws = (command: string) => `aws ${command} --region ${region}`;
  const output = (stack: string, key: string) =>
    aws(
      `cloudformation describe-stacks --stack-name ${stack} --query "Stacks[0].Outputs[?OutputKey=='${key}'].OutputValue" --output text`,
    );
  const { stackName } = synthesis;
  const file = (name: string) => quoted(`${out}/${name}`);
  const before = [
    aws(`cloudformation deploy --stack-name ${ARTIFACTS_STACK} --template-file ${file("artifacts-template.json")}`),
  ];
  if (bucket === undefined) {
    // The template names the bucket, so there is nothing to deploy before it has one.
    before.push(output(ARTIFACTS_STACK, "ArtifactsBucketName"), "this command again, with that name as --bucket");
    return before.map((line) => `before: ${line}`);
  }
  const archives = folders.map((folder) => `--include "${folder}/*${folder === "templates" ? ".json" : ".zip"}"`);
  before.push(aws(`s3 cp ${quoted(out)} s3://${bucket}/ --recursive --exclude "*" ${archives.join(" ")}`));
  return [
    ...before.map((line) => `before: ${line}`),
    // A template of more than 51,200 bytes goes by way of a bucket.
    `deploy: ${aws(`cloudformation deploy --stack-name ${stackName} --template-file ${file("template.json")} --s3-bucket ${bucket} --s3-prefix templates --capabilities CAPABILITY_IAM`)}`,
    ...synthesis.afterwards.map((line) => `then: ${line}`),
    `  ${aws(`kinesisanalyticsv2 start-application --application-name ${stackName}-windows`)}`,
    `  ${aws(`stepfunctions start-execution --state-machine-arn "$(${output(stackName, "TrainingStateMachine")})"`)}`,
  ];
}

function quoted(path: string): string {
  return /^[\w./:\\-]+$/.test(path) ? path : `"${path}"`;
}
