/** A bucket in memory, with ETags as S3 gives them. */
import { createHash } from "node:crypto";
import { encodeCurrent, packVersion } from "../../../infra/lambda/forecasts.ts";
import type { Objects, StoredObject } from "../../../infra/lambda/ports.ts";
import { trainedShape } from "../../../infra/lambda/shapes.ts";
import type { ForecastVersion } from "../../../src/core/forecast.ts";
import type { PipelineSpec } from "../../../src/core/spec.ts";

export class MemoryObjects implements Objects {
  readonly content = new Map<string, Buffer>();
  /** What was asked for, with `unchanged` where the ETag still fitted. */
  readonly reads: string[] = [];

  async get(key: string, etag?: string): Promise<StoredObject | "unchanged" | undefined> {
    const body = this.content.get(key);
    if (!body) {
      this.reads.push(`${key} missing`);
      return undefined;
    }
    const own = etagOf(body)!;
    this.reads.push(own === etag ? `${key} unchanged` : key);
    return own === etag ? "unchanged" : { body, etag: own };
  }

  async put(key: string, body: string | Uint8Array): Promise<void> {
    this.content.set(key, Buffer.from(body));
  }

  /** Called before a guarded put is judged: what another does meanwhile. */
  meanwhile: (key: string) => Promise<void> = async () => {};

  async replace(key: string, body: string | Uint8Array, _type: string, etag: string | undefined): Promise<boolean> {
    await this.meanwhile(key);
    if (etagOf(this.content.get(key)) !== etag) return false;
    this.content.set(key, Buffer.from(body));
    return true;
  }

  async list(prefix: string): Promise<string[]> {
    return [...this.content.keys()].filter((key) => key.startsWith(prefix)).sort();
  }
}

/** Puts versions to use, newest first, trained for `spec`, with `current` as the key of the file that names them. */
export async function putToUse(
  objects: Pick<Objects, "put">,
  current: string,
  versions: readonly ForecastVersion[],
  spec: PipelineSpec,
) {
  const shape = trainedShape(spec);
  const inUse = versions.map(({ version, origin }) => ({ version, origin, key: `forecasts/versions/${version}` }));
  for (const [i, version] of versions.entries())
    await objects.put(inUse[i]!.key, packVersion({ version, shape }), "application/octet-stream");
  await objects.put(current, encodeCurrent(inUse), "application/json");
}

function etagOf(body: Buffer | undefined): string | undefined {
  return body && `"${createHash("md5").update(body).digest("hex")}"`;
}
