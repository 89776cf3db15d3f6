/**
 * Texts of megabytes between a string and the editor's lines. Either way costs a quarter of a second for 10 MB, so it is done in
 * slices, a few milliseconds a task: keys and frames come between.
 */
import { Text } from "@codemirror/state";

/** Characters from which a text is of a machine, not of a person. */
export const LONG = 400_000;
/** Characters a step: a millisecond or two. */
const SLICE = 100_000;
const TASK_MS = 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

type Steps<T> = Generator<undefined, T>;

/** The lines of a text. */
export function* linesOfText(text: string): Steps<Text> {
  const ends = /\r\n?|\n/g;
  let all = Text.empty;
  for (let from = 0; from < text.length;) {
    ends.lastIndex = from + SLICE;
    const end = ends.lastIndex < text.length && ends.exec(text) !== null ? ends.lastIndex : text.length;
    all = all.append(Text.of(narrow(text.slice(from, end)).split(ends)));
    from = end;
    yield;
  }
  return all;
}

/** A clipboard's text has two bytes a letter, whatever it says; half of that is copied to the worker and the database in half the time. */
function narrow(slice: string): string {
  return slice.isWellFormed() ? decoder.decode(encoder.encode(slice)) : slice;
}

/** The text of lines, in one piece: what `toString` gives is a tree that the first to read it would have to copy together. */
export function* textOfLines(lines: Text): Steps<string> {
  const slices: string[] = [];
  for (let from = 0; from < lines.length; from += SLICE) {
    slices.push([...lines.iterRange(from, Math.min(lines.length, from + SLICE))].join(""));
    yield;
  }
  return slices.join("");
}

/** Work that is done in slices, and can be finished at once where nothing may wait. */
export class Sliced<T> {
  readonly #steps: Steps<T>;
  readonly #onDone: (result: T) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins in a task of its own. `onDone` is called once, unless it is given up. */
  constructor(steps: Steps<T>, onDone: (result: T) => void) {
    this.#steps = steps;
    this.#onDone = onDone;
    this.#timer = setTimeout(() => this.#work(TASK_MS), 0);
  }

  finish(): void {
    clearTimeout(this.#timer);
    this.#work(Infinity);
  }

  giveUp(): void {
    clearTimeout(this.#timer);
  }

  #work(forMs: number): void {
    const until = performance.now() + forMs;
    for (;;) {
      const step = this.#steps.next();
      if (step.done === true) return this.#onDone(step.value);
      if (performance.now() < until) continue;
      this.#timer = setTimeout(() => this.#work(TASK_MS), 0);
      return;
    }
  }
}
