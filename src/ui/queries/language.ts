/** Help while writing SQL: completion, hovers, symbols, folding, renaming of parameters, formatting. */
import * as vscode from "vscode";
import type * as Typing from "../../sql/typing.ts";
import type { Checker } from "./checker.ts";
import { SQL, type SqlDocuments } from "./documents.ts";
import type { Parameters } from "./parameters.ts";

const KINDS: Readonly<Record<Typing.CompletionItem["kind"], vscode.CompletionItemKind>> = {
  table: vscode.CompletionItemKind.Struct,
  relation: vscode.CompletionItemKind.Variable,
  column: vscode.CompletionItemKind.Field,
  function: vscode.CompletionItemKind.Function,
  keyword: vscode.CompletionItemKind.Keyword,
  parameter: vscode.CompletionItemKind.Value,
};

export function registerSqlLanguage(
  documents: SqlDocuments,
  parameters: Parameters,
  checker: Checker,
): vscode.Disposable {
  const selector = [...SQL];
  return vscode.Disposable.from(
    vscode.languages.registerCompletionItemProvider(
      selector,
      { provideCompletionItems: (document, position) => complete(documents, document, position) },
      ".",
      ":",
      " ",
    ),
    vscode.languages.registerHoverProvider(selector, {
      async provideHover(document, position) {
        if (!documents.serves(document)) return undefined;
        const catalogue = await documents.catalogueSoon(document);
        const { hover } = await typing();
        const statements = documents.statements(document);
        const found = hover(document.getText(), document.offsetAt(position), catalogue, statements);
        if (!found) return undefined;
        const range = rangeOf(document, found.offset, found.length);
        return new vscode.Hover(
          new vscode.MarkdownString(found.markdown + valueNote(parameters, document, range)),
          range,
        );
      },
    }),
    vscode.languages.registerSignatureHelpProvider(
      selector,
      {
        async provideSignatureHelp(document, position) {
          if (!documents.serves(document)) return undefined;
          const { signature } = await typing();
          const statements = documents.statements(document);
          const found = signature(document.getText(), document.offsetAt(position), statements);
          return found && signatureHelp(found);
        },
      },
      "(",
      ",",
    ),
    vscode.languages.registerDocumentSymbolProvider(
      selector,
      {
        async provideDocumentSymbols(document) {
          if (!documents.serves(document)) return [];
          const { symbols } = await typing();
          return symbols(documents.statements(document)).map(({ name, detail, offset, length }) => {
            const range = rangeOf(document, offset, length);
            return new vscode.DocumentSymbol(name, detail, vscode.SymbolKind.Function, range, range);
          });
        },
      },
      { label: "Statements" },
    ),
    vscode.languages.registerFoldingRangeProvider(selector, {
      async provideFoldingRanges(document) {
        if (!documents.serves(document)) return [];
        const { folding } = await typing();
        return folding(document.getText()).map(
          ({ start, end, kind }) =>
            new vscode.FoldingRange(start, end, kind === "comment" ? vscode.FoldingRangeKind.Comment : undefined),
        );
      },
    }),
    vscode.languages.registerRenameProvider(selector, renaming(documents, parameters)),
    vscode.languages.registerDocumentFormattingEditProvider(selector, {
      provideDocumentFormattingEdits: (document) =>
        formatted(documents, checker, document, new vscode.Range(0, 0, document.lineCount, 0)),
    }),
    vscode.languages.registerDocumentRangeFormattingEditProvider(selector, {
      provideDocumentRangeFormattingEdits: (document, range) => formatted(documents, checker, document, range),
    }),
  );
}

/** Loads when the first SQL document asks: a bundle of its own. */
function typing(): Promise<typeof Typing> {
  return import("../../sql/typing.ts");
}

async function complete(
  documents: SqlDocuments,
  document: vscode.TextDocument,
  position: vscode.Position,
): Promise<vscode.CompletionItem[]> {
  if (!documents.serves(document)) return [];
  const catalogue = await documents.catalogueSoon(document);
  const services = await typing();
  const word = document.getWordRangeAtPosition(position, /:?[\w$]+|:/) ?? new vscode.Range(position, position);
  const statements = documents.statements(document);
  return services.complete(document.getText(), document.offsetAt(position), catalogue, statements).map((each) => {
    const item = new vscode.CompletionItem(each.label, KINDS[each.kind]);
    if (each.detail !== undefined) item.detail = each.detail;
    if (each.documentation !== undefined) item.documentation = new vscode.MarkdownString(each.documentation);
    if (each.insert !== undefined)
      item.insertText = each.insert.includes("$0") ? new vscode.SnippetString(each.insert) : each.insert;
    // The colon of a parameter is not part of a word elsewhere.
    item.range = each.kind === "parameter" ? word : wordOnly(document, word);
    item.filterText = each.label;
    item.sortText = `${each.rank} ${each.label.toLowerCase()}`;
    return item;
  });
}

function wordOnly(document: vscode.TextDocument, range: vscode.Range): vscode.Range {
  const text = document.getText(range);
  return text.startsWith(":") ? new vscode.Range(range.start.translate(0, 1), range.end) : range;
}

/** The first overload that has an argument more is the one shown. */
function signatureHelp({ signatures, argument }: Typing.SignatureHelp): vscode.SignatureHelp {
  const help = new vscode.SignatureHelp();
  help.signatures = signatures.map(({ label, documentation }) => {
    const information = new vscode.SignatureInformation(label, new vscode.MarkdownString(documentation));
    const open = label.indexOf("(") + 1;
    let at = open;
    information.parameters = label
      .slice(open, label.lastIndexOf(")", label.indexOf(" → ")))
      // Not the commas inside a type, as in map(K, V).
      .split(/, (?![^(]*\))/)
      .map((part) => {
        const from = at;
        at += part.length + 2;
        return new vscode.ParameterInformation([from, from + part.length]);
      });
    return information;
  });
  const fitting = help.signatures.findIndex((s) => s.parameters.length > argument);
  help.activeSignature = Math.max(0, fitting);
  const count = help.signatures[help.activeSignature]?.parameters.length ?? 0;
  // The last parameter of one that takes any number stands for the others.
  help.activeParameter = Math.min(argument, Math.max(0, count - 1));
  return help;
}

/** The value that a parameter has in this file, for its hover. */
function valueNote(parameters: Parameters, document: vscode.TextDocument, range: vscode.Range): string {
  const text = document.getText(range);
  const value = text.startsWith(":") ? parameters.of(document.uri)[text.slice(1)] : undefined;
  return value === undefined ? "" : `\n\nIts value here: \`${value}\``;
}

/** A parameter is one name in the whole file: its value goes along when it is renamed. */
function renaming(documents: SqlDocuments, parameters: Parameters): vscode.RenameProvider {
  const at = (document: vscode.TextDocument, position: vscode.Position) => {
    const offset = document.offsetAt(position);
    return documents
      .statements(document)
      .flatMap((s) => s.parameters)
      .find((p) => p.offset <= offset && offset <= p.offset + p.length);
  };
  return {
    prepareRename(document, position) {
      const found = at(document, position);
      if (!found) throw new Error("Only parameters, such as :since, can be renamed.");
      return { range: rangeOf(document, found.offset + 1, found.length - 1), placeholder: found.name };
    },
    provideRenameEdits(document, position, newName) {
      const found = at(document, position);
      const name = newName.replace(/^:/, "");
      if (!/^[A-Za-z_]\w*$/.test(name)) throw new Error("A parameter's name has letters, digits and _ only.");
      const edit = new vscode.WorkspaceEdit();
      if (!found) return edit;
      for (const { parameters: all } of documents.statements(document))
        for (const each of all)
          if (each.name === found.name)
            edit.replace(document.uri, rangeOf(document, each.offset + 1, each.length - 1), name);
      parameters.rename(document.uri, found.name, name);
      return edit;
    },
  };
}

/** Formats the statements that lie in a range, each as a whole; the others stay as they are. */
async function formatted(
  documents: SqlDocuments,
  checker: Checker,
  document: vscode.TextDocument,
  range: vscode.Range,
): Promise<vscode.TextEdit[]> {
  if (!documents.serves(document)) return [];
  const { version } = document;
  const [from, until] = [document.offsetAt(range.start), document.offsetAt(range.end)];
  const wanted = documents.statements(document).filter((s) => s.offset < until && s.offset + s.length > from);
  const edits = await Promise.all(
    wanted.map(async (statement) => {
      const text = await checker.format(statement.text);
      return new vscode.TextEdit(rangeOf(document, statement.offset, statement.length), text);
    }),
  );
  if (document.version !== version) return [];
  return edits.filter((edit) => edit.newText !== document.getText(edit.range));
}

function rangeOf(document: vscode.TextDocument, offset: number, length: number): vscode.Range {
  return new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
}
