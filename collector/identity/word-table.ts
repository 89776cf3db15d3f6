/**
 * Hot: look-ups per event, budget 60 ns (bench/decode). A bounded map from a key of k words to a slot of numbers.
 *
 * Two halves: entries go into the young one; when that is full, the old half is forgotten and the young becomes old. An
 * entry that is used moves to the young half, so what is alive stays and what is not goes, without a clock or a list.
 */
export class WordTable {
  readonly keyWords: number;
  readonly wordCount: number;
  readonly doubleCount: number;
  readonly #mask: number;
  readonly #limit: number;
  #young: Half;
  #old: Half;
  /** Entries forgotten because newer ones needed the room. */
  evicted = 0;

  /** At most `capacity` (rounded up to a power of two) entries in each half, each with so many u32 and double values. */
  constructor(keyWords: number, wordCount: number, doubleCount: number, capacity: number) {
    const size = 2 ** Math.ceil(Math.log2(capacity * 2)); // half full at most
    this.keyWords = keyWords;
    this.wordCount = wordCount;
    this.doubleCount = doubleCount;
    this.#mask = size - 1;
    this.#limit = size >> 1;
    this.#young = new Half(size, keyWords, wordCount, doubleCount);
    this.#old = new Half(size, keyWords, wordCount, doubleCount);
  }

  /** The values of the young half: read and write them at `slot * wordCount` and `slot * doubleCount`, before the next find or insert. */
  get words(): Uint32Array {
    return this.#young.words;
  }
  get doubles(): Float64Array {
    return this.#young.doubles;
  }
  get size(): number {
    return this.#young.count + this.#old.count;
  }

  /** The slot of `key`, or -1. */
  find(key: Uint32Array): number {
    const hash = hashWords(key, this.keyWords) & this.#mask;
    const slot = this.#young.find(key, hash, this.#mask);
    if (slot >= 0) return slot;
    const before = this.#old.find(key, hash, this.#mask);
    if (before < 0) return -1;
    const old = this.#old;
    const to = this.#take(key, hash);
    const young = this.#young; // #take may have turned the halves: `old` still is the half that we found it in
    for (let i = 0; i < this.wordCount; i++)
      young.words[to * this.wordCount + i] = old.words[before * this.wordCount + i]!;
    for (let i = 0; i < this.doubleCount; i++)
      young.doubles[to * this.doubleCount + i] = old.doubles[before * this.doubleCount + i]!;
    if (old === this.#old && old.state[before] === 1) {
      old.state[before] = 2;
      old.count--;
    }
    return to;
  }

  /** The slot of `key`; `isNew` tells whether it is a fresh one, with zeros. */
  insert(key: Uint32Array): number {
    const found = this.find(key);
    this.isNew = found < 0;
    if (found >= 0) return found;
    return this.#take(key, hashWords(key, this.keyWords) & this.#mask);
  }
  isNew = false;

  remove(key: Uint32Array): void {
    const hash = hashWords(key, this.keyWords) & this.#mask;
    for (const half of [this.#young, this.#old]) {
      const slot = half.find(key, hash, this.#mask);
      if (slot >= 0) {
        half.state[slot] = 2;
        half.count--;
      }
    }
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }

  #take(key: Uint32Array, hash: number): number {
    // `used` counts removed ones too: they keep probe chains long
    if (this.#young.used >= this.#limit) {
      const forgotten = this.#old;
      this.evicted += forgotten.count;
      this.#old = this.#young;
      // a half that a caller still copies from must not be cleared under it: take a fresh one in its place
      this.#young = new Half(this.#mask + 1, this.keyWords, this.wordCount, this.doubleCount);
    }
    return this.#young.take(key, hash, this.#mask);
  }
}

class Half {
  readonly keys: Uint32Array;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
  /** 0 free, 1 taken, 2 removed. */
  readonly state: Uint8Array;
  readonly #keyWords: number;
  readonly #wordCount: number;
  readonly #doubleCount: number;
  count = 0;
  used = 0;

  constructor(size: number, keyWords: number, wordCount: number, doubleCount: number) {
    this.keys = new Uint32Array(size * keyWords);
    this.words = new Uint32Array(size * wordCount);
    this.doubles = new Float64Array(size * doubleCount);
    this.state = new Uint8Array(size);
    this.#keyWords = keyWords;
    this.#wordCount = wordCount;
    this.#doubleCount = doubleCount;
  }

  find(key: Uint32Array, hash: number, mask: number): number {
    const { keys, state } = this;
    const k = this.#keyWords;
    for (let slot = hash; ; slot = (slot + 1) & mask) {
      const here = state[slot];
      if (here === 0) return -1;
      if (here === 2) continue;
      let i = 0;
      const base = slot * k;
      while (i < k && keys[base + i] === key[i]) i++;
      if (i === k) return slot;
    }
  }

  take(key: Uint32Array, hash: number, mask: number): number {
    let slot = hash;
    while (this.state[slot] !== 0) slot = (slot + 1) & mask;
    this.state[slot] = 1;
    this.count++;
    this.used++;
    for (let i = 0; i < this.#keyWords; i++) this.keys[slot * this.#keyWords + i] = key[i]!;
    this.words.fill(0, slot * this.#wordCount, (slot + 1) * this.#wordCount);
    this.doubles.fill(0, slot * this.#doubleCount, (slot + 1) * this.#doubleCount);
    return slot;
  }

  clear(): void {
    this.state.fill(0);
    this.count = 0;
    this.used = 0;
  }
}

/** MurmurHash3's mixing (public domain, A. Appleby), 32 bits. */
function hashWords(key: Uint32Array, length: number): number {
  let hash = 0x9747b28c;
  for (let i = 0; i < length; i++) {
    let k = Math.imul(key[i]!, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    hash ^= Math.imul(k, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
