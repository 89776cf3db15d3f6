import { stringify } from "yaml";
import { protocolName } from "../tuples.ts";
import { withinCalicoLimits } from "./calico-limits.ts";
import type { PlannedPeer, PlannedPolicy, PlannedPort, PlannedRule } from "./plan.ts";
import type { KindAbilities } from "./plan.ts";
import type { LabelChoice } from "./selectors.ts";
import type { Profile } from "../world.ts";

/** Kinds that can be generated, with what each can say and who reads it. */
export const GENERATED_KINDS = {
  NetworkPolicy: {
    profile: "kubernetes",
    names: false,
    entities: false,
    icmp: false,
    otherProtocols: false,
    onePeerKind: false,
    outsideSources: true,
  },
  CiliumNetworkPolicy: {
    profile: "cilium",
    names: true,
    entities: true,
    icmp: true,
    otherProtocols: false,
    onePeerKind: true,
    outsideSources: true,
  },
  CiliumClusterwideNetworkPolicy: {
    profile: "cilium",
    names: true,
    entities: true,
    icmp: true,
    otherProtocols: false,
    onePeerKind: true,
    outsideSources: true,
  },
  AdminNetworkPolicy: {
    profile: "kubernetes",
    names: false,
    entities: false,
    icmp: false,
    otherProtocols: false,
    onePeerKind: false,
    outsideSources: false,
  },
  ClusterNetworkPolicy: {
    profile: "kubernetes",
    names: true,
    entities: false,
    icmp: false,
    otherProtocols: false,
    onePeerKind: false,
    outsideSources: false,
  },
  CalicoNetworkPolicy: {
    profile: "calico",
    names: false,
    entities: false,
    icmp: true,
    otherProtocols: true,
    onePeerKind: true,
    outsideSources: true,
  },
  CalicoGlobalNetworkPolicy: {
    profile: "calico",
    names: false,
    entities: false,
    icmp: true,
    otherProtocols: true,
    onePeerKind: true,
    outsideSources: true,
  },
} as const satisfies { readonly [kind: string]: KindAbilities & { readonly profile: Profile } };
export type GeneratedKind = keyof typeof GENERATED_KINDS;

/** A YAML object, as `yaml` writes it. */
type Value = string | number | boolean | Value[] | { [key: string]: Value };

/** One document of YAML. Rules stand in the order of the plan, so index i of the document is rule i of the plan (see `writtenRules`). */
export function writePolicy(
  kind: GeneratedKind,
  policy: PlannedPolicy,
  directions: readonly ("ingress" | "egress")[],
): string {
  const spread = { ...policy, ingress: writtenRules(kind, policy.ingress), egress: writtenRules(kind, policy.egress) };
  return stringify(document(kind, spread, directions), { lineWidth: 0, aliasDuplicateObjects: false });
}

/** A plan's rules as the kind has room for them: one protocol a rule in Calico, ICMP apart from ports in Cilium. */
export function writtenRules(kind: GeneratedKind, rules: readonly PlannedRule[]): PlannedRule[] {
  const calico = kind.startsWith("Calico");
  if (!calico && !kind.startsWith("Cilium")) return [...rules];
  const grouped = rules.flatMap((rule): PlannedRule[] => {
    if (rule.ports === undefined) return [rule];
    const groups = new Map<string, PlannedPort[]>();
    for (const port of rule.ports) {
      const isIcmp = port.protocol === 1 || port.protocol === 58;
      const key = calico ? `${port.protocol}${isIcmp ? ` ${port.port}` : ""}` : isIcmp ? "icmp" : "ports";
      groups.set(key, [...(groups.get(key) ?? []), port]);
    }
    return [...groups.values()].map((ports) => ({ ...rule, ports }));
  });
  return calico ? grouped.flatMap((rule) => withinCalicoLimits(rule, calicoTerm)) : grouped;
}

function document(kind: GeneratedKind, policy: PlannedPolicy, directions: readonly ("ingress" | "egress")[]): Value {
  const types = directions.map((direction) => (direction === "ingress" ? "Ingress" : "Egress"));
  const named = { name: policy.name, namespace: policy.namespace };
  const clusterName = { name: `${policy.namespace}-${policy.name}` };
  switch (kind) {
    case "NetworkPolicy":
      return {
        apiVersion: "networking.k8s.io/v1",
        kind,
        metadata: named,
        spec: {
          podSelector: selector(policy.subject),
          policyTypes: types,
          ...each(directions, (d) => policy[d].map((rule) => networkPolicyRule(rule, d, policy.namespace))),
        },
      };
    case "CiliumNetworkPolicy":
      return {
        apiVersion: "cilium.io/v2",
        kind,
        metadata: named,
        spec: { endpointSelector: selector(policy.subject), ...each(directions, (d) => ciliumRules(policy[d], d)) },
      };
    case "CiliumClusterwideNetworkPolicy": {
      const endpointSelector = selector(policy.subject, { "k8s:io.kubernetes.pod.namespace": policy.namespace });
      const spec = { endpointSelector, ...each(directions, (d) => ciliumRules(policy[d], d)) };
      return { apiVersion: "cilium.io/v2", kind, metadata: clusterName, spec };
    }
    case "AdminNetworkPolicy":
    case "ClusterNetworkPolicy": {
      const alpha1 = kind === "AdminNetworkPolicy";
      const subject = {
        pods: { namespaceSelector: inNamespace(policy.namespace), podSelector: selector(policy.subject) },
      };
      const rules = each(directions, (d) => clusterRules(policy[d], d, alpha1));
      return {
        apiVersion: `policy.networking.k8s.io/${alpha1 ? "v1alpha1" : "v1alpha2"}`,
        kind,
        metadata: clusterName,
        spec: { ...(alpha1 ? {} : { tier: "Admin" }), priority: 100, subject, ...rules },
      };
    }
    case "CalicoNetworkPolicy":
    case "CalicoGlobalNetworkPolicy": {
      const global = kind === "CalicoGlobalNetworkPolicy";
      const where = global ? { namespaceSelector: `projectcalico.org/name == '${policy.namespace}'` } : {};
      return {
        apiVersion: "projectcalico.org/v3",
        kind: global ? "GlobalNetworkPolicy" : "NetworkPolicy",
        metadata: global ? clusterName : named,
        spec: {
          selector: expression(policy.subject),
          ...where,
          types,
          ...each(directions, (d) => policy[d].map((rule) => calicoRule(rule, d))),
        },
      };
    }
  }
}

function each(
  directions: readonly ("ingress" | "egress")[],
  rules: (direction: "ingress" | "egress") => Value[],
): { [key: string]: Value } {
  return Object.fromEntries(directions.map((direction) => [direction, rules(direction)]));
}

function selector(labels: LabelChoice, more: { [key: string]: Value } = {}): { [key: string]: Value } {
  const present = {
    ...more,
    ...Object.fromEntries([...labels].flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))),
  };
  const absent = [...labels].flatMap(([key, value]): Value[] =>
    value === undefined ? [{ key, operator: "DoesNotExist" }] : [],
  );
  return {
    ...(Object.keys(present).length === 0 ? {} : { matchLabels: present }),
    ...(absent.length === 0 ? {} : { matchExpressions: absent }),
  };
}

function inNamespace(namespace: string): Value {
  return { matchLabels: { "kubernetes.io/metadata.name": namespace } };
}

function networkPolicyRule(rule: PlannedRule, direction: string, namespace: string): Value {
  const peers = rule.peers.map((peer): Value => {
    if (peer.kind === "pods")
      return peer.namespace === namespace
        ? { podSelector: selector(peer.labels) }
        : { namespaceSelector: inNamespace(peer.namespace), podSelector: selector(peer.labels) };
    return { ipBlock: { cidr: peer.kind === "block" ? peer.block : "" } };
  });
  const ports = rule.ports?.map(({ protocol, port }): Value => ({
    protocol: protocolName(protocol),
    ...(port === 0 ? {} : { port }),
  }));
  return { [direction === "ingress" ? "from" : "to"]: peers, ...(ports === undefined ? {} : { ports }) };
}

function ciliumRules(rules: readonly PlannedRule[], direction: string): Value[] {
  const prefix = direction === "ingress" ? "from" : "to";
  const out = rules.map((rule): Value => ({ ...ciliumPeers(rule.peers, prefix), ...ciliumPorts(rule) }));
  return out.length === 0 ? [{}] : out; // a list without rules is no isolation in Cilium; an empty rule is
}

function ciliumPeers(peers: readonly PlannedPeer[], prefix: string): { [key: string]: Value } {
  switch (peers[0]?.kind) {
    case "pods":
      return {
        [`${prefix}Endpoints`]: peers.map((peer): Value =>
          peer.kind === "pods" ? selector(peer.labels, { "k8s:io.kubernetes.pod.namespace": peer.namespace }) : {},
        ),
      };
    case "entity":
      return { [`${prefix}Entities`]: peers.map((peer) => (peer.kind === "entity" ? peer.entity : "")) };
    case "name":
      return { [`${prefix}FQDNs`]: peers.map((peer): Value => ({ matchName: peer.kind === "name" ? peer.name : "" })) };
    default:
      return { [`${prefix}CIDR`]: peers.map((peer) => (peer.kind === "block" ? peer.block : "")) };
  }
}

function ciliumPorts(rule: PlannedRule): { [key: string]: Value } {
  if (rule.ports === undefined) return {};
  if (rule.ports.some(({ protocol }) => protocol === 1 || protocol === 58))
    return {
      icmps: [
        {
          fields: rule.ports.map(({ protocol, port }): Value => ({
            family: protocol === 58 ? "IPv6" : "IPv4",
            type: port,
          })),
        },
      ],
    };
  const ports = rule.ports.map(({ protocol, port }): Value => ({
    port: String(port),
    protocol: protocolName(protocol),
  }));
  const chunks: Value[][] = [];
  for (let i = 0; i < ports.length; i += 40) chunks.push(ports.slice(i, i + 40)); // Cilium takes 40 ports a port rule
  return {
    toPorts: chunks.map((chunk): Value => ({
      ports: chunk,
      ...(rule.forNames ? { rules: { dns: [{ matchPattern: "*" }] } } : {}),
    })),
  };
}

function clusterRules(rules: readonly PlannedRule[], direction: string, alpha1: boolean): Value[] {
  const list = direction === "ingress" ? "from" : "to";
  const allowed = rules.map((rule): Value => {
    const blocks = rule.peers.flatMap((peer) => (peer.kind === "block" ? [peer.block] : []));
    const names = rule.peers.flatMap((peer) => (peer.kind === "name" ? [peer.name] : []));
    const peers: Value[] = rule.peers.flatMap((peer): Value[] =>
      peer.kind === "pods"
        ? [{ pods: { namespaceSelector: inNamespace(peer.namespace), podSelector: selector(peer.labels) } }]
        : [],
    );
    if (blocks.length > 0) peers.push({ networks: blocks });
    if (names.length > 0) peers.push({ domainNames: names });
    return {
      action: alpha1 ? "Allow" : "Accept",
      [list]: peers,
      ...(rule.ports === undefined ? {} : clusterPorts(rule.ports, alpha1)),
    };
  });
  const everybody: Value[] =
    direction === "ingress" ? [{ namespaces: {} }] : [{ namespaces: {} }, { networks: ["0.0.0.0/0", "::/0"] }];
  return [...allowed, { action: "Deny", [list]: everybody }];
}

function clusterPorts(ports: readonly PlannedPort[], alpha1: boolean): { [key: string]: Value } {
  if (alpha1)
    return {
      ports: ports.map(({ protocol, port }): Value => ({ portNumber: { protocol: protocolName(protocol), port } })),
    };
  return {
    protocols: ports.map(({ protocol, port }): Value => ({
      [protocolName(protocol).toLowerCase()]: port === 0 ? {} : { destinationPort: { number: port } },
    })),
  };
}

function calicoRule(rule: PlannedRule, direction: string): Value {
  const blocks = rule.peers.flatMap((peer) => (peer.kind === "block" ? [peer.block] : []));
  const pods = rule.peers.flatMap((peer) => (peer.kind === "pods" ? [peer] : []));
  const one = pods.length === 1 ? pods[0] : undefined;
  // Several workloads: the namespace is a label of each pod in Calico, so one expression says it all.
  const peer: { [key: string]: Value } =
    blocks.length > 0
      ? { nets: blocks }
      : one !== undefined
        ? { selector: expression(one.labels), namespaceSelector: `projectcalico.org/name == '${one.namespace}'` }
        : {
            selector: pods.map(calicoTerm).join(" || "),
            namespaceSelector: "all()",
          };
  const first = rule.ports?.[0];
  const icmp = first !== undefined && (first.protocol === 1 || first.protocol === 58);
  const numbers = icmp ? [] : (rule.ports ?? []).filter(({ port }) => port > 0).map(({ port }) => port);
  const hasPorts = first !== undefined && [6, 17, 132].includes(first.protocol) && numbers.length > 0;
  const far =
    direction === "ingress" ? { source: peer } : { destination: { ...peer, ...(hasPorts ? { ports: numbers } : {}) } };
  const near = direction === "ingress" && hasPorts ? { destination: { ports: numbers } } : {};
  const protocol =
    first === undefined
      ? {}
      : { protocol: [1, 6, 17, 58, 132].includes(first.protocol) ? protocolName(first.protocol) : first.protocol };
  return { action: "Allow", ...protocol, ...(icmp ? { icmp: { type: first.port } } : {}), ...far, ...near };
}

/** One of several workloads in a selector. */
function calicoTerm(peer: PlannedPeer): string {
  if (peer.kind !== "pods") return "";
  return `(${expression(new Map([["projectcalico.org/namespace", peer.namespace], ...peer.labels]))})`;
}

function expression(labels: LabelChoice): string {
  const parts = [...labels].map(([key, value]) => (value === undefined ? `!has(${key})` : `${key} == '${value}'`));
  return parts.length === 0 ? "all()" : parts.join(" && ");
}
