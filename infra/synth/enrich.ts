/** The user's enrich module as the one file that goes with the functions: beside their code lies no folder of modules. */
import { extname } from "node:path";
import { type BuildFailure, type BuildOptions, type BuildResult, build, type Loader } from "esbuild";
import { Fault } from "../../src/core/fault.ts";

export interface EnrichModule {
  /** The module's text; without it, there is none. */
  readonly enrich?: string;
  /** Its folder, from which its imports are found; without it, it may import Node's own modules alone. */
  readonly enrichFolder?: string;
  /** Its file's name, whose ending says what it is written in; default `enrich.mjs`. */
  readonly enrichName?: string;
}

/** How both the handlers and the user's module are bundled: one file each, for the functions' Node. */
export const BUNDLE = {
  bundle: true,
  platform: "node",
  target: "node22",
  format: "esm",
  legalComments: "none",
  write: false,
  // Packages that are CommonJS ask for `require`. What it is made with has a name that no module uses for its own.
  banner: {
    js: 'import{createRequire as __forewatchRequire}from"node:module";const require=__forewatchRequire(import.meta.url);',
  },
} as const;

const TYPESCRIPT = [".ts", ".mts", ".cts"];

/**
 * The module with all that it imports, as a file of an archive; undefined where there is none.
 * @throws Fault `enrich.failed` when it cannot be bundled, or exports nothing by default.
 */
export async function bundleEnrich(module: EnrichModule): Promise<Uint8Array | undefined> {
  if (module.enrich === undefined) return undefined;
  const { outputFiles, metafile } = await bundled(module.enrich, module);
  const [output] = Object.values(metafile!.outputs);
  if (output!.exports.includes("default")) return outputFiles![0]!.contents;
  const { enrichName = "enrich.mjs" } = module;
  const others = output!.exports.length > 0 ? `, only ${output!.exports.join(", ")}` : "";
  throw new Fault("enrich.failed", `${enrichName} exports nothing by default${others}.`, {
    next: "Write export default (event) => event.",
  });
}

/**
 * What will not work there, as far as the bundle shows it without being run: it is no part of this command to run a user's code.
 */
export function enrichWarnings(bundle: Uint8Array): string[] {
  const text = new TextDecoder().decode(bundle).slice(BUNDLE.banner.js.length);
  const names = namesOfDefault(text);
  const isOne = (written: (name: string) => string) =>
    names.some((name) => new RegExp(`(^|[^\\w$.])(${written(name)})`).test(text));
  return [
    ...(isOne((name) => `async function[ *]${name}\\(|(var|let|const) ${name}=async\\b`)
      ? ["The enrich module's function is async: each event would be rejected. It must be a plain function."]
      : []),
    ...(isOne((name) => `class ${name}[ {]|(var|let|const) ${name}=class\\b`)
      ? ["The enrich module exports a class by default: each event would be rejected. It must be a plain function."]
      : []),
    ...(/\bimport\.meta\.(url|dirname|filename)\b|\b__(dirname|filename)\b/.test(text)
      ? [
          "The enrich module, or a package that it imports, asks for the folder it lies in: files there do not go with it, unless it imports them.",
        ]
      : []),
  ];
}

/** The names of what is exported by default, in a regular expression's words: the export's own, and the one it stands for. */
function namesOfDefault(text: string): string[] {
  const escaped = (name: string) => name.replaceAll("$", "\\$");
  const [, name] = /\bexport\{(?:[^}]*,)?([\w$]+) as default\b/.exec(text) ?? [];
  if (name === undefined) return [];
  const [, other] = new RegExp(`\\bvar ${escaped(name)}=([\\w$]+);`).exec(text) ?? [];
  return [name, ...(other === undefined ? [] : [other])].map(escaped);
}

async function bundled(
  contents: string,
  { enrichFolder, enrichName = "enrich.mjs" }: EnrichModule,
): Promise<BuildResult> {
  const loader: Loader = TYPESCRIPT.includes(extname(enrichName)) ? "ts" : "js";
  const options: BuildOptions = {
    ...BUNDLE,
    // Names stay, because errors of the user's are told with them; comments would tell of this machine's folders.
    minifyWhitespace: true,
    logLevel: "silent",
    metafile: true,
    stdin: {
      contents,
      sourcefile: enrichName,
      loader,
      ...(enrichFolder !== undefined && { resolveDir: enrichFolder }),
    },
    ...(enrichFolder !== undefined && { absWorkingDir: enrichFolder }),
  };
  try {
    return await build(options);
  } catch (error) {
    const [first] = (error as Partial<BuildFailure>).errors ?? [];
    const line = first?.location ? ` (line ${first.location.line} of ${first.location.file})` : "";
    throw new Fault("enrich.failed", `The enrich module cannot be bundled: ${first?.text ?? String(error)}${line}.`, {
      cause: error,
      next: "Correct it, or install what it imports beside it, and try again.",
    });
  }
}
