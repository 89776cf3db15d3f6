/**
 * Hot: look-ups per event, budget 60 ns (bench/decode). A bounded map from a key of k words to a slot of numbers.
 *
 * Two halves: entries go into the young one; when that is full, the old half is forgotten and the young becomes old. An
 * entry that is used moves to the young half, so what is alive stays and what is not goes, without a clock or a list.
 *
 * A half begins small and doubles while what it holds is alive; removed entries only cost a tidying. So a table has the size of what it
 * holds, and no memory is left to the garbage collector but when it grows.
 */
export class WordTable {
  readonly keyWords: number;
  readonly wordCount: number;
  readonly doubleCount: number;
  readonly #most: number;
  #young: Half;
  #old: Half;
  /** Values on their way from the old half to the young one. */
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  /** Entries forgotten because newer ones needed the room. */
  evicted = 0;

  /** At least `capacity` entries in each half, each with so many u32 and double values. */
  constructor(keyWords: number, wordCount: number, doubleCount: number, capacity: number) {
    this.keyWords = keyWords;
    this.wordCount = wordCount;
    this.doubleCount = doubleCount;
    this.#most = 2 ** Math.ceil(Math.log2(capacity / FULL));
    this.#words = new Uint32Array(wordCount);
    this.#doubles = new Float64Array(doubleCount);
    this.#young = this.#half(Math.min(this.#most, LEAST_SLOTS));
    this.#old = this.#half(Math.min(this.#most, LEAST_SLOTS));
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
    const hash = hashWords(key, 0, this.keyWords);
    const slot = this.#young.find(key, hash);
    if (slot >= 0) return slot;
    const old = this.#old;
    const before = old.find(key, hash);
    if (before < 0) return -1;
    const { wordCount, doubleCount } = this;
    for (let i = 0; i < wordCount; i++) this.#words[i] = old.words[before * wordCount + i]!;
    for (let i = 0; i < doubleCount; i++) this.#doubles[i] = old.doubles[before * doubleCount + i]!;
    old.remove(before);
    const to = this.#take(key, hash); // may turn the halves
    const young = this.#young;
    for (let i = 0; i < wordCount; i++) young.words[to * wordCount + i] = this.#words[i]!;
    for (let i = 0; i < doubleCount; i++) young.doubles[to * doubleCount + i] = this.#doubles[i]!;
    return to;
  }

  /** The slot of `key`; `isNew` tells whether it is a fresh one, with zeros. */
  insert(key: Uint32Array): number {
    const found = this.find(key);
    this.isNew = found < 0;
    if (found >= 0) return found;
    return this.#take(key, hashWords(key, 0, this.keyWords));
  }
  isNew = false;

  remove(key: Uint32Array): void {
    const hash = hashWords(key, 0, this.keyWords);
    for (const half of [this.#young, this.#old]) {
      const slot = half.find(key, hash);
      if (slot >= 0) half.remove(slot);
    }
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }

  #half(slots: number): Half {
    return new Half(slots, this.keyWords, this.wordCount, this.doubleCount);
  }

  #take(key: Uint32Array, hash: number): number {
    if (this.#young.isFull) this.#makeRoom();
    return this.#young.take(key, 0, hash);
  }

  /** Removed entries keep probe chains long: with many of them the half is tidied. Else it doubles; one of full size becomes the old one. */
  #makeRoom(): void {
    const young = this.#young;
    if (young.count <= young.used / 2 || young.slots < this.#most) {
      const room = this.#half(young.count <= young.used / 2 ? young.slots : young.slots * 2);
      room.takeAll(young);
      this.#young = room;
      return;
    }
    const forgotten = this.#old;
    this.evicted += forgotten.count;
    this.#old = young;
    if (forgotten.slots === this.#most) {
      forgotten.clear();
      this.#young = forgotten;
    } else this.#young = this.#half(this.#most);
  }
}

/** A half is full at three quarters of its slots: removed ones count too. */
const FULL = 0.75;
const LEAST_SLOTS = 1024;

class Half {
  readonly slots: number;
  readonly keys: Uint32Array;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
  /** 0 free, 1 taken, 2 removed. */
  readonly state: Uint8Array;
  readonly #mask: number;
  readonly #limit: number;
  readonly #keyWords: number;
  readonly #wordCount: number;
  readonly #doubleCount: number;
  count = 0;
  used = 0;

  constructor(slots: number, keyWords: number, wordCount: number, doubleCount: number) {
    this.slots = slots;
    this.#mask = slots - 1;
    this.#limit = Math.floor(slots * FULL);
    this.keys = new Uint32Array(slots * keyWords);
    this.words = new Uint32Array(slots * wordCount);
    this.doubles = new Float64Array(slots * doubleCount);
    this.state = new Uint8Array(slots);
    this.#keyWords = keyWords;
    this.#wordCount = wordCount;
    this.#doubleCount = doubleCount;
  }

  get isFull(): boolean {
    return this.used >= this.#limit;
  }

  find(key: Uint32Array, hash: number): number {
    const { keys, state } = this;
    const k = this.#keyWords;
    const mask = this.#mask;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const here = state[slot];
      if (here === 0) return -1;
      if (here === 2) continue;
      let i = 0;
      const base = slot * k;
      while (i < k && keys[base + i] === key[i]) i++;
      if (i === k) return slot;
    }
  }

  take(key: Uint32Array, at: number, hash: number): number {
    let slot = hash & this.#mask;
    while (this.state[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.state[slot] = 1;
    this.count++;
    this.used++;
    for (let i = 0; i < this.#keyWords; i++) this.keys[slot * this.#keyWords + i] = key[at + i]!;
    this.words.fill(0, slot * this.#wordCount, (slot + 1) * this.#wordCount);
    this.doubles.fill(0, slot * this.#doubleCount, (slot + 1) * this.#doubleCount);
    return slot;
  }

  remove(slot: number): void {
    this.state[slot] = 2;
    this.count--;
  }

  /** Takes over all entries of `other`. */
  takeAll(other: Half): void {
    const [k, w, d] = [this.#keyWords, this.#wordCount, this.#doubleCount];
    for (let from = 0; from < other.slots; from++) {
      if (other.state[from] !== 1) continue;
      const slot = this.take(other.keys, from * k, hashWords(other.keys, from * k, k));
      for (let i = 0; i < w; i++) this.words[slot * w + i] = other.words[from * w + i]!;
      for (let i = 0; i < d; i++) this.doubles[slot * d + i] = other.doubles[from * d + i]!;
    }
  }

  clear(): void {
    this.state.fill(0);
    this.count = 0;
    this.used = 0;
  }
}

/** MurmurHash3's mixing (public domain, A. Appleby) of `length` words from `at` on, 32 bits. */
function hashWords(key: Uint32Array, at: number, length: number): number {
  let hash = 0x9747b28c;
  for (let i = 0; i < length; i++) {
    let k = Math.imul(key[at + i]!, 0xcc9e2d51);
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
