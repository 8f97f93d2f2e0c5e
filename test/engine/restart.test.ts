import { expect, it } from "vitest";
import { dataFolder } from "../support/engine.ts";
import { expectNothingLost, killRepeatedly } from "../support/kills.ts";

const KILLS = Number(process.env.FOREWATCH_KILLS ?? 4);

it(`loses and doubles nothing over ${KILLS} kills while producers write`, { timeout: 900_000 }, async () => {
  const folder = dataFolder();
  const run = await killRepeatedly(folder, KILLS, 1);
  const figures = await expectNothingLost(folder, run, dataFolder());
  expect(figures.windows).toBeGreaterThan(0);
  expect(run.acknowledged.length).toBeGreaterThan(0);
});
