/** The command line of `npm run synth`: what it takes, and what each option may be. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Fault } from "../../src/core/fault.ts";
import { nearest } from "../../src/core/spec.ts";
import { checkBucket, checkContact, checkEmail, checkRegion, MOST_CONTACTS, positive, whole } from "./checks.ts";

export const USAGE = `Usage: npm run synth -- <name>.pipeline.json --out DIR [options]

  --out DIR            where to write; what an earlier run wrote there is replaced, and nothing else
  --target NAME        which of the file's targets (default: the first)
  --region REGION      default: the target's, else us-east-1
  --incidents KIND     incident-manager or ops-center (default: the target's, else ops-center)
  --contact ARN        whom an incident of Incident Manager engages; may be given several times
  --bucket NAME        the bucket of code (default: a name to be replaced)
  --email ADDRESS      address that alarms mail to
  --discard-data       let the lake and its key go with the stack (default: they outlive it)
  --groups FILE        the groups of fields without listed values: a line each with | between the values, or a JSON list
  --groups-count N     how many groups there will be, for the cost alone (default: as many as --groups has, else 10);
                       those of --groups have alarms, the others are measured
  --rate N             records a second, for the cost (default 10)
  --record-bytes N     bytes of a record, for the cost (default 300)
  --fetch              fetch the Kinesis connector of Flink with Maven, and put it into the application's archive
  --jar FILE           the connector as a file, to put there instead of fetching it
`;

const TYPES = {
  out: { type: "string" },
  target: { type: "string" },
  region: { type: "string" },
  incidents: { type: "string" },
  contact: { type: "string", multiple: true },
  bucket: { type: "string" },
  email: { type: "string" },
  "discard-data": { type: "boolean" },
  groups: { type: "string" },
  "groups-count": { type: "string" },
  rate: { type: "string" },
  "record-bytes": { type: "string" },
  jar: { type: "string" },
  fetch: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

type Name = keyof typeof TYPES;

/** What was asked for. Paths are absolute. */
export interface Options {
  /** The pipeline file. */
  readonly file: string;
  readonly out: string;
  readonly target?: string;
  readonly region?: string;
  readonly incidents?: string;
  /** ARNs. */
  readonly contacts: readonly string[];
  readonly bucket?: string;
  readonly email?: string;
  readonly keepData: boolean;
  /** The file of groups. */
  readonly groups?: string;
  readonly groupsCount?: number;
  /** Records a second. */
  readonly rate: number;
  readonly recordBytes: number;
  readonly jar?: string;
  readonly fetch: boolean;
}

/** A command line that cannot be told what it asks for, as opposed to one that asks for what cannot be. */
export class Misuse extends Fault {
  constructor(message: string, next: string) {
    super("input.invalid", message, { next });
  }
}

/**
 * The options of a command line; undefined when it asks for help. Relative paths are of `folder`.
 * @throws Misuse when it is not one of this command's; Fault `input.invalid` when a value cannot be.
 */
export function readOptions(args: readonly string[], folder: string): Options | undefined {
  const { files, given } = readLine(args);
  if (given.has("help")) return undefined;
  const one = (name: Name) => given.get(name)?.[0];
  const path = (name: Name) => {
    const text = one(name);
    return text === undefined ? undefined : resolve(folder, text);
  };
  const [file] = files;
  if (file === undefined) throw new Misuse("There is no pipeline file.", "Name one.");
  if (files.length > 1) {
    throw new Misuse(
      `There is more than one pipeline file: ${files.join(", ")}.`,
      'Name one, with "--" between "npm run synth" and it, without which npm takes the options for its own.',
    );
  }
  const out = path("out");
  if (out === undefined) throw new Misuse("There is no --out.", "Say where to write.");
  if (given.has("jar") && given.has("fetch"))
    throw new Misuse("--jar and --fetch both say where the connector comes from.", "Give one of them.");
  return defined<Options>({
    file: resolve(folder, file),
    out,
    target: one("target"),
    region: checked(one("region"), checkRegion),
    incidents: one("incidents"),
    contacts: checkContacts(given.get("contact") ?? []),
    bucket: checked(one("bucket"), checkBucket),
    email: checked(one("email"), checkEmail),
    keepData: !given.has("discard-data"),
    groups: path("groups"),
    groupsCount: checked(one("groups-count"), (text) => whole(text, "--groups-count")),
    rate: positive(one("rate") ?? "10", "--rate"),
    recordBytes: positive(one("record-bytes") ?? "300", "--record-bytes"),
    jar: path("jar"),
    fetch: given.has("fetch"),
  });
}

/** The files, and the options with their values, none for those that take none. @throws Misuse */
function readLine(args: readonly string[]): { files: string[]; given: Map<Name, string[]> } {
  // Node's own words for what it does not take are about its interface, so it takes all, and what is wrong is told here.
  const { tokens } = parseArgs({
    args: [...args],
    options: TYPES,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const files: string[] = [];
  const given = new Map<Name, string[]>();
  for (const token of tokens) {
    if (token.kind === "positional") files.push(token.value);
    if (token.kind !== "option") continue;
    const { rawName, value, inlineValue } = token;
    if (!isName(token.name)) throw unknown(rawName);
    const { type } = TYPES[token.name];
    if (type === "boolean" && value !== undefined)
      throw new Misuse(`${rawName} takes no value.`, `Write ${rawName} alone.`);
    if (type === "string") checkValue(rawName, value, inlineValue === true);
    const before = given.get(token.name);
    if (before && type === "string" && token.name !== "contact")
      throw new Misuse(`${rawName} is given twice: ${before[0]} and ${value}.`, "Give it once.");
    given.set(token.name, [...(before ?? []), ...(value === undefined ? [] : [value])]);
  }
  return { files, given };
}

function checkValue(option: string, value: string | undefined, inline: boolean): void {
  if (value === undefined || value === "") throw new Misuse(`${option} needs a value.`, `Write it behind ${option}.`);
  if (!inline && value.length > 1 && value.startsWith("-"))
    throw new Misuse(
      `${option} needs a value, and ${value} looks like an option.`,
      `Write ${option}=${value} to mean it.`,
    );
}

function isName(name: string): name is Name {
  return Object.hasOwn(TYPES, name);
}

function unknown(option: string): Misuse {
  const near = nearest(option.replace(/^-+/, ""), Object.keys(TYPES));
  return new Misuse(
    `There is no option ${option}.`,
    near === undefined ? "See which there are." : `Did you mean --${near}?`,
  );
}

function checkContacts(contacts: readonly string[]): readonly string[] {
  for (const contact of contacts) checkContact(contact);
  if (new Set(contacts).size <= MOST_CONTACTS) return [...new Set(contacts)];
  throw new Fault(
    "input.invalid",
    `--contact is given for ${contacts.length}; an incident engages ${MOST_CONTACTS} at most.`,
    {
      next: "Give an escalation plan, which engages several.",
    },
  );
}

function checked<T>(text: string | undefined, check: (text: string) => T): T | undefined {
  return text === undefined ? undefined : check(text);
}

/** Without the properties that are undefined. */
function defined<T extends object>(values: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
