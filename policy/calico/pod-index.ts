import { Bitmap } from "../compile/bitmap.ts";
import type { WorldIndex } from "../world-index.ts";
import { MemberLabels } from "./members.ts";
import { formatSelector, matchesValue, type LabelSelector, type Selector } from "./selector.ts";

/**
 * Pods by label, as bits: a selector is some and-ing and or-ing of bitmaps. A world's pods are indexed once, whatever policies come;
 * there is room for some that come later, and what was selected before takes them in.
 */
export class PodIndex {
  /** Pods that there is room for: the length of every bitmap. */
  readonly capacity: number;
  #count = 0;
  /** Pods that are Calico's own endpoints: all but those in their host's network. */
  readonly #workloads: Bitmap;
  readonly #byLabel = new Map<string, { readonly pods: Bitmap; readonly values: Map<string, Bitmap> }>();
  readonly #selected = new Map<string, { readonly selector: Selector; readonly pods: Bitmap }>();
  readonly #labels: MemberLabels;

  constructor(index: WorldIndex) {
    const { length } = index.endpoints;
    this.capacity = length + Math.max(64, length >>> 3);
    this.#workloads = new Bitmap(this.capacity);
    this.#labels = new MemberLabels(index.world);
    this.include(index);
  }

  get count(): number {
    return this.#count;
  }

  /** Takes in pods that came since the last time; false when there is no room for them all, and then none is taken. */
  include(index: WorldIndex): boolean {
    const { endpoints } = index;
    if (endpoints.length > this.capacity) return false;
    if (endpoints.length === this.#count) return true;
    for (; this.#count < endpoints.length; this.#count++) {
      const endpoint = endpoints[this.#count]!;
      if (endpoint.hostNetwork === true) continue;
      this.#workloads.add(this.#count);
      for (const [key, value] of this.#labels.ofPod(endpoint)) this.#add(this.#count, key, value);
    }
    for (const { selector, pods } of this.#selected.values()) pods.words.set(this.#pods(selector).words);
    return true;
  }

  #add(pod: number, key: string, value: string): void {
    let label = this.#byLabel.get(key);
    if (label === undefined) this.#byLabel.set(key, (label = { pods: new Bitmap(this.capacity), values: new Map() }));
    let pods = label.values.get(value);
    if (pods === undefined) label.values.set(value, (pods = new Bitmap(this.capacity)));
    pods.add(pod);
    label.pods.add(pod);
  }

  /** True once so many selectors were asked for that a new index is cheaper than the memory. */
  get isFull(): boolean {
    return this.#selected.size > MAX_SELECTED;
  }

  /** The pods that a selector chooses; undefined = all. Shared: not to be changed by others; pods that come later join it. */
  select(selector: Selector | undefined): Bitmap {
    if (selector === undefined) return this.#workloads;
    const key = formatSelector(selector);
    let known = this.#selected.get(key);
    if (known === undefined) this.#selected.set(key, (known = { selector, pods: this.#pods(selector) }));
    return known.pods;
  }

  #pods(selector: Selector): Bitmap {
    switch (selector.kind) {
      case "all":
      case "global":
        return this.#workloads.clone();
      case "not":
        return this.#workloads.clone().andNot(this.#pods(selector.operand));
      case "and":
        return selector.operands.map((operand) => this.#pods(operand)).reduce((left, right) => left.and(right));
      case "or":
        return selector.operands.map((operand) => this.#pods(operand)).reduce((left, right) => left.or(right));
      default:
        return this.#podsByLabel(selector);
    }
  }

  /** Pods by one label: a look-up for == and has, otherwise one look at each value that the label has anywhere. */
  #podsByLabel(selector: LabelSelector): Bitmap {
    const label = this.#byLabel.get(selector.key);
    const matching = new Bitmap(this.capacity);
    if (selector.kind === "has") return label === undefined ? matching : matching.or(label.pods);
    if (selector.kind === "equals") return matching.or(label?.values.get(selector.value) ?? matching);
    for (const [value, pods] of label?.values ?? []) if (matchesValue(selector, value)) matching.or(pods);
    if (!matchesValue(selector, undefined)) return matching;
    const missing = this.#workloads.clone();
    return matching.or(label === undefined ? missing : missing.andNot(label.pods));
  }
}

/** An editor asks for a new selector on every key: forget before that adds up. */
const MAX_SELECTED = 20_000;
