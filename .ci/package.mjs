// npm run package [-- PLATFORM ...]: makes a VSIX for each platform in dist/vsix/, with all that the extension needs inside: its
// bundles, DuckDB with the platform's native part, and the sample with its flights. Platforms: linux-x64 linux-arm64 darwin-x64
// darwin-arm64 win32-x64; all of them by default. What of it goes into the VSIX is said in .vscodeignore.
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { describeHostFault } from "../test/support/host/fault.mjs";
import { downloadPackages, installOnce, npm, run as runQuietly, unpack } from "../test/support/host/packages.mjs";
import { thirdPartyNotices } from "./notices.mjs";
import { ensureDependencies, fail, root, run } from "./setup.mjs";

const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win32-x64"];

/**
 * The packager. It brings 250 packages, so it is installed when it is first needed and not with the dependencies; what it
 * depends on is pinned by the day after its publication.
 */
const VSCE = { name: "@vscode/vsce", version: "3.9.2", before: "2026-06-05" };

/** Files of the repository that go in as they are, where they are there. */
const FILES = ["README.md", "CHANGELOG.md", "LICENSE", "package.json", ".vscodeignore", "media", "infra/sample"];

/** DuckDB in JavaScript, and what it needs; the engine imports it by name, so it lies beside the bundles as npm would lay it. */
const DUCKDB = ["@duckdb/node-api", "@duckdb/node-bindings", "detect-libc"];

const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
const asked = process.argv.slice(2);
const unknown = asked.filter((platform) => !PLATFORMS.includes(platform));
if (unknown.length > 0) fail(`There is no platform ${unknown.join(", ")}. Platforms: ${PLATFORMS.join(", ")}.`);

await ensureDependencies();
const output = join(root, "dist", "vsix");
await mkdir(output, { recursive: true });
const stage = await mkdtemp(join(output, "stage-"));
try {
  await layOut(stage);
  const vsce = await ensureVsce();
  for (const platform of asked.length > 0 ? asked : PLATFORMS) await pack(vsce, stage, platform);
} catch (error) {
  console.error(describeHostFault(error));
  process.exitCode = 1;
} finally {
  await rm(stage, { recursive: true, force: true });
}

/** Everything but the native part, laid out in `stage` as the extension's folder will be. */
async function layOut(stage) {
  console.log("Building ...");
  const dist = join(stage, "dist");
  const inputs = join(stage, "inputs.json");
  const built = await run(process.execPath, [
    join(root, "esbuild.config.mjs"),
    ...["--out", relative(root, dist), "--inputs", inputs],
  ]);
  if (built !== 0) throw new Error("The build failed.");
  const notices = await thirdPartyNotices(root, {
    inputs: JSON.parse(await readFile(inputs, "utf8")),
    packages: [...DUCKDB, "vega-datasets"],
  });
  await writeFile(join(stage, "THIRD_PARTY_NOTICES.txt"), notices);
  for (const file of FILES)
    if (existsSync(join(root, file))) await cp(join(root, file), join(stage, file), { recursive: true });
  for (const name of DUCKDB)
    await cp(join(root, "node_modules", name), join(dist, "node_modules", name), { recursive: true });
  await mkdir(join(dist, "sample"));
  await cp(
    join(root, "node_modules", "vega-datasets", "data", "flights-3m.parquet"),
    join(dist, "sample", "flights.parquet"),
  );
}

/** Exchanges the native part in `stage` for the platform's, and packs. */
async function pack(vsce, stage, platform) {
  const scope = join(stage, "dist", "node_modules", "@duckdb");
  for (const other of PLATFORMS) await rm(join(scope, `node-bindings-${other}`), { recursive: true, force: true });
  await cp(await ensureBindings(platform), join(scope, `node-bindings-${platform}`), {
    recursive: true,
    filter: (path) => !path.endsWith("stamp.json"),
  });

  const { name, version } = JSON.parse(readFileSync(join(stage, "package.json"), "utf8"));
  const vsix = join(output, `${name}-${platform}-${version}.vsix`);
  const flags = ["--no-dependencies", "--allow-missing-repository", "--no-rewrite-relative-links"];
  const said = await runQuietly(
    process.execPath,
    [vsce, "package", "--target", platform, "--out", vsix, ...flags],
    stage,
  );
  const files = /\((\d+) files?,/.exec(said)?.[1] ?? "?";
  const size = ((await stat(vsix)).size / 1e6).toFixed(1);
  console.log(`${relative(root, vsix)}: ${size} MB, ${files} files`);
}

/** The folder with DuckDB's native part for a platform: the package that package-lock.json pins, its hash checked. */
async function ensureBindings(platform) {
  const name = `@duckdb/node-bindings-${platform}`;
  const { version, integrity } = lock[`node_modules/${name}`];
  const pin = { name, version, sha512: integrity.replace(/^sha512-/, "") };
  const { dir } = await installOnce({
    name: `duckdb-${platform}`,
    recipe: pin,
    build: async (temp) => {
      console.log(`${name}: downloading`);
      const [tarball] = await downloadPackages([pin], temp);
      await unpack(tarball, "package", temp);
      await rm(tarball);
    },
  });
  return dir;
}

/** The path of the packager's main file. */
async function ensureVsce() {
  const { dir } = await installOnce({
    name: "vsce",
    recipe: VSCE,
    build: async (temp) => {
      console.log(`${VSCE.name} ${VSCE.version}: installing`);
      // Its optional part is a key store for publishing, with a native part of its own; neither is needed to pack.
      const flags = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--silent", "--no-save"];
      await npm(
        ["install", `${VSCE.name}@${VSCE.version}`, `--before=${VSCE.before}`, ...flags, "--prefix", temp],
        temp,
      );
    },
  });
  return join(dir, "node_modules", VSCE.name, "vsce");
}
