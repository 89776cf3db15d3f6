/**
 * The world "shop" as data: who there is, at which address, and who talks to whom how often. Everything else here is derived from it:
 * namespaces and routes (network.ts), firewall (firewall.ts), the schedule, the inventory, and the books of the check.
 */

/** Its shape on the map, in the inventory's words. */
export type Kind = "workload" | "datastore" | "gateway" | "infra" | "outside";

export interface Workload {
  /** Weir's namespace; "" for what is outside. */
  readonly namespace: string;
  readonly name: string;
  readonly kind: Kind;
  /** What `/proc/PID/comm` says of its programs. */
  readonly process: string;
  readonly replicas: readonly Replica[];
  readonly listens: readonly Listener[];
}

/** One network namespace with one program in it. The first address of each family is the one it calls from. */
export interface Replica {
  readonly name: string;
  readonly v4: readonly string[];
  readonly v6: readonly string[];
}

export interface Listener {
  readonly name: string;
  readonly port: number;
  /** `sink`: datagrams that nobody answers, into a receive buffer that a burst overflows. */
  readonly speaks: "http" | "frames" | "dns" | "sink";
}

/** An address that stands for several replicas: translated in the router, as kube-proxy does it. */
export interface Service {
  readonly name: string;
  readonly namespace: string;
  readonly v4: string;
  readonly v6: string;
  readonly port: number;
  readonly to: string;
  readonly targetPort: number;
}

function replicas(name: string, ...hosts: readonly [v4: string, v6: string][]): Replica[] {
  return hosts.map(([v4, v6], index) => ({ name: `${name}-${index}`, v4: [v4], v6: [v6] }));
}

export const WORKLOADS: readonly Workload[] = [
  {
    namespace: "platform",
    name: "gateway",
    kind: "gateway",
    process: "gateway",
    listens: [{ name: "https", port: 443, speaks: "http" }],
    replicas: replicas("gateway", ["10.42.0.10", "fd42::10"], ["10.42.0.11", "fd42::11"]),
  },
  {
    namespace: "platform",
    name: "dns",
    kind: "infra",
    process: "dns",
    listens: [
      { name: "dns", port: 53, speaks: "dns" },
      { name: "telemetry", port: 4739, speaks: "sink" },
    ],
    replicas: replicas("dns", ["10.42.0.53", "fd42::53"], ["10.42.0.54", "fd42::54"]),
  },
  {
    namespace: "storefront",
    name: "web",
    kind: "workload",
    process: "web",
    listens: [{ name: "http", port: 8080, speaks: "http" }],
    replicas: replicas("web", ["10.42.1.10", "fd42:1::10"], ["10.42.1.11", "fd42:1::11"], ["10.42.1.12", "fd42:1::12"]),
  },
  {
    namespace: "storefront",
    name: "cart",
    kind: "workload",
    process: "cart-worker",
    listens: [{ name: "http", port: 8080, speaks: "http" }],
    replicas: replicas("cart", ["10.42.1.18", "fd42:1::18"], ["10.42.1.19", "fd42:1::19"]),
  },
  {
    namespace: "storefront",
    name: "catalog",
    kind: "workload",
    process: "catalog",
    listens: [{ name: "http", port: 8080, speaks: "http" }],
    replicas: replicas("catalog", ["10.42.1.26", "fd42:1::26"], ["10.42.1.27", "fd42:1::27"]),
  },
  {
    namespace: "payments",
    name: "payments",
    kind: "workload",
    process: "payments-api",
    listens: [{ name: "https", port: 8443, speaks: "http" }],
    replicas: replicas("payments", ["10.42.3.10", "fd42:3::10"], ["10.42.3.11", "fd42:3::11"]),
  },
  {
    namespace: "payments",
    name: "ledger",
    kind: "workload",
    process: "ledger",
    listens: [{ name: "grpc", port: 9090, speaks: "http" }],
    replicas: replicas("ledger", ["10.42.3.20", "fd42:3::20"]),
  },
  {
    namespace: "data",
    name: "db",
    kind: "datastore",
    process: "db",
    listens: [{ name: "postgres", port: 5432, speaks: "frames" }],
    replicas: replicas("db", ["10.42.2.31", "fd42:2::31"]),
  },
  {
    namespace: "data",
    name: "cache",
    kind: "datastore",
    process: "cache",
    listens: [{ name: "redis", port: 6379, speaks: "frames" }],
    replicas: replicas("cache", ["10.42.2.41", "fd42:2::41"], ["10.42.2.42", "fd42:2::42"]),
  },
  {
    namespace: "",
    name: "crawler",
    kind: "outside",
    process: "crawler",
    listens: [],
    replicas: replicas("crawler", ["203.0.113.7", "2001:db8:71::7"]),
  },
  {
    namespace: "",
    name: "api.payments.example",
    kind: "outside",
    process: "api",
    listens: [{ name: "https", port: 443, speaks: "http" }],
    replicas: [
      {
        name: "api-0",
        v4: ["198.51.100.20", "198.51.100.21", "198.51.100.22", "198.51.100.23"],
        v6: ["2001:db8:51::20", "2001:db8:51::21", "2001:db8:51::22", "2001:db8:51::23"],
      },
    ],
  },
];

export const SERVICES: readonly Service[] = [
  {
    name: "cart",
    namespace: "storefront",
    v4: "10.96.0.20",
    v6: "fd42:96::20",
    port: 80,
    to: "cart",
    targetPort: 8080,
  },
];

/** Routed, but nobody answers for it: the router's neighbour search fails (NEIGH_FAILED, EHOSTUNREACH). */
export const SILENT_HOST = "10.42.9.7";
/** The same over IPv6, where the kernel names no reason (NOT_SPECIFIED in neigh_invalidate). */
export const SILENT_HOST_V6 = "fd42:9::7";
/** A blackhole route: packets vanish without a word, the program's own limit ends the wait. */
export const BLACK_HOLE = "10.42.9.9";

/** Names that the shop's own DNS answers for; all others get NXDOMAIN. */
export const ZONE: Readonly<Record<string, { readonly v4: readonly string[]; readonly v6: readonly string[] }>> =
  Object.fromEntries([
    ...WORKLOADS.filter((workload) => workload.namespace !== "").map((workload) => [
      `${workload.name}.${workload.namespace}.shop.internal`,
      {
        v4: workload.replicas.flatMap((replica) => replica.v4),
        v6: workload.replicas.flatMap((replica) => replica.v6),
      },
    ]),
    ...SERVICES.map((service) => [`${service.name}.svc.shop.internal`, { v4: [service.v4], v6: [service.v6] }]),
    [
      "api.payments.example",
      { v4: workload("api.payments.example").replicas[0]!.v4, v6: workload("api.payments.example").replicas[0]!.v6 },
    ],
  ]);

export const API_NAME = "api.payments.example";
/** Names that do not exist, as a forgotten setting or a search list makes them. */
export const MISSING_NAMES = ["images.shop.internal", "api.payments.example.shop.internal"] as const;

export function workload(name: string): Workload {
  const found = WORKLOADS.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`the shop has no workload ${name}`);
  return found;
}

export function workloadOfReplica(replica: string): Workload {
  const found = WORKLOADS.find((candidate) => candidate.replicas.some((one) => one.name === replica));
  if (found === undefined) throw new Error(`the shop has no replica ${replica}`);
  return found;
}

/** `storefront/web`, or the bare name of something outside: how tables and the check name an end. */
export function labelOf(one: { readonly namespace: string; readonly name: string }): string {
  return one.namespace === "" ? one.name : `${one.namespace}/${one.name}`;
}
