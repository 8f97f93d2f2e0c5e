/**
 * Records that the Kinesis Producer Library packed into one. Firehose unpacks them by itself; a function that reads a stream must.
 * Format: the magic number, a protocol buffer, its MD5 (awslabs/amazon-kinesis-producer, aggregation-format.md).
 */
import { createHash } from "node:crypto";

const MAGIC = Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2);
const DIGEST_BYTES = 16;
/** Fields of the protocol buffer: AggregatedRecord.records, and Record.data. */
const RECORDS = 3;
const DATA = 3;

/** The records within one; the record itself when it is no aggregate. */
export function unpack(data: Uint8Array): Uint8Array[] {
  if (data.length < MAGIC.length + DIGEST_BYTES || MAGIC.some((byte, i) => data[i] !== byte)) return [data];
  const message = data.subarray(MAGIC.length, data.length - DIGEST_BYTES);
  const digest = createHash("md5").update(message).digest();
  // Bytes that merely begin like an aggregate are a record of their own.
  if (!digest.equals(data.subarray(data.length - DIGEST_BYTES))) return [data];
  try {
    return fieldsOf(message, RECORDS).flatMap((record) => fieldsOf(record, DATA));
  } catch (error) {
    // And so are those that its digest fits but its format does not: they are rejected like any bytes that are no event.
    if (error instanceof RangeError) return [data];
    throw error;
  }
}

/** The values of a length-delimited field; throws a RangeError where the message is of another form or ends too early. */
function fieldsOf(message: Uint8Array, wanted: number): Uint8Array[] {
  const values: Uint8Array[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError("The aggregate ends within a number.");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wire = tag % 8;
    if (wire === 0) varint();
    else if (wire === 2) {
      const length = varint();
      // Or the value would be cut without a word: `subarray` goes to the end at most.
      if (at + length > message.length) throw new RangeError("The aggregate ends within a value.");
      if (Math.floor(tag / 8) === wanted) values.push(message.subarray(at, at + length));
      at += length;
    } else throw new RangeError(`The aggregate has a field of wire type ${wire}.`);
  }
  return values;
}
