/**
 * A Kinesis stream behind the real SDK, in a time of its own that passes without waiting: its shards take a megabyte and a thousand
 * records a second, a second's worth of them at once (Kinesis Developer Guide, "Quotas and limits"), and fail when they are told to.
 */
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import { kinesisClient } from "../../../infra/lambda/aws.ts";
import type { Time } from "../../../infra/lambda/ports.ts";

/** How a request ends: refused, as by a full shard; without its key; by a broken service; taken, and without an answer. */
export type Failure = "full" | "locked" | "broken" | "unanswered";

export interface Behaviour {
  /** What a shard takes, bytes a second. */
  readonly rate: number;
  /** Until an answer, ms. */
  readonly latency: number;
  /** How a request ends that comes at a time, ms, or as the nth; as it should unless told. */
  readonly fails?: (now: number, n: number) => Failure | undefined;
}

/** What each failure but the last answers: status and exception. */
const FAULTS = {
  full: [400, "ProvisionedThroughputExceededException"],
  locked: [400, "KMSDisabledException"],
  broken: [500, "InternalFailure"],
} as const;
const RECORDS = 1_000;

interface PutRecord {
  readonly Data: string;
  readonly PartitionKey: string;
  readonly ExplicitHashKey?: string;
  readonly SequenceNumberForOrdering?: string;
}

export class Shards {
  /** Texts of the records that each shard has, by its hash key. */
  readonly taken = new Map<string, string[]>();
  /** Texts of those that were taken without an answer. */
  readonly unanswered: string[] = [];
  readonly client: KinesisClient;
  readonly time: Time = {
    now: () => this.#now,
    sleep: async (millis) => {
      this.#now += millis;
    },
  };
  /** Requests that came, and those that a shard had no room for. */
  readonly counts = { requests: 0, refused: 0 };
  readonly #behaviour: Behaviour;
  readonly #room = new Map<string, { bytes: number; records: number; at: number }>();
  #now = 0;
  #sequence = 0;

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
    this.client = kinesisClient({
      region: "eu-west-1",
      credentials: { accessKeyId: "x", secretAccessKey: "x" },
      requestHandler: { handle: async ({ body }: { body: Uint8Array }) => ({ response: this.#answer(body) }) },
    });
  }

  #answer(body: Uint8Array) {
    const put = JSON.parse(new TextDecoder().decode(body)) as PutRecord;
    const failure =
      this.#behaviour.fails?.(this.#now, this.counts.requests++) ?? (this.#hasRoom(put) ? undefined : "full");
    if (failure === "full") this.counts.refused++;
    if (failure === undefined || failure === "unanswered") this.#take(put, failure !== undefined);
    this.#now += this.#behaviour.latency;
    if (failure === "unanswered") throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
    const [statusCode, exception] = failure === undefined ? [200] : FAULTS[failure];
    const answer =
      exception === undefined
        ? { SequenceNumber: String(this.#sequence), ShardId: "shardId-000000000000" }
        : { __type: exception, message: "No" };
    const headers = { "content-type": "application/x-amz-json-1.1" };
    return { statusCode, headers, body: Buffer.from(JSON.stringify(answer)) };
  }

  /** Takes the room of a record, if there is. */
  #hasRoom(put: PutRecord): boolean {
    const { rate } = this.#behaviour;
    const room = this.#room.get(laneOf(put)) ?? { bytes: rate, records: RECORDS, at: this.#now };
    const seconds = (this.#now - room.at) / 1_000;
    room.bytes = Math.min(rate, room.bytes + seconds * rate);
    room.records = Math.min(RECORDS, room.records + seconds * RECORDS);
    room.at = this.#now;
    this.#room.set(laneOf(put), room);
    const size = Buffer.byteLength(put.Data, "base64") + put.PartitionKey.length;
    if (room.bytes < size || room.records < 1) return false;
    room.bytes -= size;
    room.records--;
    return true;
  }

  #take(put: PutRecord, unanswered: boolean): void {
    const lane = this.taken.get(laneOf(put)) ?? [];
    const text = Buffer.from(put.Data, "base64").toString();
    lane.push(text);
    if (unanswered) this.unanswered.push(text);
    this.taken.set(laneOf(put), lane);
    this.#sequence++;
  }
}

function laneOf({ ExplicitHashKey, PartitionKey }: PutRecord): string {
  return ExplicitHashKey ?? PartitionKey;
}
