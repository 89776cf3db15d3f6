/**
 * Reads the mmapped perf rings, one a CPU, into a decoder, in the order of time. Its inner loop is decode/runs.ts.
 *
 *   control page: … 1024 data_head u64 (kernel writes) | 1032 data_tail u64 (we write) …      then 2^n bytes of records
 *   record:       u32 type | u16 misc | u16 size  then, for a sample: u32 length | payload (8-aligned + 4: u64 fields are two words)
 *
 * Zero copy: samples are decoded where they lie. Only a record that crosses the ring's end is put together in a scratch buffer.
 * One acquire load of head and one release store of tail a ring and drain. Bytes are not trusted: a record of impossible size gives up
 * what is in that ring, an unreadable sample is skipped; both are counted.
 */
import { Appended, type Decoder } from "../decode/decoder.ts";
import type { Run } from "../decode/runs.ts";

const RECORD_LOST = 2;
const RECORD_SAMPLE = 9;
const SAMPLE_HEADER = 12; // bytes before the payload
const FAR_NS = 1e9;

/** One CPU's ring. `head` and `tail` are the low words: a ring is far smaller than 4 GiB. */
export interface Ring {
  readonly cpu: number;
  readonly size: number;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** data_head low and high word, data_tail low and high word. */
  readonly control: Int32Array<ArrayBuffer>;
  readonly control64: BigUint64Array<ArrayBuffer>;
  head: number;
  tail: number;
}

/** A ring over its memory: `pageBytes` of control page, then a power of two of data. */
export function ringOver(cpu: number, memory: ArrayBuffer, pageBytes: number): Ring {
  const size = memory.byteLength - pageBytes;
  if (size < 8 || (size & (size - 1)) !== 0) throw new RangeError(`a ring of ${size} bytes: must be a power of two`);
  const control64 = new BigUint64Array(memory, 1024, 2);
  return {
    cpu,
    size,
    words: new Uint32Array(memory, pageBytes, size >>> 2),
    bytes: new Uint8Array(memory, pageBytes, size),
    control: new Int32Array(memory, 1024, 4),
    control64,
    head: 0,
    tail: Number(Atomics.load(control64, 1) & 0xffffffffn),
  };
}

const WINDOW_MS = 10_000;

/** What draining has seen since start. */
export interface ReaderCounts {
  /** Records of impossible size, samples too short or of unknown type. */
  malformed: number;
  /** What PERF_RECORD_LOST said: less than the kernel's own count (a burst's end is never told); for comparison only. */
  toldLost: number;
  events: number;
  /** Greatest share of a ring in use when a drain began, 0–1, in the last ten to twenty seconds: `health` is written every ten. */
  ringUse: number;
}

/** Reads all rings of one collector. */
export class RingReader {
  readonly counts: ReaderCounts = { malformed: 0, toldLost: 0, events: 0, ringUse: 0 };
  readonly #rings: readonly Ring[];
  readonly #decoder: Decoder;
  /** Time of each ring's next sample; Infinity = none. As doubles: their 256 ns do for an order between CPUs. */
  readonly #next: Float64Array;
  readonly #scratch = new Uint32Array(16384 + 2);
  readonly #scratchBytes: Uint8Array<ArrayBuffer>;
  #far = Infinity;
  /** Greatest share of this window of time and of the one before. */
  #use = 0;
  #useBefore = 0;
  #windowEndMs = 0;
  readonly #state: Run = { words: new Uint32Array(), mask: 0, head: 0, tail: 0, limitLow: 0, limitHigh: 0, cpu: 0 };

  constructor(rings: readonly Ring[], decoder: Decoder) {
    this.#rings = rings;
    this.#decoder = decoder;
    this.#next = new Float64Array(rings.length);
    this.#scratchBytes = new Uint8Array(this.#scratch.buffer);
  }

  #turnWindow(): void {
    const nowMs = performance.now();
    if (nowMs < this.#windowEndMs) return;
    this.#useBefore = this.#use;
    this.#use = 0;
    this.#windowEndMs = nowMs + WINDOW_MS;
  }

  /**
   * Decodes what lies in the rings up to `horizon` (wall clock ns), merging the CPUs by time; younger events stay where they are.
   * `full` is called when a batch has no room and must deliver. Returns the number of events.
   */
  drain(horizon: number, full: () => void): number {
    const rings = this.#rings;
    const before = this.counts.events;
    this.#far = horizon + FAR_NS;
    this.#turnWindow();
    for (let i = 0; i < rings.length; i++) {
      const ring = rings[i]!;
      ring.head = Atomics.load(ring.control, 0) >>> 0; // acquire: what lies before it is written
      const use = ((ring.head - ring.tail) >>> 0) / ring.size;
      if (use > 1 || (ring.head & 7) !== 0) {
        // a head that went back, or more than a ring holds, or between records: nothing up to it can be trusted
        this.counts.malformed++;
        ring.tail = (ring.head & ~7) >>> 0;
        ring.head = ring.tail;
      } else if (use > this.#use) this.#use = use;
      this.#next[i] = this.#peek(ring);
    }
    this.counts.ringUse = Math.max(this.#use, this.#useBefore);
    for (;;) {
      let first = -1;
      let time = Infinity;
      let second = Infinity;
      for (let i = 0; i < rings.length; i++) {
        const next = this.#next[i]!;
        if (next < time) {
          second = time;
          time = next;
          first = i;
        } else if (next < second) second = next;
      }
      if (first < 0 || time > horizon) break;
      const ring = rings[first]!;
      if (this.#run(ring, Math.min(second, horizon)) === Appended.full) full();
      this.#next[first] = this.#peek(ring);
    }
    for (let i = 0; i < rings.length; i++) release(rings[i]!);
    return this.counts.events - before;
  }

  /** Time of the ring's next sample; skips what is no sample, so that only samples are at its tail. Infinity: empty. */
  #peek(ring: Ring): number {
    const mask = ring.size - 1;
    while (ring.tail !== ring.head) {
      const offset = ring.tail & mask;
      const size = this.#recordSize(ring, offset);
      if (size === 0) return Infinity;
      const type = ring.words[offset >>> 2]!;
      if (type === RECORD_SAMPLE && size >= SAMPLE_HEADER + 8) {
        const at = (offset + SAMPLE_HEADER) >>> 2;
        const words = mask >>> 2;
        const time = ring.words[(at + 1) & words]! * 4294967296 + ring.words[at & words]!;
        // made before the wall clock was set back: it would block its ring until the clock has caught up
        return time > this.#far ? 0 : time;
      }
      if (type === RECORD_LOST && size >= 24) this.counts.toldLost += ring.words[((offset + 16) & mask) >>> 2]!;
      else this.counts.malformed++;
      ring.tail = (ring.tail + size) >>> 0;
    }
    return Infinity;
  }

  /** The record's size, or 0 after giving up the ring's content because the size cannot be. */
  #recordSize(ring: Ring, offset: number): number {
    const size = ring.words[(offset >>> 2) + 1]! >>> 16; // records are 8-aligned: a header never wraps
    if (size >= 8 && (size & 7) === 0 && size <= ring.size && size <= (ring.head - ring.tail) >>> 0) return size;
    this.counts.malformed++;
    ring.tail = ring.head;
    return 0;
  }

  /** Decodes events of one ring until one is younger than `limit` or a batch is full. The first is taken always: it is the oldest. */
  #run(ring: Ring, limit: number): number {
    const run = this.#state;
    run.words = ring.words;
    run.mask = ring.size - 1;
    run.head = ring.head;
    run.tail = ring.tail;
    run.limitHigh = limit === Infinity ? 0xffffffff : Math.floor(limit / 4294967296);
    run.limitLow = limit === Infinity ? 0xffffffff : limit % 4294967296;
    run.cpu = ring.cpu;
    const events = this.#decoder.appendRun(run);
    ring.tail = run.tail;
    this.counts.events += events;
    return events > 0 ? Appended.yes : this.#one(ring);
  }

  /** Decodes one record of any form; `full` leaves it where it is. A sample is at the tail (#peek has seen to that). */
  #one(ring: Ring): number {
    const offset = ring.tail & (ring.size - 1);
    const word = offset >>> 2;
    const size = ring.words[word + 1]! >>> 16;
    let { words, bytes } = ring as { words: Uint32Array<ArrayBuffer>; bytes: Uint8Array<ArrayBuffer> };
    let at = word + 3;
    if (offset + size > ring.size) {
      const toEnd = ring.size - offset;
      this.#scratchBytes.set(ring.bytes.subarray(offset), 0);
      this.#scratchBytes.set(ring.bytes.subarray(0, size - toEnd), toEnd);
      words = this.#scratch;
      bytes = this.#scratchBytes;
      at = 3;
    }
    const length = words[at - 1]!;
    const result =
      length + SAMPLE_HEADER <= size ? this.#decoder.append(words, bytes, at, length, ring.cpu) : Appended.malformed;
    if (result === Appended.full) return result;
    if (result === Appended.malformed) this.counts.malformed++;
    else this.counts.events++;
    ring.tail = (ring.tail + size) >>> 0;
    return result;
  }
}

/** Gives the space up to `tail` back to the kernel. The low word came from a 64-bit head: the high one is rebuilt from it. */
function release(ring: Ring): void {
  if (Atomics.load(ring.control, 2) >>> 0 === ring.tail) return;
  const head = Atomics.load(ring.control64, 0);
  const behind = BigInt((Number(head & 0xffffffffn) - ring.tail) >>> 0);
  Atomics.store(ring.control64, 1, head - behind);
}
