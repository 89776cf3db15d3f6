import { formatCidr } from "../../model/address.ts";
import type { StagedKubernetesSpec } from "../calico/parse-staged-kubernetes.ts";
import { calicoSentences, STAGED, STAGED_DELETION } from "../calico/sentences.ts";
import type { CiliumRule, CiliumRuleSet, CiliumSpec } from "../parse/cilium.ts";
import type { CiliumPeers } from "../parse/cilium-peers.ts";
import type { CiliumPortRule } from "../parse/cilium-ports.ts";
import type { ClusterPeer, ClusterPolicySpec, ClusterPort, ClusterRule } from "../parse/cluster-policy.ts";
import type { PolicyDocument } from "../parse/documents.ts";
import { selectorText, type LabelSelector } from "../parse/label-selector.ts";
import type { NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from "../parse/network-policy.ts";
import type { Direction } from "../verdict.ts";

/** A policy in plain English: one sentence for what it does, one for each rule, each with the field that it tells about. */
export interface PolicySentences {
  readonly summary: string;
  readonly rules: readonly { readonly path: string; readonly text: string }[];
}

/** The sentences of a document, or undefined for a kind that has none. */
export function sentencesOf(document: PolicyDocument): PolicySentences | undefined {
  if (document.group === "networking.k8s.io") return networkPolicy(document, document.spec as NetworkPolicySpec);
  if (document.group === "policy.networking.k8s.io") return clusterPolicy(document.spec as ClusterPolicySpec);
  if (document.group === "cilium.io") return cilium(document, document.spec as CiliumSpec);
  if (document.kind === "StagedKubernetesNetworkPolicy") return staged(document, document.spec as StagedKubernetesSpec);
  const [summary, ...rules] = calicoSentences(document);
  return summary === undefined
    ? undefined
    : { summary: summary.text, rules: rules.map(({ path, text }) => ({ path, text })) };
}

function staged(document: PolicyDocument, { stagedAction, policy }: StagedKubernetesSpec): PolicySentences {
  if (stagedAction === "Delete") return { summary: STAGED_DELETION, rules: [] };
  const { summary, rules } = networkPolicy(document, policy);
  return { summary: `${STAGED}${summary}`, rules };
}

function networkPolicy({ namespace }: PolicyDocument, spec: NetworkPolicySpec): PolicySentences {
  const subject = podsText(spec.podSelector, `in ${namespace}`);
  const types = spec.policyTypes ?? (spec.egress.length > 0 ? ["Ingress", "Egress"] : ["Ingress"]);
  const rules: { path: string; text: string }[] = [];
  const parts: string[] = [];
  for (const direction of ["ingress", "egress"] as const) {
    if (!types.includes(direction === "ingress" ? "Ingress" : "Egress")) continue;
    for (const rule of spec[direction]) {
      const peers =
        rule.peers.length === 0 ? everybody(direction) : either(rule.peers.map((peer) => peerText(peer, namespace)));
      rules.push({
        path: rule.path,
        text: allowed(direction, subject, peers, rule.ports.length === 0 ? undefined : rule.ports.map(portText)),
      });
    }
    parts.push(everythingElse(direction, subject, spec[direction].length > 0));
  }
  return { summary: sentence(parts.length === 0 ? `${subject} are not touched` : parts.join("; ")), rules };
}

function peerText(peer: NetworkPolicyPeer, namespace: string): string {
  if (peer.kind === "ip-block")
    return `addresses in ${formatCidr(peer.cidr)}${peer.except.length === 0 ? "" : ` but not in ${peer.except.map(formatCidr).join(", ")}`}`;
  return podsText(peer.pods, peer.namespaces === undefined ? `in ${namespace}` : namespacesText(peer.namespaces));
}

function portText({ protocol, port, endPort }: NetworkPolicyPort): string {
  return port === undefined
    ? `any ${protocol} port`
    : `${protocol} ${port}${endPort === undefined ? "" : `–${endPort}`}`;
}

function clusterPolicy(spec: ClusterPolicySpec): PolicySentences {
  const subject = podsText(spec.subject.pods, namespacesText(spec.subject.namespaces));
  const rules = (["ingress", "egress"] as const).flatMap((direction) =>
    spec[direction].map((rule) => ({ path: rule.path, text: clusterRule(rule, direction, subject) })),
  );
  const when =
    spec.tier === "Admin"
      ? `before any NetworkPolicy, in order ${spec.priority}`
      : "where no NetworkPolicy isolates them";
  return {
    summary: sentence(
      `${subject} are ruled ${when}; the first rule that matches decides, traffic that none matches goes on`,
    ),
    rules,
  };
}

function clusterRule(rule: ClusterRule, direction: Direction, subject: string): string {
  const peers = rule.peers.length === 0 ? everybody(direction) : either(rule.peers.map(clusterPeerText));
  const ports = rule.ports?.map(clusterPortText);
  if (rule.action === "allow") return allowed(direction, subject, peers, ports);
  const what = direction === "ingress" ? `${peers} to ${subject}` : `${subject} to ${peers}`;
  const on = ports === undefined ? "" : ` on ${either(ports)}`;
  return sentence(
    rule.action === "deny" ? `traffic of ${what}${on} is denied` : `traffic of ${what}${on} is left to NetworkPolicies`,
  );
}

function clusterPeerText(peer: ClusterPeer): string {
  switch (peer.kind) {
    case "pods":
      return podsText(peer.pods, namespacesText(peer.namespaces));
    case "networks":
      return `addresses in ${peer.cidrs.map(formatCidr).join(", ")}`;
    case "nodes":
      return `nodes with ${selectorText(peer.nodes) || "any labels"}`;
    case "names":
      return peer.names.join(", ");
    case "unknown":
      return "a peer that is not understood";
  }
}

function clusterPortText({ protocol, port, endPort }: ClusterPort): string {
  if (protocol === undefined) return `the port named ${port}`;
  return port === undefined
    ? `any ${protocol} port`
    : `${protocol} ${port}${endPort === undefined ? "" : `–${endPort}`}`;
}

function cilium({ namespace }: PolicyDocument, spec: CiliumSpec): PolicySentences {
  const rules: { path: string; text: string }[] = [];
  const parts: string[] = [];
  for (const set of spec.specs) {
    const where = namespace === "" ? "of every namespace" : `in ${namespace}`;
    const subject =
      set.subject.kind === "nodes"
        ? `nodes with ${selectorText(set.subject.selector) || "any labels"}`
        : podsText(set.subject.selector, where);
    for (const direction of ["ingress", "egress"] as const) {
      const [allow, deny] = direction === "ingress" ? [set.ingress, set.ingressDeny] : [set.egress, set.egressDeny];
      for (const rule of allow)
        rules.push({ path: rule.path, text: ciliumRule(rule, direction, subject, namespace, false) });
      for (const rule of deny)
        rules.push({ path: rule.path, text: ciliumRule(rule, direction, subject, namespace, true) });
      if (allow.length + deny.length > 0) parts.push(isolation(set, direction, subject, allow.some(says)));
    }
  }
  return { summary: sentence(parts.join("; ") || "nothing is ruled"), rules };
}

/** An empty rule isolates and lets nobody in. */
function says(rule: CiliumRule): boolean {
  return rule.peers.kind !== "absent" || rule.ports !== undefined;
}

function isolation(set: CiliumRuleSet, direction: Direction, subject: string, some: boolean): string {
  if (set.defaultDeny[direction] !== false) return everythingElse(direction, subject, some);
  return direction === "ingress"
    ? `other traffic to ${subject} is not touched by this`
    : `other traffic from ${subject} is not touched by this`;
}

function ciliumRule(rule: CiliumRule, direction: Direction, subject: string, namespace: string, deny: boolean): string {
  if (!says(rule))
    return sentence(deny ? "this rule matches nothing" : `nobody is let in by this rule: ${subject} are isolated`);
  const peers = ciliumPeersText(rule.peers, direction, namespace);
  const ports = rule.ports?.map(ciliumPortsText);
  if (!deny)
    return allowed(direction, subject, peers, ports, rule.auth === "required" ? " after mutual authentication" : "");
  const what = direction === "ingress" ? `${peers} to ${subject}` : `${subject} to ${peers}`;
  return sentence(
    `traffic of ${what}${ports === undefined ? "" : ` on ${either(ports)}`} is denied, whatever else allows it`,
  );
}

function ciliumPeersText(peers: CiliumPeers, direction: Direction, namespace: string): string {
  const list = (texts: readonly string[]) => (texts.length === 0 ? "nobody" : either(texts));
  switch (peers.kind) {
    case "absent":
      return everybody(direction);
    case "endpoints":
      return list(
        peers.selectors.map((selector) =>
          podsText(
            selector,
            selector.requirements.some(({ key }) => key.includes("namespace"))
              ? ""
              : namespace === ""
                ? "of every namespace"
                : `in ${namespace}`,
          ),
        ),
      );
    case "nodes":
      return list(peers.selectors.map((selector) => `nodes with ${selectorText(selector) || "any labels"}`));
    case "entities":
      return list(peers.entities.map((entity) => ENTITY_WORDS.get(entity) ?? entity));
    case "cidrs":
      return list(
        peers.blocks.map(({ of, except }) => {
          const what =
            of.kind === "cidr"
              ? `addresses in ${formatCidr(of.cidr)}`
              : of.kind === "group"
                ? `the CIDR group ${of.name}`
                : `CIDR groups with ${selectorText(of.selector)}`;
          return except.length === 0 ? what : `${what} but not in ${except.map(formatCidr).join(", ")}`;
        }),
      );
    case "names":
      return list(peers.patterns.map(({ text }) => text));
    case "services":
      return list(
        peers.services.map((it) =>
          it.kind === "name"
            ? `the service ${it.namespace === "" ? "" : `${it.namespace}/`}${it.name}`
            : `services with ${selectorText(it.selector)}`,
        ),
      );
  }
}

const ENTITY_WORDS: ReadonlyMap<string, string> = new Map([
  ["all", "everybody"],
  ["world", "everything outside the cluster"],
  ["cluster", "everything inside the cluster"],
  ["host", "the node itself"],
  ["remote-node", "the other nodes"],
  ["kube-apiserver", "the API server"],
  ["none", "nobody"],
]);

function ciliumPortsText({ ports, l7 }: CiliumPortRule): string {
  const text = ports.map(({ protocol, port, endPort }) => {
    const name = protocol === "ANY" ? "any protocol's" : protocol;
    if (protocol === "ICMP" || protocol === "ICMPv6") return `${protocol} type ${port}`;
    return port === 0
      ? `any ${protocol === "ANY" ? "" : `${protocol} `}port`
      : `${name} ${protocol === "ANY" ? "port " : ""}${port}${endPort === undefined ? "" : `–${endPort}`}`;
  });
  if (l7?.parser === "http")
    return `${either(text)} for requests ${either(l7.http.map(({ method, path, host }) => [method ?? "of any method", path, host === undefined ? "" : `at ${host}`].filter(Boolean).join(" ")))}`;
  if (l7?.parser === "dns") return `${either(text)} for look-ups of ${either(l7.dns)}`;
  return either(text);
}

function podsText(selector: LabelSelector | undefined, where: string): string {
  const labels = selector === undefined ? "" : selectorText(selector);
  return `${labels === "" ? "all pods" : `pods with ${labels}`}${where === "" ? "" : ` ${where}`}`;
}

function namespacesText(selector: LabelSelector): string {
  const only = selector.requirements.length === 1 ? selector.requirements[0] : undefined;
  if (only?.key === "kubernetes.io/metadata.name" && only.operator === "In") return `in ${either(only.values)}`;
  return selector.requirements.length === 0 ? "of every namespace" : `in namespaces with ${selectorText(selector)}`;
}

function everybody(direction: Direction): string {
  return direction === "ingress" ? "everybody" : "every destination";
}

function allowed(
  direction: Direction,
  subject: string,
  peers: string,
  ports: readonly string[] | undefined,
  also = "",
): string {
  const on = ports === undefined ? "on any port" : `on ${either(ports)}`;
  return sentence(
    direction === "ingress"
      ? `${peers} may reach ${subject} ${on}${also}`
      : `${subject} may reach ${peers} ${on}${also}`,
  );
}

function everythingElse(direction: Direction, subject: string, some: boolean): string {
  const what = some ? "everything else" : "everything";
  return direction === "ingress" ? `${what} to ${subject} is denied` : `${what} from ${subject} is denied`;
}

function either(texts: readonly string[]): string {
  if (texts.length <= 1) return texts[0] ?? "nothing";
  return `${texts.slice(0, -1).join(", ")} or ${texts[texts.length - 1]}`;
}

/** First letter up, a full stop at the end. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
