/** Records as the Kinesis Producer Library packs them, written from the format's document, field by field. */
import { createHash } from "node:crypto";

/** An aggregate of these records, in their order. */
export function aggregate(parts: readonly Uint8Array[]): Uint8Array {
  const varint = (n: number): number[] => (n < 128 ? [n] : [(n % 128) | 128, ...varint(Math.floor(n / 128))]);
  const field = (number: number, bytes: Uint8Array) => [number * 8 + 2, ...varint(bytes.length), ...bytes];
  const record = (data: Uint8Array) => Uint8Array.from([8, 0, ...field(3, data)]);
  return sealed([...field(1, Buffer.from("key")), ...parts.flatMap((p) => field(3, record(p)))]);
}

/** A message between the magic number and its digest. */
export function sealed(message: readonly number[]): Uint8Array {
  const digest = createHash("md5").update(Uint8Array.from(message)).digest();
  return Uint8Array.from([0xf3, 0x89, 0x9a, 0xc2, ...message, ...digest]);
}
