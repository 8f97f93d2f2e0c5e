/** What is to be done with the files that the command wrote, as commands of the AWS CLI, in order. */
import { logsByHand } from "../template/regions.ts";
import { ARTIFACTS_STACK } from "../template/synthesize.ts";
import { shellWord } from "./shell.ts";

export interface Written {
  readonly stackName: string;
  /** The folder the files are in. */
  readonly out: string;
  readonly region: string;
  /** The account that the pipeline is for, and the CLI's profile for it; undefined where the pipeline file names none. */
  readonly account: string | undefined;
  readonly profile: string | undefined;
  /** The bucket of code that the template names; undefined while it is not known. */
  readonly bucket: string | undefined;
  /** Whether the Flink application's archive has the connector, without which it cannot run. */
  readonly connector: boolean;
  /** Keys of what goes into the bucket, which are its paths in the folder too. */
  readonly keys: readonly string[];
  /** The address that alarms mail to. */
  readonly email: string | undefined;
}

/** A line that says what is done, and the command that does it; none where a person does it otherwise. */
interface Step {
  readonly words: string;
  readonly command?: string;
}

/**
 * Lines to be read from top to bottom: a sentence, and below it, indented, its command as it is pasted into a shell. Where files
 * are not ready to be deployed, the last sentence says with which options to run `npm run synth` again.
 */
export function steps(written: Written): string[] {
  return ordered(written).flatMap(({ words, command }) => [words, ...(command === undefined ? [] : [`  ${command}`])]);
}

function ordered({ stackName, out, region, account, profile, bucket, connector, keys, email }: Written): Step[] {
  const whom = profile === undefined ? "" : ` --profile ${shellWord(profile)}`;
  const aws = (command: string) => `aws ${command} --region ${shellWord(region)}${whom}`;
  const output = (stack: string, key: string) =>
    aws(
      `cloudformation describe-stacks --stack-name ${stack} --query "Stacks[0].Outputs[?OutputKey=='${key}'].OutputValue" --output text`,
    );
  const file = (name: string) => shellWord(`${out}/${name}`);
  const identify = identity(account, aws("sts get-caller-identity --query Account --output text"));
  const makeBucket = {
    words: "Make the bucket of code, once for all pipelines of a region:",
    command: aws(
      `cloudformation deploy --stack-name ${ARTIFACTS_STACK} --template-file ${file("artifacts-template.json")}`,
    ),
  };
  const jar = "--fetch or --jar";
  if (bucket === undefined) {
    // The template names the bucket, so there is nothing to deploy before it has one.
    return [
      identify,
      makeBucket,
      { words: "Ask for its name:", command: output(ARTIFACTS_STACK, "ArtifactsBucketName") },
      { words: `Then run this command again, with that name as --bucket${connector ? "" : `, and with ${jar}`}.` },
    ];
  }
  if (!connector) return [identify, makeBucket, { words: `Then run this command again, with ${jar}.` }];
  // By name: beside them lies what is not for the bucket.
  const included = keys.map((key) => `--include ${shellWord(key)}`).join(" ");
  return [
    identify,
    makeBucket,
    {
      words: "Put the code there:",
      command: aws(`s3 cp ${shellWord(out)} ${shellWord(`s3://${bucket}/`)} --recursive --exclude "*" ${included}`),
    },
    {
      words: "Deploy the stack, or update it:",
      // A template of more than 51,200 bytes goes by way of a bucket.
      command: aws(
        `cloudformation deploy --stack-name ${stackName} --template-file ${file("template.json")} --s3-bucket ${shellWord(bucket)} --s3-prefix templates --capabilities CAPABILITY_IAM`,
      ),
    },
    ...(email === undefined ? [] : [{ words: `The first time, confirm the subscription that AWS mails to ${email}.` }]),
    ...(logsByHand(region) ? [attachLog(stackName, aws, output(stackName, "FlinkLogStreamArn"))] : []),
    {
      words: "The first time, start the Flink application (an update of the stack restarts it by itself):",
      // State that a changed pipeline has no use for is left behind. What a start does not say of it may count as a no.
      command: aws(
        `kinesisanalyticsv2 start-application --application-name ${stackName}-windows --run-configuration '{"FlinkRunConfiguration":{"AllowNonRestoredState":true}}'`,
      ),
    },
    {
      words: "The first time, once the lake holds history, train the forecast (later the schedule does):",
      command: aws(
        `stepfunctions start-execution --state-machine-arn $(${output(stackName, "TrainingStateMachine")}) --input '{"requestedBy":"person"}'`,
      ),
    },
  ];
}

/** Gives the Flink application its log, where CloudFormation has no resource for that. */
function attachLog(stackName: string, aws: (command: string) => string, logStream: string): Step {
  const application = `--application-name ${stackName}-windows`;
  const version = aws(
    `kinesisanalyticsv2 describe-application ${application} --query ApplicationDetail.ApplicationVersionId --output text`,
  );
  return {
    words: "The first time, attach the Flink application's log, which CloudFormation cannot do there:",
    command: aws(
      `kinesisanalyticsv2 add-application-cloud-watch-logging-option ${application} --current-application-version-id "$(${version})" --cloud-watch-logging-option "LogStreamARN=$(${logStream})"`,
    ),
  };
}

/** Asks who answers. Where it is to be one account, the command fails on another, without ending the shell that it is pasted into. */
function identity(account: string | undefined, ask: string): Step {
  if (account === undefined)
    return { words: "See which account answers; it is the one that is deployed to:", command: ask };
  const yes = shellWord(`Account ${account} answers: go on.`);
  const no = shellWord(`Stop here: another account answers, or none. Sign in to ${account}, and run this step again.`);
  return {
    words: `See that account ${account} answers, and no other; go on only then:`,
    command: `case $(${ask}) in ${account}) echo ${yes};; *) echo ${no} >&2; false;; esac`,
  };
}
