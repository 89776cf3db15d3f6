import type { AddressBytes, Cidr } from "../../model/address.ts";
import { isV4 } from "../../model/address.ts";

/**
 * Blocks of addresses in a binary trie, numbered so that what lies within a block is a run of numbers: block n holds exactly the
 * blocks n … last[n]. Each family has a root block (0.0.0.0/0, ::/0), so that every address lies in some block. Built once;
 * memory is 8 bytes a node, at most 32 (IPv4) or 128 (IPv6) nodes a block.
 */
export class PrefixTrie {
  /** Blocks, roots included. */
  readonly size: number;
  readonly v4Root: number;
  readonly v6Root: number;
  readonly #children: Int32Array; // node → 2 × child, 0 = none (node 0 is a root, nobody's child)
  readonly #number: Int32Array; // node → the block that ends here, −1 = none
  readonly #last: Int32Array; // block → the last block within it

  constructor(blocks: Iterable<Cidr>) {
    const children: number[] = [0, 0, 0, 0]; // nodes 0 and 1: the roots of IPv4 and IPv6
    const ends = new Set<number>([0, 1]);
    for (const { bytes, bits, v4 } of blocks) {
      let node = v4 ? 0 : 1;
      for (let bit = v4 ? 96 : 0; bit < bits; bit++) {
        const at = node * 2 + bitAt(bytes, bit);
        if (children[at] === 0) {
          children[at] = children.length / 2;
          children.push(0, 0);
        }
        node = children[at]!;
      }
      ends.add(node);
    }
    this.#children = Int32Array.from(children);
    this.#number = new Int32Array(children.length / 2).fill(-1);
    this.size = ends.size;
    this.#last = new Int32Array(this.size);
    let next = 0;
    const visit = (node: number): void => {
      const block = ends.has(node) ? next++ : -1;
      this.#number[node] = block;
      for (const side of [0, 1]) if (children[node * 2 + side] !== 0) visit(children[node * 2 + side]!); // at most 128 deep
      if (block >= 0) this.#last[block] = next - 1;
    };
    visit(0);
    visit(1);
    this.v4Root = this.#number[0]!;
    this.v6Root = this.#number[1]!;
  }

  /** The smallest block that holds the address. */
  blockOf(address: AddressBytes): number {
    const v4 = isV4(address);
    let node = v4 ? 0 : 1;
    let block = this.#number[node]!;
    for (let bit = v4 ? 96 : 0; bit < 128; bit++) {
      node = this.#children[node * 2 + bitAt(address, bit)]!;
      if (node === 0) break;
      if (this.#number[node]! >= 0) block = this.#number[node]!;
    }
    return block;
  }

  /** The number of a block that it was built from. Throws for any other: a bug of the caller. */
  numberOf({ bytes, bits, v4 }: Cidr): number {
    let node = v4 ? 0 : 1;
    for (let bit = v4 ? 96 : 0; bit < bits; bit++) {
      node = this.#children[node * 2 + bitAt(bytes, bit)]!;
      if (node === 0) throw new Error("the trie was not built from this block");
    }
    const block = this.#number[node]!;
    if (block < 0) throw new Error("the trie was not built from this block");
    return block;
  }

  /** The last of the numbers within block `block`. */
  lastWithin(block: number): number {
    return this.#last[block]!;
  }
}

function bitAt(bytes: AddressBytes, bit: number): 0 | 1 {
  return ((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1) as 0 | 1;
}
