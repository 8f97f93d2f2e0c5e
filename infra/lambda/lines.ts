/** What lies in the bucket as text, gzipped or not. */
import { createGunzip, gunzipSync } from "node:zlib";

/** The bytes of an object, unpacked where they are gzipped. */
export function unzipped(body: Uint8Array): Uint8Array {
  return isZipped(body) ? gunzipSync(body) : body;
}

/** The lines of a text of any size, without empty ones: as many at a time as a piece of it holds. */
export async function* linesOf(body: Uint8Array): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of piecesOf(body)) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield lines.filter((line) => line !== "");
  }
  rest += decoder.decode();
  if (rest !== "") yield [rest];
}

const PIECE = 1_024 * 1_024;

async function* piecesOf(body: Uint8Array): AsyncGenerator<Uint8Array> {
  if (isZipped(body)) {
    const unzip = createGunzip({ chunkSize: PIECE });
    unzip.end(body);
    yield* unzip as AsyncIterable<Uint8Array>;
  } else for (let at = 0; at < body.length; at += PIECE) yield body.subarray(at, at + PIECE);
}

/** Gzip's two first bytes (RFC 1952); no text of ours begins with them. */
function isZipped(body: Uint8Array): boolean {
  return body[0] === 0x1f && body[1] === 0x8b;
}
