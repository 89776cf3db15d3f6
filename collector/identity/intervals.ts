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

  #begin(words: Uint32Array, offset: number, netns: number, at: number): void {
    const text = addressKey(words, offset);
    if (this.#shared.has(text)) return;
    let intervals = this.#byAddress.get(text);
    if (intervals === undefined) this.#byAddress.set(text, (intervals = []));
    const last = intervals.at(-1);
    if (intervals.length === KEPT && at - intervals[0]!.from < SHARED_WITHIN_NS) {
      this.#shared.add(text);
      this.epoch++;
      return;
    }
    let interval: Interval;
    if (last === undefined || last.from <= at) {
      if (last !== undefined && last.netns === netns && !last.ended) {
        last.to = Math.max(last.to, at);
        interval = last;
      } else {
        interval = { netns, from: at, to: at, ended: false };
        intervals.push(interval);
        if (intervals.length > KEPT) intervals.shift();
        this.epoch++;
      }
    } else if (last.netns === netns) {
      // an event of another CPU's ring that is a little older: the interval began earlier
      const before = intervals.at(-2);
      if (before === undefined || before.to < at) intervals[intervals.length - 1] = interval = { ...last, from: at };
      else interval = last;
      this.epoch++;
    } else {
      // older than the present owner's first proof: belongs to the one before, or stands between
      const before = intervals.findLast((each) => each.netns === netns && each.from <= at);
      if (before !== undefined) {
        if (at > before.to) before.to = at;
        return;
      }
      intervals.splice(
        intervals.findIndex((each) => each.from > at),
        0,
        { netns, from: at, to: at, ended: false },
      );
      this.epoch++;
      return;
    }
    const key = this.#key;
    const slot = this.#index.insert(key);
    const known = this.#index.words[slot]!;
    if (known === 0) {
      this.#current.push(interval);
      this.#index.words[slot] = this.#current.length;
    } else this.#current[known - 1] = interval;
    // the former owner's short cut must not move its end any more
    for (const each of intervals)
      if (each !== interval && each.netns !== netns) this.#forget(words, offset, each.netns);
  }

  #forget(words: Uint32Array, offset: number, netns: number): void {
    const key = new Uint32Array(5);
    for (let i = 0; i < 4; i++) key[i] = words[offset + i]!;
    key[4] = netns;
    this.#index.remove(key);
  }
}

function addressKey(words: Uint32Array, offset: number): string {
  return `${words[offset]},${words[offset + 1]},${words[offset + 2]},${words[offset + 3]}`;
}
