/** Draws by seed, the same on every machine: xorshift32. */
export interface SeededRandom {
  /** From 0, below 1. */
  random(): number;
  pick<T>(list: readonly T[]): T;
  /** Between `least` and `most` different items, in random order. */
  some<T>(list: readonly T[], least: number, most: number): T[];
  /** From `least` to `most`, both included. */
  whole(least: number, most: number): number;
}

export function seededRandom(seed: number): SeededRandom {
  let state = (Math.imul(seed | 0, 0x9e3779b1) ^ 0x5bd1e995) | 0 || 1; // neighbouring seeds begin far apart
  const random = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
  const whole = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const pick = <T>(list: readonly T[]): T => list[whole(0, list.length - 1)]!;
  const some = <T>(list: readonly T[], least: number, most: number): T[] => {
    const rest = [...list];
    const taken: T[] = [];
    for (let count = whole(least, Math.min(most, rest.length)); count > 0; count--)
      taken.push(...rest.splice(whole(0, rest.length - 1), 1));
    return taken;
  };
  return { random, pick, some, whole };
}
