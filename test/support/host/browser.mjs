/**
 * Finds a Chromium to show the workbench in, or installs one: the system's, else the one that Playwright downloaded, else the
 * one that the npm package `@sparticuz/chromium` ships (built for AWS Lambda, so it needs next to nothing of the system), else
 * Debian's.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { chromium } from "playwright-core";
import { HostFault } from "./fault.mjs";
import { downloadPackages, exists, installOnce, run, unpack, writeScript } from "./packages.mjs";

const CHROMIUM = {
  name: "@sparticuz/chromium",
  version: "153.0.0",
  sha512: "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==",
};
const FONTS = {
  name: "dejavu-fonts-ttf",
  version: "2.37.3",
  sha512: "f1hd7jJbeQa1VWcw+K2KrTXS50zTMaHpVC4XIKJpNcDeYR5ajMtj/iLlQDYNvLOKamUB3ARVVCf79lNwNVztSQ==",
};

/** Flags for a quiet, deterministic Chromium that only ever loads pages of this machine; also as root and in containers. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * The path of a Chromium that runs on this machine, installed first if there is none: about 15 s once.
 *
 * @param {{ log?: (line: string) => void, root?: string, sources?: readonly (keyof typeof SOURCES)[] }} [options]
 * `sources`: where to look, in this order; by default everywhere
 * @returns {Promise<string>}
 * @throws {HostFault} host.browser when no source has one
 */
export async function ensureBrowser({
  log = () => {},
  root,
  sources = ["system", "playwright", "npm", "debian"],
} = {}) {
  const reasons = [];
  for (const source of sources) {
    try {
      const path = await SOURCES[source]({ log, root });
      await run(path, ["--version"], process.cwd());
      return path;
    } catch (error) {
      if (!(error instanceof HostFault)) throw error;
      const cause = error.cause instanceof Error ? error.cause.message : (error.cause ?? "");
      reasons.push(`${source}: ${error.message} ${cause}`.trim());
    }
  }
  throw new HostFault("host.browser", "There is no Chromium on this machine, and none could be installed.", {
    next: "Install one (on Debian: `apt-get install chromium`), or name one in the environment variable FOREWATCH_CHROMIUM.",
    cause: reasons.join("; "),
  });
}

/**
 * Starts a headless Chromium for the workbench; it ends with this process, however that ends.
 * @param {{ executablePath?: string, log?: (line: string) => void }} [options] `executablePath`: from `ensureBrowser` by default
 * @returns {Promise<import("playwright-core").Browser>}
 */
export async function launchBrowser({ executablePath, log } = {}) {
  return chromium.launch(browserOptions(executablePath ?? (await ensureBrowser({ ...(log && { log }) }))));
}

/** Playwright's launch options for such a browser; `dark` windows, sizes and the like belong to its contexts. */
export const browserOptions = (executablePath) => ({ executablePath, args: FLAGS });

const SOURCES = {
  async system() {
    const named = process.env.FOREWATCH_CHROMIUM;
    if (named) return named;
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      for (const name of ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]) {
        if (folder && (await exists(join(folder, name)))) return join(folder, name);
      }
    }
    throw new HostFault("host.browser", "no Chromium or Chrome on the PATH");
  },

  async playwright() {
    const path = chromium.executablePath();
    if (path && (await exists(path))) return path;
    throw new HostFault("host.browser", "Playwright has downloaded none");
  },

  async npm({ log, root }) {
    if (process.platform !== "linux" || process.arch !== "x64") {
      throw new HostFault(
        "host.browser",
        `@sparticuz/chromium is for Linux x64, not ${process.platform} ${process.arch}`,
      );
    }
    const { dir } = await installOnce({
      name: `chromium-${CHROMIUM.version}-linux-x64`,
      recipe: { pins: [CHROMIUM, FONTS], layout: 1 },
      build: (temp) => buildChromium(temp, log),
      ...(root && { root }),
    });
    return join(dir, "chromium");
  },

  async debian({ log }) {
    if (process.getuid?.() !== 0 || !(await exists("/usr/bin/apt-get"))) {
      throw new HostFault("host.browser", "only root can install Debian's Chromium, and only where there is apt-get");
    }
    log("Chromium: installing Debian's package with apt-get, as nothing else worked");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["update"], "/", env);
    await run("apt-get", ["install", "-y", "--no-install-recommends", "chromium"], "/", env);
    return "/usr/bin/chromium";
  },
};

/**
 * The layout: `bin/chromium` (the program), `lib/` (NSS and expat, which a bare Debian lacks), `fonts/` (Open Sans, DejaVu Sans and
 * Mono: a bare Debian has no font at all), and `chromium`, a script that starts the one with the others.
 */
async function buildChromium(dir, log) {
  const started = Date.now();
  const raw = join(dir, "raw");
  await mkdir(raw);
  log(`Chromium ${CHROMIUM.version}: downloading from the npm registry (75 MB)`);
  const [browser, fonts] = await downloadPackages([CHROMIUM, FONTS], raw);
  log(`Chromium ${CHROMIUM.version}: unpacking`);
  await unpack(browser, "package/bin", raw);
  await unpack(fonts, "package/ttf", join(raw, "ttf"));
  const inflate = (name, to) =>
    pipeline(createReadStream(join(raw, `${name}.br`)), createBrotliDecompress(), createWriteStream(to));

  await mkdir(join(dir, "bin"));
  await inflate("chromium", join(dir, "bin/chromium"));
  await chmod(join(dir, "bin/chromium"), 0o755);
  for (const name of ["al2023.tar", "fonts.tar"]) {
    await inflate(name, join(raw, name));
    await run("tar", ["-xf", join(raw, name), "-C", dir, "--no-same-owner"], dir);
  }
  const ttf = await readdir(join(raw, "ttf"));
  const wanted = ttf.filter((name) => /^DejaVuSans(Mono)?(-Bold|-Oblique|-BoldOblique)?\.ttf$/.test(name));
  await run("cp", [...wanted.map((name) => join(raw, "ttf", name)), join(dir, "fonts")], dir);
  await writeFile(join(dir, "fonts.conf"), fontsConf);
  await writeScript(join(dir, "chromium"), [
    'here=$(dirname "$(readlink -f "$0")")',
    `export LD_LIBRARY_PATH="$here/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`,
    'export FONTCONFIG_FILE="$here/fonts.conf"',
    'exec "$here/bin/chromium" "$@"',
  ]);
  await rm(raw, { recursive: true });
  log(`Chromium ${CHROMIUM.version}: installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

const fontsConf = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias binding="strong"><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias binding="strong"><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias binding="strong"><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`;
