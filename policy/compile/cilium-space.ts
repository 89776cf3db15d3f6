import {
  cidrContains,
  formatCidr,
  isV4,
  parseAddress,
  parseCidr,
  type AddressBytes,
  type Cidr,
} from "../../model/address.ts";
import { NAMESPACE_LABELS, POD_NAMESPACE, POLICY_ACCOUNT, POLICY_CLUSTER } from "../parse/cilium-labels.ts";
import type { CiliumBlock, FqdnPattern } from "../parse/cilium-peers.ts";
import { requirementMatches, unmetRequirements, type Requirement } from "../parse/label-selector.ts";
import type { WorldNode } from "../world.ts";
import type { WorldIndex } from "../world-index.ts";
import { Bitmap } from "./bitmap.ts";
import { remembering, type SidePredicate } from "./entry.ts";
import { namespaceLabels } from "./pod-space.ts";
import { LabelIndex } from "./label-index.ts";
import { canonicalName, patternMatches } from "./names.ts";

/** What Cilium knows of a side: the labels of its identity (`source:key` → value), and its address where blocks may match it. */
interface SideFacts {
  readonly labels: ReadonlyMap<string, string>;
  /** Undefined: blocks never match. */
  readonly blockAddress: AddressBytes | undefined;
  /** Addresses that names may stand for: the world's. */
  readonly nameAddress: AddressBytes | undefined;
}

/**
 * Identities as Cilium gives them, and predicates over them. A label is found under its own source and under `any:`; blocks match
 * addresses outside the cluster only (nodes too under cidrMatchesNodes). Sources: pkg/labels, pkg/policy/types/selector.go.
 */
export class CiliumSpace {
  static readonly #ofWorld = new WeakMap<WorldIndex, CiliumSpace>();
  readonly world: WorldIndex;
  readonly clusterName: string;
  readonly #index = new LabelIndex();
  readonly #facts: SideFacts[] = [];
  readonly #predicates = new Map<string, SidePredicate>();
  readonly #nodesByAddress = new Map<string, WorldNode>();
  readonly #namesByAddress = new Map<string, string[]>();
  readonly #groups: readonly { name: string; labels: ReadonlyMap<string, string>; blocks: readonly Cidr[] }[];

  constructor(world: WorldIndex) {
    this.world = world;
    this.clusterName = world.world.config.clusterName ?? "default";
    for (const node of world.world.nodes)
      for (const address of node.addresses) {
        const bytes = parseAddress(address);
        if (bytes !== undefined) this.#nodesByAddress.set(bytes.join("."), node);
      }
    for (const { name, addresses } of world.world.dnsNames)
      for (const address of addresses) {
        const key = parseAddress(address)?.join(".") ?? "";
        this.#namesByAddress.set(key, [...(this.#namesByAddress.get(key) ?? []), name]);
      }
    this.#groups = world.world.cidrGroups.map(({ name, labels, cidrs }) => ({
      name,
      labels,
      blocks: cidrs.flatMap((cidr) => parseCidr(cidr) ?? []),
    }));
  }

  /** The space of a world, made once. */
  static of(world: WorldIndex): CiliumSpace {
    let space = CiliumSpace.#ofWorld.get(world);
    if (space === undefined) CiliumSpace.#ofWorld.set(world, (space = new CiliumSpace(world)));
    return space;
  }

  facts(side: number): SideFacts {
    while (this.#facts.length <= side) {
      const next = this.#facts.length;
      const facts = this.#describe(next);
      this.#facts.push(facts);
      const labels: [string, string][] = [];
      for (const [key, value] of facts.labels)
        labels.push([key, value], [`any:${key.slice(key.indexOf(":") + 1)}`, value]);
      this.#index.add(next, labels);
    }
    return this.#facts[side]!;
  }

  /** True for the node whose agent judges: the only node that policies may be about. */
  isLocalHost(side: number): boolean {
    return this.facts(side).labels.has("reserved:host");
  }

  /** Identities that meet requirements whose keys carry a source. */
  labels(requirements: readonly Requirement[]): SidePredicate {
    const key = requirements.map(({ key: of, operator, values }) =>
      JSON.stringify([of, operator, ...[...new Set(values)].sort()]),
    );
    return this.#intern(`labels ${[...new Set(key)].sort().join(";")}`, {
      select: (size) => {
        if (size > 0) this.facts(size - 1);
        return this.#index.select(requirements);
      },
      matches: (side) => {
        const { labels } = this.facts(side);
        return requirements.every((requirement) => requirementMatches(requirement, lookUp(labels, requirement.key)));
      },
      lacks: (side) => unmetRequirements(requirements, (of) => lookUp(this.facts(side).labels, of)),
    });
  }

  /** Identities with one of these labels (`reserved:host`). */
  anyLabel(keys: readonly string[], also?: Requirement): SidePredicate {
    return this.#each(`any ${keys.join(",")} ${also === undefined ? "" : JSON.stringify(also)}`, ({ labels }) => {
      return (
        keys.some((key) => labels.has(key)) ||
        (also !== undefined && requirementMatches(also, lookUp(labels, also.key)))
      );
    });
  }

  /** Addresses of a block or of CIDR groups, without the exceptions. */
  block({ of, except }: Pick<CiliumBlock, "of" | "except">): SidePredicate {
    const excepted = except.map(formatCidr).sort().join(",");
    const outside = (address: AddressBytes) => !except.some((inner) => cidrContains(inner, address));
    const within = (key: string, inside: (address: AddressBytes) => boolean) =>
      this.#each(
        `${key} - ${excepted}`,
        ({ blockAddress }) => blockAddress !== undefined && inside(blockAddress) && outside(blockAddress),
      );
    switch (of.kind) {
      case "cidr":
        if (of.cidr.bits !== (of.cidr.v4 ? 96 : 0))
          return within(`block ${formatCidr(of.cidr)}`, (address) => cidrContains(of.cidr, address));
        // A prefix of length 0 is the world's label, not a block: nodes never have it, and the entity world does.
        return this.#each(`${this.#worldLabel(of.cidr.v4)} - ${excepted}`, ({ labels, blockAddress }) => {
          return labels.has(this.#worldLabel(of.cidr.v4)) && (blockAddress === undefined || outside(blockAddress));
        });
      case "group": {
        const blocks = this.#groups.filter((group) => group.name === of.name).flatMap((group) => group.blocks);
        return within(`group ${of.name}`, (address) => blocks.some((block) => cidrContains(block, address)));
      }
      case "groups":
        return within(`groups ${JSON.stringify(of.selector.requirements)}`, (address) =>
          of.selector.requirements.every((requirement) => this.#groupsMeet(requirement, address)),
        );
    }
  }

  /** An address has the labels of every group that holds it: a key may have several values, each of them counts. */
  #groupsMeet({ key, operator, values }: Requirement, address: AddressBytes): boolean {
    const name = key.slice(key.indexOf(":") + 1);
    const holding = this.#groups.filter((group) => group.blocks.some((block) => cidrContains(block, address)));
    const has = holding.some((group) => group.labels.has(name));
    const hasValue = holding.some((group) => values.includes(group.labels.get(name) ?? "\0"));
    switch (operator) {
      case "In":
        return hasValue;
      case "NotIn":
        return !hasValue;
      case "Exists":
        return has;
      case "DoesNotExist":
        return !has;
    }
  }

  /** World addresses that were looked up under a name that matches. */
  names(patterns: readonly FqdnPattern[]): SidePredicate {
    const key = patterns.map(({ kind, text }) => `${kind}:${canonicalName(text)}`).sort();
    return this.#each(`names ${key.join(",")}`, ({ nameAddress }) => {
      const names = nameAddress === undefined ? [] : (this.#namesByAddress.get(nameAddress.join(".")) ?? []);
      return names.some((name) =>
        patterns.some(({ kind, text }) =>
          kind === "name" ? canonicalName(text) === canonicalName(name) : patternMatches(text, name),
        ),
      );
    });
  }

  nobody(): SidePredicate {
    return this.#each("nobody", () => false);
  }

  #each(key: string, matches: (facts: SideFacts) => boolean): SidePredicate {
    return this.#intern(key, {
      matches: (side) => matches(this.facts(side)),
      select: (size) => {
        const chosen = new Bitmap(size);
        for (let side = 0; side < size; side++) if (matches(this.facts(side))) chosen.add(side);
        return chosen;
      },
    });
  }

  #intern(key: string, predicate: Omit<SidePredicate, "key">): SidePredicate {
    const known = this.#predicates.get(key);
    if (known !== undefined) return known;
    const made = remembering({ key, ...predicate });
    this.#predicates.set(key, made);
    return made;
  }

  #worldLabel(v4: boolean): string {
    return `reserved:${this.world.world.config.dualStack === true ? (v4 ? "world-ipv4" : "world-ipv6") : "world"}`;
  }

  /** A node's identity: the local one is host, others remote-node, API servers both and kube-apiserver. */
  #node(node: WorldNode): SideFacts {
    const facts = reserved(
      [node.local ? "host" : "remote-node", ...(node.kubeApiserver ? ["kube-apiserver"] : [])],
      node.labels,
    );
    const blocks = this.world.world.config.cidrMatchesNodes === true;
    return { ...facts, blockAddress: blocks ? parseAddress(node.addresses[0] ?? "") : undefined };
  }

  #describe(side: number): SideFacts {
    const it = this.world.side(side);
    if (it.kind === "entity") {
      const local = it.entity === "host" ? this.world.world.nodes.find((node) => node.local) : undefined;
      if (local !== undefined) return this.#node(local);
      return reserved(it.entity === "kube-apiserver" ? ["kube-apiserver", "remote-node"] : [it.entity]);
    }
    if (it.kind === "endpoint") {
      const { endpoint } = it;
      if (endpoint.hostNetwork === true) return reserved(["remote-node"]);
      const labels = new Map<string, string>();
      for (const [key, value] of endpoint.labels) labels.set(`k8s:${key}`, value);
      for (const [key, value] of namespaceLabels(this.world, endpoint.namespace))
        labels.set(`k8s:${NAMESPACE_LABELS}${key}`, value);
      labels.set(`k8s:${POD_NAMESPACE}`, endpoint.namespace);
      labels.set(`k8s:${POLICY_CLUSTER}`, this.clusterName);
      labels.set(`k8s:${POLICY_ACCOUNT}`, endpoint.serviceAccount);
      return { labels, blockAddress: undefined, nameAddress: undefined };
    }
    const node = this.#nodesByAddress.get(it.bytes.join("."));
    if (node !== undefined && (node.local || !node.outOfCluster)) return this.#node(node);
    const world = this.#worldLabel(isV4(it.bytes)).slice("reserved:".length);
    const facts = reserved([world, ...(node?.kubeApiserver === true ? ["kube-apiserver"] : [])]);
    return { ...facts, blockAddress: it.bytes, nameAddress: it.bytes };
  }
}

function reserved(names: readonly string[], nodeLabels?: ReadonlyMap<string, string>): SideFacts {
  const labels = new Map(names.map((name) => [`reserved:${name}`, ""]));
  for (const [key, value] of nodeLabels ?? []) {
    labels.set(`node:${key}`, value);
    labels.set(`k8s:${key}`, value);
  }
  return { labels, blockAddress: undefined, nameAddress: undefined };
}

function lookUp(labels: ReadonlyMap<string, string>, key: string): string | undefined {
  if (!key.startsWith("any:")) return labels.get(key);
  const name = key.slice(4);
  for (const [full, value] of labels) if (full.slice(full.indexOf(":") + 1) === name) return value;
  return undefined;
}
