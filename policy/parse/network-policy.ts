import { cidrContains, parseCidr, type Cidr } from "../../model/address.ts";
import type { DocumentHead, KindEntry } from "./documents.ts";
import { readLabelSelector, type LabelSelector } from "./label-selector.ts";
import type { Position } from "./problem.ts";
import { quote, type Cursor } from "./reader.ts";

/** NetworkPolicy v1 as written: what is absent stays absent, since profiles read `policyTypes` apart. */
export interface NetworkPolicySpec {
  readonly podSelector: LabelSelector;
  /** Undefined: absent or empty. */
  readonly policyTypes: readonly ("Ingress" | "Egress")[] | undefined;
  readonly ingress: readonly NetworkPolicyRule[];
  readonly egress: readonly NetworkPolicyRule[];
}

export interface NetworkPolicyRule {
  /** Empty: every peer. */
  readonly peers: readonly NetworkPolicyPeer[];
  /** Empty: every port of every protocol. */
  readonly ports: readonly NetworkPolicyPort[];
  readonly position: Position;
  readonly path: string;
}

export type NetworkPolicyPeer = { readonly position: Position; readonly path: string } & (
  | { readonly kind: "ip-block"; readonly cidr: Cidr; readonly except: readonly Cidr[] }
  /** `namespaces` absent: the policy's own namespace. `pods` absent: every pod. Both absent cannot be. */
  | { readonly kind: "pods"; readonly namespaces: LabelSelector | undefined; readonly pods: LabelSelector | undefined }
);

export interface NetworkPolicyPort {
  readonly protocol: "TCP" | "UDP" | "SCTP";
  /** A number, a name, or undefined for every port of the protocol. */
  readonly port: number | string | undefined;
  readonly endPort: number | undefined;
  readonly position: Position;
  readonly path: string;
}

export const NETWORK_POLICY_KINDS: readonly KindEntry[] = [
  {
    apiVersions: ["networking.k8s.io/v1"],
    kind: "NetworkPolicy",
    group: "networking.k8s.io",
    namespaced: true,
    parse: readNetworkPolicy,
  },
];

const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;
/** A port's name: IANA_SVC_NAME, 1–15 of a–z, 0–9 and single hyphens, with a letter in it. */
export const PORT_NAME = /^(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/;

function readNetworkPolicy(document: Cursor, _head: DocumentHead): NetworkPolicySpec | undefined {
  const fields = document.fields(["apiVersion", "kind", "metadata", "spec", "status"]);
  const specCursor = fields?.need("spec", "podSelector, policyTypes, ingress, egress");
  return specCursor === undefined ? undefined : readNetworkPolicySpec(specCursor);
}

/** The spec alone, for kinds that carry one; `more` names fields that they have beside it (Calico's `stagedAction`). */
export function readNetworkPolicySpec(specCursor: Cursor, more: readonly string[] = []): NetworkPolicySpec | undefined {
  const spec = specCursor.fields(["podSelector", "policyTypes", "ingress", "egress", ...more]);
  if (spec === undefined) return undefined;
  const selector = spec.get("podSelector");
  const podSelector =
    selector === undefined
      ? { requirements: [], position: specCursor.position, path: `${specCursor.path}.podSelector` }
      : readLabelSelector(selector);
  const types = spec.get("policyTypes")?.items("a list of Ingress and Egress");
  const policyTypes = types?.flatMap((type) => type.oneOf(["Ingress", "Egress"] as const) ?? []);
  const ingress = readRules(spec.get("ingress"), "from");
  const egress = readRules(spec.get("egress"), "to");
  if (podSelector === undefined) return undefined;
  return { podSelector, policyTypes: policyTypes?.length === 0 ? undefined : policyTypes, ingress, egress };
}

function readRules(list: Cursor | undefined, peerField: "from" | "to"): NetworkPolicyRule[] {
  const rules: NetworkPolicyRule[] = [];
  for (const item of list?.items("a list of rules") ?? []) {
    const place = { position: item.position, path: item.path };
    const fields = item.isNull ? undefined : item.fields([peerField, "ports"]);
    const peers = (fields?.get(peerField)?.items("a list of peers") ?? []).flatMap((peer) => readPeer(peer) ?? []);
    const ports = (fields?.get("ports")?.items("a list of ports") ?? []).flatMap((port) => readPort(port) ?? []);
    rules.push({ peers, ports, ...place });
  }
  return rules;
}

function readPeer(item: Cursor): NetworkPolicyPeer | undefined {
  const fields = item.fields(["podSelector", "namespaceSelector", "ipBlock"]);
  if (fields === undefined) return undefined;
  const place = { position: item.position, path: item.path };
  const block = fields.get("ipBlock");
  const podField = fields.get("podSelector");
  const namespaceField = fields.get("namespaceSelector");
  if (block !== undefined) {
    if (podField !== undefined || namespaceField !== undefined)
      item.problem("ipBlock stands beside a selector", "ipBlock alone, or selectors alone");
    return readIpBlock(block, place);
  }
  const pods = podField === undefined ? undefined : readLabelSelector(podField);
  const namespaces = namespaceField === undefined ? undefined : readLabelSelector(namespaceField);
  if (podField === undefined && namespaceField === undefined) {
    item.problem("a peer without any field", "podSelector, namespaceSelector or ipBlock");
    return undefined;
  }
  return { kind: "pods", pods, namespaces, ...place };
}

function readIpBlock(block: Cursor, place: { position: Position; path: string }): NetworkPolicyPeer | undefined {
  const fields = block.fields(["cidr", "except"]);
  const cidr = readCidr(fields?.need("cidr", "a CIDR"));
  const except: Cidr[] = [];
  for (const item of fields?.get("except")?.items("a list of CIDRs") ?? []) {
    const inner = readCidr(item);
    if (inner === undefined || cidr === undefined) continue;
    if (inner.bits <= cidr.bits || !cidrContains(cidr, inner.bytes))
      item.problem("an exception must lie within cidr and be smaller", "a block inside of cidr");
    except.push(inner);
  }
  return cidr === undefined ? undefined : { kind: "ip-block", cidr, except, ...place };
}

/** A CIDR of `a.b.c.d/n` or `x::/n`; notes what is wrong. A bare address is refused, as the API server does. */
export function readCidr(cursor: Cursor | undefined): Cidr | undefined {
  const text = cursor?.string("a CIDR such as 10.0.0.0/8");
  if (cursor === undefined || text === undefined) return undefined;
  const cidr = text.includes("/") ? parseCidr(text) : undefined;
  if (cidr === undefined)
    cursor.problem(`${quote(text)} is no CIDR`, "an address, a slash and a length, such as 10.0.0.0/8 or fd00::/8");
  return cidr;
}

function readPort(item: Cursor): NetworkPolicyPort | undefined {
  const fields = item.fields(["protocol", "port", "endPort"]);
  if (fields === undefined) return undefined;
  const protocol = fields.get("protocol")?.oneOf(PROTOCOLS) ?? "TCP";
  const portField = fields.get("port");
  const port = portField === undefined ? undefined : readPortNumberOrName(portField);
  const endField = fields.get("endPort");
  const endPort = endField?.integer(1, 65535);
  if (endField !== undefined && typeof port !== "number")
    endField.problem("endPort needs a numeric port beside it", "port: a number");
  if (endPort !== undefined && typeof port === "number" && endPort < port)
    endField?.problem(`endPort ${endPort} is below port ${port}`, `${port}–65535`);
  return { protocol, port, endPort, position: item.position, path: item.path };
}

/** A port 1–65535 or a port's name; notes what is wrong. */
export function readPortNumberOrName(cursor: Cursor): number | string | undefined {
  const value = cursor.integerOrString("1–65535 or a port's name");
  if (typeof value === "number" && (value < 1 || value > 65535)) cursor.problem(`${value} is no port`, "1–65535");
  if (typeof value === "string" && !PORT_NAME.test(value))
    cursor.problem(
      `${quote(value)} is no port`,
      /^\d+$/.test(value) ? "a number without quotes, or a port's name" : "1–65535 or a port's name such as http",
    );
  return value;
}
