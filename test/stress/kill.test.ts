import { expect, it } from "vitest";
import { dataFolder } from "../support/engine.ts";
import { expectNothingLost, killRepeatedly } from "../support/kills.ts";

/** `npm run stress` kills two hundred times, `npm test` a few. */
const KILLS = Number(process.env.FOREWATCH_KILLS ?? 200);
const SEED = Number(process.env.FOREWATCH_SEED ?? 2);
/** From so many kills on, the records reach far enough for an incident. */
const LONG = 50;

it(`loses and doubles nothing over ${KILLS} kills while producers write`, { timeout: 3_600_000 }, async () => {
  const folder = dataFolder();
  const begun = Date.now();
  const run = await killRepeatedly(folder, KILLS, SEED, (kill) => {
    if (kill % 20 === 0) console.log(`${kill} of ${KILLS} kills, ${Math.round((Date.now() - begun) / 1_000)} s`);
  });
  const figures = await expectNothingLost(folder, run, dataFolder());
  console.log(`seed ${SEED}: ${JSON.stringify(figures)}`);
  expect(figures.kills).toBeGreaterThanOrEqual(KILLS);
  expect(figures.windows).toBeGreaterThan(0);
  expect(run.acknowledged.length).toBeGreaterThan(0);
  if (KILLS >= LONG) expect(figures.incidents).toBeGreaterThan(0);
  expect(figures.sentTwice).toBeLessThan(figures.records!);
});
