/**
 * NetworkPolicy v1 as nftables rules on the router, written from the API's specification (networking.k8s.io/v1 types.go and the
 * API server's defaulting) for the eight ends of people.ts, pod by pod. Slow and plain on purpose, and it shares nothing with the
 * engine, not even the parser: what the two agree on, two readings of the specification agree on.
 */
import { parseAllDocuments } from "yaml";
import { ENDS, NAMESPACES, type End } from "./people.ts";

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}
interface Peer {
  ipBlock?: { cidr: string; except?: string[] };
  podSelector?: Selector | null;
  namespaceSelector?: Selector | null;
}
interface Port {
  protocol?: string;
  port?: number | string;
  endPort?: number;
}
interface Rule {
  from?: Peer[] | null;
  to?: Peer[] | null;
  ports?: Port[] | null;
}
export interface Policy {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string };
  spec: { podSelector: Selector; policyTypes?: string[]; ingress?: Rule[] | null; egress?: Rule[] | null };
}

/** The whole table, replacing an earlier one. Packets that are denied are noted in `dropped4` and `dropped6`, then dropped. */
export function rulesOf(yaml: string): string {
  const policies = parseAllDocuments(yaml).map((document) => document.toJS() as Policy);
  const pods = ENDS.filter((end) => end.namespace !== "");
  const chains = pods.flatMap((pod) => [chain(pod, policies, "Egress"), chain(pod, policies, "Ingress")]);
  const jumps = (direction: "Egress" | "Ingress", side: "iifname" | "oifname") =>
    pods
      .filter((pod) => isolating(pod, policies, direction).length > 0)
      .map((pod) => `    ${side} "${pod.name}" jump ${chainName(pod, direction)}`);
  const set = (name: string, type: string) =>
    `  set ${name} { type ${type} . ${type} . inet_proto . inet_service; flags dynamic; size 65535; }`;
  return [
    "table inet weir_policy",
    "delete table inet weir_policy",
    "table inet weir_policy {",
    set("dropped4", "ipv4_addr"),
    set("dropped6", "ipv6_addr"),
    "  chain denied {",
    "    meta nfproto ipv4 add @dropped4 { ip saddr . ip daddr . meta l4proto . th dport }",
    "    meta nfproto ipv6 add @dropped6 { ip6 saddr . ip6 daddr . meta l4proto . th dport }",
    "    drop",
    "  }",
    ...chains,
    "  chain forward {",
    "    type filter hook forward priority 0; policy accept;",
    "    ct direction reply accept", // and not "established": a port that is used again meets today's rules
    ...jumps("Egress", "iifname"),
    ...jumps("Ingress", "oifname"),
    "  }",
    "}",
  ].join("\n");
}

function chainName(pod: End, direction: string): string {
  return `${direction}_${pod.name.replace("-", "_")}`;
}

/** What a pod's policies let through comes back; the rest is denied. */
function chain(pod: End, policies: readonly Policy[], direction: "Egress" | "Ingress"): string {
  const lines = isolating(pod, policies, direction).flatMap((policy) =>
    ((direction === "Egress" ? policy.spec.egress : policy.spec.ingress) ?? []).flatMap((rule) =>
      ruleLines(pod, policy.metadata.namespace, rule, direction),
    ),
  );
  return [
    `  chain ${chainName(pod, direction)} {`,
    ...[...new Set(lines)].map((line) => `    ${line} return`.replace(/ +return$/, " return")),
    "    jump denied",
    "  }",
  ].join("\n");
}

function isolating(pod: End, policies: readonly Policy[], direction: "Egress" | "Ingress"): Policy[] {
  return policies.filter((policy) => {
    const { spec, metadata } = policy;
    const given = spec.policyTypes ?? [];
    const types = given.length > 0 ? given : (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
    return types.includes(direction) && metadata.namespace === pod.namespace && selects(spec.podSelector, pod.labels);
  });
}

function ruleLines(pod: End, namespace: string, rule: Rule, direction: "Egress" | "Ingress"): string[] {
  const field = direction === "Egress" ? "daddr" : "saddr";
  const peers = (direction === "Egress" ? rule.to : rule.from) ?? [];
  const peerMatches = peers.length === 0 ? [""] : peers.flatMap((peer) => peerMatchesOf(peer, namespace, field));
  const ports = rule.ports ?? [];
  const portMatches = ports.length === 0 ? [""] : ports.flatMap((port) => portMatchesOf(port, pod, direction));
  return peerMatches.flatMap((peer) => portMatches.map((port) => `${peer} ${port}`.trim()));
}

function peerMatchesOf(peer: Peer, namespace: string, field: "saddr" | "daddr"): string[] {
  if (peer.ipBlock !== undefined) {
    const { cidr, except } = peer.ipBlock;
    const ip = cidr.includes(":") ? "ip6" : "ip";
    const family = `meta nfproto ${ip === "ip6" ? "ipv6" : "ipv4"}`; // nft refuses ::/0 and 0.0.0.0/0 as a prefix in places
    const block = cidr.endsWith("/0") ? family : `${ip} ${field} ${cidr}`;
    return [[block, ...(except ?? []).map((cut) => `${ip} ${field} != ${cut}`)].join(" ")];
  }
  return ENDS.filter((end) => {
    if (end.namespace === "") return false;
    const there =
      peer.namespaceSelector === undefined || peer.namespaceSelector === null
        ? end.namespace === namespace
        : selects(peer.namespaceSelector, NAMESPACES[end.namespace]!);
    return there && selects(peer.podSelector ?? {}, end.labels);
  }).flatMap((end) => [`ip ${field} ${end.v4}`, `ip6 ${field} ${end.v6}`]);
}

/** A name is a number on the pod that the packet goes to, if it has that name for that protocol. */
function portMatchesOf({ protocol = "TCP", port, endPort }: Port, pod: End, direction: string): string[] {
  const l4 = protocol.toLowerCase();
  if (port === undefined) return [`meta l4proto ${l4}`];
  if (typeof port === "number") return [`${l4} dport ${endPort === undefined ? port : `${port}-${endPort}`}`];
  const numberOn = (end: End) => end.ports.find((own) => own.name === port && own.protocol === protocol)?.port;
  const candidates = direction === "Ingress" ? [pod] : ENDS.filter((end) => end.namespace !== "");
  return candidates.flatMap((end) => {
    const number = numberOn(end);
    if (number === undefined) return [];
    return [`oifname "${end.name}" ${l4} dport ${number}`];
  });
}

function selects(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    equal &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
        default:
          throw new Error(`operator ${operator}`);
      }
    })
  );
}
