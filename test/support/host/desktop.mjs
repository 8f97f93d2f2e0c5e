/** The desktop VS Code, where one is installed: for `npm start -- --vscode`. */
import { spawn } from "node:child_process";
import { delimiter, join, resolve } from "node:path";
import { HostFault } from "./fault.mjs";
import { exists } from "./packages.mjs";

/**
 * The command-line program of an installed desktop VS Code: the one named by FOREWATCH_VSCODE, else the first on the PATH, else
 * the first where its installers put it.
 * @returns {Promise<string | undefined>}
 */
export async function findDesktop() {
  const { FOREWATCH_VSCODE: named, PATH = "", LOCALAPPDATA, ProgramFiles } = process.env;
  if (named) return named;
  const windows = process.platform === "win32";
  const names = ["code", "code-insiders", "codium"].map((name) => (windows ? `${name}.cmd` : name));
  const candidates = PATH.split(delimiter).flatMap((folder) => (folder ? names.map((name) => join(folder, name)) : []));
  if (windows) {
    for (const base of [LOCALAPPDATA && join(LOCALAPPDATA, "Programs"), ProgramFiles]) {
      if (base) candidates.push(join(base, "Microsoft VS Code", "bin", "code.cmd"));
    }
  } else if (process.platform === "darwin") {
    const bin = "Contents/Resources/app/bin/code";
    for (const base of ["/Applications", join(process.env.HOME ?? "", "Applications")]) {
      candidates.push(join(base, "Visual Studio Code.app", bin), join(base, "Visual Studio Code - Insiders.app", bin));
    }
  }
  for (const candidate of candidates) if (await exists(candidate)) return candidate;
  return undefined;
}

/**
 * Opens a new window of the installed desktop VS Code on `folder`, with the extensions at `extensions` in development.
 * Resolves when the window has been asked for; it then lives on its own.
 *
 * @param {{ folder: string, extensions: readonly string[], args?: readonly string[] }} options `args`: further flags of VS Code
 * @returns {Promise<{ executable: string }>}
 * @throws {HostFault} host.desktop when none is installed, or it refuses to start
 */
export async function startDesktop({ folder, extensions, args = [] }) {
  const executable = await findDesktop();
  if (!executable) {
    throw new HostFault("host.desktop", "No desktop VS Code was found on this machine.", {
      next: "Install it from code.visualstudio.com, name its `code` command in FOREWATCH_VSCODE, or leave out --vscode.",
    });
  }
  const flags = [
    "--new-window",
    ...extensions.map((path) => `--extensionDevelopmentPath=${resolve(path)}`),
    ...args,
    resolve(folder),
  ];
  const ended = await launch(executable, flags);
  if (ended !== 0) {
    throw new HostFault("host.desktop", `The desktop VS Code at ${executable} did not start.`, {
      next: "Start it once by hand to see why, or leave out --vscode.",
      cause: ended,
    });
  }
  return { executable };
}

/** Runs VS Code's command-line program, which returns once the window is asked for: 0, or what it said. */
function launch(executable, flags) {
  // On Windows `code` is a batch file, which only a shell can start.
  const shell = process.platform === "win32";
  const quoted = (text) => (shell ? `"${text}"` : text);
  const child = spawn(quoted(executable), flags.map(quoted), { shell, stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  child.stderr.on("data", (chunk) => {
    complaint = (complaint + chunk).slice(-2000);
  });
  return new Promise((done) => {
    child.once("error", (error) => done(error));
    child.once("close", (code, signal) => done(code === 0 ? 0 : complaint.trim() || `ended with ${code ?? signal}`));
  });
}
