/** What a series' newest window says of it. A window that was not compared says nothing: no forecast is not health. */
import type { SeriesInfo } from "../../src/rpc/page.ts";

/** Inside the band, outside it, or not known. */
export type Health = "in" | "out" | "none";

/** The health by the newest window, and the same in words. */
export function healthOf(last: SeriesInfo["last"]): { readonly health: Health; readonly said: string } {
  if (last === null) return { health: "none", said: "no window yet" };
  if (last.actual === null) return { health: "none", said: "no value" };
  if (last.deviation === null) return { health: "none", said: "not compared" };
  return Math.abs(last.deviation) > 1
    ? { health: "out", said: "outside the band" }
    : { health: "in", said: "inside the band" };
}
