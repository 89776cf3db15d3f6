/** The table of hostile inputs: each is thrown once at running parts, what is expected of them is one line, and all must answer honestly after it. */
import type { House } from "./house.ts";

/** `small`: what CI throws; `full`: all of it, at full size. */
export type Size = "small" | "full";

export interface Input {
  /** What is thrown: `http: 10,000 headers`. */
  readonly name: string;
  /** What is expected, as one line. */
  readonly expected: string;
  /** Thrown alone: it measures, or takes what the others need. */
  readonly alone?: boolean;
  /** Left out of the small form. */
  readonly long?: boolean;
  /** Throws it. Rejects, saying what happened instead, when it was not handled as expected. */
  throwAt(house: House, size: Size): Promise<void>;
}

export interface Outcome {
  readonly input: Input;
  /** Undefined: handled. */
  readonly trouble: string | undefined;
  readonly tookMs: number;
}

const WITHIN_MS = 120_000;

/** So many at a time, of those that may. */
const TOGETHER = 6;

/** Throws `inputs`; after each, or after a handful, everything must answer honestly. `told` hears of each as it is done. */
export async function throwAll(
  house: House,
  inputs: readonly Input[],
  size: Size,
  told: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const handful of handfuls(inputs.filter(({ long }) => size === "full" || long !== true))) {
    const began = performance.now();
    const troubles = await Promise.all(handful.map((input) => troubleOf(() => input.throwAt(house, size))));
    const after = await troubleOf(() => house.answersHonestly());
    for (const [i, input] of handful.entries()) {
      const outcome = { input, trouble: troubles[i] ?? after, tookMs: performance.now() - began };
      outcomes.push(outcome);
      told(outcome);
    }
  }
  return outcomes;
}

function handfuls(inputs: readonly Input[]): Input[][] {
  const all: Input[][] = [];
  for (const input of inputs) {
    const last = all.at(-1);
    const fits = last !== undefined && last.length < TOGETHER && last[0]!.alone !== true && input.alone !== true;
    if (fits) last.push(input);
    else all.push([input]);
  }
  return all;
}

async function troubleOf(work: () => Promise<void>): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not handled within ${WITHIN_MS / 1000} s`)), WITHIN_MS);
  });
  try {
    await Promise.race([work(), late]);
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } finally {
    clearTimeout(timer);
  }
}

/** Throws an Error that says what was expected of what. */
export function expectThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
