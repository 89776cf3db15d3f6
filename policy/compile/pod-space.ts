import { cidrContains, formatCidr, parseAddress, type AddressBytes, type Cidr } from "../../model/address.ts";
import { requirementMatches, selectorKey, unmetRequirements, type LabelSelector } from "../parse/label-selector.ts";
import type { WorldIndex } from "../world-index.ts";
import { Bitmap } from "./bitmap.ts";
import { remembering, type SidePredicate } from "./entry.ts";
import { LabelIndex } from "./label-index.ts";
import { nameMatches } from "./names.ts";

/** Sixteen zeros: `::`, which no block but ::/0 holds. */
const NO_ADDRESS = new Uint8Array(16);

/** Pods and namespaces of a world, for selectors; addresses, for blocks. */
export class PodSpace {
  static readonly #ofWorld = new WeakMap<WorldIndex, PodSpace>();
  readonly world: WorldIndex;
  readonly #pods = new LabelIndex();
  readonly #namespaces = new LabelIndex();
  readonly #namespaceNames: string[] = [];
  /** Endpoints of a namespace. */
  readonly #inNamespace = new Map<string, Bitmap>();
  readonly #addresses: { readonly side: number; readonly bytes: AddressBytes }[] = [];
  readonly #predicates = new Map<string, SidePredicate>();
  readonly #hostNetwork = new Bitmap(0);
  #seen = 0;

  constructor(world: WorldIndex) {
    this.world = world;
    for (const name of world.namespaces.keys()) this.#addNamespace(name);
  }

  /** Takes in sides up to `size` − 1 that came since the last time. */
  #catchUp(size: number): void {
    for (; this.#seen < size; this.#seen++) {
      const it = this.world.side(this.#seen);
      if (it.kind === "address") this.#addresses.push({ side: this.#seen, bytes: it.bytes });
      if (it.kind !== "endpoint") continue;
      const { endpoint } = it;
      this.#pods.add(this.#seen, endpoint.labels);
      if (endpoint.hostNetwork === true) this.#hostNetwork.add(this.#seen);
      this.#addNamespace(endpoint.namespace);
      this.#inNamespace.get(endpoint.namespace)!.add(this.#seen);
      for (const address of endpoint.addresses) {
        const bytes = parseAddress(address);
        if (bytes !== undefined) this.#addresses.push({ side: this.#seen, bytes });
      }
    }
  }

  #addNamespace(name: string): void {
    if (this.#inNamespace.has(name)) return;
    this.#inNamespace.set(name, new Bitmap(0));
    this.#namespaces.add(this.#namespaceNames.length, namespaceLabels(this.world, name));
    this.#namespaceNames.push(name);
  }

  /** The space of a world, made once: sets compiled after another share what selectors choose. */
  static of(world: WorldIndex): PodSpace {
    let space = PodSpace.#ofWorld.get(world);
    if (space === undefined) PodSpace.#ofWorld.set(world, (space = new PodSpace(world)));
    return space;
  }

  /** Pods of namespaces that a selector chooses (or of one by name), further chosen by labels. Host-network pods are no pods here. */
  pods(namespaces: LabelSelector | string, pods: LabelSelector | undefined): SidePredicate {
    const inSpace = typeof namespaces === "string" ? `=${namespaces}` : selectorKey(namespaces);
    return this.#intern(`pods ${inSpace} | ${pods === undefined ? "" : selectorKey(pods)}`, () => ({
      select: (size) => {
        this.#catchUp(size);
        const chosen = new Bitmap(this.#pods.size);
        if (typeof namespaces === "string") chosen.or(this.#inNamespace.get(namespaces) ?? new Bitmap(0));
        else
          this.#namespaces.select(namespaces.requirements).forEach((at) => {
            chosen.or(this.#inNamespace.get(this.#namespaceNames[at]!) ?? new Bitmap(0));
          });
        if (pods !== undefined) chosen.and(this.#pods.select(pods.requirements));
        chosen.andNot(this.#hostNetwork);
        return chosen;
      },
      matches: (side) => {
        const it = this.world.side(side);
        if (it.kind !== "endpoint" || it.endpoint.hostNetwork === true) return false;
        const fits =
          typeof namespaces === "string"
            ? it.endpoint.namespace === namespaces
            : namespaces.requirements.every((r) =>
                requirementMatches(r, namespaceLabels(this.world, it.endpoint.namespace).get(r.key)),
              );
        return fits && (pods?.requirements ?? []).every((r) => requirementMatches(r, it.endpoint.labels.get(r.key)));
      },
      lacks: (side) => {
        const it = this.world.side(side);
        if (it.kind !== "endpoint") return ["a pod (it is an address outside)"];
        const { namespace, labels } = it.endpoint;
        const wrong =
          typeof namespaces === "string"
            ? namespace === namespaces
              ? []
              : [`namespace ${namespaces} (it is in ${namespace})`]
            : unmetRequirements(namespaces.requirements, (key) => namespaceLabels(this.world, namespace).get(key)).map(
                (text) => `namespace ${text}`,
              );
        return [...wrong, ...unmetRequirements(pods?.requirements ?? [], (key) => labels.get(key))];
      },
    }));
  }

  /** Whoever has an address in the block and in no exception, pods included. */
  block(cidr: Cidr, except: readonly Cidr[]): SidePredicate {
    const inside = (bytes: AddressBytes) =>
      cidrContains(cidr, bytes) && !except.some((inner) => cidrContains(inner, bytes));
    return this.#intern(`block ${formatCidr(cidr)} - ${except.map(formatCidr).sort().join(",")}`, () => ({
      select: (size) => {
        this.#catchUp(size);
        const chosen = new Bitmap(size);
        for (const { side, bytes } of this.#addresses) if (inside(bytes)) chosen.add(side);
        return chosen;
      },
      matches: (side) => {
        const it = this.world.side(side);
        if (it.kind === "address") return inside(it.bytes);
        return (
          it.kind === "endpoint" &&
          it.endpoint.addresses.some((text) => {
            const bytes = parseAddress(text);
            return bytes !== undefined && inside(bytes);
          })
        );
      },
      lacks: (side) =>
        this.#addressTexts(side).some((text) => inside(parseAddress(text) ?? NO_ADDRESS))
          ? []
          : [`an address in ${formatCidr(cidr)}`],
    }));
  }

  #addressTexts(side: number): readonly string[] {
    const it = this.world.side(side);
    return it.kind === "address" ? [it.address] : it.kind === "endpoint" ? it.endpoint.addresses : [];
  }

  /** Addresses of names that were looked up; `*.example.com` takes in any number of labels (network-policy-api). */
  names(names: readonly string[]): SidePredicate {
    const addresses = new Set<string>();
    for (const known of this.world.world.dnsNames)
      if (names.some((name) => nameMatches(name, known.name)))
        for (const text of known.addresses) addresses.add(parseAddress(text)?.join(".") ?? "");
    return this.#each(`names ${[...names].sort().join(",")}`, (side) => {
      const it = this.world.side(side);
      return it.kind === "address" && addresses.has(it.bytes.join("."));
    });
  }

  /** The node itself, as an entity. */
  localHost(): SidePredicate {
    return this.#each("entity host", (side) => {
      const it = this.world.side(side);
      return it.kind === "entity" && it.entity === "host";
    });
  }

  /** Nodes by label: their addresses, host-network pods on them not known. */
  nodes(selector: LabelSelector): SidePredicate {
    const addresses = new Set<string>();
    for (const node of this.world.world.nodes)
      if (selector.requirements.every((r) => requirementMatches(r, node.labels.get(r.key))))
        for (const text of node.addresses) addresses.add(parseAddress(text)?.join(".") ?? "");
    return this.#each(`nodes ${selectorKey(selector)}`, (side) => {
      const it = this.world.side(side);
      return it.kind === "address" && addresses.has(it.bytes.join("."));
    });
  }

  #each(key: string, matches: (side: number) => boolean): SidePredicate {
    return this.#intern(key, () => ({
      matches,
      select: (size) => {
        const chosen = new Bitmap(size);
        for (let side = 0; side < size; side++) if (matches(side)) chosen.add(side);
        return chosen;
      },
    }));
  }

  #intern(key: string, make: () => Omit<SidePredicate, "key">): SidePredicate {
    let predicate = this.#predicates.get(key);
    if (predicate === undefined) this.#predicates.set(key, (predicate = remembering({ key, ...make() })));
    return predicate;
  }
}

/** A namespace's labels with the one that the API server adds. */
export function namespaceLabels(world: WorldIndex, name: string): ReadonlyMap<string, string> {
  const labels = world.namespaces.get(name)?.labels;
  if (labels?.has("kubernetes.io/metadata.name")) return labels;
  return new Map([...(labels ?? []), ["kubernetes.io/metadata.name", name]]);
}
