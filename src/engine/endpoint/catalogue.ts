/** The streams that the endpoint serves, as the engine provides them. */
import type { StreamLog } from "../log/log.ts";

/** One stream. */
export interface StreamEntry {
  /** 1 to 128 of `a-z A-Z 0-9 _ . -`. */
  readonly name: string;
  /** `arn:aws:kinesis:REGION:ACCOUNT:stream/NAME`, with a twelve-digit account. */
  readonly arn: string;
  /** 1 to 4,096; fixed for the life of the stream. */
  readonly shardCount: number;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly retentionHours: number;
  readonly log: StreamLog;
}

/** All streams. Asked anew with each request, so streams may come and go while the endpoint runs. */
export interface StreamCatalogue {
  list(): readonly StreamEntry[];
  get(name: string): StreamEntry | undefined;
}

/** The account in an ARN, for the service's messages. */
export function accountOf(arn: string): string {
  return arn.split(":")[4] ?? "";
}
