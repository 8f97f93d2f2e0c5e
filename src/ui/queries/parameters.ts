/** The values of `:name` parameters: asked for when a statement first needs them, then remembered for its file. */
import * as vscode from "vscode";
import type { Statement } from "../../sql/split.ts";

type Values = Readonly<Record<string, string>>;

const KEY = "forewatch.query.parameters";
/** Files whose values are remembered, the newest ones. */
const REMEMBERED = 100;

export class Parameters implements vscode.Disposable {
  readonly #memento: vscode.Memento;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;

  constructor(memento: vscode.Memento) {
    this.#memento = memento;
  }

  /** The remembered values of a file's parameters. */
  of(uri: vscode.Uri): Values {
    return this.#all().find(([key]) => key === uri.toString())?.[1] ?? {};
  }

  /**
   * The values that a statement needs: the remembered ones, the others (or, with `anew`, all) asked for one after another.
   * Undefined: the user turned away.
   */
  async valuesFor(
    uri: vscode.Uri,
    statement: Pick<Statement, "parameters">,
    anew = false,
  ): Promise<Values | undefined> {
    const names = [...new Set(statement.parameters.map((p) => p.name))];
    const known = this.of(uri);
    const asked = anew ? names : names.filter((name) => known[name] === undefined);
    const values: Record<string, string> = {};
    for (const [i, name] of asked.entries()) {
      const value = await vscode.window.showInputBox({
        title: `Value of :${name}${asked.length > 1 ? ` (${i + 1} of ${asked.length})` : ""}`,
        prompt: "A number, a date, a time, or a text: 42, 2001-03-05, 2001-03-05 06:00, BOS. '42' is a text.",
        value: known[name] ?? "",
        ignoreFocusOut: true,
        validateInput: (text) => (text.trim() ? undefined : "A value is needed."),
      });
      if (value === undefined) return undefined;
      values[name] = value.trim();
    }
    if (asked.length > 0) this.#remember(uri, { ...known, ...values });
    return Object.fromEntries(names.map((name) => [name, values[name] ?? known[name] ?? ""]));
  }

  /** The value of one name becomes that of another. */
  rename(uri: vscode.Uri, from: string, to: string): void {
    const { [from]: value, ...others } = this.of(uri);
    if (value !== undefined) this.#remember(uri, { ...others, [to]: value });
  }

  dispose(): void {
    this.#changed.dispose();
  }

  #remember(uri: vscode.Uri, values: Values): void {
    const key = uri.toString();
    const others = this.#all().filter(([other]) => other !== key);
    void this.#memento.update(KEY, [[key, values], ...others].slice(0, REMEMBERED));
    this.#changed.fire();
  }

  #all(): readonly (readonly [string, Values])[] {
    return this.#memento.get(KEY, []);
  }
}
