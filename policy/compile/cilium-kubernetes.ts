import type { PolicyDocument } from "../parse/documents.ts";
import { NAMESPACE_LABELS, POD_NAMESPACE, POLICY_CLUSTER, sourced } from "../parse/cilium-labels.ts";
import type { ClusterPeer, ClusterPolicySpec } from "../parse/cluster-policy.ts";
import type { Requirement } from "../parse/label-selector.ts";
import type { NetworkPolicyPeer, NetworkPolicySpec } from "../parse/network-policy.ts";
import type { CiliumSpace } from "./cilium-space.ts";
import { SLOTS, TIER, type Entry, type SidePredicate } from "./entry.ts";
import { clusterPeers, clusterPortsOf, portOf } from "./kubernetes.ts";
import type { RuleBook } from "./rule-book.ts";

/** NetworkPolicy as Cilium reads it: `policyTypes` matters only for directions without rules. (pkg/k8s/network_policy.go) */
export function addNetworkPolicy(
  book: RuleBook,
  space: CiliumSpace,
  document: PolicyDocument,
  spec: NetworkPolicySpec,
): void {
  const policy = book.policy(document);
  const own: Requirement = { key: `k8s:${POD_NAMESPACE}`, operator: "In", values: [document.namespace] };
  const subject = space.labels([...sourced(spec.podSelector.requirements, "k8s"), own]);
  const types = spec.policyTypes ?? (spec.egress.length > 0 ? ["Ingress", "Egress"] : ["Ingress"]);
  for (const direction of ["ingress", "egress"] as const) {
    const rules = spec[direction];
    const isolates =
      direction === "egress" ? types.includes("Egress") : types.includes("Ingress") || !types.includes("Egress");
    if (rules.length === 0 && !isolates) continue;
    book.enforce({ policy, direction, subject, defaultDeny: true });
    for (const [index, rule] of rules.entries())
      book.entry({
        rule: book.rule(policy, direction, index, "allow", rule),
        direction,
        tier: TIER.normal,
        level: 0,
        action: "allow",
        subject,
        peers: rule.peers.length === 0 ? undefined : rule.peers.map((peer) => networkPolicyPeer(space, own, peer)),
        ports: rule.ports.length === 0 ? undefined : rule.ports.map(portOf),
        redirect: 0,
        auth: undefined,
      });
  }
}

function networkPolicyPeer(space: CiliumSpace, own: Requirement, peer: NetworkPolicyPeer): SidePredicate {
  if (peer.kind === "ip-block") return space.block({ of: { kind: "cidr", cidr: peer.cidr }, except: peer.except });
  const pods = sourced(peer.pods?.requirements ?? [], "k8s");
  if (!pods.some(({ key }) => key === `k8s:${POLICY_CLUSTER}`))
    pods.push({ key: `k8s:${POLICY_CLUSTER}`, operator: "In", values: [space.clusterName] });
  return space.labels([
    ...(peer.namespaces === undefined ? [own] : inNamespaces(peer.namespaces.requirements)),
    ...pods,
  ]);
}

/** A namespace selector over a pod's identity; an empty one asks for any namespace. */
function inNamespaces(requirements: readonly Requirement[]): Requirement[] {
  if (requirements.length === 0) return [{ key: `k8s:${POD_NAMESPACE}`, operator: "Exists", values: [] }];
  return requirements.map(({ key, operator, values }) => ({ key: `k8s:${NAMESPACE_LABELS}${key}`, operator, values }));
}

/** Cluster policies as Cilium reads them (pkg/k8s/cluster_network_policy.go). */
export function addClusterPolicy(
  book: RuleBook,
  space: CiliumSpace,
  document: PolicyDocument,
  spec: ClusterPolicySpec,
): void {
  const policy = book.policy(document);
  const pods: Requirement = { key: "reserved:host", operator: "DoesNotExist", values: [] };
  const subject = space.labels([
    ...inNamespaces(spec.subject.namespaces.requirements),
    ...sourced(spec.subject.pods?.requirements ?? [], "k8s"),
    pods,
  ]);
  for (const direction of ["ingress", "egress"] as const)
    for (const [index, rule] of spec[direction].entries()) {
      book.enforce({ policy, direction, subject, defaultDeny: false });
      const base = {
        rule: book.rule(policy, direction, index, rule.action, rule),
        direction,
        tier: spec.tier === "Admin" ? TIER.admin : TIER.baseline,
        level: spec.priority + index / 100, // as Cilium flattens it; 100 rules at most, so priorities never meet
        subject,
        auth: undefined,
      };
      for (const { action, peers } of clusterPeers(rule, (peer) => clusterPeer(space, peer)))
        book.entry({ ...base, action, peers, ports: clusterPortsOf(rule.ports), redirect: 0 });
      if (rule.peers.some((peer) => peer.kind === "names")) book.entry({ ...base, ...dnsLookups(space) });
    }
}

/** Names need their look-ups allowed and seen: Cilium adds a rule to the cluster's DNS pods. */
function dnsLookups(space: CiliumSpace): Pick<Entry, "action" | "peers" | "ports" | "redirect"> {
  const slots = [SLOTS.tcp, SLOTS.udp, SLOTS.sctp];
  return {
    action: "allow",
    peers: [space.labels([{ key: "any:k8s-app", operator: "In", values: ["kube-dns"] }])],
    ports: slots.flatMap((slot) => ["dns", "dns-tcp"].map((name) => ({ kind: "name" as const, slot, name }))),
    redirect: 128 - 121,
  };
}

function clusterPeer(space: CiliumSpace, peer: ClusterPeer): readonly SidePredicate[] {
  switch (peer.kind) {
    case "pods": {
      const requirements = inNamespaces(peer.namespaces.requirements);
      if (peer.pods !== undefined) {
        requirements.push(...sourced(peer.pods.requirements, "k8s"));
        if (!requirements.some(({ key }) => key === `k8s:${POLICY_CLUSTER}`))
          requirements.push({ key: `k8s:${POLICY_CLUSTER}`, operator: "In", values: [space.clusterName] });
      }
      return [space.labels(requirements)];
    }
    case "networks":
      return peer.cidrs.map((cidr) => space.block({ of: { kind: "cidr", cidr }, except: [] }));
    case "nodes": {
      const nodes = sourced(peer.nodes.requirements, "node");
      return ["host", "remote-node"].map((name) =>
        space.labels([...nodes, { key: `reserved:${name}`, operator: "Exists", values: [] }]),
      );
    }
    case "names":
      return [
        space.names(
          peer.names.map((text) =>
            text.startsWith("*") ? { kind: "pattern", text: `*${text}` } : { kind: "name", text },
          ),
        ),
      ];
    case "unknown":
      return [];
  }
}
