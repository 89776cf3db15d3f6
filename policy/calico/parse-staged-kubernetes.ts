import type { KindParser } from "../parse/documents.ts";
import { readNetworkPolicySpec, type NetworkPolicySpec } from "../parse/network-policy.ts";
import { readMetadata } from "./metadata.ts";
import { checkEmpty, STAGED_ACTIONS } from "./parse-policy.ts";
import type { StagedAction } from "./types.ts";

/** StagedKubernetesNetworkPolicy: a NetworkPolicy v1 with `stagedAction` beside its fields. */
export interface StagedKubernetesSpec {
  readonly type: "staged-kubernetes";
  readonly stagedAction: StagedAction | undefined;
  readonly policy: NetworkPolicySpec;
}

export const readStagedKubernetesPolicy: KindParser = (document): StagedKubernetesSpec | undefined => {
  const cursor = readMetadata(document, "subdomain")?.need("spec", "podSelector, policyTypes, ingress, egress");
  const spec = cursor?.fields();
  if (cursor === undefined || spec === undefined) return undefined;
  const stagedAction = spec.get("stagedAction")?.oneOf(STAGED_ACTIONS);
  if (stagedAction === "Delete") checkEmpty(spec, ["stagedAction"]);
  const types = spec.get("policyTypes"); // the schema's bounds, which NetworkPolicy itself has not
  if (types?.node.kind === "list" && (types.node.items.length === 0 || types.node.items.length > 2))
    types.problem(`${types.node.items.length} types in the list`, "Ingress, Egress or both");
  const policy = readNetworkPolicySpec(cursor, ["stagedAction"]);
  return policy === undefined ? undefined : { type: "staged-kubernetes", stagedAction, policy };
};
