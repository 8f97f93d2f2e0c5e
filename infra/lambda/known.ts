/** Which groups a pipeline knows, and which of those that it does not know yet are watched. Pure. */
import { createHash } from "node:crypto";
import type { ForecastTable } from "../../src/core/forecast.ts";
import { combinations, groupKey, mostGroups, parseSeriesId } from "../../src/core/series.ts";
import { byFields, type PipelineSpec } from "../../src/core/spec.ts";
import { wellFormed } from "./names.ts";

/** What the analysis calls a group in the list of those that a closed window had: the first 12 hex digits of the key's MD5. */
export function groupHash(key: string): string {
  return createHash("md5").update(wellFormed(key)).digest("hex").slice(0, HASH_DIGITS);
}

export const HASH_DIGITS = 12;

/** A group that is expected in every window from `since` on. */
export interface KnownGroup {
  /** As the windows name it: `groupKey`, well-formed. */
  readonly key: string;
  readonly hash: string;
  /** Start of the first such window, epoch ms; minus infinity for a listed group. */
  readonly since: number;
}

/**
 * The groups that are expected whether they have events or not: the listed ones, and those of the forecasts in use, each from the
 * origin of the first forecast that knows it.
 */
export function knownGroups(spec: PipelineSpec, forecast: ForecastTable): KnownGroup[] {
  const since = new Map<string, number>();
  if (spec.series.by.every((b) => b.values)) {
    for (const group of combinations(spec.series.by.map((b) => b.values ?? [])))
      since.set(wellFormed(groupKey(group)), Number.NEGATIVE_INFINITY);
  } else {
    const fields = byFields(spec);
    for (const { origin, series } of forecast.versions) {
      for (const id of Object.keys(series)) {
        const by = parseSeriesId(id)?.by ?? {};
        // A forecast from before the pipeline file split its series otherwise knows groups that are none any more.
        if (Object.keys(by).length !== fields.length || !fields.every((field) => Object.hasOwn(by, field))) continue;
        const key = wellFormed(groupKey(fields.map((field) => by[field]!)));
        since.set(key, Math.min(origin, since.get(key) ?? origin));
      }
    }
  }
  return Array.from(since, ([key, from]) => ({ key, hash: groupHash(key), since: from }));
}

/**
 * The groups that are watched: the known ones, and of others the first that come, until there are as many as the engine watches.
 * Nothing on AWS would bound them, and each is billed by its metrics. What came first is remembered for as long as the function's
 * container lives, which is one at a time, because the stream of windows has one shard; the next training makes the watched known.
 */
export class WatchedGroups {
  readonly #spec: PipelineSpec;
  readonly #most: number;
  #forecast: ForecastTable | undefined;
  #known: readonly KnownGroup[] = [];
  #keys: ReadonlySet<string> = new Set();
  /** New groups with the start of the first window that this container saw of them, epoch ms. */
  #admitted = new Map<string, number>();

  constructor(spec: PipelineSpec) {
    this.#spec = spec;
    this.#most = mostGroups(spec.series.measures.length);
  }

  get known(): readonly KnownGroup[] {
    return this.#known;
  }

  /** Knows from now on the groups of these forecasts. */
  use(forecast: ForecastTable): void {
    if (forecast === this.#forecast) return;
    this.#forecast = forecast;
    this.#known = knownGroups(this.#spec, forecast);
    this.#keys = new Set(this.#known.map(({ key }) => key));
    const others = [...this.#admitted].filter(([key]) => !this.#keys.has(key));
    this.#admitted = new Map(others.slice(0, Math.max(0, this.#most - this.#keys.size)));
  }

  /**
   * Whether the group appeared after the newest training, as far as this container knows, and so has its first forecast with the next
   * one. A group that was there before, and that no forecast knows, is one that could not be forecast.
   */
  isNew(key: string): boolean {
    const newest = this.#forecast?.newest;
    return newest !== undefined && !this.#keys.has(key) && (this.#admitted.get(key) ?? newest.origin) >= newest.origin;
  }

  /** Whether the group is watched; a new one, of which a window begins at `start`, is from now on, if there is room. */
  admit(key: string, start: number): boolean {
    if (this.#keys.has(key)) return true;
    const first = this.#admitted.get(key);
    if (first === undefined && this.#keys.size + this.#admitted.size >= this.#most) return false;
    this.#admitted.set(key, Math.min(start, first ?? start));
    return true;
  }
}
