/**
 * Sets of sides as bits: 32 to a word, side 0 the lowest bit of word 0. Longer than needed is fine, bits past the end read as 0.
 */
export class Bitmap {
  words: Uint32Array;

  constructor(size: number) {
    this.words = new Uint32Array((size + 31) >>> 5);
  }

  has(bit: number): boolean {
    const word = this.words[bit >>> 5];
    return word !== undefined && (word & (1 << (bit & 31))) !== 0;
  }

  /** Sets a bit; the set grows when it must. */
  add(bit: number): void {
    const at = bit >>> 5;
    if (at >= this.words.length) {
      const longer = new Uint32Array(Math.max(at + 1, this.words.length * 2));
      longer.set(this.words);
      this.words = longer;
    }
    this.words[at]! |= 1 << (bit & 31);
  }

  remove(bit: number): void {
    if (bit >>> 5 < this.words.length) this.words[bit >>> 5]! &= ~(1 << (bit & 31));
  }

  clone(): Bitmap {
    const copy = new Bitmap(0);
    copy.words = this.words.slice();
    return copy;
  }

  /** Keeps what is in `other` too. */
  and(other: Bitmap): this {
    for (let i = 0; i < this.words.length; i++) this.words[i]! &= other.words[i] ?? 0;
    return this;
  }

  /** Takes in what is in `other`. */
  or(other: Bitmap): this {
    if (other.words.length > this.words.length) {
      const longer = new Uint32Array(other.words.length);
      longer.set(this.words);
      this.words = longer;
    }
    for (let i = 0; i < other.words.length; i++) this.words[i]! |= other.words[i]!;
    return this;
  }

  /** Leaves out what is in `other`. */
  andNot(other: Bitmap): this {
    for (let i = 0; i < this.words.length; i++) this.words[i]! &= ~(other.words[i] ?? 0);
    return this;
  }

  get isEmpty(): boolean {
    return this.words.every((word) => word === 0);
  }

  count(): number {
    let total = 0;
    for (let word of this.words) for (; word !== 0; word = (word & (word - 1)) >>> 0) total++;
    return total;
  }

  /** Calls `visit` with every member, lowest first. */
  forEach(visit: (bit: number) => void): void {
    for (let i = 0; i < this.words.length; i++)
      for (let word = this.words[i]!; word !== 0; word = (word & (word - 1)) >>> 0)
        visit((i << 5) + 31 - Math.clz32(word & -word));
  }

  toArray(): number[] {
    const members: number[] = [];
    this.forEach((bit) => members.push(bit));
    return members;
  }

  /** Bits 0 to `size` − 1. */
  static full(size: number): Bitmap {
    const all = new Bitmap(size);
    all.words.fill(0xffffffff);
    if (size & 31) all.words[all.words.length - 1] = (1 << (size & 31)) - 1;
    return all;
  }
}
