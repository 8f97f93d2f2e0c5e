import type { BenchRow } from "../endpoint.ts";

/** A time as a line of the bench's table, held against its target. */
export function row(name: string, ms: number, target: number): BenchRow {
  return { name, value: `${ms.toFixed(1)} ms`, target: `<= ${target} ms`, ok: ms <= target };
}

/** The shortest of `times` runs, ms. */
export async function best(times: number, work: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const begun = performance.now();
    await work();
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}
