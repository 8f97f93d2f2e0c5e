/**
 * Step 5, analyze: Managed Service for Apache Flink runs the windows. The application is left stopped by CloudFormation: whoever
 * deploys starts it (StartApplication), so that a job that cannot start is a failure to read, not a stack to roll back.
 */
import connector from "../flink/connector.json" with { type: "json" };
import { arn, att, type Fragment, REGION, ref, sub } from "./cfn.ts";
import { stream } from "./collect.ts";
import type { Context } from "./context.ts";
import { ENCRYPT, logGroup, role } from "./policy.ts";
import { logsByHand } from "./regions.ts";

export function analyze(context: Context): Fragment {
  const { names, options, spec } = context;
  const application = `${names.prefix}-windows`;
  const code = sub(`arn:\${AWS::Partition}:s3:::${options.artifacts.bucket}`);
  const logStream = arn("logs", "log-group:${FlinkLogs}:log-stream:${FlinkLogStream}");
  const byHand = logsByHand(options.region);
  return {
    Resources: {
      // One shard: a few hundred small records a window, and their order is what tells that a window is complete.
      WindowsStream: stream(names.windows, 1, spec),
      FlinkLogs: logGroup(`/aws/kinesis-analytics/${application}`),
      FlinkLogStream: {
        Type: "AWS::Logs::LogStream",
        Properties: { LogGroupName: ref("FlinkLogs"), LogStreamName: "application" },
      },
      FlinkRole: role(
        "kinesisanalytics.amazonaws.com",
        [
          {
            sid: "ReadCode",
            actions: ["s3:GetObject", "s3:GetObjectVersion"],
            resources: sub(`arn:\${AWS::Partition}:s3:::${options.artifacts.bucket}/${options.artifacts.flink}`),
          },
          {
            sid: "ReadEvents",
            actions: [
              "kinesis:DescribeStreamSummary",
              "kinesis:GetRecords",
              "kinesis:GetShardIterator",
              "kinesis:ListShards",
            ],
            resources: att("EventsStream", "Arn"),
          },
          { sid: "WriteWindows", actions: ["kinesis:PutRecords"], resources: att("WindowsStream", "Arn") },
          ENCRYPT,
          { sid: "FindLogs", actions: ["logs:DescribeLogGroups"], resources: arn("logs", "log-group:*") },
          {
            sid: "WriteLogs",
            actions: ["logs:DescribeLogStreams", "logs:PutLogEvents"],
            resources: arn("logs", "log-group:${FlinkLogs}:log-stream:*"),
          },
        ],
        arn("kinesisanalytics", `application/${application}`),
      ),
      FlinkApplication: {
        Type: "AWS::KinesisAnalyticsV2::Application",
        Properties: {
          ApplicationName: application,
          ApplicationDescription: `Tumbling windows of ${spec.name}`,
          ApplicationMode: "STREAMING",
          RuntimeEnvironment: connector.runtime,
          ServiceExecutionRole: att("FlinkRole", "Arn"),
          RunConfiguration: {
            ApplicationRestoreConfiguration: { ApplicationRestoreType: "RESTORE_FROM_LATEST_SNAPSHOT" },
            // Operators are named after what they count (see flink/job.ts): state of a job that counted otherwise fits none of
            // them, and is left behind. The snapshot alone would be restored into windows of another shape, and fail or mislead.
            FlinkRunConfiguration: { AllowNonRestoredState: true },
          },
          ApplicationConfiguration: {
            ApplicationCodeConfiguration: {
              CodeContentType: "ZIPFILE",
              CodeContent: { S3ContentLocation: { BucketARN: code, FileKey: options.artifacts.flink } },
            },
            ApplicationSnapshotConfiguration: { SnapshotsEnabled: true },
            ApplicationSystemRollbackConfiguration: { RollbackEnabled: true },
            EnvironmentProperties: {
              PropertyGroups: [
                {
                  PropertyGroupId: "kinesis.analytics.flink.run.options",
                  PropertyMap: { python: "main.py", jarfile: `lib/${connector.file}` },
                },
                {
                  PropertyGroupId: "Pipeline",
                  PropertyMap: {
                    "events.stream.arn": att("EventsStream", "Arn"),
                    "windows.stream.arn": att("WindowsStream", "Arn"),
                    "aws.region": REGION,
                  },
                },
              ],
            },
            FlinkApplicationConfiguration: {
              CheckpointConfiguration: {
                ConfigurationType: "CUSTOM",
                CheckpointingEnabled: true,
                CheckpointInterval: 60_000,
                MinPauseBetweenCheckpoints: 5_000,
              },
              MonitoringConfiguration: { ConfigurationType: "CUSTOM", LogLevel: "INFO", MetricsLevel: "APPLICATION" },
              // No automatic scaling: it restarts the job, and parallelism beyond the shards has nothing to read.
              ParallelismConfiguration: {
                ConfigurationType: "CUSTOM",
                Parallelism: spec.source.shards,
                ParallelismPerKPU: Math.min(4, spec.source.shards),
                AutoScalingEnabled: false,
              },
            },
          },
        },
      },
      ...(!byHand && {
        FlinkLogging: {
          Type: "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption",
          Properties: {
            ApplicationName: ref("FlinkApplication"),
            CloudWatchLoggingOption: { LogStreamARN: logStream },
          },
        },
      }),
    },
    Outputs: {
      FlinkApplicationName: { Description: "Start it after the stack is made", Value: ref("FlinkApplication") },
      ...(byHand && {
        FlinkLogStreamArn: { Description: "Attach it to the Flink application before its start", Value: logStream },
      }),
    },
  };
}
