/**
 * The two encodings of the service's protocol: JSON 1.1 (most SDKs, the AWS CLI) and CBOR 1.1 (the SDKs for Java).
 * They differ in how blobs and times travel: base64 and epoch seconds in JSON; byte strings and, tagged 1, epoch
 * milliseconds in CBOR (so the Java SDKs; the CBOR standard has seconds, which is accepted too).
 */
import { Encoder, setSizeLimits, Tag } from "cbor-x";
import { serialization } from "./failure.ts";

export interface Codec {
  readonly contentType: string;
  /** A body as plain values. @throws ServiceFailure SerializationException */
  decode(body: Buffer): unknown;
  encode(value: unknown): Buffer;
  /** Bytes as the encoding carries them. */
  blob(bytes: Uint8Array): unknown;
  /** The bytes of a decoded blob. @throws ServiceFailure SerializationException */
  readBlob(value: unknown): Uint8Array;
  /** Epoch ms as the encoding carries them. */
  time(ms: number): unknown;
  /** Epoch ms of a decoded time. @throws ServiceFailure SerializationException */
  readTime(value: unknown): number;
}

export const json: Codec = {
  contentType: "application/x-amz-json-1.1",
  decode: (body) => {
    try {
      return JSON.parse(body.toString("utf8"));
    } catch {
      // The parser's own words quote the body; the service sends none.
      throw serialization("");
    }
  },
  encode: (value) => Buffer.from(JSON.stringify(value), "utf8"),
  blob: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
  readBlob: (value) => {
    if (typeof value !== "string") throw wrongType(value, "a Blob");
    if (value.length % 4 !== 0) {
      throw serialization(
        `'${excerpt(value)}' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: ${value.length}`,
      );
    }
    const bytes = Buffer.from(value, "base64");
    // Node's decoder skips what is no base64, and takes the URL alphabet too: a pattern would find both, but takes longer
    // than the decoding.
    if (bytes.length !== decodedLength(value) || value.includes("-") || value.includes("_")) {
      throw serialization(`'${excerpt(value)}' can not be converted to a Blob: Invalid Base64 character`);
    }
    return bytes;
  },
  time: (ms) => ms / 1000,
  readTime: (value) => {
    if (typeof value !== "number") throw wrongType(value, "milliseconds since epoch");
    return Math.round(value * 1000);
  },
};

// A few bytes of CBOR can announce an array of millions; no request needs more than 500 records.
setSizeLimits({ maxArraySize: 10_000, maxMapSize: 10_000, maxObjectSize: 10_000 });
const CBOR_OPTIONS = {
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  tagUint8Array: false,
  int64AsNumber: true,
};
const encoder = new Encoder(CBOR_OPTIONS);
/** As seconds this is the year 5138; as milliseconds it is 1973. */
const LARGEST_SECONDS = 1e11;

export const cbor: Codec = {
  contentType: "application/x-amz-cbor-1.1",
  decode: (body) => {
    try {
      return encoder.decode(body);
    } catch {
      // The decoder's own words speak of its internals; the service sends none.
      throw serialization("");
    }
  },
  encode: (value) => encoder.encode(value),
  blob: (bytes) => bytes,
  readBlob: (value) => {
    if (value instanceof Uint8Array) return value;
    throw wrongType(value, "a Blob");
  },
  time: (ms) => new Tag(BigInt(ms), 1),
  readTime: (value) => {
    // The decoder took what is tagged 1 for seconds.
    const number = value instanceof Date ? value.getTime() / 1000 : value;
    if (typeof number !== "number" || Number.isNaN(number)) throw wrongType(value, "milliseconds since epoch");
    return Math.round(Math.abs(number) < LARGEST_SECONDS ? number * 1000 : number);
  },
};

/** The codec for a Content-Type header; undefined when the protocol has none for it. */
export function codecFor(contentType: string | undefined): Codec | undefined {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === cbor.contentType) return cbor;
  // Plain JSON for people with curl.
  return type === json.contentType || type === "application/json" ? json : undefined;
}

/** A value of the wrong type, in the service's words. `target` carries its article. */
export function wrongType(value: unknown, target: string) {
  if (Array.isArray(value)) return serialization("Start of list found where not expected");
  if (typeof value === "object") return serialization("Start of structure or map found where not expected.");
  if (typeof value === "boolean") return serialization(`class java.lang.Boolean can not be converted to ${target}`);
  if (typeof value === "string") return serialization(`class java.lang.String can not be converted to ${target}`);
  return serialization(
    `class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to ${target}`,
  );
}

function decodedLength(base64: string): number {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}

function excerpt(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}...` : text;
}
