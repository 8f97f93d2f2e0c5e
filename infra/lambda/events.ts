/** The services' events and answers, as far as the handlers read and write them (Lambda and Firehose Developer Guides). */

export interface KinesisStreamEvent {
  readonly Records: readonly {
    /** `shardId-000000000000:49590338271490256608559692538361571095921575989136588898` */
    readonly eventID: string;
    readonly kinesis: {
      readonly sequenceNumber: string;
      readonly partitionKey: string;
      /** Base64. */
      readonly data: string;
      /** Epoch seconds, with a fraction. */
      readonly approximateArrivalTimestamp: number;
    };
  }[];
}

/** What Lambda says of the call, beside its event. */
export interface Call {
  getRemainingTimeInMillis(): number;
}

/** With ReportBatchItemFailures: the lowest sequence number named is where the stream is read from again. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export interface FirehoseEvent {
  readonly invocationId: string;
  readonly deliveryStreamArn: string;
  readonly region: string;
  readonly records: readonly FirehoseRecord[];
}

export interface FirehoseRecord {
  readonly recordId: string;
  /** When Firehose received it, epoch ms: of a record from a stream, not when the stream did. */
  readonly approximateArrivalTimestamp: number;
  /** Base64. */
  readonly data: string;
  /** Where the record was in the stream; KPL aggregates are unpacked, and differ in the subsequence. */
  readonly kinesisRecordMetadata?: {
    readonly sequenceNumber: string;
    readonly subsequenceNumber?: string | number;
    readonly shardId: string;
    readonly partitionKey: string;
    /** When the stream received it, epoch ms; the relay reads the same. */
    readonly approximateArrivalTimestamp?: number;
  };
}

export interface FirehoseAnswer {
  readonly records: FirehoseResult[];
}

export interface FirehoseResult {
  readonly recordId: string;
  readonly result: "Ok" | "Dropped" | "ProcessingFailed";
  /** Base64. */
  readonly data: string;
}
