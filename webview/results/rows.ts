/**
 * The rows of a result that the page holds: pages of it, fetched when they come into view, the least recently used let go.
 * However long the result and however far it is scrolled, at most `most` pages are held.
 */
import type { Cell } from "../../src/rpc/page.ts";

type Row = readonly Cell[];
type Fetch = (offset: number, limit: number, signal: AbortSignal) => Promise<readonly Row[]>;

export interface RowsOptions {
  readonly rowCount: number;
  /** The first rows, which came with the result. */
  readonly first: readonly Row[];
  readonly fetch: Fetch;
  /** Called when rows came, or could not be had. */
  readonly onChange: (failure?: unknown) => void;
  readonly pageSize?: number;
  readonly most?: number;
}

export class Rows {
  readonly rowCount: number;
  private readonly options: RowsOptions;
  private readonly pageSize: number;
  private readonly most: number;
  /** In order of use, the oldest first. */
  private readonly pages = new Map<number, readonly Row[]>();
  private readonly asking = new Map<number, AbortController>();
  private closed = false;

  constructor(options: RowsOptions) {
    this.options = options;
    this.rowCount = options.rowCount;
    this.pageSize = options.pageSize ?? 200;
    this.most = options.most ?? 50;
    const whole = options.first.length >= options.rowCount;
    for (let at = 0; at < options.first.length; at += this.pageSize) {
      const page = options.first.slice(at, at + this.pageSize);
      if (page.length === this.pageSize || whole) this.hold(at / this.pageSize, page);
    }
  }

  /** The row if it is held. */
  row(index: number): Row | undefined {
    return this.pages.get(Math.floor(index / this.pageSize))?.[index % this.pageSize];
  }

  /** Asks for what of rows [first, end) is not held, and gives up what is on its way for other rows. */
  need(first: number, end: number): void {
    if (this.rowCount === 0 || this.closed) return;
    const from = Math.floor(first / this.pageSize);
    const to = Math.floor(Math.max(first, Math.min(end, this.rowCount) - 1) / this.pageSize);
    for (const [page, abort] of this.asking) {
      if (page < from - 1 || page > to + 1) {
        abort.abort();
        this.asking.delete(page);
      }
    }
    for (let page = from; page <= to; page++) {
      const held = this.pages.get(page);
      if (held) this.hold(page, held);
      else if (!this.asking.has(page)) this.ask(page);
    }
  }

  /** Rows [first, end), held or not; they are not kept. Rejects when they cannot be had. */
  async read(first: number, end: number, signal: AbortSignal): Promise<Row[]> {
    const out: Row[] = [];
    let at = first;
    while (at < Math.min(end, this.rowCount)) {
      const held = this.row(at);
      if (held) {
        out.push(held);
        at++;
        continue;
      }
      let gap = at;
      while (gap < Math.min(end, this.rowCount) && gap - at < 5_000 && !this.row(gap)) gap++;
      const rows = await this.options.fetch(at, gap - at, signal);
      if (rows.length === 0) break;
      out.push(...rows);
      at += rows.length;
    }
    return out;
  }

  /** How many rows are held. */
  get held(): number {
    let rows = 0;
    for (const page of this.pages.values()) rows += page.length;
    return rows;
  }

  close(): void {
    this.closed = true;
    for (const abort of this.asking.values()) abort.abort();
    this.asking.clear();
    this.pages.clear();
  }

  private ask(page: number): void {
    const abort = new AbortController();
    this.asking.set(page, abort);
    this.options.fetch(page * this.pageSize, this.pageSize, abort.signal).then(
      (rows) => {
        if (abort.signal.aborted) return;
        this.asking.delete(page);
        this.hold(page, rows);
        this.options.onChange();
      },
      (failure: unknown) => {
        if (abort.signal.aborted) return;
        this.asking.delete(page);
        this.options.onChange(failure);
      },
    );
  }

  private hold(page: number, rows: readonly Row[]): void {
    this.pages.delete(page);
    this.pages.set(page, rows);
    for (const oldest of this.pages.keys()) {
      if (this.pages.size <= this.most) break;
      this.pages.delete(oldest);
    }
  }
}
