import { Bitmap } from "./bitmap.ts";
import type { Requirement } from "../parse/label-selector.ts";

/**
 * Who has which label, as bitmaps: a requirement is answered by a few word operations, whatever the number of members. Members
 * are numbered by the caller. `size` is one more than the highest member.
 */
export class LabelIndex {
  #size = 0;
  readonly #everyone = new Bitmap(0);
  readonly #byKey = new Map<string, Bitmap>();
  readonly #byValue = new Map<string, Map<string, Bitmap>>();

  get size(): number {
    return this.#size;
  }

  /** Adds a member with its labels; a member is added once. */
  add(member: number, labels: Iterable<readonly [string, string]>): void {
    this.#size = Math.max(this.#size, member + 1);
    this.#everyone.add(member);
    for (const [key, value] of labels) {
      this.#bits(this.#byKey, key).add(member);
      let values = this.#byValue.get(key);
      if (values === undefined) this.#byValue.set(key, (values = new Map()));
      this.#bits(values, value).add(member);
    }
  }

  /** Members that meet every requirement: a fresh set. No requirement = all members. */
  select(requirements: readonly Requirement[]): Bitmap {
    const found = this.#everyone.clone();
    for (const { key, operator, values } of requirements) {
      const having = this.#byKey.get(key);
      if (operator === "Exists") found.and(having ?? NOBODY);
      else if (operator === "DoesNotExist") found.andNot(having ?? NOBODY);
      else {
        const any = new Bitmap(this.#size);
        for (const value of values) any.or(this.#byValue.get(key)?.get(value) ?? NOBODY);
        if (operator === "In") found.and(any);
        else found.andNot(any);
      }
    }
    return found;
  }

  #bits(map: Map<string, Bitmap>, key: string): Bitmap {
    let bits = map.get(key);
    if (bits === undefined) map.set(key, (bits = new Bitmap(this.#size)));
    return bits;
  }
}

const NOBODY = new Bitmap(0);
