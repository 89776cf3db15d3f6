import type { SidePredicate } from "../compile/entry.ts";

/**
 * Sides that no policy can tell apart share a class: the same memberships in all predicates, the same signature (named ports).
 * A class is a node of a tree over (parent class, predicate), so a side that comes later finds its class by walking it.
 */
export class SideClasses {
  /** side → class; −1 = not yet placed. */
  classOf = new Int32Array(0);
  readonly #predicates: readonly SidePredicate[];
  readonly #signature: (side: number) => number;
  readonly #width: number;
  /** class × width words: which predicates hold. */
  #members = new Uint32Array(0);
  #representative: number[] = [];
  #children = new Map<number, number>();
  /** tree node → class; filled for nodes where a side's walk ends. */
  #classes = new Map<string, number>();
  #nodes = 1;
  #placed = 0;

  /** `signature` adds what predicates don't see: sides of different signatures never share a class. */
  constructor(predicates: readonly SidePredicate[], signature: (side: number) => number) {
    this.#predicates = predicates;
    this.#signature = signature;
    this.#width = (predicates.length + 31) >>> 5;
  }

  get count(): number {
    return this.#representative.length;
  }

  /** Some side of the class: as good as any other of it. */
  representative(of: number): number {
    return this.#representative[of]!;
  }

  /** Whether the class's sides are members of predicate number `predicate` of the constructor's list. */
  has(of: number, predicate: number): boolean {
    return (this.#members[of * this.#width + (predicate >>> 5)]! & (1 << (predicate & 31))) !== 0;
  }

  /** Places sides up to `size` − 1. The first time by whole bitmaps, later ones side by side. */
  ensure(size: number): void {
    if (this.#placed >= size) return;
    const grown = new Int32Array(size).fill(-1);
    grown.set(this.classOf);
    this.classOf = grown;
    const node = new Float64Array(size - this.#placed);
    const first = this.#placed;
    const step = this.#predicates.length + 1;
    for (let p = 0; p < this.#predicates.length; p++) {
      if (first === 0)
        this.#predicates[p]!.select(size).forEach((side) => {
          if (side < size) node[side] = this.#child(node[side]! * step + p);
        });
      else
        for (let side = first; side < size; side++)
          if (this.#predicates[p]!.matches(side)) node[side - first] = this.#child(node[side - first]! * step + p);
    }
    for (let side = first; side < size; side++) this.classOf[side] = this.#classFor(node[side - first]!, side);
    this.#placed = size;
  }

  #child(key: number): number {
    let child = this.#children.get(key);
    if (child === undefined) this.#children.set(key, (child = this.#nodes++));
    this.#parents[child] = key;
    return child;
  }
  readonly #parents: number[] = [];

  #classFor(node: number, side: number): number {
    const key = `${node} ${this.#signature(side)}`;
    const known = this.#classes.get(key);
    if (known !== undefined) return known;
    const id = this.#representative.push(side) - 1;
    this.#classes.set(key, id);
    if ((id + 1) * this.#width > this.#members.length) {
      const longer = new Uint32Array(Math.max((id + 1) * this.#width, this.#members.length * 2));
      longer.set(this.#members);
      this.#members = longer;
    }
    const step = this.#predicates.length + 1;
    for (let at = node; at !== 0;) {
      const up = this.#parents[at]!;
      const p = up % step;
      this.#members[id * this.#width + (p >>> 5)]! |= 1 << (p & 31);
      at = Math.floor(up / step);
    }
    return id;
  }
}
