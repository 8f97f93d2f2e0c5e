/** What CloudFormation cannot make in some regions, among what the templates are made of. */
import regions from "./regions.json" with { type: "json" };

/** A type of resource that some regions lack. */
export type RegionalType = keyof typeof regions.absent;

/** Whether CloudFormation has no such type there. */
export function lacks(region: string, type: RegionalType): boolean {
  return regions.absent[type].includes(region);
}

/**
 * Whether Flink's log cannot be attached to its application by CloudFormation there: then it is made, named in the output
 * `FlinkLogStreamArn`, and attached by hand before the application is started.
 */
export function logsByHand(region: string): boolean {
  return lacks(region, "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption");
}
