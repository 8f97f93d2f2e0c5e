/** The commands on forecasts: train, stop, show. */
import * as vscode from "vscode";
import { Fault } from "../../core/fault.ts";
import type { Chooser } from "../choose.ts";
import { type Handlers, run } from "../commands.ts";
import type { Context } from "../context.ts";
import { isRunning } from "../explorer/model.ts";
import { formatSpan } from "../format.ts";
import { withProgress } from "../progress.ts";

export type ForecastCommand = "train" | "stopTraining" | "showForecast";

export function forecastCommands(context: Context, choose: Chooser): Handlers<ForecastCommand> {
  return {
    async train(args) {
      const pipeline = await choose.pipeline(args, "Train the forecast of");
      if (!pipeline) return;
      const backend = await context.session.backend();
      const job = await withProgress(`Training the forecast of ${pipeline.name}`, new AbortController(), (options) =>
        backend.forecasts.train(pipeline.name, options),
      );
      if (job.state === "failed" && job.fault) throw Fault.from(job.fault);
      if (job.state !== "succeeded") return;
      const took = job.endedAt === null ? "" : ` in ${formatSpan(job.endedAt - job.startedAt)}`;
      const { accuracy } = job;
      const better =
        accuracy?.mase == null || accuracy.baseline.mase == null
          ? ""
          : ` MASE ${accuracy.mase.toFixed(2)}, seasonal naive ${accuracy.baseline.mase.toFixed(2)}.`;
      const text = `The forecast of ${pipeline.name} was trained${took}.${better}`;
      // Not awaited: the command is done, whether or not somebody reads this.
      void vscode.window.showInformationMessage(text, "Show Forecast").then((chosen) => {
        if (chosen) return run("showForecast", { pipeline: pipeline.name });
      });
    },

    async stopTraining(args) {
      const running = context.live.snapshot.jobs.filter(isRunning);
      const job = args.job ?? running[0]?.id;
      if (job === undefined)
        throw new Fault("forecast.not-found", "No training is running.", {
          next: "Start one with Forewatch: Train Forecast.",
        });
      await (await context.session.backend()).forecasts.cancel(job);
    },

    async showForecast(args) {
      const pipeline = await choose.pipeline(args, "Show the forecast of");
      if (!pipeline) return;
      const { series, from, until } = args;
      context.panels.show("forecast", {
        pipeline: pipeline.name,
        ...(series !== undefined && { series }),
        ...(from !== undefined && until !== undefined && { range: { from, until } }),
      });
    },
  };
}
