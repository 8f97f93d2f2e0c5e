/** What goes wrong around the editor, and what the user is told: the engine, the workspace, the target. */
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startTestEngine } from "../support/engine-process.ts";
import { expect, test } from "./support/fixtures.ts";
import { withoutOverride } from "./support/privilege.ts";

const ORDERS = fileURLToPath(new URL("./fixtures/orders", import.meta.url));

test.describe("the engine", () => {
  test.use({ template: ORDERS });

  test("killed, slow, a deployment cancelled, a pipeline removed", async ({ vscode, folder }) => {
    const tree = await vscode.tree("Forewatch", "Pipeline");
    await vscode.palette("Forewatch: Deploy Pipeline");
    await vscode.pick(/Deploy$/);
    await tree.item("orders").waitFor();
    await vscode.notifications.clear();
    const first = await enginePid(folder);

    const told = vscode.status("restarting").waitFor();
    process.kill(first, "SIGKILL");
    await told;
    await expect(vscode.status(/orders · local/)).toBeVisible();
    const second = await enginePid(folder);
    expect(second).not.toBe(first);

    await vscode.palette("Forewatch: Preview Deployment");
    const page = await vscode.webview("body[data-page=preview]");
    await expect(page.locator("body")).toContainText("nothing to do");
    process.kill(second, "SIGSTOP");
    try {
      await page.getByRole("button", { name: "Deploy anyway" }).click();
      await expect(page.getByRole("status")).toContainText("Starting");
      await page.getByRole("button", { name: "Cancel" }).click();
      await expect(vscode.status("engine busy")).toBeVisible();
    } finally {
      process.kill(second, "SIGCONT");
    }
    await expect(page.getByRole("status")).toContainText("Cancelled.");
    await expect(vscode.status(/orders · local/)).toBeVisible();
    await expect(vscode.editors.tab("Preview orders")).toBeVisible();

    await vscode.palette("Forewatch: Select Target");
    await vscode.pick("prod");
    await vscode.notifications.shown(/cannot deploy to prod on AWS yet/);
    await expect(vscode.status(/orders · local/)).toBeVisible();
    await vscode.notifications.clear();

    await vscode.palette("Forewatch: Remove Pipeline");
    expect(await vscode.dialog("Remove, Keep Data")).toContain("Remove the pipeline orders from local?");
    await expect(tree.welcome()).toContainText("The pipeline of this workspace is not deployed");
  });

  test("of another version is named, and replaced when the user says so", async ({ vscode, folder }) => {
    // The window was opened before: it joins whatever engine appears on its folder.
    const other = await startTestEngine(folder, { version: "9.9.9" });
    try {
      const tree = await vscode.tree("Forewatch", "Pipeline");
      const toast = await vscode.notifications.shown(/The engine running on this folder is version 9\.9\.9/);
      await expect(toast).toContainText("other windows on this folder then need the same version");
      await expect(vscode.status("engine failed")).toBeVisible();
      await expect(tree.welcome()).toContainText("The engine is not running.");
      await vscode.notifications.press(/is version 9\.9\.9/, "Restart Engine");
      await expect(vscode.status("no pipeline · local")).toBeVisible();
      await other.exited;
    } finally {
      await other.kill();
    }
  });
});

test.describe("the workspace", () => {
  test("without a pipeline, with three, one of them broken", async ({ vscode, folder }) => {
    const tree = await vscode.tree("Forewatch", "Pipeline");
    await expect(tree.welcome()).toContainText("There is no pipeline in this workspace yet");
    await vscode.palette("Forewatch: Deploy Pipeline");
    await vscode.notifications.shown(/There is no pipeline file in this workspace\. Open the sample pipeline, or make/);
    await vscode.notifications.clear();

    const orders = await readFile(join(ORDERS, "orders.pipeline.json"), "utf8");
    const plain = orders.replace(/ {2}"(enrich|sql)": .*\n/g, "");
    for (const name of ["north", "south"]) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, `${name}.pipeline.json`), plain.replace('"orders",', `"${name}",`));
    }
    await writeFile(join(folder, "torn.pipeline.json"), plain.slice(0, 120));
    await expect(tree.welcome()).toContainText("is not deployed");
    // The files are read after a pause: the list is asked for until it has all three.
    await expect(async () => {
      await vscode.page.keyboard.press("Escape");
      await vscode.palette("Forewatch: Deploy Pipeline");
      expect(await vscode.picks()).toEqual(expect.arrayContaining(["north", "south", "torn"]));
    }).toPass();
    await vscode.pick("torn");
    await vscode.notifications.shown(/torn cannot be deployed: /);
    await expect(vscode.editors.tab("torn.pipeline.json")).toBeVisible();
    await expect(vscode.editors.squiggles("error").first()).toBeVisible();
    await vscode.notifications.clear();

    await vscode.editors.open("north.pipeline.json");
    await vscode.editors.lens(/Deploy$/).click();
    await vscode.pick(/Deploy$/);
    await tree.item("north").waitFor();
    await expect(tree.item("south")).toContainText("not deployed");
    await expect(tree.item("torn")).toContainText("has errors");
    await vscode.screenshot("three-pipelines-light");
  });

  test.describe("that is read-only", () => {
    const under = withoutOverride();
    test.use({ template: ORDERS, host: { extensions: [fileURLToPath(new URL("../..", import.meta.url))], under } });

    test("is said to be so, and nothing is started", async ({ vscode, folder }) => {
      test.skip(process.getuid?.() === 0 && under.length === 0, "root writes everywhere, and setpriv is not here");
      await chmod(folder, 0o555);
      try {
        await vscode.palette("Forewatch: Deploy Pipeline");
        await vscode.notifications.shown(
          /The folder .+ is read-only, and the engine keeps its data in it\. Open a folder/,
        );
        expect(await readdir(folder)).not.toContain(".forewatch");
      } finally {
        await chmod(folder, 0o755);
      }
    });
  });

  test.describe("that is not trusted", () => {
    test.use({
      template: ORDERS,
      host: { extensions: [fileURLToPath(new URL("../..", import.meta.url))], workspaceTrust: true },
    });

    test("is shown and checked, but nothing of it runs until it is trusted", async ({ vscode, folder }) => {
      await vscode.dialog("No, I don't trust the authors");
      const tree = await vscode.tree("Forewatch", "Pipeline");
      await expect(tree.welcome()).toContainText("This workspace is not trusted");
      await vscode.editors.open("orders.pipeline.json");
      await vscode.editors.lens(/Deploy$/).click();
      await vscode.notifications.shown(/This workspace is not trusted, so nothing of it is run\. Trust the workspace/);
      expect(await readdir(folder)).toEqual(expect.not.arrayContaining([".forewatch", "enrich-ran.txt"]));
      await vscode.screenshot("untrusted-light");

      await vscode.notifications.press(/This workspace is not trusted/, "Manage Trust");
      await vscode.page.getByRole("button", { name: "Trust", exact: true }).first().click();
      await expect(tree.welcome()).toContainText("is not deployed");
    });
  });
});

async function enginePid(folder: string): Promise<number> {
  const record = JSON.parse(await readFile(join(folder, ".forewatch/engine.json"), "utf8")) as { pid: number };
  return record.pid;
}
