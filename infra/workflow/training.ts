/**
 * The training workflow as a Step Functions definition in JSONata: Athena writes the series' rows, a function lays them out for
 * DeepAR, SageMaker trains and predicts a family at a time, the function measures DeepAR against the ensemble part by part, several
 * parts at a time, and publishes all of them as one version or none.
 *
 * A family that fails does not keep the forecast from being renewed: the ensemble stands in, and the execution then ends as
 * failed all the same, which raises the pipeline's own alarm. By hand it takes `{"origin": epoch ms, "requestedBy": "person",
 * "hyperparameters": {"epochs": 20}}`, each of them optional; the origin is that of the window it lies in.
 */
import type { PipelineSpec } from "../../src/core/spec.ts";
import { DAY, SECOND } from "../../src/core/time.ts";
import { FAMILIES, FIXED_HYPERPARAMETERS, familiesOf, hyperparameters, inferenceConfig } from "./deepar.ts";
import {
  ATHENA_RETRY,
  CLEANED_UP,
  executionSeconds,
  JUDGING,
  LAMBDA_RETRY,
  SAGEMAKER_RETRY,
  TIMEOUTS,
  TRAINING_SECONDS,
} from "./patience.ts";
import { LAKE_DELAY } from "./times.ts";
import { unloadExpression } from "./unload.ts";

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface WorkflowOptions {
  readonly trainingInstance: string;
  readonly transformInstance: string;
  /** Prefix of job and model names; short, because they end at 63 letters. */
  readonly jobPrefix: string;
  /** The part of AWS that the stack is for: `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
  /** Tags of the jobs and the model. */
  readonly tags: Readonly<Record<string, string>>;
  readonly prefixes: { readonly training: string; readonly models: string };
}

/** What CloudFormation fills in (DefinitionSubstitutions). */
export const SUBSTITUTIONS = [
  "Bucket",
  "Database",
  "WorkGroup",
  "Image",
  "SageMakerRole",
  "KeyArn",
  "PublishFunction",
] as const;

/** Why a state failed; a timeout has a name and no cause. */
const CAUSE = "{% $exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : $states.errorOutput.Error %}";

export function trainingWorkflow(spec: PipelineSpec, options: WorkflowOptions): Json {
  const families = familiesOf(spec);
  const fixed = `$keys($overrides)[$ in ${JSON.stringify(FIXED_HYPERPARAMETERS)}]`;
  return {
    Comment: `Forewatch: trains the forecast of ${spec.name}`,
    QueryLanguage: "JSONata",
    TimeoutSeconds: executionSeconds(spec),
    StartAt: "Begin",
    States: {
      Begin: {
        Type: "Pass",
        Assign: {
          runId:
            "{% $fromMillis($toMillis($states.context.Execution.StartTime), '[Y0001][M01][D01][H01][m01][s01]') & '-' & $substring($uuid(), 0, 6) %}",
          // A forecast begins where a window begins, whatever instant a person names.
          origin: `{% $floor(($exists($states.input.origin) ? $states.input.origin : $toMillis($states.context.Execution.StartTime) - ${spec.source.lateness + LAKE_DELAY}) / ${spec.series.every}) * ${spec.series.every} %}`,
          requestedBy: "{% $exists($states.input.requestedBy) ? $states.input.requestedBy : 'schedule' %}",
          overrides: "{% $exists($states.input.hyperparameters) ? $states.input.hyperparameters : {} %}",
        },
        Next: "AnythingFixed",
      },
      AnythingFixed: {
        Type: "Choice",
        Choices: [{ Condition: `{% $count(${fixed}) > 0 %}`, Next: "HyperparametersRefused" }],
        Default: "OldModels",
      },
      OldModels: {
        Type: "Task",
        Comment: "Models of executions that were stopped, or ran out of time, before they deleted them",
        Resource: integration(options, "aws-sdk:sagemaker:listModels"),
        Arguments: {
          NameContains: `${options.jobPrefix}-`,
          CreationTimeBefore: `{% $fromMillis($toMillis($states.context.Execution.StartTime) - ${DAY}) %}`,
          MaxResults: CLEANED_UP,
        },
        // The prefix may be another pipeline's beginning.
        Assign: {
          oldModels: `{% [$states.result.Models[$contains(ModelName, /^${options.jobPrefix}-\\d{14}-[0-9a-f]{6}-(${FAMILIES.join("|")})$/)].ModelName] %}`,
        },
        TimeoutSeconds: TIMEOUTS.request,
        Retry: SAGEMAKER_RETRY,
        // They cost nothing and harm no forecast; the next execution looks again.
        Catch: [{ ErrorEquals: ["States.ALL"], Next: "Prepare" }],
        Next: "DeleteOldModels",
      },
      DeleteOldModels: {
        Type: "Map",
        Items: "{% $oldModels %}",
        MaxConcurrency: 1,
        ItemSelector: { model: "{% $states.context.Map.Item.Value %}" },
        ItemProcessor: {
          ProcessorConfig: { Mode: "INLINE" },
          StartAt: "DeleteOldModel",
          States: {
            DeleteOldModel: {
              Type: "Task",
              Resource: integration(options, "aws-sdk:sagemaker:deleteModel"),
              Arguments: { ModelName: "{% $states.input.model %}" },
              TimeoutSeconds: TIMEOUTS.cleanUp,
              Catch: [{ ErrorEquals: ["States.ALL"], Next: "Kept" }],
              End: true,
            },
            Kept: { Type: "Pass", End: true },
          },
        },
        Next: "Prepare",
      },
      Prepare: {
        Type: "Task",
        Comment: "The rows of every series, by the same query as people see",
        Resource: integration(options, "athena:startQueryExecution.sync"),
        Arguments: {
          QueryString: unloadExpression(spec, options.prefixes.training),
          WorkGroup: "${WorkGroup}",
          QueryExecutionContext: { Database: "${Database}" },
        },
        TimeoutSeconds: TIMEOUTS.query,
        Retry: ATHENA_RETRY,
        Catch: [{ ErrorEquals: ["States.ALL"], Next: "PrepareFailed", Assign: { cause: CAUSE } }],
        Next: "Stage",
      },
      Stage: {
        ...invoke(options, { action: "stage", runId: "{% $runId %}", origin: "{% $origin %}" }),
        Comment: "Gaps filled, a line a series, and the test window held out",
        Output: "{% $states.result.Payload %}",
        Assign: { parts: "{% $states.result.Payload.parts %}" },
        Catch: [{ ErrorEquals: ["States.ALL"], Next: "StageFailed", Assign: { cause: CAUSE } }],
        Next: "AnythingToLearn",
      },
      AnythingToLearn: {
        Type: "Choice",
        Choices: [{ Condition: "{% $states.input.series = 0 %}", Next: "NothingToLearn" }],
        Default: "Families",
      },
      // A new pipeline's schedule fires at once, before its lake holds a window: no failure, and nothing to be told of.
      NothingToLearn: {
        Type: "Succeed",
        Output: { outcome: "nothing to learn yet", origin: "{% $origin %}" },
      },
      Families: {
        Type: "Map",
        Items: "{% $states.input.families %}",
        MaxConcurrency: families.length,
        ItemSelector: { family: "{% $states.context.Map.Item.Value.family %}" },
        ItemProcessor: {
          ProcessorConfig: { Mode: "INLINE" },
          ...familyStates(spec, options),
        },
        Assign: { families: "{% [$states.result] %}" },
        Next: "Judge",
      },
      Judge: {
        Type: "Map",
        Comment: "DeepAR beside the ensemble on the test window; the better one a series goes live",
        Items: "{% [1..$parts] %}",
        MaxConcurrency: JUDGING,
        ItemSelector: { part: "{% $states.context.Map.Item.Value %}" },
        ItemProcessor: {
          ProcessorConfig: { Mode: "INLINE" },
          StartAt: "JudgePart",
          States: {
            JudgePart: {
              ...invoke(options, {
                action: "judge",
                runId: "{% $runId %}",
                origin: "{% $origin %}",
                part: "{% $states.input.part %}",
                families: "{% $families %}",
              }),
              Output: { unread: "{% $states.result.Payload.unread %}" },
              End: true,
            },
          },
        },
        Assign: { unread: "{% [$states.result.unread] %}" },
        Catch: [{ ErrorEquals: ["States.ALL"], Next: "PublishFailed", Assign: { cause: CAUSE } }],
        Next: "Publish",
      },
      Publish: {
        ...invoke(options, {
          action: "publish",
          runId: "{% $runId %}",
          origin: "{% $origin %}",
          requestedBy: "{% $requestedBy %}",
          families: "{% $families %}",
          unread: "{% $unread %}",
          parts: "{% $parts %}",
        }),
        Comment: "All parts become one version, and it is put to use",
        Output: "{% $states.result.Payload %}",
        Catch: [{ ErrorEquals: ["States.ALL"], Next: "PublishFailed", Assign: { cause: CAUSE } }],
        Next: "AllTrained",
      },
      AllTrained: {
        Type: "Choice",
        Choices: [{ Condition: "{% $count($families[failed]) + $count($unread) > 0 %}", Next: "TrainingFailed" }],
        Default: "Done",
      },
      Done: { Type: "Succeed" },
      PrepareFailed: fail("PrepareFailed", "The series could not be read from the lake: "),
      StageFailed: fail("StageFailed", "The series could not be laid out for training: "),
      PublishFailed: fail("PublishFailed", "The new forecast could not be published; the last one stays in use: "),
      HyperparametersRefused: {
        Type: "Fail",
        Error: "HyperparametersRefused",
        Cause: `{% 'These follow from the pipeline file and cannot be chosen: ' & $join(${fixed}, ', ') %}`,
      },
      TrainingFailed: {
        Type: "Fail",
        Error: "TrainingFailed",
        // One part that cannot be read says enough of the others.
        Cause:
          "{% 'DeepAR failed and the ensemble stands in: ' & $join([$families[failed], $unread[0]].(family & ': ' & cause), '; ') %}",
      },
    },
  };
}

/** Train, make the model, predict, delete the model; a failure anywhere ends as `{family, failed: true, cause}`. */
function familyStates(spec: PipelineSpec, options: WorkflowOptions): { readonly [key: string]: Json } {
  const jobName = `{% '${options.jobPrefix}-' & $runId & '-' & $family %}`;
  const place = (kind: string) =>
    `{% 's3://\${Bucket}/${options.prefixes.training}' & $runId & '/' & $family & '/${kind}/' %}`;
  // Step Functions takes no variable within a Map that has the name of one outside of it ("Passing data between states").
  const giveUp = (next: string): Json => [{ ErrorEquals: ["States.ALL"], Next: next, Assign: { familyCause: CAUSE } }];
  const defaults = Object.fromEntries(
    familiesOf(spec).map((family) => [
      family,
      Object.fromEntries(Object.entries(hyperparameters(spec, family)).filter(([, value]) => value !== "")),
    ]),
  );
  const tags = Object.entries(options.tags).map(([Key, Value]) => ({ Key, Value }));
  const channel = (name: string): Json => ({
    ChannelName: name,
    ContentType: "json.gz",
    InputMode: "File",
    DataSource: {
      S3DataSource: { S3DataType: "S3Prefix", S3Uri: place(name), S3DataDistributionType: "FullyReplicated" },
    },
  });
  return {
    StartAt: "Choose",
    States: {
      Choose: {
        Type: "Pass",
        Assign: {
          family: "{% $states.input.family %}",
          hyperparameters: `{% $merge([$lookup(${JSON.stringify(defaults)}, $states.input.family), $each($overrides, function($value, $name) { {$name: $string($value)} })]) %}`,
        },
        Next: "Train",
      },
      Train: {
        Type: "Task",
        Resource: integration(options, "sagemaker:createTrainingJob.sync"),
        Arguments: {
          TrainingJobName: jobName,
          RoleArn: "${SageMakerRole}",
          AlgorithmSpecification: { TrainingImage: "${Image}", TrainingInputMode: "File" },
          HyperParameters: "{% $hyperparameters %}",
          InputDataConfig: [channel("train"), channel("test")],
          OutputDataConfig: { S3OutputPath: `s3://\${Bucket}/${options.prefixes.models}`, KmsKeyId: "${KeyArn}" },
          ResourceConfig: {
            InstanceCount: 1,
            InstanceType: options.trainingInstance,
            VolumeSizeInGB: 30,
            VolumeKmsKeyId: "${KeyArn}",
          },
          StoppingCondition: { MaxRuntimeInSeconds: TRAINING_SECONDS },
          EnableNetworkIsolation: true,
          EnableInterContainerTrafficEncryption: true,
          Tags: tags,
        },
        Assign: { modelData: "{% $states.result.ModelArtifacts.S3ModelArtifacts %}" },
        TimeoutSeconds: TIMEOUTS.train,
        Retry: SAGEMAKER_RETRY,
        Catch: giveUp("GiveUp"),
        Next: "MakeModel",
      },
      MakeModel: {
        Type: "Task",
        Resource: integration(options, "sagemaker:createModel"),
        Arguments: {
          ModelName: jobName,
          ExecutionRoleArn: "${SageMakerRole}",
          EnableNetworkIsolation: true,
          PrimaryContainer: { Image: "${Image}", ModelDataUrl: "{% $modelData %}" },
          Tags: tags,
        },
        TimeoutSeconds: TIMEOUTS.request,
        Retry: SAGEMAKER_RETRY,
        Catch: giveUp("GiveUp"),
        Next: "Predict",
      },
      Predict: {
        Type: "Task",
        Resource: integration(options, "sagemaker:createTransformJob.sync"),
        Arguments: {
          TransformJobName: jobName,
          ModelName: jobName,
          BatchStrategy: "SingleRecord",
          Environment: { DEEPAR_INFERENCE_CONFIG: inferenceConfig(spec) },
          ...payloadLimits(spec),
          TransformInput: {
            ContentType: "application/jsonlines",
            SplitType: "Line",
            CompressionType: "None",
            DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: place("predict") } },
          },
          TransformOutput: {
            S3OutputPath: place("predicted"),
            Accept: "application/jsonlines",
            AssembleWith: "Line",
            KmsKeyId: "${KeyArn}",
          },
          TransformResources: {
            InstanceCount: 1,
            InstanceType: options.transformInstance,
            VolumeKmsKeyId: "${KeyArn}",
          },
          Tags: tags,
        },
        // A transform has no bound of its own, as a training has.
        TimeoutSeconds: TIMEOUTS.predict,
        Retry: SAGEMAKER_RETRY,
        Catch: giveUp("DeleteUnused"),
        Next: "DeleteModel",
      },
      DeleteModel: {
        Type: "Task",
        Comment: "A batch transform was all it was for; its artifacts stay in the bucket for a month",
        Resource: integration(options, "aws-sdk:sagemaker:deleteModel"),
        Arguments: { ModelName: jobName },
        TimeoutSeconds: TIMEOUTS.request,
        Retry: SAGEMAKER_RETRY,
        // A model left behind costs nothing and harms no forecast.
        Catch: [{ ErrorEquals: ["States.ALL"], Next: "Trained" }],
        Next: "Trained",
      },
      Trained: { Type: "Pass", Output: { family: "{% $family %}" }, End: true },
      DeleteUnused: {
        Type: "Task",
        Resource: integration(options, "aws-sdk:sagemaker:deleteModel"),
        Arguments: { ModelName: jobName },
        TimeoutSeconds: TIMEOUTS.request,
        Catch: [{ ErrorEquals: ["States.ALL"], Next: "GiveUp" }],
        Next: "GiveUp",
      },
      GiveUp: {
        Type: "Pass",
        Output: { family: "{% $family %}", failed: true, cause: "{% $substring($familyCause, 0, 500) %}" },
        End: true,
      },
    },
  };
}

/**
 * A transform takes lines of 6 MB unless it is told otherwise, and 100 MB of all that it has under way (API reference,
 * CreateTransformJob). A value takes 25 letters at most.
 */
function payloadLimits({ forecast, series }: PipelineSpec): { readonly [key: string]: Json } {
  const megabytes = Math.ceil(((forecast.history / series.every) * 25 + 200) / 2 ** 20);
  if (megabytes <= 6) return {};
  const MaxPayloadInMB = Math.min(100, megabytes);
  return { MaxPayloadInMB, MaxConcurrentTransforms: Math.floor(100 / MaxPayloadInMB) };
}

/** A service's integration, as a state names it. */
function integration({ partition }: WorkflowOptions, action: string): string {
  return `arn:${partition}:states:::${action}`;
}

function invoke(options: WorkflowOptions, payload: Json): { readonly [key: string]: Json } {
  return {
    Type: "Task",
    Resource: integration(options, "lambda:invoke"),
    Arguments: { FunctionName: "${PublishFunction}", Payload: payload },
    TimeoutSeconds: TIMEOUTS.function,
    Retry: LAMBDA_RETRY,
  };
}

function fail(error: string, words: string): Json {
  return { Type: "Fail", Error: error, Cause: `{% '${words}' & $string($cause) %}` };
}

/** How often a schedule fires, in EventBridge Scheduler's words: `rate(1 day)`, `rate(90 minutes)`. */
export function rate(millis: number): string {
  const minutes = Math.max(1, Math.round(millis / (60 * SECOND)));
  const [n, unit] =
    minutes % 1_440 === 0
      ? [minutes / 1_440, "day"]
      : minutes % 60 === 0
        ? [minutes / 60, "hour"]
        : [minutes, "minute"];
  return `rate(${n} ${unit}${n === 1 ? "" : "s"})`;
}
