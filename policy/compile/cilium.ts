import type { PolicyDocument } from "../parse/documents.ts";
import type { CiliumRule, CiliumRuleSet, CiliumSpec } from "../parse/cilium.ts";
import { NAMESPACE_LABELS, POD_NAMESPACE, POLICY_CLUSTER, sourced } from "../parse/cilium-labels.ts";
import type { CiliumPeers } from "../parse/cilium-peers.ts";
import type { CiliumL7, CiliumPortRule } from "../parse/cilium-ports.ts";
import type { ClusterPolicySpec } from "../parse/cluster-policy.ts";
import type { Requirement } from "../parse/label-selector.ts";
import type { NetworkPolicySpec } from "../parse/network-policy.ts";
import type { WorldIndex } from "../world-index.ts";
import type { CiliumSpace } from "./cilium-space.ts";
import {
  SLOTS,
  TIER,
  type CompiledRules,
  type Entry,
  type PortMatch,
  type SidePredicate,
  type TieredSemantics,
} from "./entry.ts";
import { SLOT_OF_NAME } from "./kubernetes.ts";
import { addClusterPolicy, addNetworkPolicy } from "./cilium-kubernetes.ts";
import { RuleBook } from "./rule-book.ts";
import { serviceSelectors } from "./cilium-services.ts";

/** Everything that Cilium 1.20 reads, as it reads it: its own kinds, NetworkPolicies and cluster policies. */
export function compileCilium(
  documents: readonly PolicyDocument[],
  world: WorldIndex,
  space: CiliumSpace,
): CompiledRules {
  const book = new RuleBook();
  for (const document of documents) {
    if (document.group === "cilium.io") addCilium(book, space, document, document.spec as CiliumSpec);
    else if (document.group === "networking.k8s.io")
      addNetworkPolicy(book, space, document, document.spec as NetworkPolicySpec);
    else if (document.group === "policy.networking.k8s.io")
      addClusterPolicy(book, space, document, document.spec as ClusterPolicySpec);
    else book.leaveOut(document, `${document.kind} of ${document.group} is not evaluated by the cilium profile`);
  }
  if (world.world.config.allowLocalhost !== false)
    book.entry({
      rule: -1,
      builtin: "builtin/allow-localhost-ingress",
      direction: "ingress",
      tier: TIER.builtin,
      level: 0,
      action: "allow",
      subject: space.labels([{ key: "reserved:host", operator: "DoesNotExist", values: [] }]),
      peers: [space.anyLabel(["reserved:host"])],
      ports: undefined,
      redirect: 0,
      auth: undefined,
    });
  return book.finish();
}

/** How Cilium differs, for the tiered engine. */
export function ciliumSemantics(world: WorldIndex, space: CiliumSpace): TieredSemantics {
  const { config } = world.world;
  const ports = identityPorts(world);
  return {
    profile: "cilium",
    isSubject: (side) => {
      const it = world.side(side);
      if (it.kind === "endpoint") return it.endpoint.hostNetwork !== true;
      return config.hostFirewall === true && space.isLocalHost(side);
    },
    learn: (size) => ports.learn(size),
    namedPorts: (side, name, slot, direction) => {
      const key = `${name}/${slot}`;
      // A pod knows its own ports; what a name means elsewhere is known by identity, and nothing when its pods disagree.
      if (direction === "ingress") {
        const it = world.side(side);
        if (it.kind !== "endpoint") return [];
        return it.endpoint.ports.flatMap((port) =>
          `${port.name.toLowerCase()}/${SLOT_OF_NAME.get(port.protocol)}` === key ? [port.port] : [],
        );
      }
      const known = ports.of(side)?.get(key);
      return known !== undefined && known.size === 1 ? [...known] : [];
    },
    isolationBeforeBaseline: false,
    isolateAll: config.policyEnforcement === "always",
    enforceNothing: config.policyEnforcement === "never",
    alwaysIsolated: () => false,
    selfIsExempt: false,
  };
}

/** Named ports by identity: pods of the same labels, namespace and account share one. */
function identityPorts(world: WorldIndex): {
  of(side: number): ReadonlyMap<string, ReadonlySet<number>> | undefined;
  learn(size: number): boolean;
} {
  const byIdentity = new Map<string, Map<string, Set<number>>>();
  const identities: (Map<string, Set<number>> | undefined)[] = [];
  let changed = false;
  const identify = (side: number) => {
    const it = world.side(side);
    if (it.kind !== "endpoint") return undefined;
    const { namespace, labels, serviceAccount, ports } = it.endpoint;
    const key = JSON.stringify([namespace, serviceAccount, [...labels].sort(([a], [b]) => (a < b ? -1 : 1))]);
    let known = byIdentity.get(key);
    const isNew = known === undefined;
    if (known === undefined) byIdentity.set(key, (known = new Map()));
    for (const port of ports) {
      const name = `${port.name.toLowerCase()}/${SLOT_OF_NAME.get(port.protocol)}`;
      const numbers = known.get(name) ?? new Set();
      changed ||= !isNew && !numbers.has(port.port);
      known.set(name, numbers.add(port.port));
    }
    return known;
  };
  const catchUp = (size: number) => {
    for (let next = identities.length; next < size; next++) identities.push(identify(next));
  };
  return {
    of(side) {
      catchUp(world.size);
      return identities[side];
    },
    learn(size) {
      catchUp(size);
      const answer = changed;
      changed = false;
      return answer;
    },
  };
}

const AUTH = { disabled: 0, required: 1, "test-always-fail": 2 } as const;

function addCilium(book: RuleBook, space: CiliumSpace, document: PolicyDocument, spec: CiliumSpec): void {
  const policy = book.policy(document);
  for (const [number, set] of spec.specs.entries())
    for (const field of ["ingress", "ingressDeny", "egress", "egressDeny"] as const) {
      const direction = field.startsWith("ingress") ? "ingress" : "egress";
      const action = field.endsWith("Deny") ? "deny" : "allow";
      const subject = subjectOf(space, document.namespace, set);
      if (set[field].length > 0)
        book.enforce({ policy, direction, subject, defaultDeny: deniesByDefault(space, set, direction) });
      for (const [index, rule] of set[field].entries()) {
        const base = {
          rule: book.rule(policy, field, index, action, rule, number),
          direction,
          tier: TIER.normal,
          level: 0,
          action,
          subject,
          auth: rule.auth === undefined ? undefined : AUTH[rule.auth],
        } as const;
        addRule(book, base, rule, peersOf(book, space, document, set, rule));
      }
    }
}

type EntryBase = Omit<Entry, "peers" | "ports" | "redirect">;

/** A rule without peers and ports isolates only; without peers it is about everybody; without ports about every protocol. */
function addRule(book: RuleBook, base: EntryBase, rule: CiliumRule, peers: Peers): void {
  if (peers === "absent" && rule.ports === undefined) return;
  const ports = rule.ports ?? [undefined];
  for (const portRule of ports) {
    const matches = portRule === undefined ? undefined : ciliumPorts(portRule);
    const redirect = portRule?.l7 === undefined ? 0 : redirectOf(portRule.l7);
    const l7 = portRule?.l7;
    const knows = l7 !== undefined && l7.http.length + l7.dns.length > 0;
    const entry = { ...base, ports: matches, redirect, ...(knows ? { l7 } : {}) };
    if (peers === "absent") book.entry({ ...entry, peers: undefined });
    else {
      if (peers.everybody) book.entry({ ...entry, peers: undefined });
      if (peers.some.length > 0) book.entry({ ...entry, peers: peers.some });
    }
  }
}

/** Listener priority as a rank, higher first: 1–100 of a listener's own, then http 101, tls 116, dns 121, crd 126. */
function redirectOf(l7: CiliumL7): number {
  const priority = l7.priority ?? { http: 101, tls: 116, dns: 121, crd: 126 }[l7.parser];
  return 128 - priority;
}

function deniesByDefault(space: CiliumSpace, set: CiliumRuleSet, direction: "ingress" | "egress"): boolean {
  return space.world.world.config.nonDefaultDeny === false || set.defaultDeny[direction] !== false;
}

function subjectOf(space: CiliumSpace, namespace: string, { subject }: CiliumRuleSet): SidePredicate {
  const requirements = sourced(subject.selector.requirements, "any");
  if (subject.kind === "nodes")
    return space.labels([...requirements, { key: "reserved:host", operator: "Exists", values: [] }]);
  const pods: Requirement = { key: "reserved:host", operator: "DoesNotExist", values: [] };
  if (namespace === "") return space.labels([...requirements, pods]);
  // the policy's namespace takes the place of a label of that name; an expression stays, and may leave nobody over
  const bound = requirements.filter(({ key, isLabel }) => !(key === `k8s:${POD_NAMESPACE}` && isLabel === true));
  return space.labels([...bound, { key: `k8s:${POD_NAMESPACE}`, operator: "In", values: [namespace] }]);
}

/** `everybody`: a selector without any requirement. `absent`: no peers given. */
type Peers = "absent" | { readonly everybody: boolean; readonly some: readonly SidePredicate[] };

function peersOf(
  book: RuleBook,
  space: CiliumSpace,
  document: PolicyDocument,
  set: CiliumRuleSet,
  rule: CiliumRule,
): Peers {
  const { peers } = rule;
  switch (peers.kind) {
    case "absent":
      return "absent";
    case "endpoints":
      return choose(
        space,
        peers.selectors.map(({ requirements }) => endpointRequirements(space, document.namespace, set, requirements)),
      );
    case "nodes":
      return choose(
        space,
        peers.selectors.map(({ requirements }) => nodeRequirements(space, requirements)),
      );
    case "entities":
      return {
        everybody: peers.entities.includes("all"),
        some: peers.entities.flatMap((entity) => entityOf(space, entity)),
      };
    case "cidrs":
      return { everybody: false, some: peers.blocks.map((block) => space.block(block)) };
    case "names":
      return peers.patterns.length === 0 ? "absent" : { everybody: false, some: [space.names(peers.patterns)] };
    case "services":
      return serviceOf(book, space, document, rule, peers);
  }
}

function choose(space: CiliumSpace, selectors: readonly (readonly Requirement[])[]): Peers {
  return {
    everybody: selectors.some((requirements) => requirements.length === 0),
    some: selectors.filter((requirements) => requirements.length > 0).map((requirements) => space.labels(requirements)),
  };
}

/** What Cilium adds to a peer's selector: the policy's namespace and the local cluster, unless it names its own. */
function endpointRequirements(
  space: CiliumSpace,
  namespace: string,
  set: CiliumRuleSet,
  written: readonly Requirement[],
): Requirement[] {
  const requirements = sourced(written, "any");
  if (requirements.some(({ key }) => key.startsWith("reserved:"))) return requirements;
  const has = (name: string) => requirements.some(({ key }) => key === `k8s:${name}` || key === `any:${name}`);
  if (!has(POD_NAMESPACE)) {
    const init = sourced(set.subject.selector.requirements, "any").some(({ key }) => key === "reserved:init");
    const byLabel = requirements.some(
      ({ key }) => key.startsWith(`k8s:${NAMESPACE_LABELS}`) || key.startsWith(`any:${NAMESPACE_LABELS}`),
    );
    if (namespace !== "" && !byLabel)
      requirements.push({ key: `k8s:${POD_NAMESPACE}`, operator: "In", values: [namespace] });
    else if (namespace === "" && !init)
      requirements.push({ key: `k8s:${POD_NAMESPACE}`, operator: "Exists", values: [] });
  }
  if (!has(POLICY_CLUSTER))
    requirements.push({ key: `k8s:${POLICY_CLUSTER}`, operator: "In", values: [space.clusterName] });
  return requirements;
}

function nodeRequirements(_space: CiliumSpace, written: readonly Requirement[]): Requirement[] {
  return [...sourced(written, "any"), { key: "reserved:remote-node", operator: "Exists", values: [] }];
}

function entityOf(space: CiliumSpace, entity: string): SidePredicate[] {
  const inCluster = ["host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver"].map(
    (name) => `reserved:${name}`,
  );
  switch (entity) {
    case "all":
    case "none":
      return [];
    case "world":
      return [space.anyLabel(["reserved:world", "reserved:world-ipv4", "reserved:world-ipv6"])];
    case "cluster":
      return [space.anyLabel(inCluster, { key: `k8s:${POLICY_CLUSTER}`, operator: "In", values: [space.clusterName] })];
    case "cluster-mesh":
      return [space.anyLabel(inCluster, { key: `any:${POLICY_CLUSTER}`, operator: "Exists", values: [] })];
    default:
      return [space.anyLabel([`reserved:${entity}`])];
  }
}

function serviceOf(
  book: RuleBook,
  space: CiliumSpace,
  document: PolicyDocument,
  rule: CiliumRule,
  peers: Extract<CiliumPeers, { kind: "services" }>,
): Peers {
  const { selectors, blocks } = serviceSelectors(space.world, peers.services);
  if (selectors.length + blocks.length === 0) {
    if (peers.services.length > 0)
      book.leaveOut(
        document,
        "no known service matches: Cilium then reads the rule as one without peers",
        rule.position,
        `${rule.path}.toServices`,
      );
    return "absent";
  }
  return {
    everybody: false,
    some: [
      ...selectors.map((requirements) => space.labels(requirements)),
      ...blocks.map((block) => space.block(block)),
    ],
  };
}

/** Ports as keys of the map: protocol ANY is three, port 0 is all, ICMP's type 0 too (it shares the wildcard's number). */
function ciliumPorts(rule: CiliumPortRule): PortMatch[] {
  return rule.ports.flatMap(({ protocol, port, endPort }): PortMatch[] => {
    const slots =
      protocol === "ANY"
        ? [SLOTS.tcp, SLOTS.udp, SLOTS.sctp]
        : protocol === "ICMP"
          ? [SLOTS.icmp]
          : protocol === "ICMPv6"
            ? [SLOTS.icmp6]
            : protocol === "other"
              ? []
              : [SLOT_OF_NAME.get(protocol)!];
    return slots.map((slot) => {
      if (typeof port === "string") return { kind: "name", slot, name: port };
      if (port === 0) return { kind: "range", slot, from: 0, to: 65535 };
      return { kind: "range", slot, from: port, to: endPort ?? port };
    });
  });
}
