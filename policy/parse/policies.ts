import { CALICO_KINDS } from "../calico/kinds.ts";
import { CILIUM_KINDS } from "./cilium.ts";
import { CLUSTER_POLICY_KINDS } from "./cluster-policy.ts";
import { parseDocuments, type KindEntry, type ParsedPolicies } from "./documents.ts";
import { NETWORK_POLICY_KINDS } from "./network-policy.ts";

/** Every kind that is read. */
export const POLICY_KINDS: readonly KindEntry[] = [
  ...NETWORK_POLICY_KINDS,
  ...CLUSTER_POLICY_KINDS,
  ...CILIUM_KINDS,
  ...CALICO_KINDS,
];

/** Every policy of a file, whatever its kind, and everything that is wrong in it. Never throws. */
export function parsePolicies(text: string, file: string): ParsedPolicies {
  return parseDocuments(text, file, POLICY_KINDS);
}
