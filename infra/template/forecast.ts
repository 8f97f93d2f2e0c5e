/** Step 4, forecast: the training workflow, what it may do, and its schedule. */

import { Fault } from "../../src/core/fault.ts";
import { checkCapacity, PUBLISH_MEMORY } from "../workflow/capacity.ts";
import { scheduleEvery } from "../workflow/times.ts";
import { rate, type SUBSTITUTIONS, trainingWorkflow } from "../workflow/training.ts";
import { arn, att, type Fragment, ref, sub, type Value } from "./cfn.ts";
import { CURRENT_FORECAST } from "./compare.ts";
import { type Context, PREFIX, partitionOf, tagsOf } from "./context.ts";
import images from "./deepar-images.json" with { type: "json" };
import { ENCRYPT, lambda, listing, logGroup, objects, role, type Statement } from "./policy.ts";

export const TRAINING_INSTANCE = "ml.c5.2xlarge";
export const TRANSFORM_INSTANCE = "ml.c5.xlarge";

/** DeepAR's image in a region; a Fault where SageMaker has none. */
export function deeparImage(region: string): {
  readonly account: string;
  readonly repository: string;
  readonly tag: string;
} {
  const account = (images.accounts as Readonly<Record<string, string>>)[region];
  if (account === undefined) {
    throw new Fault("target.unsupported", `SageMaker's DeepAR is not to be had in ${region}.`, {
      next: `Choose another region, such as ${["us-east-1", "eu-west-1", "ap-northeast-1"].join(", ")}.`,
    });
  }
  return { account, repository: images.repository, tag: images.version };
}

/** Job and model names end at 63 letters: prefix, run (21), family (6), and the dashes. */
export function jobPrefix(pipeline: string): string {
  return `fw-${pipeline.slice(0, 30).replace(/-$/, "")}`;
}

export function forecast(context: Context): Fragment {
  const { names, options, spec } = context;
  // Groups that are only discovered are counted when they are trained.
  if (context.groups !== undefined) checkCapacity(spec, context.groups.length * spec.series.measures.length);
  const image = deeparImage(options.region);
  const jobs = jobPrefix(spec.name);
  const publisher = lambda("Publish", {
    name: `${names.prefix}-publish`,
    description: "Lays series out for training; judges and publishes what was trained",
    code: { bucket: options.artifacts.bucket, key: options.artifacts.functions.publish },
    // It has a whole core for the ensemble too: 1,769 MB is one virtual processor.
    memory: PUBLISH_MEMORY,
    timeout: 900,
    environment: {
      DATA_BUCKET: ref("DataBucket"),
      TRAINING_PREFIX: PREFIX.training,
      FORECASTS_PREFIX: PREFIX.forecasts,
      FORECAST_KEY: CURRENT_FORECAST,
      HEALTH_NAMESPACE: names.health,
    },
    statements: [
      { sid: "ReadAndWriteRuns", actions: ["s3:GetObject", "s3:PutObject"], resources: objects(PREFIX.training) },
      // The reports too: by them a run that is tried again finds the name it claimed, and another one a name of its own.
      { sid: "ReadWhatIsInUse", actions: ["s3:GetObject"], resources: objects(CURRENT_FORECAST, PREFIX.reports) },
      { sid: "WriteForecasts", actions: ["s3:PutObject"], resources: objects(PREFIX.forecasts) },
      listing(PREFIX.training, PREFIX.forecasts),
      ENCRYPT,
    ],
  });
  return {
    Resources: {
      ...publisher.Resources,
      SageMakerRole: role("sagemaker.amazonaws.com", sageMakerStatements(image, jobs)),
      TrainingLogs: logGroup(`/aws/vendedlogs/states/${names.prefix}-training`),
      TrainingRole: role(
        "states.amazonaws.com",
        workflowStatements(jobs),
        arn("states", `stateMachine:${names.prefix}-training`),
      ),
      Training: {
        Type: "AWS::StepFunctions::StateMachine",
        Properties: {
          StateMachineName: `${names.prefix}-training`,
          StateMachineType: "STANDARD",
          RoleArn: att("TrainingRole", "Arn"),
          LoggingConfiguration: {
            Level: "ERROR",
            IncludeExecutionData: true,
            Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: att("TrainingLogs", "Arn") } }],
          },
          DefinitionSubstitutions: substitutions(image),
          Definition: trainingWorkflow(spec, {
            trainingInstance: options.trainingInstance ?? TRAINING_INSTANCE,
            transformInstance: options.transformInstance ?? TRANSFORM_INSTANCE,
            jobPrefix: jobs,
            partition: partitionOf(options.region),
            tags: tagsOf(context),
            prefixes: { training: PREFIX.training, models: PREFIX.models },
          }) as Value,
        },
      },
      TrainingScheduleRole: role("scheduler.amazonaws.com", [
        { sid: "Start", actions: ["states:StartExecution"], resources: ref("Training") },
        { sid: "ReportFailed", actions: ["sqs:SendMessage"], resources: att("ScheduleDeadLetters", "Arn") },
      ]),
      TrainingSchedule: {
        Type: "AWS::Scheduler::Schedule",
        Properties: {
          Name: `${names.prefix}-training`,
          Description: "Trains the forecast again",
          State: "ENABLED",
          ScheduleExpression: rate(scheduleEvery(spec)),
          ScheduleExpressionTimezone: "UTC",
          FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 5 },
          Target: {
            Arn: ref("Training"),
            RoleArn: att("TrainingScheduleRole", "Arn"),
            Input: '{"requestedBy":"schedule"}',
            RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 3_600 },
            DeadLetterConfig: { Arn: att("ScheduleDeadLetters", "Arn") },
          },
        },
      },
    },
    Outputs: {
      TrainingStateMachine: { Description: "Start an execution to train now", Value: ref("Training") },
    },
  };
}

function substitutions(image: ReturnType<typeof deeparImage>): Record<(typeof SUBSTITUTIONS)[number], Value> {
  return {
    Bucket: ref("DataBucket"),
    Database: ref("Database"),
    WorkGroup: ref("TrainingWorkGroup"),
    Image: sub(`${image.account}.dkr.ecr.\${AWS::Region}.\${AWS::URLSuffix}/${image.repository}:${image.tag}`),
    SageMakerRole: att("SageMakerRole", "Arn"),
    KeyArn: att("DataKey", "Arn"),
    PublishFunction: att("PublishFunction", "Arn"),
  };
}

/** Where SageMaker logs what training jobs and transforms write; each job has streams that begin with its name. */
const JOB_LOGS = ["/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TransformJobs"] as const;

/** What the training job and the transform do on their own (SageMaker Developer Guide, "SageMaker Roles"). */
function sageMakerStatements(image: ReturnType<typeof deeparImage>, jobs: string): Statement[] {
  return [
    { sid: "ReadInput", actions: ["s3:GetObject"], resources: objects(PREFIX.training, PREFIX.models) },
    {
      sid: "WriteOutput",
      actions: ["s3:AbortMultipartUpload", "s3:PutObject"],
      resources: objects(PREFIX.training, PREFIX.models),
    },
    listing(PREFIX.training, PREFIX.models),
    { ...ENCRYPT, actions: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"] },
    {
      // The instances' disks are encrypted, for which SageMaker makes a grant; to a service alone, not to whom the role likes.
      sid: "EncryptVolumes",
      actions: ["kms:CreateGrant"],
      resources: att("DataKey", "Arn"),
      condition: { Bool: { "kms:GrantIsForAWSResource": true } },
    },
    {
      // These two groups are the service's, and shared by all of the account's jobs: the first job makes them, and how long they
      // keep and with what key is for the account to say, not for one pipeline's stack, which would take them along when it goes.
      sid: "FindLogs",
      actions: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams"],
      resources: JOB_LOGS.map((group) => arn("logs", `log-group:${group}*`)),
    },
    {
      sid: "WriteLogs",
      actions: ["logs:PutLogEvents"],
      resources: JOB_LOGS.map((group) => arn("logs", `log-group:${group}:log-stream:${jobs}-*`)),
    },
    {
      sid: "WriteTrainingMetrics",
      actions: ["cloudwatch:PutMetricData"],
      resources: "*",
      condition: { StringLike: { "cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*"] } },
    },
    // The token is for the whole registry; what can be pulled with it the next statement says.
    { sid: "LogInToRegistry", actions: ["ecr:GetAuthorizationToken"], resources: "*" },
    {
      sid: "PullImage",
      actions: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      resources: sub(`arn:\${AWS::Partition}:ecr:\${AWS::Region}:${image.account}:repository/${image.repository}`),
    },
  ];
}

/** What the workflow does (Step Functions Developer Guide, the pages of the integrations with Athena, SageMaker, Lambda). */
function workflowStatements(jobs: string): Statement[] {
  return [
    {
      sid: "RunQuery",
      actions: ["athena:GetQueryExecution", "athena:StartQueryExecution", "athena:StopQueryExecution"],
      resources: arn("athena", "workgroup/${TrainingWorkGroup}"),
    },
    { sid: "ReadCatalogue", actions: ["athena:GetDataCatalog"], resources: arn("athena", "datacatalog/*") },
    {
      sid: "ReadTables",
      actions: ["glue:GetDatabase", "glue:GetTable"],
      resources: [arn("glue", "catalog"), arn("glue", "database/${Database}"), arn("glue", "table/${Database}/*")],
    },
    {
      sid: "LocateBucket",
      actions: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
      resources: att("DataBucket", "Arn"),
    },
    { sid: "ReadLake", actions: ["s3:GetObject"], resources: objects(PREFIX.lake) },
    {
      sid: "WriteRows",
      actions: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
      resources: objects(PREFIX.training, PREFIX.results),
    },
    ENCRYPT,
    {
      sid: "Train",
      actions: [
        "sagemaker:AddTags",
        "sagemaker:CreateTrainingJob",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:StopTrainingJob",
      ],
      resources: arn("sagemaker", `training-job/${jobs}-*`),
    },
    {
      sid: "Model",
      actions: ["sagemaker:AddTags", "sagemaker:CreateModel", "sagemaker:DeleteModel"],
      resources: arn("sagemaker", `model/${jobs}-*`),
    },
    {
      sid: "Predict",
      actions: [
        "sagemaker:AddTags",
        "sagemaker:CreateTransformJob",
        "sagemaker:DescribeTransformJob",
        "sagemaker:StopTransformJob",
      ],
      resources: arn("sagemaker", `transform-job/${jobs}-*`),
    },
    // The integration asks for it before it knows a job's name.
    { sid: "ListJobTags", actions: ["sagemaker:ListTags"], resources: "*" },
    // Lists are of the whole account; what is deleted of them the statement above says.
    { sid: "ListModels", actions: ["sagemaker:ListModels"], resources: "*" },
    {
      sid: "LendRole",
      actions: ["iam:PassRole"],
      resources: att("SageMakerRole", "Arn"),
      condition: { StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } },
    },
    { sid: "Publish", actions: ["lambda:InvokeFunction"], resources: att("PublishFunction", "Arn") },
    {
      sid: "WaitForJobs",
      actions: ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
      resources: [
        arn("events", "rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"),
        arn("events", "rule/StepFunctionsGetEventsForSageMakerTransformJobsRule"),
      ],
    },
    {
      // Log delivery knows no resources (Step Functions Developer Guide, "Logging using CloudWatch Logs").
      sid: "DeliverLogs",
      actions: [
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
      ],
      resources: "*",
    },
  ];
}
