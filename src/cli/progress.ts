/** One line that tells how far the work is: rewritten in place on a terminal, now and then a new one elsewhere. */
export class ProgressLine {
  readonly #out: NodeJS.WriteStream;
  #shown = "";
  #at = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  show(message: string, done?: number, total?: number): void {
    const now = Date.now();
    const pause = this.#out.isTTY ? 80 : 2_000;
    if (now - this.#at < pause) return;
    this.#at = now;
    const line = total ? `${bar((done ?? 0) / total)} ${message} ${count(done ?? 0)} of ${count(total)}` : message;
    if (!this.#out.isTTY) this.#out.write(`${line}\n`);
    else {
      const fitted = line.slice(0, Math.max(20, (this.#out.columns ?? 80) - 1));
      this.#out.write(`\r${fitted.padEnd(this.#shown.length)}`);
      this.#shown = fitted;
    }
  }

  /** A line that stays. */
  note(line: string): void {
    this.clear();
    this.#out.write(`${line}\n`);
  }

  clear(): void {
    if (this.#shown.length > 0) this.#out.write(`\r${" ".repeat(this.#shown.length)}\r`);
    this.#shown = "";
  }
}

export function count(n: number): string {
  return n.toLocaleString("en-US");
}

function bar(share: number): string {
  const cells = 24;
  const full = Math.round(Math.min(1, Math.max(0, share)) * cells);
  return `[${"#".repeat(full)}${".".repeat(cells - full)}] ${String(Math.round(share * 100)).padStart(3)}%`;
}
