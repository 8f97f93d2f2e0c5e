/** A producer as any SDK is one: PutRecords over HTTP, with the sequence numbers that acknowledge. */
import { Agent, request } from "node:http";
import { parseSequenceNumber } from "../../src/engine/endpoint/shards.ts";

export interface ProducerRecord {
  readonly data: string | Uint8Array;
  readonly key?: string;
}

export class Producer {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #endpoint: string;
  readonly #stream: string;

  constructor(endpoint: string, stream: string) {
    this.#endpoint = endpoint;
    this.#stream = stream;
  }

  /**
   * One request; answers the records' places in the log, which are durable then. Rejects when the connection breaks (the
   * records may or may not have been taken) or the endpoint refuses.
   */
  async putOnce(records: readonly ProducerRecord[]): Promise<number[]> {
    const body = JSON.stringify({
      StreamName: this.#stream,
      Records: records.map((r, i) => ({
        Data: Buffer.from(r.data as Uint8Array).toString("base64"),
        PartitionKey: r.key ?? String(i),
      })),
    });
    const { status, text } = await this.#post(body);
    if (status !== 200) throw new Error(`PutRecords: ${status} ${text}`);
    const answer = JSON.parse(text) as { FailedRecordCount: number; Records: { SequenceNumber?: string }[] };
    if (answer.FailedRecordCount > 0) throw new Error(`PutRecords: ${text}`);
    return answer.Records.map((r) => parseSequenceNumber(r.SequenceNumber!)!.sequence);
  }

  /** Puts any number of records, in order, in requests that the service takes. */
  async put(records: readonly ProducerRecord[]): Promise<number[]> {
    const places: number[] = [];
    for (let i = 0; i < records.length; i += 500) places.push(...(await this.putOnce(records.slice(i, i + 500))));
    return places;
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(body: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "Kinesis_20131202.PutRecords",
        "content-length": Buffer.byteLength(body),
      };
      const sent = request(this.#endpoint, { method: "POST", agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
        response.on("aborted", () => reject(new Error("the connection broke")));
        response.on("error", reject);
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }
}
