/** What lies in a ring and is not read yet, for the books: it is neither decoded nor lost. */
import { COMMON } from "../decode/layout.gen.ts";
import type { Ring } from "./reader.ts";

const RECORD_SAMPLE = 9;
const HEADER_WORDS = 3; // record header and length (reader.ts)
/** More than this is not counted: a reader that is so far behind is asked again when it has caught up. */
const MOST_BYTES = 256 * 1024;

/** Events in each CPU's ring, by event type. */
export type Waiting = ReadonlyMap<number, ReadonlyMap<number, number>>;

/**
 * Runs `read`, which reads the kernel's counters, and counts the events that lie in the rings meanwhile. Undefined when one came
 * while it ran, or there are too many to count: the two do not belong together then.
 */
export function countWaiting(rings: readonly Ring[], read: () => void): Waiting | undefined {
  const heads = rings.map(headOf);
  read();
  const waiting = new Map<number, Map<number, number>>();
  for (const [i, ring] of rings.entries()) {
    if (headOf(ring) !== heads[i]) return undefined;
    const counts = waitingByType(ring, heads[i]);
    if (counts === undefined) return undefined;
    waiting.set(ring.cpu, counts);
  }
  return waiting;
}

/** How far the kernel has written, low word of the position. */
const headOf = (ring: Ring): number => Atomics.load(ring.control, 0) >>> 0;

/** Between the reader's place and `head`; undefined also when the records cannot be read: the reader will say why. */
function waitingByType(ring: Ring, head: number): Map<number, number> | undefined {
  const counts = new Map<number, number>();
  const { words, size: ringSize } = ring;
  const inWords = (ringSize >>> 2) - 1;
  if ((head - ring.tail) >>> 0 > MOST_BYTES) return undefined;
  for (let tail = ring.tail; tail !== head;) {
    const at = (tail & (ringSize - 1)) >>> 2;
    const size = words[at + 1]! >>> 16; // records are 8-aligned: a header never wraps
    if (size < 8 || (size & 7) !== 0 || size > (head - tail) >>> 0) return undefined;
    if (words[at] === RECORD_SAMPLE) {
      const type = words[(at + HEADER_WORDS + COMMON.type) & inWords]! & 0xff;
      counts.set(type, (counts.get(type) ?? 0) + 1);
    }
    tail = (tail + size) >>> 0;
  }
  return counts;
}
