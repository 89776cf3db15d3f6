import type { DocumentHead, KindParser } from "../parse/documents.ts";
import type { Cursor, Fields } from "../parse/reader.ts";
import { checkName, readMetadata } from "./metadata.ts";
import { readRules } from "./parse-rule.ts";
import { readPlainSelector } from "./parse-values.ts";
import { DEFAULT_TIER, type CalicoPolicySpec, type StagedAction } from "./types.ts";

/** NetworkPolicy, GlobalNetworkPolicy and their staged twins, as validator/v3 3.32.1 takes them. */
const SHARED_FIELDS = [
  "tier",
  "order",
  "selector",
  "serviceAccountSelector",
  "ingress",
  "egress",
  "types",
  "performanceHints",
] as const;
const GLOBAL_FIELDS = ["namespaceSelector", "doNotTrack", "preDNAT", "applyOnForward"] as const;
export const STAGED_ACTIONS = ["Set", "Delete", "Learn", "Ignore"] as const satisfies readonly StagedAction[];

export const readPolicy: KindParser = (document, head) => {
  const staged = head.kind.startsWith("Staged");
  const global = head.kind.endsWith("GlobalNetworkPolicy");
  const top = readMetadata(document, global ? "global" : "namespaced");
  if (top === undefined) return undefined;
  const known = [...SHARED_FIELDS, ...(global ? GLOBAL_FIELDS : []), ...(staged ? ["stagedAction"] : [])];
  const spec = top.get("spec")?.fields(known);
  const stagedAction = spec?.get("stagedAction")?.oneOf(STAGED_ACTIONS);
  if (spec !== undefined && stagedAction === "Delete") checkEmpty(spec, ["stagedAction", "tier"]);
  return spec === undefined ? EMPTY_SPEC : readSpec(spec, head, stagedAction);
};

const EMPTY_SPEC: CalicoPolicySpec = {
  type: "policy",
  tier: DEFAULT_TIER,
  order: undefined,
  selector: undefined,
  namespaceSelector: undefined,
  serviceAccountSelector: undefined,
  governsIngress: true,
  governsEgress: false,
  ingress: [],
  egress: [],
  stagedAction: undefined,
  hostEndpointsOnly: false,
};

function readSpec(spec: Fields, head: DocumentHead, stagedAction: StagedAction | undefined): CalicoPolicySpec {
  const tier = spec.get("tier")?.string("a tier's name") ?? "";
  if (tier !== "") checkName(spec.get("tier")!, tier, "policyTier");
  const subject = {
    order: spec.get("order")?.number(),
    selector: readPlainSelector(spec.get("selector")),
    namespaceSelector: readPlainSelector(spec.get("namespaceSelector")),
    serviceAccountSelector: readPlainSelector(spec.get("serviceAccountSelector")),
  };
  const governs = readTypes(spec, head);
  const ingress = readRules(spec.get("ingress"), { direction: "ingress", namespace: head.namespace });
  const egress = readRules(spec.get("egress"), { direction: "egress", namespace: head.namespace });
  checkHints(spec.get("performanceHints"));
  return {
    ...subject,
    type: "policy",
    tier: tier === "" ? DEFAULT_TIER : tier,
    governsIngress: governs.ingress,
    governsEgress: governs.egress,
    ingress,
    egress,
    stagedAction,
    hostEndpointsOnly: readHostEndpointFlags(spec, governs.egress),
  };
}

/** Absent types: Ingress, unless there are egress rules alone. A document written past the API server (crd…/v1) governs both. */
function readTypes(spec: Fields, head: DocumentHead): { ingress: boolean; egress: boolean } {
  const cursor = spec.get("types");
  const items = cursor?.items("Ingress, Egress or both") ?? [];
  if (cursor?.node.kind === "list" && items.length === 0) cursor.problem("an empty list", "Ingress, Egress or both");
  if (items.length === 0) {
    if (head.apiVersion.startsWith("crd.")) return { ingress: true, egress: true };
    const hasRules = (field: string) => {
      const node = spec.get(field)?.node;
      return node?.kind === "list" && node.items.length > 0;
    };
    return { ingress: hasRules("ingress") || !hasRules("egress"), egress: hasRules("egress") };
  }
  const seen = new Set<string>();
  for (const item of items) {
    const type = item.oneOf(["Ingress", "Egress"]);
    if (type === undefined) continue;
    if (seen.has(type)) item.problem(`${type} stands here twice`, "each type once");
    seen.add(type);
  }
  return { ingress: seen.has("Ingress"), egress: seen.has("Egress") };
}

/** True when the policy is for host endpoints alone. */
function readHostEndpointFlags(spec: Fields, governsEgress: boolean): boolean {
  const doNotTrack = spec.get("doNotTrack")?.boolean() ?? false;
  const preDnat = spec.get("preDNAT")?.boolean() ?? false;
  const applyOnForward = spec.get("applyOnForward")?.boolean() ?? false;
  const flag = spec.get(preDnat ? "preDNAT" : "doNotTrack");
  if (doNotTrack && preDnat) flag!.problem("preDNAT and doNotTrack in one policy", "one of them");
  if ((doNotTrack || preDnat) && !applyOnForward)
    flag!.problem("preDNAT or doNotTrack without applyOnForward", "applyOnForward: true beside it");
  if (preDnat && governsEgress) flag!.problem("preDNAT in a policy for egress", "ingress rules alone");
  if (doNotTrack || preDnat)
    flag!.warning("not evaluated: such a policy is for host endpoints, no pod is subject to it");
  else if (applyOnForward)
    spec.get("applyOnForward")!.warning("applyOnForward is for host endpoints: not evaluated, the policy's pods are");
  return doNotTrack || preDnat;
}

function checkHints(cursor: Cursor | undefined): void {
  const seen = new Set<string>();
  for (const item of cursor?.items("a list of hints") ?? []) {
    const hint = item.oneOf(["AssumeNeededOnEveryNode"]);
    if (hint === undefined) continue;
    if (seen.has(hint)) item.problem(`${hint} stands here twice`, "each hint once");
    seen.add(hint);
  }
}

/** Every field but `allowed` has its zero value, as stagedAction Delete asks. */
export function checkEmpty(spec: Fields, allowed: readonly string[]): void {
  for (const name of spec.names()) {
    const cursor = spec.get(name);
    if (cursor === undefined || allowed.includes(name)) continue;
    const { node } = cursor;
    const zero = // a list that is written is no zero value, be it empty
      node.kind === "scalar"
        ? node.value === "" || node.value === false
        : node.kind === "map" && node.entries.size === 0;
    if (!zero)
      cursor.problem(`${name} in a policy that is staged for deletion`, `nothing but ${allowed.join(" and ")}`);
  }
}
