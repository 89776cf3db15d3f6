import type { Entry } from "./types.ts";

/** What a program was told when its connection failed. */
export interface FailureEntry extends Entry {
  /** Linux' number; undefined where several share the text. */
  readonly number: number | undefined;
  /** For a table's cell: a few words that claim no cause. */
  readonly inWords: string;
  /** What tells one cause from another, as a person would check it. */
  readonly tellApart: readonly string[];
}
