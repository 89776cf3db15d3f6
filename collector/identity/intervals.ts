/**
 * Which network namespace an address belonged to, and when. An interval is what was proven: a socket of that namespace used the
 * address, or a scan found it there. Between the last proof of one owner and the first of the next nobody knows, and nobody is named.
 *
 * Times are ns since 1970 as doubles (exact to 256 ns, far below what two namespaces can take to hand an address over).
 */
import { WordTable } from "./word-table.ts";

export interface Interval {
  readonly netns: number;
  readonly from: number;
  to: number;
  /** A scan found the address gone: the interval is over even if no other owner was seen. */
  ended: boolean;
}

/** Intervals kept for an address: history for late events, bounded for addresses that wander. */
const KEPT = 16;

/** An address that changes hands KEPT times within this time is used in several isolated networks at once: it names nobody. */
const SHARED_WITHIN_NS = 10e9;

/** owner() when the time lies between two owners. */
export const BETWEEN_OWNERS = -1;

export class AddressIntervals {
  readonly #byAddress = new Map<string, Interval[]>();
  /** (address, netns) → index into #current: the hot way to move `to` on. */
  readonly #index: WordTable;
  readonly #current: Interval[] = [];
  readonly #shared = new Set<string>();
  readonly #key = new Uint32Array(5);
  /** Counts changes of ownership: caches of look-ups are void when it moves. */
  epoch = 0;

  constructor(capacity = 65_536) {
    this.#index = new WordTable(5, 1, 0, capacity);
  }

  /** A proof: at time `at` the address (4 words from `words[offset]`) was used in `netns`. */
  prove(words: Uint32Array, offset: number, netns: number, at: number): void {
    const key = this.#key;
    for (let i = 0; i < 4; i++) key[i] = words[offset + i]!;
    key[4] = netns;
    const slot = this.#index.find(key);
    if (slot >= 0) {
      const interval = this.#current[this.#index.words[slot]! - 1];
      if (interval !== undefined && !interval.ended) {
        if (at > interval.to) interval.to = at;
        if (at >= interval.from) return;
      }
    }
    this.#begin(words, offset, netns, at);
  }

  /** A scan at `at` did not find the address in `netns` any more. */
  end(words: Uint32Array, offset: number, netns: number, at: number): void {
    const intervals = this.#byAddress.get(addressKey(words, offset));
    const interval = intervals?.findLast((each) => each.netns === netns);
    if (interval === undefined || interval.ended || interval.to > at) return;
    interval.ended = true;
    this.epoch++;
  }

  /** The namespace that held the address at `at`; 0 = never seen, BETWEEN_OWNERS = it was changing hands. */
  owner(words: Uint32Array, offset: number, at: number): number {
    const text = addressKey(words, offset);
    const intervals = this.#byAddress.get(text);
    if (intervals === undefined) return 0;
    if (this.#shared.has(text)) return BETWEEN_OWNERS;
    let before: Interval | undefined;
    for (const interval of intervals) {
      if (interval.from <= at && at <= interval.to) return interval.netns;
      if (interval.from > at) {
        if (before === undefined) return interval.netns; // used a moment later by its first known owner
        return before.netns === interval.netns ? before.netns : BETWEEN_OWNERS;
      }
      before = interval;
    }
    if (before === undefined) return 0;
    return before.ended ? BETWEEN_OWNERS : before.netns;
  }

  /** True when somebody was seen to hold the address. */
  knows(words: Uint32Array, offset: number): boolean {
    return this.#byAddress.has(addressKey(words, offset));
  }

  /** True when the address never changed hands, so that a look-up may be kept. */
  steady(words: Uint32Array, offset: number): boolean {
    const intervals = this.#byAddress.get(addressKey(words, offset));
    return intervals === undefined || (intervals.length === 1 && !intervals[0]!.ended);
  }

  /** All that is known, for the store: address key words with their intervals. */
  *all(): IterableIterator<{ readonly words: Uint32Array; readonly intervals: readonly Interval[] }> {
    for (const [key, intervals] of this.#byAddress)
      yield { words: Uint32Array.from(key.split(",").map(Number)), intervals };
  }

  /** A proof that the short cut does not cover: a new owner, an earlier time, or the first of all. */
  #begin(words: Uint32Array, offset: number, netns: number, at: number): void {
    const text = addressKey(words, offset);
    if (this.#shared.has(text)) return;
    let intervals = this.#byAddress.get(text);
    if (intervals === undefined) this.#byAddress.set(text, (intervals = []));
    if (intervals.length >= KEPT && at - intervals[0]!.from < SHARED_WITHIN_NS) {
      this.#shared.add(text);
      this.epoch++;
      return;
    }
    const place = intervals.findLastIndex((each) => each.from <= at);
    const here = intervals[place];
    const next = intervals[place + 1];
    if (here !== undefined && at <= here.to) {
      if (here.netns !== netns) intervals.splice(place, 1, ...torn(here, netns, at));
    } else if (here !== undefined && here.netns === netns && !here.ended) here.to = at;
    else if (next !== undefined && next.netns === netns) intervals[place + 1] = { ...next, from: at };
    else intervals.splice(place + 1, 0, { netns, from: at, to: at, ended: false });
    if (intervals.length > KEPT) intervals.splice(0, intervals.length - KEPT);
    this.epoch++;
    this.#shorten(words, offset, intervals);
  }

  /** Only the present owner's proofs may take the short cut: its end moves on, nobody else's does. */
  #shorten(words: Uint32Array, offset: number, intervals: readonly Interval[]): void {
    const last = intervals.at(-1)!;
    for (const { netns } of intervals) if (netns !== last.netns) this.#forget(words, offset, netns);
    const key = this.#key;
    for (let i = 0; i < 4; i++) key[i] = words[offset + i]!;
    key[4] = last.netns;
    const slot = this.#index.insert(key);
    const known = this.#index.words[slot]!;
    if (known === 0) {
      this.#current.push(last);
      this.#index.words[slot] = this.#current.length;
    } else this.#current[known - 1] = last;
  }

  #forget(words: Uint32Array, offset: number, netns: number): void {
    const key = new Uint32Array(5);
    for (let i = 0; i < 4; i++) key[i] = words[offset + i]!;
    key[4] = netns;
    this.#index.remove(key);
  }
}

/** An interval in which another owner turns out to have used the address: only its two ends are sure. */
function torn(interval: Interval, netns: number, at: number): Interval[] {
  const parts: Interval[] = [{ netns, from: at, to: at, ended: false }];
  if (interval.from < at) parts.unshift({ ...interval, to: interval.from, ended: false });
  if (interval.to > at) parts.push({ ...interval, from: interval.to });
  return parts;
}

function addressKey(words: Uint32Array, offset: number): string {
  return `${words[offset]},${words[offset + 1]},${words[offset + 2]},${words[offset + 3]}`;
}
