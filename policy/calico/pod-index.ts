import { Bitmap } from "../compile/bitmap.ts";
import type { World } from "../world.ts";
import { MemberLabels } from "./members.ts";
import { formatSelector, matchesValue, type LabelSelector, type Selector } from "./selector.ts";

/** Pods by label, as bits: a selector is some and-ing and or-ing of bitmaps. A world's pods are indexed once, whatever policies come. */
export class PodIndex {
  readonly count: number;
  /** Pods that are Calico's own endpoints: all but those in their host's network. */
  readonly #workloads: Bitmap;
  readonly #byLabel = new Map<string, { readonly pods: Bitmap; readonly values: Map<string, Bitmap> }>();
  readonly #selected = new Map<string, Bitmap>();

  constructor(world: World) {
    this.count = world.endpoints.length;
    this.#workloads = new Bitmap(this.count);
    const labels = new MemberLabels(world);
    for (const [pod, endpoint] of world.endpoints.entries()) {
      if (endpoint.hostNetwork === true) continue;
      this.#workloads.add(pod);
      for (const [key, value] of labels.ofPod(endpoint)) this.#add(pod, key, value);
    }
  }

  #add(pod: number, key: string, value: string): void {
    let label = this.#byLabel.get(key);
    if (label === undefined) this.#byLabel.set(key, (label = { pods: new Bitmap(this.count), values: new Map() }));
    let pods = label.values.get(value);
    if (pods === undefined) label.values.set(value, (pods = new Bitmap(this.count)));
    pods.add(pod);
    label.pods.add(pod);
  }

  /** The pods that a selector chooses; undefined = all. Shared: not to be changed. */
  select(selector: Selector | undefined): Bitmap {
    if (selector === undefined) return this.#workloads;
    const key = formatSelector(selector);
    let pods = this.#selected.get(key);
    if (pods === undefined) {
      if (this.#selected.size >= MAX_SELECTED) this.#selected.clear();
      this.#selected.set(key, (pods = this.#pods(selector)));
    }
    return pods;
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
    const matching = new Bitmap(this.count);
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
