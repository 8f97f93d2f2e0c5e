import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  COMMANDS,
  CONTEXT_KEYS,
  EXPLORER_FACES,
  NODE_CONTEXTS,
  PAST_CONTEXT,
  SETTINGS,
  VIEWS,
} from "../../../src/ui/ids.ts";

interface Item {
  readonly command: string;
  readonly when?: string;
}
interface Manifest {
  readonly icon: string;
  readonly activationEvents: readonly string[];
  readonly contributes: {
    readonly commands: readonly {
      readonly command: string;
      readonly title: string;
      readonly category: string;
      readonly enablement?: string;
    }[];
    readonly menus: Readonly<Record<string, readonly Item[]>>;
    readonly keybindings: readonly (Item & { readonly key: string; readonly mac: string })[];
    readonly views: Readonly<Record<string, readonly { readonly id: string; readonly icon: string }[]>>;
    readonly viewsContainers: Readonly<Record<string, readonly { readonly id: string; readonly icon: string }[]>>;
    readonly viewsWelcome: readonly { readonly view: string; readonly contents: string; readonly when: string }[];
    readonly configuration: {
      readonly properties: Readonly<Record<string, { readonly default: unknown; readonly description: string }>>;
    };
    readonly jsonValidation: readonly { readonly url: string }[];
    readonly walkthroughs: readonly {
      readonly steps: readonly {
        readonly description: string;
        readonly media: { readonly markdown: string };
        readonly completionEvents: readonly string[];
      }[];
    }[];
  };
}

const root = new URL("../../../", import.meta.url);
const { contributes, ...manifest } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as Manifest;
const ids: readonly string[] = Object.values(COMMANDS);
const items = [...Object.values(contributes.menus).flat(), ...contributes.keybindings];
const whens = [
  ...items.map((item) => item.when ?? ""),
  ...contributes.commands.map((command) => command.enablement ?? ""),
  ...contributes.viewsWelcome.map((welcome) => welcome.when),
];

test("the manifest contributes exactly the commands of the table, each once", () => {
  expect(contributes.commands.map((c) => c.command).sort()).toEqual([...ids].sort());
});

test("every command reads as one of Forewatch's, in title case", () => {
  for (const { category, title } of contributes.commands) {
    expect(category).toBe("Forewatch");
    expect(title).toMatch(/^[A-Z][\w-]*( [A-Z][\w-]*)*…?$/);
  }
});

test("menus and key bindings name commands that exist", () => {
  for (const { command } of items) expect(ids).toContain(command);
});

test("conditions read context keys and tree items that the code sets", () => {
  const keys = new Set(whens.flatMap((when) => when.match(/\bforewatch\.[a-zA-Z]+\b/g) ?? []));
  for (const key of keys) expect([...CONTEXT_KEYS, ...Object.values(VIEWS)]).toContain(key);
  const named = whens.flatMap((when) => [...when.matchAll(/viewItem (?:== (\w+)|=~ \/\^(.+?)\$\/)/g)]);
  const patterns = named.map(([, exact, pattern]) => new RegExp(`^${exact ?? pattern}$`));
  expect(patterns.length).toBeGreaterThan(20);
  for (const pattern of patterns)
    expect(
      [...NODE_CONTEXTS, PAST_CONTEXT].some((context) => pattern.test(context)),
      `${pattern}`,
    ).toBe(true);
});

test("every face of the explorer but the tree itself has its welcome view, and the other way round", () => {
  const welcomes = contributes.viewsWelcome.filter((w) => w.view === VIEWS.explorer);
  const faces = welcomes.map((w) => /^forewatch\.explorer == (\w+)$/.exec(w.when)?.[1]);
  expect(faces.sort()).toEqual(EXPLORER_FACES.filter((face) => face !== "ready").sort());
  expect(new Set(contributes.viewsWelcome.map((w) => w.view))).toEqual(new Set([VIEWS.explorer, VIEWS.history]));
});

test("links in welcome views and the walkthrough lead to commands that exist", () => {
  const texts = [
    ...contributes.viewsWelcome.map((w) => w.contents),
    ...contributes.walkthroughs.flatMap((w) => w.steps.map((s) => s.description)),
  ];
  const links = texts.flatMap((text) => [...text.matchAll(/\(command:([\w.]+)\)/g)].map((match) => match[1]!));
  expect(links.length).toBeGreaterThan(5);
  for (const id of links)
    expect([...ids, "vscode.openFolder", "workbench.trust.manage", `${VIEWS.explorer}.focus`]).toContain(id);
});

test("the views of the table are contributed", () => {
  const views = Object.values(contributes.views).flat();
  expect(views.map((v) => v.id).sort()).toEqual(Object.values(VIEWS).sort());
});

test("the settings of the table are contributed, with defaults and descriptions", () => {
  const { properties } = contributes.configuration;
  expect(Object.keys(properties).sort()).toEqual(SETTINGS.map((name) => `forewatch.${name}`).sort());
  for (const property of Object.values(properties)) {
    expect(property.default).not.toBeUndefined();
    expect(property.description).toMatch(/\.$/);
  }
});

test("every file that the manifest names is there", () => {
  const files = [
    manifest.icon,
    ...Object.values(contributes.viewsContainers).flatMap((list) => list.map((c) => c.icon)),
    ...Object.values(contributes.views).flatMap((list) => list.map((v) => v.icon)),
    ...contributes.jsonValidation.map((v) => v.url),
    ...contributes.walkthroughs.flatMap((w) => w.steps.map((s) => s.media.markdown)),
  ];
  for (const file of files) expect(existsSync(new URL(file, root)), file).toBe(true);
});

test("key bindings differ on a Mac by its command key only, and none is given twice", () => {
  for (const { key, mac } of contributes.keybindings) expect(mac).toBe(key.replace("ctrl", "cmd"));
  const keys = contributes.keybindings.map((binding) => binding.key);
  expect(new Set(keys).size).toBe(keys.length);
});
