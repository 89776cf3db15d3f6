/** The world that bench/fill.ts writes: a shop of eleven parts with its faults, and any number of further teams, the same for the same seed. */
import { createHash } from "node:crypto";
import { canonicalLabels, type Labels } from "../model/identity.ts";

export interface Part {
  readonly namespace: string;
  readonly workload: string;
  readonly kind: "workload" | "fqdn" | "cidr";
  readonly shape: "workload" | "datastore" | "gateway" | "infra" | "outside";
  readonly labels: Labels;
  readonly process: string;
  /** Low and high half of the identity. */
  readonly id: readonly [number, number];
  readonly idText: string;
  readonly endpoints: readonly { readonly name: string; readonly address: Uint8Array; readonly text: string }[];
  readonly dnsName: string;
}

export interface Link {
  readonly from: Part;
  readonly to: Part;
  readonly port: number;
  readonly protocol: 6 | 17;
  /** Share of all connections, not normed. */
  readonly weight: number;
  readonly rttUs: number;
  /** Share of segments sent again. */
  readonly loss: number;
  /** Share of attempts that fail, and how. */
  readonly failing: number;
  readonly errno: string;
  /** What the kernel says when an attempt fails. */
  readonly drop: { readonly reason: string; readonly location: string; readonly at: "client" | "server" } | undefined;
  readonly service: string;
  readonly bytes: number;
}

/** Numbers from a seed: the same sequence everywhere (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The shop, and `teams` namespaces with ten workloads each that call each other and the shop. */
export function makeWorld(seed: number, teams: number): { parts: Part[]; links: Link[] } {
  const next = random(seed);
  let subnet = 0;
  const part = (
    namespace: string,
    workload: string,
    shape: Part["shape"],
    count: number,
    process: string,
    outside?: readonly string[],
    dnsName = "",
  ): Part => {
    const kind = shape !== "outside" ? "workload" : dnsName === "" ? "cidr" : "fqdn";
    const labels: Labels =
      kind === "workload"
        ? { app: workload, namespace, tier: shape }
        : kind === "fqdn"
          ? { [`fqdn:${dnsName}`]: "" }
          : { [`cidr:${outside![0]}/32`]: "" };
    const digest = createHash("sha256").update(canonicalLabels(labels)).digest();
    const id = [digest.readUInt32LE(0), digest.readUInt32LE(4)] as const;
    subnet++;
    const addresses =
      outside ?? Array.from({ length: count }, (_, i) => `10.${1 + (subnet >> 8)}.${subnet & 255}.${10 + i}`);
    const endpoints = addresses.map((text, i) => ({
      name: outside === undefined ? `${workload}-${i}` : "",
      text,
      address: mapped(text),
    }));
    return {
      namespace,
      workload,
      kind,
      shape,
      labels,
      process,
      id,
      idText: String((BigInt(id[1]) << 32n) | BigInt(id[0])),
      endpoints,
      dnsName,
    };
  };
  const crawler = part("", "crawler", "outside", 1, "", ["203.0.113.7"]);
  const api = part(
    "",
    "api.payments.example",
    "outside",
    4,
    "",
    ["198.51.100.10", "198.51.100.11", "198.51.100.12", "198.51.100.13"],
    "api.payments.example",
  );
  const gateway = part("platform", "gateway", "gateway", 2, "nginx");
  const dns = part("platform", "dns", "infra", 2, "coredns");
  const web = part("storefront", "web", "workload", 3, "node");
  const cart = part("storefront", "cart", "workload", 2, "node");
  const catalog = part("storefront", "catalog", "workload", 2, "node");
  const payments = part("payments", "payments", "workload", 2, "payments-api");
  const ledger = part("payments", "ledger", "workload", 1, "ledger");
  const db = part("data", "db", "datastore", 1, "postgres");
  const cache = part("data", "cache", "datastore", 2, "redis-server");
  const parts = [crawler, api, gateway, dns, web, cart, catalog, payments, ledger, db, cache];
  const links: Link[] = [];
  const link = (from: Part, to: Part, port: number, weight: number, more: Partial<Link> = {}) =>
    links.push({
      from,
      to,
      port,
      protocol: 6,
      weight,
      rttUs: 250,
      loss: 0,
      failing: 0,
      errno: "",
      drop: undefined,
      service: "",
      bytes: 4000,
      ...more,
    });
  link(crawler, gateway, 443, 18, { rttUs: 42_000, bytes: 30_000 });
  link(gateway, web, 8080, 284, { bytes: 12_000 });
  link(web, cart, 8080, 121, { service: "cart", bytes: 2_000 });
  link(web, catalog, 8080, 262, { bytes: 9_000 });
  link(web, payments, 8443, 64, {
    failing: 0.007,
    errno: "ECONNREFUSED",
    drop: { reason: "NO_SOCKET", location: "tcp_v4_rcv", at: "server" },
  });
  link(cart, cache, 6379, 148, { rttUs: 120, bytes: 400 });
  link(cart, ledger, 9090, 2.1);
  link(cart, db, 5432, 1.2, {
    failing: 1,
    errno: "ETIMEDOUT",
    drop: { reason: "NETFILTER_DROP", location: "nft_do_chain", at: "server" },
  });
  link(catalog, db, 5432, 112, {
    loss: 0.021,
    drop: { reason: "QDISC_DROP", location: "__dev_queue_xmit", at: "client" },
    bytes: 60_000,
  });
  link(catalog, cache, 6379, 236, { rttUs: 130, bytes: 700 });
  link(payments, ledger, 9090, 87, { bytes: 1_500 });
  link(payments, api, 443, 41, { rttUs: 18_000, bytes: 6_000 });
  link(ledger, db, 5432, 91, { bytes: 3_000 });
  link(web, catalog, 8081, 0.8, {
    failing: 1,
    errno: "EHOSTUNREACH",
    drop: { reason: "NEIGH_FAILED", location: "arp_error_report", at: "client" },
  });
  for (const client of [web, cart, catalog, payments, gateway])
    link(client, dns, 53, 40, { protocol: 17, bytes: 90, rttUs: 0 });
  for (let team = 0; team < teams; team++) {
    const own: Part[] = [];
    for (let i = 0; i < 10; i++)
      own.push(
        part(`team-${team}`, `svc-${team}-${i}`, i === 9 ? "datastore" : "workload", 1 + Math.floor(next() * 4), "app"),
      );
    parts.push(...own);
    for (let i = 0; i < 10; i++) {
      for (let k = 0; k < 4; k++)
        link(
          own[i]!,
          own[Math.floor(next() * 10)]!,
          8000 + Math.floor(next() * 5),
          1 + next() * 20,
          next() < 0.05 ? { loss: 0.02 } : {},
        );
      link(
        own[i]!,
        parts[Math.floor(next() * parts.length)]!,
        443,
        1 + next() * 5,
        next() < 0.04
          ? { failing: 0.2, errno: "ECONNREFUSED", drop: { reason: "NO_SOCKET", location: "tcp_v4_rcv", at: "server" } }
          : {},
      );
    }
  }
  return { parts, links };
}

function mapped(v4: string): Uint8Array {
  return Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...v4.split(".").map(Number)]);
}
