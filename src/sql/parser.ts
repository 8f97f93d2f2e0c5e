/** The Trino grammar of dt-sql-parser. Importing this module loads the grammar (about 1 MB); the first parse warms it up. */
import {
  BaseErrorListener,
  CharStreams,
  CommonTokenStream,
  type ParserRuleContext,
  PredictionMode,
  type Token,
} from "antlr4ng";
import { TrinoSqlLexer } from "dt-sql-parser/dist/lib/trino/TrinoSqlLexer";
import { type ProgramContext, TrinoSqlParser } from "dt-sql-parser/dist/lib/trino/TrinoSqlParser";

/** An error of the grammar at its token. Offsets count in the parsed text. */
export interface SyntaxError {
  readonly message: string;
  readonly offset: number;
  readonly length: number;
}

export interface Parsed {
  readonly tree: ProgramContext;
  readonly errors: readonly SyntaxError[];
}

/** Parses one statement. Named parameters must have been bound or blanked (`blankParameters`) before. */
export function parse(text: string): Parsed {
  // The simple prediction takes every text that it takes rightly, and fast; what it does not take is tried again in full.
  const quick = parseWith(text, PredictionMode.SLL);
  return quick.errors.length === 0 ? quick : parseWith(text, PredictionMode.LL);
}

function parseWith(text: string, mode: number): Parsed {
  const errors: SyntaxError[] = [];
  const listener = new Listener(errors);
  const lexer = new TrinoSqlLexer(CharStreams.fromString(basicPlane(text)));
  lexer.removeErrorListeners();
  lexer.addErrorListener(listener);
  const parser = new TrinoSqlParser(new CommonTokenStream(lexer));
  parser.interpreter.predictionMode = mode;
  parser.removeErrorListeners();
  parser.addErrorListener(listener);
  return { tree: parser.program(), errors };
}

/** ANTLR counts code points, editors UTF-16 units: characters beyond the basic plane are stood in for, so that both agree. */
function basicPlane(text: string): string {
  return text.replace(/[\u{10000}-\u{10FFFF}]/gu, "\uFFFD\uFFFD");
}

/** Where a part of the tree stands: its first and last character. */
export function span(context: ParserRuleContext): { offset: number; length: number } {
  const start = context.start?.start ?? 0;
  const stop = context.stop?.stop ?? start - 1;
  return { offset: start, length: Math.max(0, stop + 1 - start) };
}

class Listener extends BaseErrorListener {
  readonly #errors: SyntaxError[];

  constructor(errors: SyntaxError[]) {
    super();
    this.#errors = errors;
  }

  override syntaxError(...args: Parameters<BaseErrorListener["syntaxError"]>): void {
    const [recognizer, symbol, , , message] = args;
    const token = symbol as Token | null;
    const offset = token?.start ?? (recognizer.inputStream?.index as number | undefined) ?? 0;
    const isEnd = token !== null && token.type === -1;
    const length = token === null ? 1 : isEnd ? 0 : Math.max(1, token.stop + 1 - token.start);
    this.#errors.push({ message: inWords(message, token), offset, length });
  }
}

/** ANTLR lists every token it would take; past a handful that helps nobody. */
function inWords(message: string, token: Token | null): string {
  const found = token === null ? undefined : token.type === -1 ? "the end of the statement" : `'${token.text}'`;
  const expected = /expecting (?:\{(.*)\}|(.*))$/s.exec(message);
  const names = (expected?.[1] ?? expected?.[2] ?? "").split(", ").filter((name) => name !== "");
  const hint = names.length > 0 && names.length <= 6 ? `; expected ${names.join(" or ")}` : "";
  if (found === undefined) return `This character is not part of SQL${hint}.`;
  return `Unexpected ${found}${hint}.`;
}
