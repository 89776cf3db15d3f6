/** Names of outside addresses, from the DNS answers that clients of this machine got. Bounded: the names used longest ago go first. */

/** A name is kept so long after its TTL: connections outlive the answer that led to them. */
const GRACE_MS = 3_600_000;

export class DnsNames {
  readonly #limit: number;
  /** Address (4 words as text) → name and when it ends; insertion order = last use. */
  readonly #names = new Map<string, { readonly name: string; untilMs: number }>();
  /** Counts changes: caches of look-ups are void when it moves. */
  epoch = 0;

  constructor(limit = 50_000) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#names.size;
  }

  /** An answer: the address (4 words) was told for `name` at `nowMs`, to be kept `ttlSeconds`. The latest answer holds. */
  learn(words: Uint32Array, offset: number, name: string, ttlSeconds: number, nowMs: number): void {
    const key = keyOf(words, offset);
    const known = this.#names.get(key);
    const untilMs = nowMs + ttlSeconds * 1000 + GRACE_MS;
    if (known !== undefined) this.#names.delete(key);
    if (known === undefined || known.name !== name) this.epoch++;
    this.#names.set(key, { name, untilMs: Math.max(untilMs, known?.name === name ? known.untilMs : 0) });
    if (this.#names.size > this.#limit) {
      const oldest = this.#names.keys().next();
      if (oldest.done !== true) this.#names.delete(oldest.value);
    }
  }

  /** The name that the address was last looked up by, "" when unknown or too old. */
  nameOf(words: Uint32Array, offset: number, nowMs: number): string {
    const key = keyOf(words, offset);
    const known = this.#names.get(key);
    if (known === undefined) return "";
    if (known.untilMs < nowMs) {
      this.#names.delete(key);
      return "";
    }
    this.#names.delete(key);
    this.#names.set(key, known);
    return known.name;
  }
}

function keyOf(words: Uint32Array, offset: number): string {
  return `${words[offset]},${words[offset + 1]},${words[offset + 2]},${words[offset + 3]}`;
}
