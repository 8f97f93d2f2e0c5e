/**
 * Step 2, deliver: Firehose reads the stream, has its records checked and enriched, and writes Parquet to the lake.
 *
 * Partitions are days of arrival: one prefix a day for all of Firehose's buffers, where days of event time would need dynamic
 * partitioning, which can put a record that holds events of two days into one of them only. Queries filter on both.
 */
import type { FieldType, PipelineSpec } from "../../src/core/spec.ts";
import { DAY } from "../../src/core/time.ts";
import { ACCOUNT, arn, att, type Fragment, REGION, type Resource, ref, sub, type Value } from "./cfn.ts";
import { type Context, PREFIX } from "./context.ts";
import { DECRYPT, ENCRYPT, lambda, logGroup, objects, role } from "./policy.ts";

/** A field's type in the lake; Hive's names, as Glue takes them. */
const HIVE_TYPES: Readonly<Record<FieldType, string>> = {
  string: "string",
  double: "double",
  integer: "bigint",
  boolean: "boolean",
  timestamp: "timestamp",
};

/** Columns of the lake's table: the pipeline's fields in their order, then where each row came from. */
export function lakeColumns(spec: PipelineSpec): { Name: string; Type: string; Comment: string }[] {
  return [
    ...Object.entries(spec.source.fields).map(([name, type]) => ({
      // Hive knows no upper case; the transform writes its keys in lower case too.
      Name: name.toLowerCase(),
      Type: HIVE_TYPES[type],
      Comment: name === spec.source.time ? "event time, UTC" : "",
    })),
    { Name: "_sequence", Type: "string", Comment: "sequence number of the record in the stream" },
    { Name: "_arrival", Type: "timestamp", Comment: "when the stream took the record, UTC" },
  ];
}

export const REJECTED_COLUMNS = [
  { Name: "reason", Type: "string", Comment: "why it was turned away" },
  { Name: "detail", Type: "string", Comment: "what exactly" },
  { Name: "arrival", Type: "timestamp", Comment: "when the stream took the record, UTC" },
  { Name: "sequence", Type: "string", Comment: "sequence number of the record in the stream" },
  { Name: "data", Type: "string", Comment: "the bytes as they came, base64" },
] as const;

export function deliver(context: Context): Fragment {
  const { names, options } = context;
  const enrich = lambda("Enrich", {
    name: `${names.prefix}-enrich`,
    description: "Firehose transform: checks and enriches records, keeps what is rejected",
    code: { bucket: options.artifacts.bucket, key: options.artifacts.functions.enrich },
    memory: 512,
    // Firehose waits five minutes at most. Nearly all of it is for records at which enrich hangs.
    timeout: 280,
    environment: { DATA_BUCKET: ref("DataBucket"), REJECTED_PREFIX: PREFIX.rejected, HEALTH_NAMESPACE: names.health },
    statements: [{ sid: "KeepRejected", actions: ["s3:PutObject"], resources: objects(PREFIX.rejected) }, ENCRYPT],
  });
  return {
    Resources: {
      Database: {
        Type: "AWS::Glue::Database",
        Properties: {
          CatalogId: ACCOUNT,
          DatabaseInput: { Name: names.database, Description: `Forewatch pipeline ${context.spec.name}` },
        },
      },
      RawTable: rawTable(context),
      RejectedTable: rejectedTable(context),
      ...enrich.Resources,
      DeliveryLogs: logGroup(`/aws/kinesisfirehose/${names.prefix}`),
      DeliveryLogStream: {
        Type: "AWS::Logs::LogStream",
        Properties: { LogGroupName: ref("DeliveryLogs"), LogStreamName: "S3Delivery" },
      },
      DeliveryRole: role("firehose.amazonaws.com", [
        {
          sid: "ReadStream",
          actions: ["kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"],
          resources: att("RawStream", "Arn"),
        },
        {
          sid: "WriteLake",
          actions: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
          resources: objects(PREFIX.lake, PREFIX.failed),
        },
        {
          sid: "LocateLake",
          actions: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
          resources: att("DataBucket", "Arn"),
        },
        {
          sid: "Transform",
          actions: ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"],
          resources: [att("EnrichFunction", "Arn"), sub("${EnrichFunction.Arn}:*")],
        },
        {
          sid: "ReadSchema",
          actions: ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"],
          resources: [
            arn("glue", "catalog"),
            arn("glue", "database/${Database}"),
            arn("glue", "table/${Database}/${RawTable}"),
          ],
        },
        {
          sid: "WriteLogs",
          actions: ["logs:PutLogEvents"],
          resources: arn("logs", "log-group:${DeliveryLogs}:log-stream:*"),
        },
        { ...DECRYPT, sid: "Encrypt", actions: ["kms:Decrypt", "kms:GenerateDataKey"] },
      ]),
      Delivery: {
        Type: "AWS::KinesisFirehose::DeliveryStream",
        Properties: {
          DeliveryStreamName: `${names.prefix}-lake`,
          DeliveryStreamType: "KinesisStreamAsSource",
          KinesisStreamSourceConfiguration: {
            KinesisStreamARN: att("RawStream", "Arn"),
            RoleARN: att("DeliveryRole", "Arn"),
          },
          ExtendedS3DestinationConfiguration: destination(),
        },
      },
    },
    Outputs: {
      DatabaseName: { Description: "Athena database of the lake", Value: ref("Database") },
    },
  };
}

function destination(): Value {
  return {
    BucketARN: att("DataBucket", "Arn"),
    RoleARN: att("DeliveryRole", "Arn"),
    Prefix: `${PREFIX.lake}dt=!{timestamp:yyyy-MM-dd}/`,
    ErrorOutputPrefix: `${PREFIX.failed}!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/`,
    CustomTimeZone: "UTC",
    // Parquet wants 64 MB at least; the interval is what bounds how old the lake is at low rates.
    BufferingHints: { SizeInMBs: 64, IntervalInSeconds: 60 },
    CompressionFormat: "UNCOMPRESSED",
    EncryptionConfiguration: { KMSEncryptionConfig: { AWSKMSKeyARN: att("DataKey", "Arn") } },
    CloudWatchLoggingOptions: {
      Enabled: true,
      LogGroupName: ref("DeliveryLogs"),
      LogStreamName: ref("DeliveryLogStream"),
    },
    ProcessingConfiguration: {
      Enabled: true,
      Processors: [
        {
          Type: "Lambda",
          Parameters: [
            { ParameterName: "LambdaArn", ParameterValue: att("EnrichFunction", "Arn") },
            { ParameterName: "RoleArn", ParameterValue: att("DeliveryRole", "Arn") },
            // One megabyte leaves room for an enrich that multiplies events: the answer may have six.
            { ParameterName: "BufferSizeInMBs", ParameterValue: "1" },
            { ParameterName: "BufferIntervalInSeconds", ParameterValue: "60" },
            { ParameterName: "NumberOfRetries", ParameterValue: "3" },
          ],
        },
      ],
    },
    DataFormatConversionConfiguration: {
      Enabled: true,
      InputFormatConfiguration: { Deserializer: { OpenXJsonSerDe: { CaseInsensitive: true } } },
      OutputFormatConfiguration: { Serializer: { ParquetSerDe: { Compression: "SNAPPY" } } },
      SchemaConfiguration: {
        CatalogId: ACCOUNT,
        DatabaseName: ref("Database"),
        TableName: ref("RawTable"),
        Region: REGION,
        RoleARN: att("DeliveryRole", "Arn"),
        VersionId: "LATEST",
      },
    },
  };
}

function rawTable(context: Context): Resource {
  return table(context, "raw", "Events that fit the pipeline file", PREFIX.lake, {
    parameters: { classification: "parquet" },
    input: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    output: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    serde: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    columns: lakeColumns(context.spec),
  });
}

function rejectedTable(context: Context): Resource {
  return table(context, "rejected", "Records that were turned away, with the reason", PREFIX.rejected, {
    parameters: { classification: "json" },
    input: "org.apache.hadoop.mapred.TextInputFormat",
    output: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    serde: "org.openx.data.jsonserde.JsonSerDe",
    columns: REJECTED_COLUMNS,
  });
}

interface Format {
  readonly parameters: Readonly<Record<string, string>>;
  readonly input: string;
  readonly output: string;
  readonly serde: string;
  readonly columns: readonly { readonly Name: string; readonly Type: string; readonly Comment: string }[];
}

/** A table whose partitions need no crawler: Athena works the days out from the query (partition projection). */
function table(context: Context, name: string, description: string, prefix: string, format: Format): Resource {
  const days = Math.ceil(context.spec.retention.lake / DAY);
  return {
    Type: "AWS::Glue::Table",
    Properties: {
      CatalogId: ACCOUNT,
      DatabaseName: ref("Database"),
      TableInput: {
        Name: name,
        Description: description,
        TableType: "EXTERNAL_TABLE",
        PartitionKeys: [{ Name: "dt", Type: "string", Comment: "UTC day of arrival, yyyy-MM-dd" }],
        Parameters: {
          ...format.parameters,
          EXTERNAL: "TRUE",
          "projection.enabled": "true",
          "projection.dt.type": "date",
          "projection.dt.format": "yyyy-MM-dd",
          "projection.dt.range": `NOW-${days}DAYS,NOW+1DAYS`,
          "projection.dt.interval": "1",
          "projection.dt.interval.unit": "DAYS",
          "storage.location.template": sub(`s3://\${DataBucket}/${prefix}dt=\${!dt}/`),
        },
        StorageDescriptor: {
          Location: sub(`s3://\${DataBucket}/${prefix}`),
          InputFormat: format.input,
          OutputFormat: format.output,
          SerdeInfo: { SerializationLibrary: format.serde },
          Columns: format.columns,
        },
      },
    },
  };
}
