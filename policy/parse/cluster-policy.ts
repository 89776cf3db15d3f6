import type { Cidr } from "../../model/address.ts";
import type { DocumentHead, KindEntry } from "./documents.ts";
import { readLabelSelector, type LabelSelector } from "./label-selector.ts";
import { PORT_NAME, readCidr } from "./network-policy.ts";
import type { Position } from "./problem.ts";
import { quote, type Cursor } from "./reader.ts";

/**
 * AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1) and ClusterNetworkPolicy (v1alpha2) in one form: the later
 * kind's, whose `Accept` reads as allow.
 */
export interface ClusterPolicySpec {
  readonly tier: "Admin" | "Baseline";
  readonly priority: number;
  readonly subject: PodsPeer;
  readonly ingress: readonly ClusterRule[];
  readonly egress: readonly ClusterRule[];
}

/** Pods of chosen namespaces; `pods` undefined = all of them. */
export interface PodsPeer {
  readonly namespaces: LabelSelector;
  readonly pods: LabelSelector | undefined;
}

export interface ClusterRule {
  readonly name: string;
  readonly action: "allow" | "deny" | "pass";
  /** Empty only when the list is absent or empty: then every peer. */
  readonly peers: readonly ClusterPeer[];
  /** Undefined: every port of every protocol. */
  readonly ports: readonly ClusterPort[] | undefined;
  readonly position: Position;
  readonly path: string;
}

export type ClusterPeer = { readonly position: Position; readonly path: string } & (
  | ({ readonly kind: "pods" } & PodsPeer)
  | { readonly kind: "networks"; readonly cidrs: readonly Cidr[] }
  | { readonly kind: "nodes"; readonly nodes: LabelSelector }
  | { readonly kind: "names"; readonly names: readonly string[] }
  /** No field that is known: fails closed (allow matches nothing, deny and pass deny everything). */
  | { readonly kind: "unknown" }
);

export interface ClusterPort {
  /** Undefined: a named port, in whichever protocol the pod has it. */
  readonly protocol: "TCP" | "UDP" | "SCTP" | undefined;
  /** A number, a name, or undefined for every port of the protocol. */
  readonly port: number | string | undefined;
  readonly endPort: number | undefined;
}

const GROUP = "policy.networking.k8s.io";

export const CLUSTER_POLICY_KINDS: readonly KindEntry[] = [
  {
    apiVersions: [`${GROUP}/v1alpha1`],
    kind: "AdminNetworkPolicy",
    group: GROUP,
    namespaced: false,
    parse: readAlpha1,
  },
  {
    apiVersions: [`${GROUP}/v1alpha1`],
    kind: "BaselineAdminNetworkPolicy",
    group: GROUP,
    namespaced: false,
    parse: readAlpha1,
  },
  {
    apiVersions: [`${GROUP}/v1alpha2`],
    kind: "ClusterNetworkPolicy",
    group: GROUP,
    namespaced: false,
    parse: readAlpha2,
  },
];

const TOP = ["apiVersion", "kind", "metadata", "spec", "status"];
const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;
/** The API server's limit on rules of a direction; Cilium's order of rules (priority + index/100) rests on it. */
const MAX_RULES = 100;

function readAlpha1(document: Cursor, head: DocumentHead): ClusterPolicySpec | undefined {
  const baseline = head.kind === "BaselineAdminNetworkPolicy";
  if (baseline && head.name !== "default")
    document.problem("the baseline is a single object", "metadata.name: default");
  const known = baseline ? ["subject", "ingress", "egress"] : ["priority", "subject", "ingress", "egress"];
  const spec = document.fields(TOP)?.need("spec", known.join(", "))?.fields(known);
  const priority = baseline ? 0 : spec?.need("priority", "0–1000, lower first")?.integer(0, 1000);
  const subject = readSubject(spec?.need("subject", "namespaces or pods"));
  const actions = baseline ? (["Allow", "Deny"] as const) : (["Allow", "Deny", "Pass"] as const);
  const ingress = readRules(spec?.get("ingress"), { peers: "from", ports: "ports", actions, egress: false });
  const egress = readRules(spec?.get("egress"), { peers: "to", ports: "ports", actions, egress: true });
  if (priority === undefined || subject === undefined) return undefined;
  return { tier: baseline ? "Baseline" : "Admin", priority, subject, ingress, egress };
}

function readAlpha2(document: Cursor): ClusterPolicySpec | undefined {
  const known = ["tier", "priority", "subject", "ingress", "egress"];
  const spec = document.fields(TOP)?.need("spec", known.join(", "))?.fields(known);
  const tier = spec?.need("tier", "Admin or Baseline")?.oneOf(["Admin", "Baseline"] as const);
  const priority = spec?.need("priority", "0–1000, lower first")?.integer(0, 1000);
  const subject = readSubject(spec?.need("subject", "namespaces or pods"));
  const actions = ["Accept", "Deny", "Pass"] as const;
  const ingress = readRules(spec?.get("ingress"), { peers: "from", ports: "protocols", actions, egress: false });
  const egress = readRules(spec?.get("egress"), { peers: "to", ports: "protocols", actions, egress: true });
  if (tier === undefined || priority === undefined || subject === undefined) return undefined;
  return { tier, priority, subject, ingress, egress };
}

function readSubject(cursor: Cursor | undefined): PodsPeer | undefined {
  const fields = cursor?.fields(["namespaces", "pods"]);
  if (fields === undefined) return undefined;
  const namespaces = fields.get("namespaces");
  const pods = fields.get("pods");
  if ((namespaces === undefined) === (pods === undefined)) {
    fields.owner.problem("a subject has one of two fields", "either namespaces or pods");
    return undefined;
  }
  if (pods !== undefined) return readPods(pods);
  const selector = readLabelSelector(namespaces!);
  return selector === undefined ? undefined : { namespaces: selector, pods: undefined };
}

function readPods(cursor: Cursor): PodsPeer | undefined {
  const fields = cursor.fields(["namespaceSelector", "podSelector"]);
  const all = { requirements: [], position: cursor.position, path: cursor.path };
  const namespaceField = fields?.get("namespaceSelector");
  const podField = fields?.get("podSelector");
  const namespaces = namespaceField === undefined ? all : readLabelSelector(namespaceField);
  const pods = podField === undefined ? undefined : readLabelSelector(podField);
  return namespaces === undefined ? undefined : { namespaces, pods };
}

interface RuleForm {
  readonly peers: "from" | "to";
  readonly ports: "ports" | "protocols";
  readonly actions: readonly ("Allow" | "Accept" | "Deny" | "Pass")[];
  readonly egress: boolean;
}

function readRules(list: Cursor | undefined, form: RuleForm): ClusterRule[] {
  const items = list?.items("a list of rules") ?? [];
  if (items.length > MAX_RULES) list?.problem(`${items.length} rules in one direction`, `at most ${MAX_RULES}`);
  return items.flatMap((item) => readRule(item, form) ?? []);
}

function readRule(item: Cursor, form: RuleForm): ClusterRule | undefined {
  const fields = item.fields(["name", "action", form.peers, form.ports]);
  const action = fields?.need("action", form.actions.join(", "))?.oneOf(form.actions);
  const name = fields?.get("name")?.string("a name") ?? "";
  const peers = (fields?.get(form.peers)?.items("a list of peers") ?? []).flatMap((peer) => readPeer(peer, form) ?? []);
  const portList = fields?.get(form.ports)?.items("a list of ports");
  const read = form.ports === "ports" ? readAlpha1Port : readAlpha2Port;
  const ports = portList?.flatMap((port) => read(port) ?? []);
  if (fields === undefined || action === undefined) return undefined;
  if (action !== "Allow" && action !== "Accept" && peers.some((peer) => peer.kind === "names"))
    item.problem("names are for rules that allow", "action: Accept (Allow in v1alpha1), or networks");
  const meaning = action === "Deny" ? "deny" : action === "Pass" ? "pass" : "allow";
  const place = { position: item.position, path: item.path };
  return {
    name,
    action: meaning,
    peers,
    ports: portList === undefined || portList.length === 0 ? undefined : ports,
    ...place,
  };
}

function readPeer(item: Cursor, form: RuleForm): ClusterPeer | undefined {
  const known = form.egress ? ["namespaces", "pods", "nodes", "networks", "domainNames"] : ["namespaces", "pods"];
  const place = { position: item.position, path: item.path };
  const fields = item.fields(known);
  if (fields === undefined) return undefined;
  const given = known.filter((name) => fields.get(name) !== undefined);
  if (given.length > 1) {
    item.problem(`${given.join(" and ")} in one peer`, "one of them a peer");
    return undefined;
  }
  if (given.length === 0) {
    item.warning("a peer without any known field fails closed", known.join(", "));
    return { kind: "unknown", ...place };
  }
  const field = fields.get(given[0]!)!;
  switch (given[0]) {
    case "namespaces": {
      const namespaces = readLabelSelector(field);
      return namespaces && { kind: "pods", namespaces, pods: undefined, ...place };
    }
    case "pods": {
      const pods = readPods(field);
      return pods && { kind: "pods", ...pods, ...place };
    }
    case "nodes": {
      const nodes = readLabelSelector(field);
      return nodes && { kind: "nodes", nodes, ...place };
    }
    case "networks":
      return {
        kind: "networks",
        cidrs: (field.items("a list of CIDRs") ?? []).flatMap((cidr) => readCidr(cidr) ?? []),
        ...place,
      };
    default:
      return {
        kind: "names",
        names: (field.items("a list of names") ?? []).flatMap((name) => readDomainName(name) ?? []),
        ...place,
      };
  }
}

/** `example.com` or `*.example.com`; the star takes in any number of labels here (unlike Cilium's own `matchPattern`). */
function readDomainName(cursor: Cursor): string | undefined {
  const name = cursor.string("a domain name");
  if (name === undefined) return undefined;
  if (!/^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.?$/i.test(name))
    cursor.problem(`${quote(name)} is no domain name`, "a name such as example.com, or *.example.com");
  return name;
}

function readAlpha1Port(item: Cursor): ClusterPort | undefined {
  const fields = item.fields(["portNumber", "portRange", "namedPort"]);
  const number = fields?.get("portNumber")?.fields(["protocol", "port"]);
  if (number !== undefined) {
    const protocol = number.need("protocol", PROTOCOLS.join(", "))?.oneOf(PROTOCOLS);
    const port = number.need("port", "1–65535")?.integer(1, 65535);
    return protocol && port !== undefined ? { protocol, port, endPort: undefined } : undefined;
  }
  const range = fields?.get("portRange")?.fields(["protocol", "start", "end"]);
  if (range !== undefined) {
    const protocol = range.get("protocol")?.oneOf(PROTOCOLS) ?? "TCP";
    const bounds = readRange(range.need("start", "1–65535"), range.need("end", "1–65535"));
    return bounds && { protocol, ...bounds };
  }
  const named = fields?.get("namedPort");
  if (named !== undefined) return readNamed(named);
  if (fields !== undefined) item.problem("a port without any known field", "portNumber, portRange or namedPort");
  return undefined;
}

function readAlpha2Port(item: Cursor): ClusterPort | undefined {
  const known = ["tcp", "udp", "sctp", "destinationNamedPort"];
  const fields = item.fields(known);
  if (fields === undefined) return undefined;
  const given = known.filter((name) => fields.get(name) !== undefined);
  if (given.length !== 1) {
    item.problem(
      given.length === 0 ? "a protocol without any known field" : `${given.join(" and ")} in one item`,
      `one of ${known.join(", ")}`,
    );
    return undefined;
  }
  if (given[0] === "destinationNamedPort") return readNamed(fields.get("destinationNamedPort")!);
  const protocol = given[0] === "tcp" ? "TCP" : given[0] === "udp" ? "UDP" : "SCTP";
  const port = fields.get(given[0]!)!.fields(["destinationPort"])?.get("destinationPort")?.fields(["number", "range"]);
  if (port === undefined) return { protocol, port: undefined, endPort: undefined };
  const range = port.get("range")?.fields(["start", "end"]);
  if (range !== undefined) {
    const bounds = readRange(range.need("start", "1–65535"), range.need("end", "1–65535"));
    return bounds && { protocol, ...bounds };
  }
  const number = port.need("number", "1–65535")?.integer(1, 65535);
  return number === undefined ? undefined : { protocol, port: number, endPort: undefined };
}

function readRange(start: Cursor | undefined, end: Cursor | undefined): { port: number; endPort: number } | undefined {
  const port = start?.integer(1, 65535);
  const endPort = end?.integer(1, 65535);
  if (port === undefined || endPort === undefined) return undefined;
  if (endPort < port) end?.problem(`end ${endPort} is below start ${port}`, `${port}–65535`);
  return { port, endPort };
}

function readNamed(cursor: Cursor): ClusterPort | undefined {
  const port = cursor.string("a port's name");
  if (port === undefined) return undefined;
  if (!PORT_NAME.test(port)) cursor.problem(`${quote(port)} is no port's name`, "a name such as http");
  return { protocol: undefined, port, endPort: undefined };
}
