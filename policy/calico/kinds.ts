import { parseDocuments, type KindEntry, type KindParser } from "../parse/documents.ts";
import type { PolicyProblem } from "../parse/problem.ts";
import { readStagedKubernetesPolicy } from "./parse-staged-kubernetes.ts";
import { readEndpointSlice, readNetworkSet, readTier } from "./parse-sets.ts";
import { readPolicy } from "./parse-policy.ts";
import { CALICO_GROUP, CALICO_VERSIONS } from "./types.ts";

function calicoKind(kind: string, namespaced: boolean, parse: KindParser): KindEntry {
  return { apiVersions: CALICO_VERSIONS, kind, group: CALICO_GROUP, namespaced, parse };
}

/** Calico's kinds, and EndpointSlice, which a rule's `services` reads. */
export const CALICO_KINDS: readonly KindEntry[] = [
  calicoKind("NetworkPolicy", true, readPolicy),
  calicoKind("GlobalNetworkPolicy", false, readPolicy),
  calicoKind("StagedNetworkPolicy", true, readPolicy),
  calicoKind("StagedGlobalNetworkPolicy", false, readPolicy),
  calicoKind("StagedKubernetesNetworkPolicy", true, readStagedKubernetesPolicy),
  calicoKind("Tier", false, readTier),
  calicoKind("NetworkSet", true, readNetworkSet),
  calicoKind("GlobalNetworkSet", false, readNetworkSet),
  {
    apiVersions: ["discovery.k8s.io/v1"],
    kind: "EndpointSlice",
    group: "discovery.k8s.io",
    namespaced: true,
    parse: readEndpointSlice,
  },
];

/** Everything that Calico 3.32.1's validator (or its CRDs' schemas) finds wrong in `text`, with place and expectation; errors refuse. */
export function checkCalico(text: string, file: string): readonly PolicyProblem[] {
  return parseDocuments(text, file, CALICO_KINDS).problems;
}
