/** The newest blocks in memory, bounded, so that a consumer that keeps up reads no file. */
import type { Block } from "./block.ts";

const MAX_BLOCKS = 16_384;

export class Tail {
  readonly #maxBytes: number;
  #blocks: Block[] = [];
  /** Blocks before this index have been dropped; the list is compacted now and then. */
  #head = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(block: Block): void {
    this.#blocks.push(block);
    this.#bytes += block.bytes.length;
    while (this.#head < this.#blocks.length - 1 && this.#isFull()) {
      this.#bytes -= this.#blocks[this.#head]!.bytes.length;
      this.#head++;
    }
    if (this.#head > MAX_BLOCKS / 4) {
      this.#blocks = this.#blocks.slice(this.#head);
      this.#head = 0;
    }
  }

  #isFull(): boolean {
    return this.#bytes > this.#maxBytes || this.#blocks.length - this.#head > MAX_BLOCKS;
  }

  /** Whether the record `sequence` is here. */
  holds(sequence: number): boolean {
    const first = this.#blocks[this.#head];
    return first !== undefined && sequence >= first.firstSequence;
  }

  /** Calls `visit` with each block from the one that holds `sequence` on, until it answers false. */
  visit(sequence: number, visit: (block: Block) => boolean): void {
    let low = this.#head;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#blocks[middle]!.firstSequence <= sequence) low = middle + 1;
      else high = middle;
    }
    for (let i = Math.max(low - 1, this.#head); i < this.#blocks.length; i++) {
      if (!visit(this.#blocks[i]!)) return;
    }
  }
}
