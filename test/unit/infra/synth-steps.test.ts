/** The commands that `npm run synth` prints, pasted into real shells with an `aws` that writes down how it was called. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { steps, type Written } from "../../../infra/synth/steps.ts";

const base = mkdtempSync(join(tmpdir(), "forewatch-steps-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
/** A line a call: its words, each before a NUL. Asked for the identity, it answers with $ANSWER. */
const AWS = `#!/bin/sh
printf '%s\\0' "$@" >> "$CALLS"
echo >> "$CALLS"
case "$1 $2" in
  "sts get-caller-identity") test -n "$ANSWER" && echo "$ANSWER";;
  "kinesisanalyticsv2 describe-application") echo 7;;
  "cloudformation describe-stacks") echo arn:aws:states:eu-west-1:1:stateMachine:x;;
esac
`;
const bin = join(base, "bin");
mkdirSync(bin);
writeFileSync(join(bin, "aws"), AWS);
chmodSync(join(bin, "aws"), 0o755);

const WRITTEN: Written = {
  stackName: "fw-shops",
  out: "/tmp/out",
  region: "eu-west-1",
  account: "111111111111",
  profile: undefined,
  bucket: "code-1",
  connector: true,
  keys: ["functions/enrich-1.zip", "flink/windows-1.zip", "templates/Rule-1.json"],
  email: undefined,
};

/** The commands of the steps. */
function commands(written: Written): string[] {
  return steps(written).flatMap((line) => (line.startsWith("  ") ? [line.trim()] : []));
}

let runs = 0;

/** Pastes these lines into a shell; what it said, and the words of each call of `aws`. */
function paste(shell: string, lines: readonly string[], answer = "111111111111") {
  const calls = join(base, `calls-${++runs}`);
  writeFileSync(calls, "");
  const said = spawnSync(shell, ["-s"], {
    input: `${lines.join("\n")}\n`,
    encoding: "utf8",
    env: { PATH: `${bin}${delimiter}${process.env.PATH}`, HOME: "/home/x", CALLS: calls, ANSWER: answer },
  });
  const words = readFileSync(calls, "utf8").split("\0\n").slice(0, -1);
  return { ...said, calls: words.map((line) => line.split("\0")) };
}

const SHELLS = ["sh", "bash", "zsh"].filter((shell) => spawnSync(shell, ["-c", "true"]).error === undefined);

describe.skipIf(process.platform === "win32").each(SHELLS)("in %s", (shell) => {
  test("the Flink application starts without the state that it has no use for, and has its log where the stack cannot give it", () => {
    const { stderr, calls } = paste(shell, commands({ ...WRITTEN, region: "ca-west-1" }));
    expect(stderr).toBe("");
    const attached = calls.find(([, verb]) => verb === "add-application-cloud-watch-logging-option")!;
    expect(attached).toContain("LogStreamARN=arn:aws:states:eu-west-1:1:stateMachine:x");
    expect(attached[attached.indexOf("--current-application-version-id") + 1]).toBe("7");
    const verbs = calls.map(([, verb]) => verb!);
    expect(verbs.indexOf("start-application")).toBeGreaterThan(verbs.indexOf(attached[1]!));
    const started = calls.find(([, verb]) => verb === "start-application")!;
    expect(JSON.parse(started[started.indexOf("--run-configuration") + 1]!)).toEqual({
      FlinkRunConfiguration: { AllowNonRestoredState: true },
    });
    const elsewhere = paste(shell, commands(WRITTEN)).calls.map(([, verb]) => verb);
    expect(elsewhere).not.toContain("add-application-cloud-watch-logging-option");
  });

  test.each(["a b", "a'b", '$(touch "x")`id`', "a\\b!c", "~", "*;&|<>"])("%j stays one word", (odd) => {
    const out = `/tmp/${odd}`;
    const written = { ...WRITTEN, out, profile: odd, region: odd, bucket: odd, keys: [`functions/${odd}.zip`] };
    const { stderr, calls } = paste(shell, commands(written));
    expect(stderr).toBe("");
    expect(calls.map(([service, verb]) => `${service} ${verb}`)).toEqual([
      "sts get-caller-identity",
      "cloudformation deploy",
      "s3 cp",
      "cloudformation deploy",
      "kinesisanalyticsv2 start-application",
      "cloudformation describe-stacks",
      "stepfunctions start-execution",
    ]);
    for (const call of calls) expect(call.slice(-4)).toEqual(["--region", odd, "--profile", odd]);
    const copy = calls[2]!;
    const included = ["--recursive", "--exclude", "*", "--include", `functions/${odd}.zip`];
    expect(copy.slice(2, 9)).toEqual([out, `s3://${odd}/`, ...included]);
    expect(calls[1]).toContain(`${out}/artifacts-template.json`);
    expect(calls[3]!.slice(4, 8)).toEqual(["--template-file", `${out}/template.json`, "--s3-bucket", odd]);
    expect(calls[6]).toContain('{"requestedBy":"person"}');
  });

  test("the account that is meant is let pass", () => {
    const { status, stdout, stderr } = paste(shell, commands(WRITTEN).slice(0, 1));
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: "Account 111111111111 answers: go on.\n",
      stderr: "",
    });
  });

  test.each(["222222222222", "", "1", "*"])("the account %j fails, and the shell goes on", (answer) => {
    const [identify] = commands(WRITTEN);
    const failed = paste(shell, [identify!], answer);
    expect(failed.status).toBe(1);
    expect(failed.stdout).toBe("");
    expect(failed.stderr).toMatch(/^Stop here: another account answers, or none\. Sign in to 111111111111/);
    expect(paste(shell, [identify!, "echo still here"], answer).stdout).toBe("still here\n");
  });
});

test("the code is put there by its names, and nothing else that lies in the folder", () => {
  const copy = commands(WRITTEN)[2]!;
  expect(copy).toBe(
    'aws s3 cp /tmp/out s3://code-1/ --recursive --exclude "*" --include functions/enrich-1.zip --include flink/windows-1.zip --include templates/Rule-1.json --region eu-west-1',
  );
});
