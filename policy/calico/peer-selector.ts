import { ACCOUNT_PREFIX, NAMESPACE, NAMESPACE_PREFIX, SERVICE_ACCOUNT } from "./members.ts";
import { allOf, BLANK, mapLeaves, type Selector } from "./selector.ts";
import type { CalicoEntity, CalicoPolicySpec } from "./types.ts";

/**
 * The one selector that Calico makes of several fields (libcalico-go/lib/backend/syncersv1/updateprocessors 3.32.1: rules.go,
 * networkpolicyprocessor.go, globalnetworkpolicyprocessor.go). Namespaces' and accounts' labels are read as labels of the member
 * itself, under a prefix: that is why a negative namespace selector takes in what has no namespace.
 */
const HAS_NAMESPACE: Selector = { kind: "has", key: NAMESPACE };
const HAS_ACCOUNT: Selector = { kind: "has", key: SERVICE_ACCOUNT };

/** `namespace` is the policy's own, "" in a global one. Undefined: the rule asks no selector of this end. */
export function peerSelector(entity: CalicoEntity, namespace: string): Selector | undefined {
  const accounts = entity.serviceAccounts;
  const chosen = allOf(
    prefixed(accounts?.selector, ACCOUNT_PREFIX),
    accounts === undefined || accounts.names.length === 0
      ? undefined
      : { kind: "in", key: SERVICE_ACCOUNT, values: new Set(accounts.names) },
    entity.selector,
  );
  if (entity.namespaceSelector !== undefined) return allOf(namespaceMembers(entity.namespaceSelector), chosen);
  if (namespace === "" || (chosen === undefined && entity.notSelector === undefined)) return chosen;
  return allOf(ownNamespace(namespace), chosen);
}

/** Who is subject to a policy; network sets never are. Undefined: everyone. */
export function subjectSelector(spec: CalicoPolicySpec, namespace: string): Selector | undefined {
  const namespaces = prefixed(spec.namespaceSelector, NAMESPACE_PREFIX);
  const accounts = prefixed(spec.serviceAccountSelector, ACCOUNT_PREFIX);
  if (namespace !== "") return allOf(spec.selector, ownNamespace(namespace), accounts);
  // a global policy's all() is narrowed in the whole text, once there is a namespace or account selector beside it
  const scoped = allOf(spec.selector, namespaces);
  const inNamespaces = namespaces === undefined ? scoped : replaceAll(scoped, HAS_NAMESPACE);
  const both = allOf(inNamespaces, accounts);
  return accounts === undefined ? both : replaceAll(both, HAS_ACCOUNT);
}

/**
 * True when Calico cannot read the text that it makes of the policy's selectors. It joins them as `(A) && (B)`, and its grammar has
 * no empty parentheses: a selector of blanks beside another is an error, and a policy with one is not in force at all.
 */
export function isUnreadable(spec: CalicoPolicySpec, namespace: string): boolean {
  const { selector, namespaceSelector, serviceAccountSelector } = spec;
  const joined = namespace !== "" || namespaceSelector !== undefined || serviceAccountSelector !== undefined;
  if (selector === BLANK && joined) return true;
  return [...spec.ingress, ...spec.egress].some(({ source, destination }) =>
    [source, destination].some((entity) => isUnreadableEntity(entity, namespace)),
  );
}

function isUnreadableEntity(entity: CalicoEntity, namespace: string): boolean {
  const { selector, notSelector, namespaceSelector, serviceAccounts } = entity;
  const byAccount = serviceAccounts?.selector !== undefined || (serviceAccounts?.names.length ?? 0) > 0;
  if (selector === BLANK && (namespace !== "" || namespaceSelector !== undefined || byAccount)) return true;
  return notSelector === BLANK && peerSelector(entity, namespace) !== undefined;
}

/** all() = whoever has a namespace, global() = whoever has none: not pods, not NetworkSets. */
function namespaceMembers(selector: Selector): Selector {
  return mapLeaves(prefixed(selector, NAMESPACE_PREFIX)!, (part) => {
    if (part.kind === "all") return HAS_NAMESPACE;
    return part.kind === "global" ? { kind: "not", operand: HAS_NAMESPACE } : part;
  });
}

function replaceAll(selector: Selector | undefined, by: Selector): Selector | undefined {
  return selector === undefined ? undefined : mapLeaves(selector, (part) => (part.kind === "all" ? by : part));
}

function ownNamespace(namespace: string): Selector {
  return { kind: "equals", key: NAMESPACE, value: namespace };
}

function prefixed(selector: Selector | undefined, prefix: string): Selector | undefined {
  if (selector === undefined) return undefined;
  return mapLeaves(selector, (part) => ("key" in part ? { ...part, key: prefix + part.key } : part));
}
