/** The worker that forecasts: one series a message, so that progress and cancellation have a unit. */
import { parentPort } from "node:worker_threads";
import { backtest, forecast } from "../forecaster/index.ts";
import type { TrainReply, TrainRequest } from "./train-pool.ts";

const port = parentPort!;

port.on("message", (request: TrainRequest) => {
  let reply: TrainReply;
  try {
    const { id, series } = request;
    if (request.kind === "forecast") reply = { id, forecast: forecast(series, request.options) };
    else reply = { id, backtest: backtest(series, request.options) };
  } catch (error) {
    reply = { id: request.id, failure: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(reply);
});
