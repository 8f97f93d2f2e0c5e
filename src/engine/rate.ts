/** Records a second over the last ten seconds, from a running total. */
export class RateMeter {
  readonly #samples: { at: number; total: number }[] = [];

  set(total: number, at = Date.now()): void {
    const last = this.#samples.at(-1);
    if (last && at - last.at < 200) last.total = total;
    else this.#samples.push({ at, total });
    while (this.#samples.length > 2 && at - this.#samples[0]!.at > 10_000) this.#samples.shift();
  }

  /** 0 when nothing has come for ten seconds. */
  get(at = Date.now()): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || at - last.at > 10_000) return 0;
    return (last.total - first.total) / Math.max(1, (at - first.at) / 1_000);
  }
}
