/**
 * Reads the first rows of a sample file: CSV, JSON, JSON lines or Parquet. Its libraries are as large as the rest of the
 * extension, so it is a bundle of its own that loads when somebody makes a pipeline.
 */
import { open } from "node:fs/promises";
import { extname } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { decompress as unzstd } from "fzstd";
import { type Compressors, parquetReadObjects } from "hyparquet";
import papa from "papaparse";
import { Fault } from "../../core/fault.ts";
import type { Row } from "./infer.ts";

/** As much of a text file is read, bytes, and as many rows of any. */
const HEAD = 1 << 20;
const ROWS = 2_000;

/** The first rows of `file`. Rejects with `input.invalid` when it holds none that can be read. */
export async function readSample(file: string): Promise<readonly Row[]> {
  let rows: readonly Row[];
  try {
    rows = extname(file).toLowerCase() === ".parquet" ? await readParquet(file) : parseSample(await readHead(file));
  } catch (cause) {
    throw unreadable(file, cause);
  }
  if (rows.length === 0) throw unreadable(file);
  return rows;
}

/** The rows of a text in JSON, JSON lines or CSV; `cut` tells that the text may end in the middle of a row. */
export function parseSample({ text, cut }: { readonly text: string; readonly cut: boolean }): Row[] {
  const trimmed = text.trimStart();
  if (trimmed.startsWith("[") && !cut) return (JSON.parse(trimmed) as unknown[]).filter(isRow).slice(0, ROWS);
  if (trimmed.startsWith("{")) {
    const lines = trimmed.split(/\r?\n/).filter((line) => line.trim() !== "");
    if (cut) lines.pop();
    return lines.slice(0, ROWS).map((line) => JSON.parse(line) as Row);
  }
  const { data } = papa.parse<Row>(text, { header: true, skipEmptyLines: true, preview: ROWS });
  return cut ? data.slice(0, -1) : data;
}

async function readHead(file: string): Promise<{ text: string; cut: boolean }> {
  await using handle = await open(file, "r");
  const buffer = new Uint8Array(HEAD);
  const { bytesRead } = await handle.read(buffer, 0, HEAD, 0);
  const bytes = buffer.subarray(0, bytesRead);
  return { text: new TextDecoder().decode(bytes), cut: bytesRead === HEAD };
}

async function readParquet(file: string): Promise<Row[]> {
  await using handle = await open(file, "r");
  const { size } = await handle.stat();
  const source = {
    byteLength: size,
    slice: async (start: number, end = size) => {
      const buffer = new Uint8Array(end - start);
      await handle.read(buffer, 0, buffer.length, start);
      return buffer.buffer;
    },
  };
  const rows = await parquetReadObjects({ file: source, rowEnd: ROWS, compressors: COMPRESSORS });
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])));
}

/** The codecs that writers use besides Snappy, which the reader knows itself. */
const COMPRESSORS: Compressors = {
  GZIP: (input) => gunzipSync(input),
  BROTLI: (input) => brotliDecompressSync(input),
  ZSTD: (input, size) => unzstd(input, new Uint8Array(size)),
};

/** A Parquet value as JSON would have it. */
function plain(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  return typeof value === "bigint" ? Number(value) : value;
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unreadable(file: string, cause?: unknown): Fault {
  return new Fault("input.invalid", `No rows could be read from ${file}.`, {
    next: "Choose a CSV file with a header line, a JSON or JSON-lines file of objects, or a Parquet file.",
    ...(cause !== undefined && { cause }),
  });
}
