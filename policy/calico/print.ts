import { Document, isMap, isSeq } from "yaml";
import { formatCidr, type Cidr } from "../../model/address.ts";
import { formatSelector, type Selector } from "./selector.ts";
import type { IcmpMatch, PortMatch } from "./types.ts";

/** A Calico policy to be written as YAML: what generated and edited policies need, not the whole grammar. */
export interface PrintablePolicy {
  /** "" prints a GlobalNetworkPolicy. */
  readonly namespace: string;
  readonly name: string;
  readonly tier?: string;
  readonly order?: number;
  /** undefined = everyone (of the namespace). */
  readonly selector: Selector | undefined;
  readonly types: readonly ("Ingress" | "Egress")[];
  readonly ingress: readonly PrintableRule[];
  readonly egress: readonly PrintableRule[];
  /** Staged: Calico records what it would do, and lets the traffic be. */
  readonly staged?: boolean;
  /** Lines above the document. */
  readonly comment?: string;
}

export interface PrintableRule {
  readonly action: "Allow" | "Deny" | "Pass" | "Log";
  /** TCP, UDP, …, or a number; undefined = every protocol. */
  readonly protocol?: string | number;
  /** Destination ports; numbers need a protocol TCP, UDP or SCTP. */
  readonly ports?: PortMatch;
  readonly icmp?: IcmpMatch;
  /** The other end: source of ingress, destination of egress. */
  readonly peer: PrintablePeer;
  /** Why the rule is there: `1,204 connections from web, last 7 days`. */
  readonly comment?: string;
}

export interface PrintablePeer {
  readonly selector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly nets?: readonly Cidr[];
}

/** The policy as a YAML document, rules with their reasons above them. Reading it gives the same policy (a test holds that). */
export function printCalicoPolicy(policy: PrintablePolicy): string {
  const global = policy.namespace === "";
  const kind = `${policy.staged === true ? "Staged" : ""}${global ? "GlobalNetworkPolicy" : "NetworkPolicy"}`;
  const document = new Document({
    apiVersion: "projectcalico.org/v3",
    kind,
    metadata: global ? { name: policy.name } : { name: policy.name, namespace: policy.namespace },
    spec: {
      ...(policy.tier === undefined ? {} : { tier: policy.tier }),
      ...(policy.order === undefined ? {} : { order: policy.order }),
      selector: selectorText(policy.selector ?? { kind: "all" }),
      types: policy.types,
      ...(policy.ingress.length === 0 ? {} : { ingress: policy.ingress.map((rule) => ruleObject(rule, "source")) }),
      ...(policy.egress.length === 0 ? {} : { egress: policy.egress.map((rule) => ruleObject(rule, "destination")) }),
    },
  });
  for (const direction of ["ingress", "egress"] as const) {
    const list = document.getIn(["spec", direction]);
    if (isSeq(list))
      for (const [i, item] of list.items.entries()) {
        const comment = policy[direction][i]?.comment;
        if (isMap(item) && comment !== undefined) item.commentBefore = commentText(comment);
      }
  }
  if (policy.comment !== undefined) document.commentBefore = commentText(policy.comment);
  return document.toString({ lineWidth: 0 });
}

function commentText(text: string): string {
  return text.replace(/^/gm, " ");
}

function ruleObject(rule: PrintableRule, side: "source" | "destination"): object {
  const peer = peerObject(rule.peer);
  const ports = rule.ports === undefined ? {} : { ports: portItems(rule.ports) };
  const source = side === "source" ? peer : {};
  const destination = side === "destination" ? { ...peer, ...ports } : ports;
  return {
    action: rule.action,
    ...(rule.protocol === undefined ? {} : { protocol: rule.protocol }),
    ...(rule.icmp === undefined ? {} : { icmp: icmpObject(rule.icmp) }),
    ...(Object.keys(source).length === 0 ? {} : { source }),
    ...(Object.keys(destination).length === 0 ? {} : { destination }),
  };
}

function peerObject({ selector, namespaceSelector, nets }: PrintablePeer): object {
  return {
    ...(namespaceSelector === undefined ? {} : { namespaceSelector: selectorText(namespaceSelector) }),
    ...(selector === undefined ? {} : { selector: selectorText(selector) }),
    ...(nets === undefined || nets.length === 0 ? {} : { nets: nets.map(formatCidr) }),
  };
}

function portItems({ ranges, names }: PortMatch): (number | string)[] {
  return [...ranges.map(({ first, last }) => (first === last ? first : `${first}:${last}`)), ...names];
}

function icmpObject({ type, code }: IcmpMatch): object {
  return { ...(type === undefined ? {} : { type }), ...(code === undefined ? {} : { code }) };
}

/** A selector as people write it: no parentheses around the whole, single quotes. */
export function selectorText(selector: Selector): string {
  const text = formatSelector(selector);
  const bare = selector.kind === "and" || selector.kind === "or" ? text.slice(1, -1) : text;
  return bare.includes("'") ? bare : bare.replaceAll('"', "'");
}
