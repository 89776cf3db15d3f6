import type { DocumentHead, KindEntry } from "./documents.ts";
import { readCiliumPeers, type CiliumPeers } from "./cilium-peers.ts";
import { readCiliumPorts, type CiliumPortRule } from "./cilium-ports.ts";
import { CILIUM_LABELS } from "./cilium-labels.ts";
import { readLabelSelector, type LabelSelector } from "./label-selector.ts";
import type { Position } from "./problem.ts";
import type { Cursor, Fields } from "./reader.ts";

/** CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy (cilium.io/v2, as of 1.20): one or several specs. */
export interface CiliumSpec {
  readonly specs: readonly CiliumRuleSet[];
}

export interface CiliumRuleSet {
  readonly subject: { readonly kind: "endpoints" | "nodes"; readonly selector: LabelSelector };
  readonly ingress: readonly CiliumRule[];
  readonly ingressDeny: readonly CiliumRule[];
  readonly egress: readonly CiliumRule[];
  readonly egressDeny: readonly CiliumRule[];
  /** As written; undefined = not said: true if the direction has rules. */
  readonly defaultDeny: { readonly ingress: boolean | undefined; readonly egress: boolean | undefined };
  readonly position: Position;
  readonly path: string;
}

export interface CiliumRule {
  readonly peers: CiliumPeers;
  /** toPorts and icmps together; undefined = none given: every port. */
  readonly ports: readonly CiliumPortRule[] | undefined;
  readonly auth: "disabled" | "required" | "test-always-fail" | undefined;
  readonly position: Position;
  readonly path: string;
}

export const CILIUM_KINDS: readonly KindEntry[] = [
  {
    apiVersions: ["cilium.io/v2"],
    kind: "CiliumNetworkPolicy",
    group: "cilium.io",
    namespaced: true,
    parse: readCilium,
  },
  {
    apiVersions: ["cilium.io/v2"],
    kind: "CiliumClusterwideNetworkPolicy",
    group: "cilium.io",
    namespaced: false,
    parse: readCilium,
  },
];

const SPEC_FIELDS = [
  "endpointSelector",
  "nodeSelector",
  "ingress",
  "ingressDeny",
  "egress",
  "egressDeny",
  "enableDefaultDeny",
  "labels",
  "description",
  "log",
];
const GONE: ReadonlyMap<string, string> = new Map([
  [
    "fromRequires",
    "fromRequires is not in Cilium 1.20 any more; write what is required into each fromEndpoints selector",
  ],
  ["toRequires", "toRequires is not in Cilium 1.20 any more; write what is required into each toEndpoints selector"],
]);

function readCilium(document: Cursor, head: DocumentHead): CiliumSpec | undefined {
  const fields = document.fields(["apiVersion", "kind", "metadata", "spec", "specs", "status"]);
  if (fields === undefined) return undefined;
  const one = fields.get("spec");
  const many = fields.get("specs")?.items("a list of specs") ?? [];
  if (one === undefined && many.length === 0) {
    document.problem("neither spec nor specs is given", "spec, or a list specs");
    return undefined;
  }
  const specs = [...(one === undefined ? [] : [one]), ...many].flatMap((spec) => readSpec(spec, head) ?? []);
  return { specs };
}

function readSpec(cursor: Cursor, head: DocumentHead): CiliumRuleSet | undefined {
  const fields = cursor.fields(SPEC_FIELDS);
  if (fields === undefined) return undefined;
  const endpoints = fields.get("endpointSelector");
  const nodes = fields.get("nodeSelector");
  if ((endpoints === undefined) === (nodes === undefined)) {
    cursor.problem("a spec chooses whom it is about", "either endpointSelector or nodeSelector");
    return undefined;
  }
  if (nodes !== undefined && head.namespace !== "")
    nodes.problem("nodes have no namespace", "nodeSelector in a CiliumClusterwideNetworkPolicy");
  const selector = readLabelSelector((endpoints ?? nodes)!, CILIUM_LABELS);
  const onHost = nodes !== undefined;
  const ingress = readRules(fields, "ingress", onHost);
  const ingressDeny = readRules(fields, "ingressDeny", onHost);
  const egress = readRules(fields, "egress", onHost);
  const egressDeny = readRules(fields, "egressDeny", onHost);
  if (ingress.length + ingressDeny.length + egress.length + egressDeny.length === 0)
    cursor.problem(
      "a spec without any rule",
      "at least one of ingress, ingressDeny, egress, egressDeny; `ingress: [{}]` to isolate only",
    );
  const deny = fields.get("enableDefaultDeny")?.fields(["ingress", "egress"]);
  const defaultDeny = { ingress: deny?.get("ingress")?.boolean(), egress: deny?.get("egress")?.boolean() };
  if (selector === undefined) return undefined;
  const subject = { kind: onHost ? ("nodes" as const) : ("endpoints" as const), selector };
  return {
    subject,
    ingress,
    ingressDeny,
    egress,
    egressDeny,
    defaultDeny,
    position: cursor.position,
    path: cursor.path,
  };
}

type RuleField = "ingress" | "ingressDeny" | "egress" | "egressDeny";

function readRules(spec: Fields, field: RuleField, onHost: boolean): CiliumRule[] {
  return (spec.get(field)?.items("a list of rules") ?? []).flatMap((item) => readRule(item, field, onHost) ?? []);
}

function readRule(item: Cursor, field: RuleField, onHost: boolean): CiliumRule | undefined {
  const place = { position: item.position, path: item.path };
  if (item.isNull) return { peers: { kind: "absent" }, ports: undefined, auth: undefined, ...place };
  const egress = field.startsWith("egress");
  const deny = field.endsWith("Deny");
  const known = egress
    ? ["toEndpoints", "toNodes", "toEntities", "toCIDR", "toCIDRSet", "toServices", "toGroups", "toPorts", "icmps"]
    : ["fromEndpoints", "fromNodes", "fromEntities", "fromCIDR", "fromCIDRSet", "fromGroups", "toPorts", "icmps"];
  if (!deny) known.push("authentication");
  if (egress && !deny) known.push("toFQDNs");
  const gone = [...GONE.keys()];
  const fields = item.fields([...known, ...gone.filter((name) => egress === name.startsWith("to"))]);
  if (fields === undefined) return undefined;
  for (const name of gone) fields.get(name)?.problem(GONE.get(name)!, known.join(", "));
  const peers = readCiliumPeers(fields, egress);
  const ports = readCiliumPorts(fields, { deny, egress, onHost });
  const auth = fields.get("authentication")?.fields(["mode"])?.need("mode", "disabled, required or test-always-fail");
  return { peers, ports, auth: auth?.oneOf(["disabled", "required", "test-always-fail"] as const), ...place };
}
