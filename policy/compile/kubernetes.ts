import type { PolicyDocument } from "../parse/documents.ts";
import type { NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from "../parse/network-policy.ts";
import type { ClusterPeer, ClusterPolicySpec, ClusterPort, ClusterRule } from "../parse/cluster-policy.ts";
import type { WorldIndex } from "../world-index.ts";
import { SLOTS, TIER, type CompiledRules, type PortMatch, type SidePredicate, type TieredSemantics } from "./entry.ts";
import { PodSpace } from "./pod-space.ts";
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
  // A node always reaches its own pods: probes come from it (kubelet's contract with network plugins).
  book.entry({
    rule: -1,
    builtin: "builtin/allow-node",
    direction: "ingress",
    tier: TIER.admin,
    level: -1,
    action: "allow",
    subject: space.pods({ requirements: [], position: NOWHERE, path: "" }, undefined),
    peers: [space.localHost()],
    ports: undefined,
    redirect: 0,
    auth: undefined,
  });
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

const NOWHERE = { file: "", line: 0, column: 0 };
export const SLOT_OF_NAME: ReadonlyMap<string, number> = new Map([
  ["TCP", SLOTS.tcp],
  ["UDP", SLOTS.udp],
  ["SCTP", SLOTS.sctp],
]);

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
