import type { CompiledPolicySet } from "../../policy/engine.ts";
import type { Direction } from "../../policy/verdict.ts";

/** Which policies of a set select a side, each side asked once: where no rule matches, they deny. */
export class Selecting {
  readonly #set: CompiledPolicySet;
  readonly #known = { egress: [] as (readonly number[])[], ingress: [] as (readonly number[])[] };

  constructor(set: CompiledPolicySet) {
    this.#set = set;
  }

  /** Indices into the set's `policies`. */
  of(side: number, direction: Direction): readonly number[] {
    return (this.#known[direction][side] ??= this.#set.selecting(side, direction));
  }
}
