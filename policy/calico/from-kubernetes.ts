import type { ClusterPeer, ClusterPolicySpec, ClusterPort, ClusterRule, PodsPeer } from "../parse/cluster-policy.ts";
import type { LabelSelector } from "../parse/label-selector.ts";
import type {
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicyRule,
  NetworkPolicySpec,
} from "../parse/network-policy.ts";
import { PROTOCOL_NUMBERS } from "../engine.ts";
import { ORCHESTRATOR } from "./members.ts";
import { ALL, allOf, type Selector } from "./selector.ts";
import {
  ANY_ENTITY,
  DEFAULT_TIER,
  KUBE_ADMIN,
  KUBE_BASELINE,
  KUBERNETES_POLICY_ORDER,
  type CalicoEntity,
  type CalicoPolicySpec,
  type CalicoRule,
  type PortMatch,
} from "./types.ts";

/**
 * The Kubernetes kinds as Calico reads them (libcalico-go/lib/backend/k8s/conversion 3.32.1). Selectors of pods carry
 * `projectcalico.org/orchestrator == 'k8s'`, which no network set has; a ClusterNetworkPolicy's peer by namespaces does not, so
 * that NetworkSets of those namespaces are peers too.
 */
const PODS: Selector = { kind: "equals", key: ORCHESTRATOR, value: "k8s" };
const NO_SELECTORS = {
  namespaceSelector: undefined,
  serviceAccountSelector: undefined,
  stagedAction: undefined,
  hostEndpointsOnly: false,
};

export function fromNetworkPolicy(
  spec: NetworkPolicySpec,
  types: { ingress: boolean; egress: boolean },
): CalicoPolicySpec {
  return {
    ...NO_SELECTORS,
    type: "policy",
    tier: DEFAULT_TIER,
    order: KUBERNETES_POLICY_ORDER,
    selector: podSelector(spec.podSelector),
    governsIngress: types.ingress,
    governsEgress: types.egress,
    ingress: spec.ingress.flatMap((rule, index) => networkPolicyRules(rule, index, "source")),
    egress: spec.egress.flatMap((rule, index) => networkPolicyRules(rule, index, "destination")),
  };
}

/** The API server's defaulting: absent = Ingress, and Egress if there are egress rules. */
export function networkPolicyTypes(spec: NetworkPolicySpec): { ingress: boolean; egress: boolean } {
  const types = spec.policyTypes;
  if (types === undefined) return { ingress: true, egress: spec.egress.length > 0 };
  return { ingress: types.includes("Ingress"), egress: types.includes("Egress") };
}

/** A staged one passes no such defaulting: without types it is for ingress alone, whatever rules it has. */
export function stagedNetworkPolicyTypes(spec: NetworkPolicySpec): { ingress: boolean; egress: boolean } {
  return spec.policyTypes === undefined ? { ingress: true, egress: false } : networkPolicyTypes(spec);
}

function networkPolicyRules(rule: NetworkPolicyRule, index: number, side: Side): CalicoRule[] {
  const entities = rule.peers.length === 0 ? [ANY_ENTITY] : rule.peers.map(networkPolicyPeer);
  return translated(entities, protocolPorts(rule.ports), side, {
    index,
    position: rule.position,
    path: rule.path,
    action: "allow",
  });
}

function networkPolicyPeer(peer: NetworkPolicyPeer): CalicoEntity {
  if (peer.kind === "ip-block") return { ...ANY_ENTITY, nets: [peer.cidr], notNets: peer.except };
  return {
    ...ANY_ENTITY,
    selector: podSelector(peer.pods),
    namespaceSelector: peer.namespaces === undefined ? undefined : labelSelector(peer.namespaces, ALL),
  };
}

export function fromClusterPolicy(spec: ClusterPolicySpec): CalicoPolicySpec {
  const ingress = spec.ingress.flatMap((rule, index) => clusterRules(rule, index, "source"));
  const egress = spec.egress.flatMap((rule, index) => clusterRules(rule, index, "destination"));
  return {
    ...NO_SELECTORS,
    type: "policy",
    tier: spec.tier === "Admin" ? KUBE_ADMIN : KUBE_BASELINE,
    order: spec.priority,
    selector: podSelector(spec.subject.pods),
    namespaceSelector: labelSelector(spec.subject.namespaces, ALL),
    governsIngress: ingress.length > 0,
    governsEgress: egress.length > 0,
    ingress,
    egress,
  };
}

/** Peers that Calico does not know (nodes, domainNames) fail the whole rule closed: deny and pass deny everything, allow is dropped. */
function clusterRules(rule: ClusterRule, index: number, side: Side): CalicoRule[] {
  const head = { index, position: rule.position, path: rule.path, action: rule.action };
  const entities = rule.peers.map(clusterPeer);
  if (entities.includes(undefined))
    return rule.action === "allow" ? [] : translated([ANY_ENTITY], ANY_PORT, side, { ...head, action: "deny" });
  return translated(
    entities.filter((entity) => entity !== undefined),
    protocolPorts(rule.ports ?? []),
    side,
    head,
  );
}

/** True where Calico replaces the rule because of a peer that it does not know. */
export function failsClosed(rule: ClusterRule): boolean {
  return rule.peers.some((peer) => clusterPeer(peer) === undefined);
}

function clusterPeer(peer: ClusterPeer): CalicoEntity | undefined {
  if (peer.kind === "networks") return { ...ANY_ENTITY, nets: peer.cidrs };
  return peer.kind === "pods" ? { ...ANY_ENTITY, ...podsPeer(peer) } : undefined;
}

function podsPeer(peer: PodsPeer): Pick<CalicoEntity, "selector" | "namespaceSelector"> {
  return {
    selector: peer.pods === undefined ? undefined : podSelector(peer.pods),
    namespaceSelector: labelSelector(peer.namespaces, ALL),
  };
}

type Side = "source" | "destination";
type Head = Pick<CalicoRule, "index" | "position" | "path" | "action">;

/** Ports of one protocol; undefined: every port (and without a protocol every protocol). */
interface ProtocolPorts {
  readonly protocol: number | undefined;
  readonly ports: PortMatch | undefined;
}
const ANY_PORT: readonly ProtocolPorts[] = [{ protocol: undefined, ports: undefined }];

/** A Calico rule for each protocol and peer, all with the same head. */
function translated(
  entities: readonly CalicoEntity[],
  protocols: readonly ProtocolPorts[],
  side: Side,
  head: Head,
): CalicoRule[] {
  return protocols.flatMap(({ protocol, ports }) =>
    entities.map((entity): CalicoRule => ({
      ...head,
      ipVersion: 0,
      protocol,
      notProtocol: undefined,
      icmp: undefined,
      notIcmp: undefined,
      source: side === "source" ? entity : ANY_ENTITY,
      destination: { ...(side === "destination" ? entity : ANY_ENTITY), ports },
      http: undefined,
    })),
  );
}

/** Ports gathered by protocol; one without a port number or name takes in the whole protocol. */
function protocolPorts(ports: readonly (NetworkPolicyPort | ClusterPort)[]): readonly ProtocolPorts[] {
  if (ports.length === 0) return ANY_PORT;
  const out: ProtocolPorts[] = [];
  for (const [protocol, group] of Map.groupBy(ports, (port) => port.protocol)) {
    const ranges: { first: number; last: number }[] = [];
    const names: string[] = [];
    for (const { port, endPort } of group) {
      if (typeof port === "string") names.push(port);
      else if (port !== undefined) ranges.push({ first: port, last: endPort ?? port });
    }
    const whole = group.some(({ port }) => port === undefined);
    out.push({
      protocol: protocol === undefined ? undefined : PROTOCOL_NUMBERS.get(protocol),
      ports: whole ? undefined : { ranges, names },
    });
  }
  return out;
}

/** Pods that Kubernetes knows, with those labels; undefined = all of them. */
function podSelector(selector: LabelSelector | undefined): Selector {
  return selector === undefined ? PODS : labelSelector(selector, undefined, PODS)!;
}

/** The requirements and-ed (after `first`); `none` when there are none. */
function labelSelector(selector: LabelSelector, none: Selector | undefined, first?: Selector): Selector | undefined {
  const parts = selector.requirements.map(({ key, operator, values }): Selector => {
    switch (operator) {
      case "In":
        return { kind: "in", key, values: new Set(values) };
      case "NotIn":
        return { kind: "notIn", key, values: new Set(values) };
      case "Exists":
        return { kind: "has", key };
      case "DoesNotExist":
        return { kind: "not", operand: { kind: "has", key } };
    }
  });
  return allOf(first, ...parts) ?? none;
}
