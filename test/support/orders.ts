/** A small pipeline of shop orders, and its events: minutes instead of hours, so that tests see all steps in seconds. */
import type { ProducerRecord } from "./producer.ts";

export const MINUTE = 60_000;
/** Start of the orders' event time. */
export const START = Date.UTC(2024, 2, 1);

/** The pipeline as a user writes it; `change` is laid over its top level. */
export function ordersPipeline(name: string, change: Readonly<Record<string, unknown>> = {}) {
  return {
    name,
    source: {
      time: "at",
      fields: { at: "timestamp", id: "string", region: "string", amount: "double", items: "integer", gift: "boolean" },
      lateness: "1m",
      // The wall clock stays out, unless a test wants silence.
      idle: "30d",
      ahead: "1d",
      behind: "30d",
    },
    series: {
      every: "1m",
      by: ["region"],
      measures: { orders: { count: "*" }, revenue: { sum: "amount" } },
    },
    forecast: { history: "1h", horizon: "40m", band: 0.9, seasons: ["5m"], retrain: "20m" },
    alarms: [
      {
        name: "orders-low",
        measure: "orders",
        direction: "below",
        threshold: 2,
        datapoints: "2 of 3",
        missing: "breaching",
        severity: 2,
      },
    ],
    ...change,
  };
}

/** Every measure there is. */
export const ALL_MEASURES = {
  orders: { count: "*" },
  gifts: { count: "gift" },
  revenue: { sum: "amount" },
  mean: { avg: "amount" },
  least: { min: "amount" },
  most: { max: "items" },
  spread: { stddev: "amount" },
};

export interface Order {
  readonly at: string;
  readonly id: string;
  readonly region: string;
  readonly amount: number | null;
  readonly items: number;
  readonly gift?: boolean;
}

/** Numbers in [0, 1) that are the same in each run (mulberry32). */
export function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The orders of the minutes [from, until), in order of time: about `rate` a minute and region, with a season of 5 minutes. */
export function ordersBetween(
  from: number,
  until: number,
  regions: readonly string[] = ["north", "south"],
  rate = 10,
): Order[] {
  const orders: Order[] = [];
  for (let minute = from; minute < until; minute++) {
    const next = random(minute + 1);
    const inMinute: { at: number; region: string }[] = [];
    for (const region of regions) {
      const count = rate + (minute % 5) * 2 + Math.floor(next() * 3);
      for (let i = 0; i < count; i++)
        inMinute.push({ at: START + minute * MINUTE + Math.floor(next() * MINUTE), region });
    }
    inMinute.sort((a, b) => a.at - b.at);
    inMinute.forEach(({ at, region }, i) => {
      orders.push({
        at: new Date(at).toISOString(),
        id: `${minute}-${i}`,
        region,
        amount: next() < 0.05 ? null : Math.round(next() * 10_000) / 100,
        items: 1 + Math.floor(next() * 5),
        ...(next() < 0.2 && { gift: next() < 0.5 }),
      });
    });
  }
  return orders;
}

/** One record an order; the region is the partition key. */
export function toRecords(orders: readonly Order[]): ProducerRecord[] {
  return orders.map((o) => ({ data: JSON.stringify(o), key: o.region }));
}
