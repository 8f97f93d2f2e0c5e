/** Short digests for names, wherever code runs: without Node's own modules. */

/**
 * 64 bits of a text as 16 hex digits, from two runs of 32-bit multiplications that end mixed into each other. It tells contents apart,
 * and guards nothing: whoever wants two texts of one digest finds them.
 */
export function digest(text: string): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2_654_435_761);
    b = Math.imul(b ^ unit, 1_597_334_677);
  }
  const [x, y] = [mixed(a, b), mixed(b, a)];
  return (x >>> 0).toString(16).padStart(8, "0") + (y >>> 0).toString(16).padStart(8, "0");
}

function mixed(a: number, b: number): number {
  return Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
}
