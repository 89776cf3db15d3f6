import type { Cidr } from "../../model/address.ts";
import type { PolicyDocument } from "../parse/documents.ts";
import type { Position } from "../parse/problem.ts";
import type { RuleAction } from "../verdict.ts";
import type { Selector } from "./selector.ts";

/**
 * Calico's documents once read. One form for NetworkPolicy, GlobalNetworkPolicy, their staged twins and, translated
 * (from-kubernetes.ts), the Kubernetes kinds that Calico reads: what differs between them is gone by then.
 */
export const CALICO_GROUP = "projectcalico.org";
export const CALICO_VERSIONS = ["projectcalico.org/v3", "crd.projectcalico.org/v1"] as const;

export type StagedAction = "Set" | "Delete" | "Learn" | "Ignore";

export interface CalicoPolicySpec {
  readonly type: "policy";
  readonly tier: string;
  /** undefined = after all that have one. */
  readonly order: number | undefined;
  /** undefined: nothing was written, which selects everything; in a namespaced kind within the namespace. */
  readonly selector: Selector | undefined;
  readonly namespaceSelector: Selector | undefined;
  readonly serviceAccountSelector: Selector | undefined;
  readonly governsIngress: boolean;
  readonly governsEgress: boolean;
  readonly ingress: readonly CalicoRule[];
  readonly egress: readonly CalicoRule[];
  /** Only in staged kinds. */
  readonly stagedAction: StagedAction | undefined;
  /** doNotTrack and preDNAT: the policy is for host endpoints alone, no pod is subject to it. */
  readonly hostEndpointsOnly: boolean;
}

export interface CalicoRule {
  /** In the document's list of that direction; several translated rules may share one. */
  readonly index: number;
  readonly position: Position;
  readonly path: string;
  readonly action: RuleAction;
  /** 4, 6 or 0 = both. Protocol ICMP by name sets 4, ICMPv6 6. */
  readonly ipVersion: 0 | 4 | 6;
  /** IANA number. */
  readonly protocol: number | undefined;
  readonly notProtocol: number | undefined;
  readonly icmp: IcmpMatch | undefined;
  readonly notIcmp: IcmpMatch | undefined;
  readonly source: CalicoEntity;
  readonly destination: CalicoEntity;
  /** Judged by a proxy on layer 7. */
  readonly http: HttpMatch | undefined;
}

export interface IcmpMatch {
  /** undefined: every type (an empty `icmp: {}`). */
  readonly type: number | undefined;
  readonly code: number | undefined;
}

export interface HttpMatch {
  readonly methods: readonly string[];
  readonly paths: readonly { readonly exact: boolean; readonly path: string }[];
}

/** One end of a rule; what is undefined or empty matches everything, the rest is and-ed. */
export interface CalicoEntity {
  readonly nets: readonly Cidr[];
  readonly notNets: readonly Cidr[];
  readonly selector: Selector | undefined;
  readonly notSelector: Selector | undefined;
  readonly namespaceSelector: Selector | undefined;
  readonly serviceAccounts: { readonly names: readonly string[]; readonly selector: Selector | undefined } | undefined;
  readonly ports: PortMatch | undefined;
  readonly notPorts: PortMatch | undefined;
  readonly services: { readonly name: string; readonly namespace: string } | undefined;
}

/** Numbers and names are or-ed. */
export interface PortMatch {
  /** Inclusive. */
  readonly ranges: readonly { readonly first: number; readonly last: number }[];
  readonly names: readonly string[];
}

export const ANY_ENTITY: CalicoEntity = {
  nets: [],
  notNets: [],
  selector: undefined,
  notSelector: undefined,
  namespaceSelector: undefined,
  serviceAccounts: undefined,
  ports: undefined,
  notPorts: undefined,
  services: undefined,
};

export interface TierSpec {
  readonly type: "tier";
  readonly order: number;
  readonly defaultAction: "deny" | "pass";
}

/** NetworkSet, GlobalNetworkSet. */
export interface NetworkSetSpec {
  readonly type: "network-set";
  readonly nets: readonly Cidr[];
}

/** EndpointSlice, as far as a rule's `services` reads it. */
export interface EndpointSliceSpec {
  readonly type: "endpoint-slice";
  readonly service: string;
  readonly addresses: readonly string[];
  readonly ports: readonly { readonly port: number; readonly protocol: number }[];
}

export type CalicoSpec = CalicoPolicySpec | TierSpec | NetworkSetSpec | EndpointSliceSpec;

/** A document of Calico's own kinds with its spec, or undefined for any other. */
export function calicoSpec(document: PolicyDocument): CalicoSpec | undefined {
  if (document.group !== CALICO_GROUP && document.kind !== "EndpointSlice") return undefined;
  return document.kind === "StagedKubernetesNetworkPolicy" ? undefined : (document.spec as CalicoSpec); // the group's parsers make nothing else
}

export const KUBE_ADMIN = "kube-admin";
export const KUBE_BASELINE = "kube-baseline";
export const DEFAULT_TIER = "default";

/** The tiers that Calico makes itself (api/pkg/apis/projectcalico/v3/tier.go 3.32.1); their order and action are fixed. */
export const BUILTIN_TIERS: ReadonlyMap<string, TierSpec> = new Map([
  [KUBE_ADMIN, { type: "tier", order: 1000, defaultAction: "pass" }],
  [DEFAULT_TIER, { type: "tier", order: 1_000_000, defaultAction: "deny" }],
  [KUBE_BASELINE, { type: "tier", order: 10_000_000, defaultAction: "pass" }],
]);
/** What the API server writes into a Tier without `order`. */
export const TIER_ORDER_WHEN_ABSENT = 1_000_000;
/** Where Kubernetes NetworkPolicies stand in tier `default`. */
export const KUBERNETES_POLICY_ORDER = 1000;
