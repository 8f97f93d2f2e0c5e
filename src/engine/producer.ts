/**
 * A producer of a stream that keeps order: it calls PutRecords on one connection, and sends the next batches while the
 * endpoint still answers the first (HTTP/1.1 pipelining). Calls on one connection are taken in their order.
 */
import { Client } from "undici";
import { Fault } from "../core/fault.ts";

/** Calls under way at a time: enough that neither side waits for the other. */
const DEPTH = 4;
/** How often a refused call is tried again before giving up. */
const TRIES = 60;

/** Records as the request carries them, entries of its JSON array without the brackets, and how many they are. */
export interface Batch {
  readonly records: string;
  readonly count: number;
}

interface Answer {
  readonly FailedRecordCount: number;
  readonly Records: readonly { readonly ErrorCode?: string }[];
}

export class Producer {
  readonly #client: Client;
  readonly #stream: string;
  readonly #onSent: (records: number) => void;
  readonly #underWay = new Set<Promise<void>>();
  #failure: Fault | undefined;

  /** @param onSent told how many records the stream has taken with a call. */
  constructor(endpoint: string, stream: string, onSent: (records: number) => void) {
    this.#client = new Client(endpoint, { pipelining: DEPTH });
    // The client would send again what a broken connection left without an answer, and the stream may have taken it.
    this.#client.on("disconnect", (_url, _targets, error) => {
      if (this.#underWay.size > 0) void this.#client.destroy(error);
    });
    this.#stream = stream;
    this.#onSent = onSent;
  }

  /** Sends a batch; resolves when there is room for the next. Rejects when this or an earlier one could not be sent. */
  async put(batch: Batch): Promise<void> {
    while (this.#underWay.size >= DEPTH) await Promise.race(this.#underWay);
    if (this.#failure) throw this.#failure;
    const call: Promise<void> = this.#send(batch)
      .catch((error: unknown) => {
        this.#failure ??= Fault.from(error);
      })
      .finally(() => this.#underWay.delete(call));
    this.#underWay.add(call);
  }

  /** Resolves when the stream has taken everything. */
  async flush(): Promise<void> {
    await Promise.all(this.#underWay);
    if (this.#failure) throw this.#failure;
  }

  /** Closes the connection; what is under way is given up. */
  async close(): Promise<void> {
    await this.#client.destroy();
  }

  /** One batch; of what the stream refuses for now, just that is sent again until it is taken. */
  async #send(batch: Batch): Promise<void> {
    let { records, count } = batch;
    for (let tried = 1; ; tried++) {
      const { status, text } = await this.#post(
        `{"StreamName":${JSON.stringify(this.#stream)},"Records":[${records}]}`,
      );
      if (status === 200) {
        const answer = JSON.parse(text) as Answer;
        this.#onSent(count - answer.FailedRecordCount);
        if (answer.FailedRecordCount === 0) return;
        records = refused(records, answer);
        count = answer.FailedRecordCount;
      } else if (status < 500)
        throw new Fault("unexpected", "The stream refused the records.", {
          cause: text,
          next: "Check the fields of the file, then send it again.",
        });
      if (tried >= TRIES)
        throw new Fault("unexpected", "The stream does not take the records.", {
          cause: text,
          next: "See the engine's log.",
        });
      await new Promise((resolve) => setTimeout(resolve, Math.min(2_000, 50 * tried)));
    }
  }

  async #post(body: string): Promise<{ status: number; text: string }> {
    const { statusCode, body: answer } = await this.#client.request({
      path: "/",
      method: "POST",
      // What allows a call to be sent while another is under way.
      idempotent: true,
      headers: { "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.PutRecords" },
      body,
    });
    return { status: statusCode, text: await answer.text() };
  }
}

/** The records of a call that its answer names as failed. */
function refused(records: string, answer: Answer): string {
  const sent = JSON.parse(`[${records}]`) as unknown[];
  return JSON.stringify(sent.filter((_, i) => answer.Records[i]?.ErrorCode !== undefined)).slice(1, -1);
}
