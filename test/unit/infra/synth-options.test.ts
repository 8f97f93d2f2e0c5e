/** The command line of `npm run synth`: what it asks for, and what is told of one that it does not take. */
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkBucket } from "../../../infra/synth/checks.ts";
import { Misuse, readOptions } from "../../../infra/synth/options.ts";
import { Fault } from "../../../src/core/fault.ts";

const FOLDER = resolve("/typed/here");
const LEAST = ["a.pipeline.json", "--out", "stack"];
const ARN = "arn:aws:ssm-contacts:eu-west-1:111111111111:contact/on-call";

/** What is thrown at the options. */
function refused(...args: string[]): Fault {
  try {
    readOptions(args, FOLDER);
  } catch (error) {
    return Fault.from(error);
  }
  throw new Error(`${args.join(" ")} is taken`);
}

test("paths are of the folder that they were typed in", () => {
  const there = resolve("/elsewhere/connector.jar");
  expect(readOptions([...LEAST, "--groups", "../g.txt", "--jar", there], FOLDER)).toEqual({
    file: join(FOLDER, "a.pipeline.json"),
    out: join(FOLDER, "stack"),
    groups: resolve(FOLDER, "../g.txt"),
    jar: there,
    contacts: [],
    keepData: true,
    rate: 10,
    recordBytes: 300,
    fetch: false,
  });
});

test("values are taken behind a space or a sign, and one that looks like an option behind a sign alone", () => {
  const options = readOptions([...LEAST, "--region=eu-west-1", "--target", "live", "--email=-@example.org"], FOLDER);
  expect(options).toMatchObject({ region: "eu-west-1", target: "live", email: "-@example.org" });
});

test("contacts are several, each once", () => {
  const other = `${ARN}-2`;
  const args = [...LEAST, "--contact", ARN, "--contact", other, "--contact", ARN];
  expect(readOptions(args, FOLDER)?.contacts).toEqual([ARN, other]);
});

test.each([[["--help"]], [["-h"]], [[...LEAST, "--help"]]])("%j asks for help", (args) => {
  expect(readOptions(args, FOLDER)).toBeUndefined();
});

describe("is told what cannot be understood", () => {
  test.each([
    [["--bogus"], "There is no option --bogus.", "See which there are."],
    [["--buckets", "x"], "There is no option --buckets.", "Did you mean --bucket?"],
    [["--no-fetch"], "There is no option --no-fetch.", ""],
    [["-o", "x"], "There is no option -o.", ""],
    [["--constructor", "x"], "There is no option --constructor.", ""],
    [["--region"], "--region needs a value.", "Write it behind --region."],
    [["--region", ""], "--region needs a value.", ""],
    [["--bucket="], "--bucket needs a value.", ""],
    [["--region", "--fetch"], "--region needs a value, and --fetch looks like an option.", "Write --region=--fetch"],
    [["--fetch=yes"], "--fetch takes no value.", "Write --fetch alone."],
    [["--target", "a", "--target", "b"], "--target is given twice: a and b.", "Give it once."],
    [["b.pipeline.json"], "There is more than one pipeline file: a.pipeline.json, b.pipeline.json.", '"--" between'],
    [["--fetch", "--jar", "x.jar"], "--jar and --fetch both say where the connector comes from.", "Give one of them."],
  ])("%j", (more, message, next) => {
    const fault = refused(...LEAST, ...more);
    expect(fault).toBeInstanceOf(Misuse);
    expect(fault).toMatchObject({ code: "input.invalid", message });
    expect(fault.next).toContain(next);
  });

  test.each([
    [["a.pipeline.json"], "There is no --out."],
    [["--out", "x"], "There is no pipeline file."],
  ])("%j", (args, message) => {
    expect(refused(...args)).toMatchObject({ message });
    expect(refused(...args)).toBeInstanceOf(Misuse);
  });
});

describe("is told which value cannot be, by the option's name", () => {
  test.each([
    [["--bucket", "ab"], '--bucket is "ab"; the name of a bucket has 3 to 63 characters.'],
    [["--bucket", "a".repeat(64)], "has 3 to 63 characters."],
    [["--bucket", "My_Code"], "has lower-case letters, digits, dots and hyphens alone."],
    [["--bucket", "s3://code"], "has lower-case letters, digits, dots and hyphens alone."],
    [["--bucket", "code\n"], "has lower-case letters, digits, dots and hyphens alone."],
    [["--bucket=-code"], "begins and ends with a letter or a digit."],
    [["--bucket", "code."], "begins and ends with a letter or a digit."],
    [["--bucket", "co..de"], "has no two dots beside each other."],
    [["--bucket", "192.168.5.4"], "does not look like an IP address."],
    [["--bucket", "xn--code"], "does not begin with"],
    [["--bucket", "code--x-s3"], "does not end with"],
    [["--region", "constructor"], '--region is "constructor", which is no region.'],
    [["--region", "EU-West-1"], "--region is"],
    [["--email", "ops"], '--email is "ops", which is no address.'],
    [["--email", "ops@host"], "--email is"],
    [["--email", "Ops <ops@example.org>"], "--email is"],
    [["--email", "a@example.org,b@example.org"], "--email is"],
    [["--contact", "ops@example.org"], '--contact is "ops@example.org", which is no ARN of a contact'],
    [["--contact", "arn:aws:sns:eu-west-1:111111111111:topic"], "--contact is"],
    [["--contact", "arn:aws:ssm-contacts:eu-west-1:1:contact/on-call"], "--contact is"],
    [[1, 2, 3, 4, 5, 6].flatMap((n) => ["--contact", `${ARN}-${n}`]), "an incident engages 5 at most."],
    [["--rate", "0"], '--rate is "0"; it must be a number above 0.'],
    [["--rate", "0x10"], "--rate is"],
    [["--rate", "Infinity"], "--rate is"],
    [["--record-bytes=-5"], '--record-bytes is "-5"'],
    [["--groups-count", "2.5"], '--groups-count is "2.5"; it must be a whole number above 0.'],
  ])("%j", (more, words) => {
    const fault = refused(...LEAST, ...more);
    expect(fault).not.toBeInstanceOf(Misuse);
    expect(fault.code).toBe("input.invalid");
    expect(fault.message).toContain(words);
  });

  test.each([
    "abc",
    "a1.b-2",
    "forewatch-artifacts-artifactsbucket-1abc2def3ghi4",
    "1.2.3.4.5",
    "my--bucket",
  ])("the bucket %s can be", (name) => {
    expect(checkBucket(name)).toBe(name);
  });

  test("a bucket's name that is taken means nothing to a shell, a template or an address", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."ab1-.$'\"\n/ A_"), minLength: 2, maxLength: 8 }), (name) => {
        let taken = true;
        try {
          checkBucket(name);
        } catch {
          taken = false;
        }
        expect(taken).toBe(/^[ab1][ab1.-]+[ab1]$/.test(name) && !name.includes("..") && !name.endsWith("\n"));
      }),
    );
  });
});
