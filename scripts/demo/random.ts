/** Numbers from [0, 1) that depend on the key alone: the same key gives the same sequence on every machine and in every process. */
export type Random = () => number;

/** A generator for one purpose; `parts` name it (`seed, "traffic", edge, replica, second`), so that no two purposes share a sequence. */
export function randomOf(...parts: readonly (string | number)[]): Random {
  let state = 0x811c9dc5; // FNV-1a, 32 bit
  for (const character of parts.join("/")) {
    state ^= character.codePointAt(0)!;
    state = Math.imul(state, 0x01000193);
  }
  return () => {
    // mulberry32: passes gjrand's short tests, one multiplication wide, and needs no BigInt
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A whole number from `low` to `high`, both included. */
export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

/** One element; the list must not be empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

/** `rate` things a second, as whole numbers whose mean is `rate`. */
export function wholeOf(random: Random, rate: number): number {
  const whole = Math.floor(rate);
  return whole + (random() < rate - whole ? 1 : 0);
}
