/** Who there is in the packet test: pods in three namespaces and two hosts outside, each with an address of both families. */
export interface End {
  readonly name: string;
  /** "" outside the cluster. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: "TCP" | "UDP" }[];
  readonly v4: string;
  readonly v6: string;
}

export const NAMESPACES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  alpha: { "kubernetes.io/metadata.name": "alpha", team: "red", env: "prod" },
  beta: { "kubernetes.io/metadata.name": "beta", team: "blue", env: "prod" },
  gamma: { "kubernetes.io/metadata.name": "gamma", env: "test" },
};

/** Everybody listens on all of them, over TCP and UDP. */
export const PORTS = [53, 80, 8080, 8443, 9090] as const;

// The same port name is another number on each pod, and another protocol on one: names are looked up where the packet goes.
export const ENDS: readonly End[] = [
  {
    ...end("web-a", "alpha", { app: "web", tier: "front" }, "10.77.1.10", "fd77:1::10"),
    ports: [
      { name: "http", port: 8080, protocol: "TCP" },
      { name: "tls", port: 8443, protocol: "TCP" },
    ],
  },
  {
    ...end("api-a", "alpha", { app: "api", tier: "back" }, "10.77.1.20", "fd77:1::20"),
    ports: [
      { name: "http", port: 80, protocol: "TCP" },
      { name: "ask", port: 53, protocol: "UDP" },
    ],
  },
  {
    ...end("db-a", "alpha", { app: "db", tier: "" }, "10.77.1.200", "fd77:1::c8"),
    ports: [{ name: "sql", port: 9090, protocol: "TCP" }],
  },
  {
    ...end("web-b", "beta", { app: "web", tier: "front" }, "10.77.2.10", "fd77:2::10"),
    ports: [{ name: "http", port: 9090, protocol: "TCP" }],
  },
  {
    ...end("db-b", "beta", { app: "db" }, "10.77.2.200", "fd77:2::c8"),
    ports: [
      { name: "http", port: 8080, protocol: "UDP" },
      { name: "sql", port: 8443, protocol: "TCP" },
    ],
  },
  end("job-c", "gamma", {}, "10.77.3.10", "fd77:3::10"),
  end("partner", "", {}, "192.0.2.7", "2001:db8:2::7"),
  end("world", "", {}, "198.51.100.9", "2001:db8:51::9"),
];

function end(name: string, namespace: string, labels: Record<string, string>, v4: string, v6: string): End {
  return { name, namespace, labels, ports: [], v4, v6 };
}

export type Family = "v4" | "v6";

/** One packet's question. Numbers of ends count in ENDS. */
export interface Probe {
  readonly from: number;
  readonly to: number;
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
  readonly family: Family;
}

/** Every pair, port, protocol and family; also each with itself, which never leaves its namespace. */
export const PROBES: readonly Probe[] = ENDS.flatMap((_, from) =>
  ENDS.flatMap((_, to) =>
    PORTS.flatMap((port) =>
      (["TCP", "UDP"] as const).flatMap((protocol) =>
        (["v4", "v6"] as const).map((family) => ({ from, to, port, protocol, family })),
      ),
    ),
  ),
);

/** `web-a → db-b TCP 8080 v6`. */
export function probeText({ from, to, port, protocol, family }: Probe): string {
  return `${ENDS[from]!.name} → ${ENDS[to]!.name} ${protocol} ${port} ${family}`;
}
