/** The host's self-test: that what the other specs stand on works, shown on the tiny extension in fixtures/mini. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findDesktop, groupMembers, installOnce, startDesktop, startServer } from "../support/host/index.mjs";
import { expect, test } from "./support/fixtures.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const MINI = path("fixtures/mini");

test.use({ host: { extensions: [MINI] } });

test("palette, quick picks, notifications, status bar and output", async ({ vscode }) => {
  await vscode.palette("Mini: Hello");
  await vscode.notifications.press("Hello from Mini", "Again");
  await vscode.notifications.shown("Hello again");
  await vscode.palette("Mini: Ask");
  expect(await vscode.picks()).toEqual(["plant-A", "plant-B"]);
  await vscode.pick("plant-B");
  await vscode.answer("north", "Its new name");
  await vscode.notifications.shown("plant-B is now north");
  await vscode.notifications.clear();
  expect(await vscode.notifications.texts()).toEqual([]);
  expect(await vscode.paletteOffers("Mini: Hello")).toBe(true);
  expect(await vscode.paletteOffers("Water")).toBe(false);
  await expect(vscode.status("Mini ready")).toBeVisible();
  expect(await vscode.server.logs()).toContain("mini is active");
});

test("tree, inline action and context menu", async ({ vscode }) => {
  const tree = await vscode.tree("Mini", "Plants");
  await tree.reveal("plant-A", "sensor-1");
  expect(await tree.labels()).toEqual(["plant-A", "sensor-1", "sensor-2", "plant-B"]);
  await tree.inline("sensor-1", "Water");
  await vscode.notifications.shown("watered sensor-1");
  await tree.menu("sensor-2", "Water");
  await vscode.notifications.shown("watered sensor-2");
});

test("editor, CodeLens and webview, light and dark", async ({ vscode }) => {
  await vscode.editors.open("a.sql");
  expect(await vscode.editors.text()).toContain("select 1;");
  await expect(vscode.editors.lens(/^Run/)).toHaveText(["Run 1", "Run 2"]);
  await vscode.editors.lens("Run 2").click();
  await vscode.notifications.shown("ran the statement of line 3");
  await vscode.tree("Mini", "Plants");
  await vscode.screenshot("host-light");

  await vscode.palette("Mini: Open Page");
  const page = await vscode.webview("h1:has-text('Mini page')");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.locator("output")).toHaveText("got ping");
  await vscode.theme("dark");
  await vscode.screenshot("host-dark");
  await vscode.theme("high contrast");
  await vscode.settings({ "editor.codeLens": false });
  await expect(vscode.editors.tab("Mini Page")).toBeHidden();
  await expect(vscode.editors.lens(/^Run/)).toHaveCount(0);
});

test.describe("installation", () => {
  test("of two builders at once one wins, what an interrupted one left is cleared, older recipes go", async () => {
    const root = await mkdtemp(join(tmpdir(), "forewatch-install-"));
    try {
      const install = (recipe: string, content: string) =>
        installOnce({ name: "thing", recipe, root, build: (temp) => writeFile(join(temp, "content"), content) });
      // No process has this id: Linux's ids end at 2^22.
      await mkdir(join(root, "building-99999999-dead"));
      const both = await Promise.all([install("1", "a"), install("1", "b")]);
      expect(both[0].dir).toBe(both[1].dir);
      expect(await readdir(root)).toEqual([basename(both[0].dir)]);
      expect(await readFile(join(both[0].dir, "content"), "utf8")).toMatch(/^[ab]$/);
      expect((await install("1", "c")).fresh).toBe(false);

      const fails = installOnce({
        name: "thing",
        recipe: "2",
        root,
        build: async (temp) => {
          await writeFile(join(temp, "content"), "half");
          throw new Error("interrupted");
        },
      });
      await expect(fails).rejects.toMatchObject({ name: "HostFault", code: "host.install" });
      expect(await readdir(root)).toEqual([basename(both[0].dir)]);
      const next = await install("2", "d");
      expect(next.fresh).toBe(true);
      expect(await readdir(root)).toEqual([basename(next.dir)]);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});

test.describe("processes", () => {
  test("a stopped server leaves nothing behind, and extensions are deactivated", async ({ page, folder }) => {
    const events = join(folder, "events.txt");
    const server = await startServer({ extensions: [MINI], folder, env: { MINI_EVENTS: events } });
    await page.goto(server.url());
    await expect.poll(() => readLines(events)).toContain("activated");
    expect((await groupMembers(server.pid)).length).toBeGreaterThan(2);
    await server.stop();
    expect(await groupMembers(server.pid)).toEqual([]);
    expect(await readLines(events)).toContain("deactivated");
    await expect(readFile(join(server.dataDir, "data/User/settings.json"))).rejects.toThrow("ENOENT");
  });

  test("a server ends with the process that started it, however that ends", async ({ page, folder }) => {
    const events = join(folder, "events.txt");
    const starter = spawn(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        `import { startServer } from ${JSON.stringify(path("../support/host/index.mjs"))};
         const server = await startServer({ extensions: [${JSON.stringify(MINI)}], folder: ${JSON.stringify(folder)} });
         console.log(JSON.stringify({ pid: server.pid, url: server.url() }));`,
      ],
      { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, MINI_EVENTS: events } },
    );
    const { pid, url } = JSON.parse(await firstLine(starter)) as { pid: number; url: string };
    await page.goto(url);
    await expect.poll(() => readLines(events)).toContain("activated");
    starter.kill("SIGKILL");
    await expect.poll(() => groupMembers(pid)).toEqual([]);
  });
});

test.describe("launcher", () => {
  for (const { end, code } of [
    { end: "pass", code: 0 },
    { end: "fail", code: 1 },
    { end: "hang", code: 124 },
  ]) {
    test(`hands back ${code} for a suite that is to ${end}`, async ({ folder }) => {
      const artifacts = await mkdtemp(join(tmpdir(), "forewatch-artifacts-"));
      const launcher = spawn(
        path("../support/host/launcher.mjs"),
        [folder, `--extensionDevelopmentPath=${MINI}`, `--extensionTestsPath=${join(MINI, "suite/ends.js")}`],
        {
          env: {
            ...process.env,
            MINI_END: end,
            FOREWATCH_TEST_TIMEOUT: end === "hang" ? "20" : "100",
            FOREWATCH_TEST_ARTIFACTS: artifacts,
          },
        },
      );
      let output = "";
      for (const stream of [launcher.stdout, launcher.stderr]) stream.on("data", (chunk) => (output += chunk));
      expect(await new Promise((done) => launcher.once("close", done)), output).toBe(code);
      // On a slow machine the time may be up before the suite has begun; it is up all the same.
      if (end !== "hang") expect(output).toMatch(new RegExp(`suite: ${end}, VS Code 1\\.\\d+\\.\\d+, 1 folder`));
      if (end === "fail") expect(output).toContain("failed on purpose");
      if (end === "hang") {
        const picture = /showed: (.+\.png)/.exec(output)?.[1] ?? "";
        expect((await readFile(picture)).subarray(1, 4).toString()).toBe("PNG");
      }
      await rm(artifacts, { recursive: true });
    });
  }
});

test("a desktop VS Code is started if there is one, and missed in plain words if not", async ({ folder }) => {
  const before = process.env.FOREWATCH_VSCODE;
  try {
    process.env.FOREWATCH_VSCODE = path("fixtures/desktop-that-refuses.sh");
    expect(await findDesktop()).toBe(process.env.FOREWATCH_VSCODE);
    await expect(startDesktop({ folder, extensions: [MINI] })).rejects.toMatchObject({
      code: "host.desktop",
      cause: expect.stringContaining(`--new-window --extensionDevelopmentPath=${MINI} ${folder}`),
    });
  } finally {
    if (before === undefined) delete process.env.FOREWATCH_VSCODE;
    else process.env.FOREWATCH_VSCODE = before;
  }
});

const readLines = (file: string) =>
  readFile(file, "utf8").then(
    (text) => text.split("\n"),
    () => [] as string[],
  );

async function firstLine(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout!) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0]!;
}
