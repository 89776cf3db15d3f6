import { isLabelKey, type Requirement, type SelectorRules } from "./label-selector.ts";

/**
 * Cilium's labels carry a source: `k8s:app`, `any:app`, `reserved:host`. A key without one reads as `any:`, whatever the source.
 * (pkg/labels: ParseSelectLabel, NewSourceEncodedLabelKey.)
 */
export const CILIUM_LABELS: SelectorRules = {
  validKey: (key) => {
    const colon = key.indexOf(":");
    const name = colon < 0 ? key : key.slice(colon + 1);
    return (colon < 0 || /^[a-zA-Z0-9_-]+$/.test(key.slice(0, colon))) && isLabelKey(name);
  },
  keyForm: "a label key such as app, k8s:app or reserved:host",
};

/** A key with its source: as written, or with `source` before it. */
export function withSource(key: string, source: string): string {
  return key.includes(":") ? key : `${source}:${key}`;
}

/** Requirements with a source on every key. */
export function sourced(requirements: readonly Requirement[], source: string): Requirement[] {
  return requirements.map((requirement) => ({ ...requirement, key: withSource(requirement.key, source) }));
}

export const POD_NAMESPACE = "io.kubernetes.pod.namespace";
export const NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels.";
export const POLICY_CLUSTER = "io.cilium.k8s.policy.cluster";
export const POLICY_ACCOUNT = "io.cilium.k8s.policy.serviceaccount";
