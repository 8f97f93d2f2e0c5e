/**
 * Whether an event that lies ahead of the stream's clock has a wrong time, or the stream has truly moved on: a replay of old
 * data that jumps a holiday. One event cannot say it, and a wrong one would drag the clock along and make everything after
 * it late. So such events are held until those after them tell: one with a plausible time proves the held ones wrong, enough
 * of them in a row prove them right, and then none of them is lost. What is decided hangs on the stream's order alone.
 *
 * Live streams hold nothing: their clock runs with the wall, also through a silence of weeks.
 */
import type { Analyzer, Verdict } from "./analyze.ts";
import type { Event } from "./collect.ts";

/** After so many events in a row that are ahead, the stream has moved on, and the clock follows. */
export const ENOUGH_IN_A_ROW = 10;

/** Where an event comes from; whoever admits it may keep more. */
export interface Place {
  /** When the stream took it, epoch ms. */
  readonly arrival: number;
}

/** Told what became of an event, once that is known. */
export type Taker<P extends Place> = (event: Event, place: P, verdict: Exclude<Verdict, "suspect">) => void;

/** What is held, and how many suspects there were in a row, those that were given up among them. */
export interface AdmissionState<P extends Place> {
  readonly inARow: number;
  readonly held: readonly { readonly event: Event; readonly place: P }[];
}

export class Admission<P extends Place> {
  readonly #analyzer: Analyzer;
  #held: { readonly event: Event; readonly place: P }[];
  #inARow: number;

  constructor(analyzer: Analyzer, state?: AdmissionState<P>) {
    this.#analyzer = analyzer;
    this.#held = [...(state?.held ?? [])];
    this.#inARow = state?.inARow ?? 0;
  }

  /** When the newest held event came, epoch ms; undefined when none is held. */
  get heldSince(): number | undefined {
    return this.#held.at(-1)?.place.arrival;
  }

  /** Brings one event before the analyzer, in stream order. `take` is told of it, now or later, and of held ones before it. */
  admit(event: Event, place: P, speed: number, take: Taker<P>): void {
    const verdict = this.#analyzer.add(event, place.arrival, speed);
    if (verdict === "suspect") {
      this.#held.push({ event, place });
      if (++this.#inARow >= ENOUGH_IN_A_ROW) this.#moveOn(speed, take);
      return;
    }
    // One that is ahead of its very arrival, or long past, says nothing about where the clock stands.
    if (this.#inARow > 0 && (verdict === "counted" || verdict === "late")) {
      this.giveUp(take);
      this.#inARow = 0;
    }
    take(event, place, verdict);
  }

  /** Turns away what is held: nothing came that would speak for it. */
  giveUp(take: Taker<P>): void {
    for (const { event, place } of this.#held.splice(0)) take(event, place, "ahead");
  }

  state(): AdmissionState<P> {
    return { inARow: this.#inARow, held: [...this.#held] };
  }

  #moveOn(speed: number, take: Taker<P>): void {
    const run = this.#held.splice(0);
    this.#inARow = 0;
    // To the earliest of them: a wrong time among them is ahead of that again.
    const first = run.reduce((a, b) => (b.event.time < a.event.time ? b : a));
    this.#analyzer.moveOn(first.event.time, first.place.arrival);
    for (const { event, place } of run) this.admit(event, place, speed, take);
  }
}
