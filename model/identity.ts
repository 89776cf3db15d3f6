import type { Brand } from "./brand.ts";

/** The 64-bit hash of an identity's canonical labels, in decimal: a UInt64 in the store does not fit a double. */
export type IdentityId = Brand<string, "IdentityId">;

/** What stands for an identity in one node's kernel maps and events. Means nothing on another node. */
export type LocalIdentity = Brand<number, "LocalIdentity">;

export type Labels = Readonly<Record<string, string>>;

/** What an identity is, which decides its shape on the map and what may be said of it. */
export type IdentityKind =
  | "workload" // pods, containers, inventory entries, units, processes: something that runs
  | "service" // an address that is translated to others (ClusterIP, DNAT)
  | "fqdn" // an outside address with a name that was looked up
  | "cidr" // a block of outside addresses that the inventory or a policy names
  | "reserved"; // host, world, …

/** A set of security-relevant labels, and the names that people know it by. Never changes: other labels are another identity. */
export interface Identity {
  readonly id: IdentityId;
  readonly kind: IdentityKind;
  /** The group it is drawn in: Kubernetes or inventory namespace, else the host's name; "" for reserved and outside ones. */
  readonly namespace: string;
  /** Deployment, unit, process, DNS name, block: the name under the node. */
  readonly workload: string;
  readonly labels: Labels;
}

/** Cilium's numbers and names for what has no labels of its own (pkg/identity/numericidentity.go, v1.20). 1–255 are kept for these. */
export const RESERVED = {
  unknown: "0",
  host: "1",
  world: "2",
  unmanaged: "3",
  health: "4",
  init: "5",
  "remote-node": "6",
  "kube-apiserver": "7",
  ingress: "8",
  "world-ipv4": "9",
  "world-ipv6": "10",
} as const satisfies Record<string, string>;

export type ReservedName = keyof typeof RESERVED;

/** The identity of a reserved name; its only label is `reserved:NAME`. */
export function reservedIdentity(name: ReservedName): Identity {
  return {
    id: RESERVED[name] as IdentityId,
    kind: "reserved",
    namespace: "",
    workload: name,
    labels: { [`reserved:${name}`]: "" },
  };
}

export function identityId(decimal: string): IdentityId {
  if (!/^\d{1,20}$/.test(decimal)) throw new RangeError(`not an identity: ${decimal}`);
  return decimal as IdentityId;
}

/** Labels in one order and one writing, so that the same set is the same text on every node. */
export function canonicalLabels(labels: Labels): string {
  return Object.keys(labels)
    .toSorted()
    .map((key) => `${key.length}:${key}=${labels[key]!.length}:${labels[key]};`)
    .join("");
}
