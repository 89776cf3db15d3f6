import { cidrContains, formatCidr, parseAddress, type AddressBytes, type Cidr } from "../../model/address.ts";
import type { PolicyDocument } from "../parse/documents.ts";
import { requirementMatches, selectorKey, unmetRequirements, type LabelSelector } from "../parse/label-selector.ts";
import type { NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from "../parse/network-policy.ts";
import type { ClusterPeer, ClusterPolicySpec, ClusterPort, ClusterRule } from "../parse/cluster-policy.ts";
import type { WorldIndex } from "../world-index.ts";
import { Bitmap } from "./bitmap.ts";
import {
  remembering,
  SLOTS,
  TIER,
  type CompiledRules,
  type PortMatch,
  type SidePredicate,
  type TieredSemantics,
} from "./entry.ts";
import { LabelIndex } from "./label-index.ts";
import { nameMatches } from "./names.ts";
import { RuleBook } from "./rule-book.ts";

/** NetworkPolicy v1, AdminNetworkPolicy and ClusterNetworkPolicy as their specifications read. */
export function compileKubernetes(documents: readonly PolicyDocument[], world: WorldIndex): CompiledRules {
  const space = PodSpace.of(world);
  const book = new RuleBook();
  for (const document of documents) {
    if (document.group === "networking.k8s.io")
      addNetworkPolicy(book, space, document, document.spec as NetworkPolicySpec);
    else if (document.group === "policy.networking.k8s.io")
      addClusterPolicy(book, space, document, document.spec as ClusterPolicySpec);
    else book.leaveOut(document, `${document.kind} of ${document.group} is not evaluated by the kubernetes profile`);
  }
  return book.finish();
}

/** How Kubernetes' own reading differs from others, for the tiered engine. */
export function kubernetesSemantics(world: WorldIndex): TieredSemantics {
  return {
    profile: "kubernetes",
    isSubject: (side) => {
      const it = world.side(side);
      return it.kind === "endpoint" && it.endpoint.hostNetwork !== true;
    },
    namedPorts: (side, name, slot) => {
      const it = world.side(side);
      if (it.kind !== "endpoint") return [];
      return it.endpoint.ports.flatMap((port) =>
        port.name === name && SLOT_OF_NAME.get(port.protocol) === slot ? [port.port] : [],
      );
    },
    isolationBeforeBaseline: true,
    isolateAll: false,
    enforceNothing: false,
    alwaysIsolated: () => false,
    selfIsExempt: true,
  };
}

/** Sixteen zeros: `::`, which no block but ::/0 holds. */
const NO_ADDRESS = new Uint8Array(16);

export const SLOT_OF_NAME: ReadonlyMap<string, number> = new Map([
  ["TCP", SLOTS.tcp],
  ["UDP", SLOTS.udp],
  ["SCTP", SLOTS.sctp],
]);

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

function addNetworkPolicy(book: RuleBook, space: PodSpace, document: PolicyDocument, spec: NetworkPolicySpec): void {
  const policy = book.policy(document);
  const subject = space.pods(document.namespace, spec.podSelector);
  const types = spec.policyTypes ?? (spec.egress.length > 0 ? ["Ingress", "Egress"] : ["Ingress"]);
  for (const direction of ["ingress", "egress"] as const) {
    if (!types.includes(direction === "ingress" ? "Ingress" : "Egress")) continue;
    book.enforce({ policy, direction, subject, defaultDeny: true });
    for (const [index, rule] of spec[direction].entries())
      book.entry({
        rule: book.rule(policy, direction, index, "allow", rule),
        direction,
        tier: TIER.normal,
        level: 0,
        action: "allow",
        subject,
        peers: rule.peers.length === 0 ? undefined : rule.peers.map((peer) => peerOf(space, document.namespace, peer)),
        ports: rule.ports.length === 0 ? undefined : rule.ports.map(portOf),
        redirect: 0,
        auth: undefined,
      });
  }
}

function peerOf(space: PodSpace, namespace: string, peer: NetworkPolicyPeer): SidePredicate {
  if (peer.kind === "ip-block") return space.block(peer.cidr, peer.except);
  return space.pods(peer.namespaces ?? namespace, peer.pods);
}

/** A NetworkPolicy's port as a range or a name. */
export function portOf(port: NetworkPolicyPort): PortMatch {
  const slot = SLOT_OF_NAME.get(port.protocol)!;
  if (typeof port.port === "string") return { kind: "name", slot, name: port.port };
  if (port.port === undefined) return { kind: "range", slot, from: 0, to: 65535 };
  return { kind: "range", slot, from: port.port, to: port.endPort ?? port.port };
}

/** Ports of a cluster policy; a name without protocol stands for each protocol that a pod has it in. */
export function clusterPortsOf(ports: readonly ClusterPort[] | undefined): PortMatch[] | undefined {
  return ports?.flatMap((port): PortMatch[] => {
    if (port.protocol === undefined)
      return [SLOTS.tcp, SLOTS.udp, SLOTS.sctp].map((slot) => ({ kind: "name", slot, name: String(port.port) }));
    const slot = SLOT_OF_NAME.get(port.protocol)!;
    if (port.port === undefined) return [{ kind: "range", slot, from: 0, to: 65535 }];
    return [{ kind: "range", slot, from: Number(port.port), to: port.endPort ?? Number(port.port) }];
  });
}

function addClusterPolicy(book: RuleBook, space: PodSpace, document: PolicyDocument, spec: ClusterPolicySpec): void {
  const policy = book.policy(document);
  const subject = space.pods(spec.subject.namespaces, spec.subject.pods);
  const tier = spec.tier === "Admin" ? TIER.admin : TIER.baseline;
  for (const direction of ["ingress", "egress"] as const)
    for (const [index, rule] of spec[direction].entries())
      for (const { action, peers } of clusterPeers(rule, (peer) => clusterPeerOf(space, peer)))
        book.entry({
          rule: book.rule(policy, direction, index, rule.action, rule),
          direction,
          tier,
          level: spec.priority + policy / 1e6 + index / 1e9, // equal priorities: undefined; here the first document decides
          action,
          subject,
          peers,
          ports: clusterPortsOf(rule.ports),
          redirect: 0,
          auth: undefined,
        });
}

/** A rule's peers as entries: one for the known ones, one more when an unknown peer fails closed. */
export function clusterPeers(
  rule: ClusterRule,
  predicate: (peer: ClusterPeer) => readonly SidePredicate[],
): { action: "allow" | "deny" | "pass"; peers: readonly SidePredicate[] | undefined }[] {
  if (rule.peers.length === 0) return [{ action: rule.action, peers: undefined }];
  const known = rule.peers.filter((peer) => peer.kind !== "unknown");
  const out: { action: "allow" | "deny" | "pass"; peers: readonly SidePredicate[] | undefined }[] = [];
  if (known.length < rule.peers.length && rule.action !== "allow") out.push({ action: "deny", peers: undefined });
  out.push({ action: rule.action, peers: known.flatMap(predicate) });
  return out;
}

function clusterPeerOf(space: PodSpace, peer: ClusterPeer): readonly SidePredicate[] {
  switch (peer.kind) {
    case "pods":
      return [space.pods(peer.namespaces, peer.pods)];
    case "networks":
      return peer.cidrs.map((cidr) => space.block(cidr, []));
    case "nodes":
      return [space.nodes(peer.nodes)];
    case "names":
      return [space.names(peer.names)];
    case "unknown":
      return [];
  }
}
