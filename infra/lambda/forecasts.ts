/** The forecasts in use, as the training published them; read again only when they have changed. */
import { encodeForecast, ForecastTable, type ForecastVersion, parseForecast } from "../../src/core/forecast.ts";
import type { Objects } from "./ports.ts";

/** How long a loaded forecast is trusted without asking whether there is a newer one. */
const FRESH = 60_000;

export class CurrentForecast {
  readonly #objects: Objects;
  readonly #key: string;
  #table = new ForecastTable();
  #etag: string | undefined;
  #checked = Number.NEGATIVE_INFINITY;

  constructor(objects: Objects, key: string) {
    this.#objects = objects;
    this.#key = key;
  }

  /** The forecasts as of `now` (epoch ms); an empty table before the first training. */
  async table(now: number): Promise<ForecastTable> {
    if (now - this.#checked < FRESH) return this.#table;
    const found = await this.#objects.get(this.#key, this.#etag);
    if (found === undefined) {
      this.#table = new ForecastTable();
      this.#etag = undefined;
    } else if (found !== "unchanged") {
      const table = new ForecastTable();
      for (const version of decodeCurrent(new TextDecoder().decode(found.body))) table.add(version);
      this.#table = table;
      this.#etag = found.etag;
    }
    this.#checked = now;
    return this.#table;
  }
}

/**
 * The file in use: the newest version, and those before it that windows still open may need, as JSON lines. A window that began
 * before the newest origin is compared with an older forecast, which did not know it yet.
 */
export function encodeCurrent(versions: readonly ForecastVersion[]): string {
  return versions.map((version) => `${encodeForecast(version)}\n`).join("");
}

export function decodeCurrent(text: string): ForecastVersion[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map(parseForecast);
}
