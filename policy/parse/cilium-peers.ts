import { cidrContains, parseCidr, type Cidr } from "../../model/address.ts";
import { CILIUM_LABELS } from "./cilium-labels.ts";
import { readLabelSelector, type LabelSelector } from "./label-selector.ts";
import type { Position } from "./problem.ts";
import { quote, type Cursor, type Fields } from "./reader.ts";

/** Whom a rule is about. A rule has one kind of them; an empty list of it is nobody, except for names and services. */
export type CiliumPeers =
  | { readonly kind: "absent" }
  | { readonly kind: "endpoints" | "nodes"; readonly selectors: readonly LabelSelector[] }
  | { readonly kind: "entities"; readonly entities: readonly string[] }
  | { readonly kind: "cidrs"; readonly blocks: readonly CiliumBlock[] }
  | { readonly kind: "names"; readonly patterns: readonly FqdnPattern[] }
  | { readonly kind: "services"; readonly services: readonly ServiceChoice[] };

export interface CiliumBlock {
  readonly of:
    | { readonly kind: "cidr"; readonly cidr: Cidr }
    | { readonly kind: "group"; readonly name: string }
    | { readonly kind: "groups"; readonly selector: LabelSelector };
  readonly except: readonly Cidr[];
  readonly position: Position;
  readonly path: string;
}

export interface FqdnPattern {
  readonly kind: "name" | "pattern";
  readonly text: string;
}

export type ServiceChoice =
  | { readonly kind: "name"; readonly namespace: string; readonly name: string }
  | { readonly kind: "labels"; readonly namespace: string; readonly selector: LabelSelector };

export const ENTITIES = [
  "all",
  "world",
  "world-ipv4",
  "world-ipv6",
  "cluster",
  "cluster-mesh",
  "host",
  "remote-node",
  "kube-apiserver",
  "health",
  "init",
  "ingress",
  "unmanaged",
  "none",
] as const;

/** A rule's peers; two kinds in one rule are refused as Cilium does. */
export function readCiliumPeers(fields: Fields, egress: boolean): CiliumPeers {
  const prefix = egress ? "to" : "from";
  const names = ["Endpoints", "Nodes", "Entities", "CIDR", "CIDRSet", "Services", "FQDNs", "Groups"].map(
    (kind) => prefix + kind,
  );
  const given = names.filter((name) => fields.get(name) !== undefined);
  const filled = given.filter((name) => {
    const { node } = fields.get(name)!;
    return node.kind !== "list" || node.items.length > 0;
  });
  if (filled.length > 1)
    fields
      .get(filled[1]!)!
      .problem(`${filled[0]} and ${filled[1]} in one rule`, "one kind of peer a rule; write two rules");
  fields
    .get(`${prefix}Groups`)
    ?.problem(
      `${prefix}Groups asks a cloud provider and cannot be evaluated here`,
      `${prefix}CIDRSet with the group's addresses`,
    );
  // An empty list of pods, nodes, entities or blocks means nobody, even beside another kind.
  const empty = given.find((name) => !filled.includes(name) && !name.endsWith("Services") && !name.endsWith("FQDNs"));
  const name = empty ?? filled[0] ?? given[0];
  if (name === undefined) return { kind: "absent" };
  const items = fields.get(name)!.items("a list") ?? [];
  switch (name.slice(prefix.length)) {
    case "Endpoints":
      return { kind: "endpoints", selectors: items.flatMap((item) => readLabelSelector(item, CILIUM_LABELS) ?? []) };
    case "Nodes":
      return { kind: "nodes", selectors: items.flatMap((item) => readLabelSelector(item, CILIUM_LABELS) ?? []) };
    case "Entities":
      return { kind: "entities", entities: items.flatMap((item) => item.oneOf(ENTITIES) ?? []) };
    case "CIDR":
      return { kind: "cidrs", blocks: items.flatMap((item) => readPlainBlock(item) ?? []) };
    case "CIDRSet":
      return { kind: "cidrs", blocks: items.flatMap((item) => readBlock(item) ?? []) };
    case "FQDNs":
      return { kind: "names", patterns: items.flatMap((item) => readFqdn(item) ?? []) };
    case "Services":
      return { kind: "services", services: items.flatMap((item) => readService(item) ?? []) };
    default:
      return { kind: "absent" };
  }
}

/** fromCIDR and toCIDR take a bare address too. */
function readPlainBlock(item: Cursor): CiliumBlock | undefined {
  const text = item.string("a CIDR such as 10.0.0.0/8");
  const cidr = text === undefined ? undefined : parseCidr(text);
  if (text !== undefined && cidr === undefined)
    item.problem(`${quote(text)} is no CIDR`, "10.0.0.0/8, fd00::/8, or an address");
  return cidr && { of: { kind: "cidr", cidr }, except: [], position: item.position, path: item.path };
}

function readBlock(item: Cursor): CiliumBlock | undefined {
  const fields = item.fields(["cidr", "cidrGroupRef", "cidrGroupSelector", "except"]);
  if (fields === undefined) return undefined;
  const given = ["cidr", "cidrGroupRef", "cidrGroupSelector"].filter((name) => fields.get(name) !== undefined);
  if (given.length !== 1) {
    item.problem(
      given.length === 0 ? "a block without addresses" : `${given.join(" and ")} in one block`,
      "one of cidr, cidrGroupRef, cidrGroupSelector",
    );
    return undefined;
  }
  const cidr = readPrefix(fields.get("cidr"));
  const except: Cidr[] = [];
  for (const inner of fields.get("except")?.items("a list of CIDRs") ?? []) {
    const block = readPrefix(inner);
    if (block === undefined) continue;
    if (cidr !== undefined && (block.v4 !== cidr.v4 || block.bits < cidr.bits || !cidrContains(cidr, block.bytes)))
      inner.problem("an exception must lie within cidr", "a block inside of cidr");
    except.push(block);
  }
  const place = { except, position: item.position, path: item.path };
  if (cidr !== undefined) return { of: { kind: "cidr", cidr }, ...place };
  const name = fields.get("cidrGroupRef")?.string("a CiliumCIDRGroup's name");
  if (name !== undefined) return { of: { kind: "group", name }, ...place };
  const group = fields.get("cidrGroupSelector");
  const selector = group && readLabelSelector(group, CILIUM_LABELS);
  return selector && { of: { kind: "groups", selector }, ...place };
}

function readPrefix(cursor: Cursor | undefined): Cidr | undefined {
  const text = cursor?.string("a CIDR such as 10.0.0.0/8");
  if (text === undefined) return undefined;
  const cidr = text.includes("/") ? parseCidr(text) : undefined;
  if (cidr === undefined) cursor!.problem(`${quote(text)} is no CIDR`, "an address, a slash and a length");
  return cidr;
}

function readFqdn(item: Cursor): FqdnPattern | undefined {
  const fields = item.fields(["matchName", "matchPattern"]);
  if (fields === undefined) return undefined;
  const name = fields.get("matchName");
  const pattern = fields.get("matchPattern");
  if ((name === undefined) === (pattern === undefined)) {
    item.problem("a name is given in one of two ways", "either matchName or matchPattern");
    return undefined;
  }
  const field = (name ?? pattern)!;
  const text = field.string("a domain name");
  if (text === undefined) return undefined;
  // One class, no nesting: the CRD's own expression backtracks without end on long names.
  const allowed = name === undefined ? /^[-a-zA-Z0-9_*.]{1,255}$/ : /^[-a-zA-Z0-9_.]{1,255}$/;
  if (!allowed.test(text) || text.includes("..") || text.startsWith("."))
    field.problem(
      `${quote(text)} is no domain name`,
      name === undefined
        ? "letters, digits, -, _, . and *"
        : "letters, digits, -, _ and .; stars belong in matchPattern",
    );
  return { kind: name === undefined ? "pattern" : "name", text };
}

function readService(item: Cursor): ServiceChoice | undefined {
  const fields = item.fields(["k8sService", "k8sServiceSelector"]);
  const byLabels = fields?.get("k8sServiceSelector")?.fields(["selector", "namespace"]);
  if (byLabels !== undefined) {
    const selectorField = byLabels.need("selector", "a label selector");
    const selector = selectorField && readLabelSelector(selectorField, CILIUM_LABELS);
    return selector && { kind: "labels", selector, namespace: byLabels.get("namespace")?.string("a namespace") ?? "" };
  }
  const byName = fields?.get("k8sService")?.fields(["serviceName", "namespace"]);
  if (byName !== undefined)
    return {
      kind: "name",
      name: byName.need("serviceName", "a service's name")?.string("a service's name") ?? "",
      namespace: byName.get("namespace")?.string("a namespace") ?? "",
    };
  if (fields !== undefined) item.problem("a service without any known field", "k8sService or k8sServiceSelector");
  return undefined;
}
