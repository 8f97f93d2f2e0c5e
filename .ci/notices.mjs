// The notices of third-party software inside a VSIX: each package that went into the bundles or lies beside them, with its
// version, its licence's name and its licence's text.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * The notices as one text.
 *
 * @param {string} root the repository's root
 * @param {{ inputs: readonly string[], packages: readonly string[] }} from `inputs`: the bundles' source files, relative to the
 * root; `packages`: names of packages that are shipped whole
 * @returns {Promise<string>}
 */
export async function thirdPartyNotices(root, { inputs, packages }) {
  const places = new Set(packages.map((name) => join("node_modules", name)));
  for (const input of inputs) {
    // The innermost package counts: one may hold its own copy of another.
    const place = /^((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input.replaceAll("\\", "/"))?.[1];
    if (place) places.add(place);
  }
  const notices = await Promise.all([...places].map((place) => notice(join(root, place))));
  const unique = new Map(notices.map((each) => [each.head, each.text]));
  const sections = [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([head, text]) => `${head}\n\n${text}`);
  const line = "-".repeat(80);
  return [`Forewatch contains the following third-party software.`, ...sections].join(`\n\n${line}\n\n`).concat("\n");
}

/** A package's name, version and licence, and the texts that go with it. */
async function notice(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).sort();
  if (files.length === 0 && !license) throw new Error(`${name} ${version} says nothing of its licence.`);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  const named = typeof license === "string" ? license : (license?.type ?? "see below");
  const text = texts.length > 0 ? texts.map((each) => each.trim()).join("\n\n") : `Licensed under ${named}.`;
  return { head: `${name} ${version} (${named})`, text };
}
