/**
 * What policies are judged against: who exists, with which labels, addresses and names. A plain description, as a case file, an
 * inventory or the store gives it; `indexWorld` (world-index.ts) makes it ready for look-ups.
 */
export interface World {
  readonly namespaces: readonly WorldNamespace[];
  readonly endpoints: readonly WorldEndpoint[];
  readonly nodes: readonly WorldNode[];
  readonly dnsNames: readonly DnsName[];
  readonly cidrGroups: readonly CidrGroup[];
  readonly services: readonly WorldService[];
  readonly serviceAccounts: readonly WorldServiceAccount[];
  readonly config: WorldConfig;
}

/** Whose reading of a policy is wanted where implementations differ (docs/policy.md lists the differences). */
export type Profile = "kubernetes" | "cilium" | "calico";
export const PROFILES: readonly Profile[] = ["kubernetes", "cilium", "calico"];

/** What a cluster's network plugin was told; absent = that plugin's default. */
export interface WorldConfig {
  /** Cilium `enable-policy`: default "default". */
  readonly policyEnforcement?: "default" | "always" | "never";
  /** Cilium `allow-localhost=always`: the local host may always reach its pods. Default true. */
  readonly allowLocalhost?: boolean;
  /** Cilium `enable-host-firewall`: the local host is itself subject to policies with nodeSelector. Default false. */
  readonly hostFirewall?: boolean;
  /** Cilium `policy-cidr-match-mode=nodes`: CIDR peers match nodes too. Default false. */
  readonly cidrMatchesNodes?: boolean;
  /** Cilium with both families: world splits into world-ipv4 and world-ipv6. Default false. */
  readonly dualStack?: boolean;
  /** Cilium `cluster-name`. Default "default". */
  readonly clusterName?: string;
  /** Cilium `enable-non-default-deny-policies`: `enableDefaultDeny` is honoured. Default true. */
  readonly nonDefaultDeny?: boolean;
  /** Calico: staged kinds are judged as if in force, or left out as the data plane does. Default "ignored". */
  readonly staged?: "enforced" | "ignored";
}

export interface WorldNamespace {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
}

export interface NamedPort {
  readonly name: string;
  readonly port: number;
  /** TCP, UDP or SCTP. */
  readonly protocol: string;
}

/** A pod, or an identity standing for pods that share their labels (then `name` is the workload's). */
export interface WorldEndpoint {
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** As text; empty when not known: then no CIDR matches it. */
  readonly addresses: readonly string[];
  readonly serviceAccount: string;
  readonly ports: readonly NamedPort[];
  /** Host-network pods are not subject to policies and are their node as a peer. Default false. */
  readonly hostNetwork?: boolean;
  /** `deployment/web` and the like, for people. */
  readonly workload?: string;
}

export interface WorldNode {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
  /** The node whose agent judges (Cilium's `host`). */
  readonly local: boolean;
  readonly kubeApiserver: boolean;
  readonly outOfCluster: boolean;
}

/** A name that pods have looked up, and the addresses that they were told. */
export interface DnsName {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** CiliumCIDRGroup. */
export interface CidrGroup {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly cidrs: readonly string[];
}

export interface WorldService {
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** Empty: endpoints are not chosen by selector. */
  readonly selector: ReadonlyMap<string, string>;
  readonly slices: readonly {
    readonly addresses: readonly string[];
    readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  }[];
}

export interface WorldServiceAccount {
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
}

/** An IP version. */
export type Family = 4 | 6;

/** One end of a flow. `index` counts in `World.endpoints`; an entity has Cilium's name (`host`, `world`, `ingress`). */
export type Side =
  /** `family`: as an end of traffic of that IP version, so that blocks of the other never match it. */
  | { readonly kind: "endpoint"; readonly index: number; readonly family?: Family | undefined }
  | { readonly kind: "address"; readonly address: string }
  | { readonly kind: "entity"; readonly entity: string };

/** A world without anybody, to be spread into a fuller one. */
export const EMPTY_WORLD: World = {
  namespaces: [],
  endpoints: [],
  nodes: [],
  dnsNames: [],
  cidrGroups: [],
  services: [],
  serviceAccounts: [],
  config: {},
};
