import { API_NAME, BLACK_HOLE, MISSING_NAMES, SILENT_HOST, SILENT_HOST_V6 } from "./shop.ts";

/** What the world means an edge to come to; the ledger says what it came to. */
export type Fault =
  | "none"
  | "refused"
  | "unreachable"
  | "denied"
  | "rejected"
  | "blackhole"
  | "flaps"
  | "resets"
  | "lossy"
  | "new"
  | "gone"
  | "closed-udp"
  | "overrun";

/** Connections (or datagrams) from one workload to one target. */
export interface Traffic {
  /** Unique; part of the random key, so renaming one changes only its own schedule. */
  readonly id: string;
  readonly from: string;
  /** A workload, `service:NAME`, `name:DNS NAME` (looked up first) or an address. */
  readonly to: string;
  readonly port: number;
  readonly speaks: "http" | "frames" | "udp";
  /** Connections a second, of all replicas together. Of a pool: see `pool`. */
  readonly rate: number;
  /** Share of connections over IPv6, 0–1. */
  readonly v6: number;
  readonly fault: Fault;
  /** Bytes of request and answer: [least, most]. */
  readonly up: readonly [number, number];
  readonly down: readonly [number, number];
  /** The program gives a connect up after this long. */
  readonly limitMs: number;
  /** Long-lived connections, each replica keeping `size` of them busy. */
  readonly pool?: {
    readonly size: number;
    readonly lifeSeconds: readonly [number, number];
    readonly requestsPerSecond: number;
  };
  /** Every `periodSeconds` or so, three seconds at `factor` times the rate. */
  readonly burst?: { readonly periodSeconds: number; readonly factor: number };
  /** Datagrams sent at once, from one socket; else 1. */
  readonly salvo?: number;
  /** Share of connections that the server answers with a reset. */
  readonly resets?: number;
}

const SMALL = { up: [180, 900], down: [300, 4000] } as const;
const NONE = { up: [64, 64], down: [64, 64] } as const;
const DEFAULTS = { v6: 0.15, fault: "none", limitMs: 5000, speaks: "http", ...SMALL } as const;

/** Rates are about an eighth of a small shop's: the whole demo is to leave the machine to those who look at it. */
export const TRAFFIC: readonly Traffic[] = [
  { ...DEFAULTS, id: "crawl", from: "crawler", to: "gateway", port: 443, rate: 3 },
  {
    ...DEFAULTS,
    ...NONE,
    id: "crawl-8081",
    from: "crawler",
    to: "gateway",
    port: 8081,
    rate: 0.6,
    v6: 1,
    fault: "refused",
  },
  {
    ...DEFAULTS,
    id: "front",
    from: "gateway",
    to: "web",
    port: 8080,
    rate: 24,
    burst: { periodSeconds: 21, factor: 2.5 },
  },
  {
    ...DEFAULTS,
    ...NONE,
    id: "scrape",
    from: "gateway",
    to: "catalog",
    port: 9102,
    rate: 0.8,
    v6: 0,
    fault: "refused",
  },
  { ...DEFAULTS, id: "basket", from: "web", to: "service:cart", port: 80, rate: 14 },
  {
    ...DEFAULTS,
    id: "browse",
    from: "web",
    to: "catalog",
    port: 8080,
    rate: 20,
    burst: { periodSeconds: 13, factor: 2 },
  },
  { ...DEFAULTS, id: "pay", from: "web", to: "payments", port: 8443, rate: 8, v6: 0.05, fault: "flaps", resets: 0.02 },
  {
    ...DEFAULTS,
    ...NONE,
    id: "old-stock",
    from: "web",
    to: BLACK_HOLE,
    port: 8080,
    rate: 0.4,
    v6: 0,
    fault: "blackhole",
    limitMs: 1500,
  },
  { ...DEFAULTS, id: "session-cache", from: "web", to: "cache", port: 6379, speaks: "frames", rate: 3, fault: "gone" },
  {
    ...DEFAULTS,
    ...NONE,
    id: "statsd",
    from: "gateway",
    to: "catalog",
    port: 8125,
    speaks: "udp",
    rate: 1.2,
    v6: 0.3,
    fault: "closed-udp",
  },
  { ...DEFAULTS, id: "basket-cache", from: "cart", to: "cache", port: 6379, speaks: "frames", rate: 15 },
  { ...DEFAULTS, id: "book", from: "cart", to: "ledger", port: 9090, rate: 1.5, fault: "new" },
  {
    ...DEFAULTS,
    ...NONE,
    id: "stock",
    from: "cart",
    to: "db",
    port: 5432,
    speaks: "frames",
    rate: 0.8,
    v6: 0.2,
    fault: "denied",
  },
  {
    ...DEFAULTS,
    id: "products",
    from: "catalog",
    to: "db",
    port: 5432,
    speaks: "frames",
    rate: 0,
    fault: "lossy",
    up: [200, 1200],
    down: [2000, 12000],
    pool: { size: 3, lifeSeconds: [6, 11], requestsPerSecond: 6 },
  },
  {
    ...DEFAULTS,
    id: "product-cache",
    from: "catalog",
    to: "cache",
    port: 6379,
    speaks: "frames",
    rate: 22,
    burst: { periodSeconds: 17, factor: 2 },
  },
  {
    ...DEFAULTS,
    ...NONE,
    id: "images",
    from: "catalog",
    to: SILENT_HOST,
    port: 8080,
    rate: 0.25,
    v6: 0,
    fault: "unreachable",
    limitMs: 8000,
  },
  {
    ...DEFAULTS,
    ...NONE,
    id: "images-v6",
    from: "catalog",
    to: SILENT_HOST_V6,
    port: 8080,
    rate: 0.12,
    v6: 1,
    fault: "unreachable",
    limitMs: 8000,
  },
  {
    ...DEFAULTS,
    id: "telemetry",
    from: "web",
    to: "dns",
    port: 4739,
    speaks: "udp",
    rate: 0.2,
    v6: 0,
    fault: "overrun",
    up: [300, 700],
    salvo: 24,
  },
  {
    ...DEFAULTS,
    ...NONE,
    id: "prices",
    from: "catalog",
    to: "ledger",
    port: 9090,
    rate: 0.3,
    v6: 0.3,
    fault: "rejected",
  },
  { ...DEFAULTS, id: "post", from: "payments", to: "ledger", port: 9090, rate: 9 },
  { ...DEFAULTS, id: "charge", from: "payments", to: `name:${API_NAME}`, port: 443, rate: 5, v6: 0.3 },
  {
    ...DEFAULTS,
    id: "entries",
    from: "ledger",
    to: "db",
    port: 5432,
    speaks: "frames",
    rate: 0,
    pool: { size: 4, lifeSeconds: [5, 12], requestsPerSecond: 6 },
  },
];

/** Look-ups that lead to no connection of their own. */
export interface Lookups {
  readonly from: string;
  readonly names: readonly string[];
  /** A second, of all replicas together. */
  readonly rate: number;
}

export const LOOKUPS: readonly Lookups[] = [
  {
    from: "web",
    names: ["cart.svc.shop.internal", "catalog.storefront.shop.internal", "payments.payments.shop.internal"],
    rate: 5,
  },
  { from: "cart", names: ["cache.data.shop.internal", "db.data.shop.internal"], rate: 3 },
  { from: "catalog", names: ["cache.data.shop.internal", "db.data.shop.internal"], rate: 2.5 },
  { from: "catalog", names: [MISSING_NAMES[0]], rate: 0.8 },
  { from: "payments", names: [MISSING_NAMES[1]], rate: 0.6 },
  { from: "gateway", names: ["web.storefront.shop.internal"], rate: 3 },
];
