// npm start: sets everything up and runs the sample. By default a browser shows VS Code with it; `-- --headless` runs it
// without an editor, `-- --vscode` in an installed desktop VS Code; `-- --help` lists the options.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ensureBuild, ensureDependencies, fail, root, run } from "./setup.mjs";

const args = process.argv.slice(2);
await ensureDependencies();
await ensureBuild();
if (args.some((a) => ["--headless", "--help", "-h"].includes(a))) {
  process.exit(await run(process.execPath, [join(root, "dist", "cli.mjs"), ...args]));
}

const folder = join(root, ".host", "sample");
if (!existsSync(join(folder, "flights.pipeline.json"))) {
  mkdirSync(folder, { recursive: true });
  cpSync(join(root, "infra", "sample"), folder, { recursive: true });
}
const host = await import("../test/support/host/index.mjs");
const say = (line) => console.error(line);
let stop = async () => {};
try {
  if (args.includes("--vscode")) {
    await host.startDesktop({ folder, extensions: [root] });
    say(`VS Code opened ${folder}.`);
  } else {
    await host.ensureHost({ log: say });
    const server = await host.startServer({ folder, extensions: [root], log: say });
    stop = () => server.stop();
    const url = server.url({ folder, extensions: [root] });
    say(`\nVS Code with the sample is at\n  ${url}\n`);
    openInBrowser(url);
  }
} catch (error) {
  fail(host.describeHostFault ? host.describeHostFault(error) : String(error));
}
say("Replaying the sample: January and February at full speed, then March at one hour a second. Ctrl+C ends it.");
const replay = spawn(
  process.execPath,
  [join(root, "dist", "cli.mjs"), "--headless", "--data", folder, "--speed", "3600", "--serve"],
  { stdio: "inherit" },
);
const end = async () => {
  replay.kill("SIGTERM");
  await stop();
  process.exit(0);
};
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, end);
replay.on("exit", (code) => {
  if (code) say("The replay ended early; VS Code stays open. Ctrl+C ends it.");
});

/** Opens the address where there is a desktop to show it. */
function openInBrowser(url) {
  const opener =
    { darwin: "open", win32: "explorer" }[process.platform] ??
    (process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? "xdg-open" : undefined);
  if (opener)
    spawn(opener, [url], { stdio: "ignore", detached: true })
      .on("error", () => say("Open the address in a browser."))
      .unref();
}
