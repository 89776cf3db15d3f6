import { isV4, type Cidr } from "../../model/address.ts";
import { Bitmap } from "../compile/bitmap.ts";
import type { IndexedSide, WorldIndex } from "../world-index.ts";
import { addressBytes, type Members } from "./members.ts";
import { PrefixTrie } from "./prefix-trie.ts";
import { formatSelector, type Selector } from "./selector.ts";

/**
 * Everything that a flow's end can be, as far as policies can tell: a class. Each pod is one twice (as an IPv4 and as an IPv6
 * end), and each block named anywhere is one for the addresses in it that lie in no smaller block. Whatever a rule asks of an
 * end's address (selectors, nets) then is one bit in a bitmap over classes.
 *
 *   0 … pods−1, and room for more  pods as IPv4 ends
 *   then as many                   pods as IPv6 ends
 *   then trie.size                 blocks, in the trie's numbers
 */
export class AddressClasses {
  readonly count: number;
  readonly #members: Members;
  readonly #trie: PrefixTrie;
  readonly #stride: number;
  readonly #blocks: number;
  /** Addresses of pods by block, so that a block's pods are a run. */
  readonly #podBlocks: { readonly block: number; readonly klass: number }[] = [];
  readonly #bySelector = new Map<string, { readonly selector: Selector; readonly classes: Bitmap }>();
  readonly #byNet = new Map<number, Bitmap>();
  readonly v4: Bitmap;
  readonly v6: Bitmap;
  #pods = 0;

  constructor(index: WorldIndex, members: Members, nets: Iterable<Cidr>) {
    this.#members = members;
    this.#trie = new PrefixTrie(nets);
    this.#stride = ((members.capacity + 31) >>> 5) << 5;
    this.#blocks = this.#stride * 2;
    this.count = this.#blocks + this.#trie.size;
    this.v4 = this.#family(this.#trie.v4Root);
    this.v6 = this.#family(this.#trie.v6Root);
    this.include(index);
  }

  /** Takes in pods that came since the last time: there must be room (PodIndex.include). What was asked before changes with them. */
  include({ endpoints }: WorldIndex): void {
    if (this.#pods === endpoints.length) return;
    const known = this.#podBlocks.length;
    for (; this.#pods < endpoints.length; this.#pods++) {
      this.v4.add(this.pod(this.#pods, 4));
      this.v6.add(this.pod(this.#pods, 6));
      for (const bytes of addressBytes(endpoints[this.#pods]!.addresses))
        this.#podBlocks.push({ block: this.#trie.blockOf(bytes), klass: this.pod(this.#pods, isV4(bytes) ? 4 : 6) });
    }
    for (const [block, classes] of this.#byNet)
      for (const own of this.#podBlocks.slice(known))
        if (own.block >= block && own.block <= this.#trie.lastWithin(block)) classes.add(own.klass);
    this.#podBlocks.sort((a, b) => a.block - b.block);
    for (const { selector, classes } of this.#bySelector.values()) classes.words.set(this.#select(selector).words);
  }

  #family(root: number): Bitmap {
    const out = new Bitmap(this.count);
    for (let block = root; block <= this.#trie.lastWithin(root); block++) out.add(this.#blocks + block);
    return out;
  }

  pod(index: number, family: 4 | 6): number {
    return family === 4 ? index : this.#stride + index;
  }

  /** The pod that a class is, or −1 for a block. */
  podOf(klass: number): number {
    return klass >= this.#blocks ? -1 : klass % this.#stride;
  }

  /** An address that is no pod's. */
  block(bytes: Uint8Array): number {
    return this.#blocks + this.#trie.blockOf(bytes);
  }

  /** An address nobody wrote a block for. */
  outside(family: 4 | 6): number {
    return this.#blocks + (family === 4 ? this.#trie.v4Root : this.#trie.v6Root);
  }

  /** The class of a flow's end. An entity that is no address is taken as an address outside, which no selector matches. */
  ofSide(side: IndexedSide, family: 4 | 6): number {
    if (side.kind === "endpoint") return this.pod(side.index, family);
    return side.kind === "address" ? this.block(side.bytes) : this.outside(family);
  }

  /** Classes within any of the blocks. */
  withinNets(nets: readonly Cidr[]): Bitmap {
    const out = new Bitmap(this.count);
    for (const net of nets) out.or(this.#withinNet(this.#trie.numberOf(net)));
    return out;
  }

  #withinNet(block: number): Bitmap {
    const known = this.#byNet.get(block);
    if (known !== undefined) return known;
    const out = new Bitmap(this.count);
    const last = this.#trie.lastWithin(block);
    for (let inner = block; inner <= last; inner++) out.add(this.#blocks + inner);
    let at = lowerBound(this.#podBlocks, block);
    for (; at < this.#podBlocks.length && this.#podBlocks[at]!.block <= last; at++) out.add(this.#podBlocks[at]!.klass);
    this.#byNet.set(block, out);
    return out;
  }

  /** Classes that a peer's selector matches: pods, and the blocks of network sets with the pods in them. Shared: not to be changed. */
  selected(selector: Selector): Bitmap {
    const key = formatSelector(selector);
    let known = this.#bySelector.get(key);
    if (known === undefined) this.#bySelector.set(key, (known = { selector, classes: this.#select(selector) }));
    return known.classes;
  }

  #select(selector: Selector): Bitmap {
    const out = this.ofPods(this.#members.pods(selector));
    for (const { spec } of this.#members.setsOf(selector)) out.or(this.withinNets(spec.nets));
    return out;
  }

  /** Both classes of each pod. */
  ofPods(pods: Bitmap): Bitmap {
    const out = new Bitmap(this.count);
    out.words.set(pods.words, 0);
    out.words.set(pods.words, this.#stride >>> 5);
    return out;
  }
}

function lowerBound(list: readonly { readonly block: number }[], block: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]!.block < block) low = middle + 1;
    else high = middle;
  }
  return low;
}
