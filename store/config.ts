/** Settings of the store, parsed once. In: environment variables. Out: where the store is, who we are there, how long rows are kept. */
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { DEFAULT_RETENTION, type Retention } from "./engines.ts";
import { StoreError } from "./errors.ts";

/** Environment variables, or what stands for them. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface StoreConfig {
  /** Base URL without user, password and path: `http://127.0.0.1:7071`. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Cluster name for ON CLUSTER, or undefined. */
  readonly cluster: string | undefined;
  readonly retention: Retention;
  /** True: no WEIR_CLICKHOUSE_URL is set, so the embedded engine answers and `dataDir` holds its writer token. */
  readonly embedded: boolean;
  readonly dataDir: string;
  /** Port of the embedded store, loopback only. */
  readonly storePort: number;
  /** RAM that the embedded engine may take, bytes. */
  readonly engineMemory: number;
}

const PORT = "a port number, 0–65535";
/** A TTL is a DateTime, which ends in 2106: with 30,000 days it would wrap, and everything would be too old. */
const MOST_DAYS = 20_000;
const DAYS = `whole days, 1–${MOST_DAYS}`;
const MEMORY = "bytes, 256000000 or more";

const Settings = z.object({
  WEIR_DATA_DIR: z.string().min(1).optional(),
  WEIR_STORE_PORT: z.coerce.number(PORT).int(PORT).min(0, PORT).max(65535, PORT).default(7071),
  WEIR_CLICKHOUSE_URL: z.string().min(1).optional(),
  WEIR_CLICKHOUSE_USER: z.string().min(1).optional(),
  WEIR_CLICKHOUSE_PASSWORD: z.string().optional(),
  WEIR_CLICKHOUSE_DATABASE: z
    .string()
    .regex(/^[A-Za-z_]\w{0,62}$/, "letters, digits and _")
    .optional(),
  WEIR_CLICKHOUSE_CLUSTER: z
    .string()
    .regex(/^[\w.-]{1,64}$/, "letters, digits, _, . and -")
    .optional(),
  WEIR_STORE_MEMORY: z.coerce.number(MEMORY).int(MEMORY).min(256_000_000, MEMORY).default(1_500_000_000),
  WEIR_KEEP_FLOWS_DAYS: z.coerce.number(DAYS).int(DAYS).min(1, DAYS).max(MOST_DAYS, DAYS).optional(),
  WEIR_KEEP_MINUTES_DAYS: z.coerce.number(DAYS).int(DAYS).min(1, DAYS).max(MOST_DAYS, DAYS).optional(),
  WEIR_KEEP_HOURS_DAYS: z.coerce.number(DAYS).int(DAYS).min(1, DAYS).max(MOST_DAYS, DAYS).optional(),
  WEIR_KEEP_TUPLES_DAYS: z.coerce.number(DAYS).int(DAYS).min(1, DAYS).max(MOST_DAYS, DAYS).optional(),
  WEIR_KEEP_DNS_DAYS: z.coerce.number(DAYS).int(DAYS).min(1, DAYS).max(MOST_DAYS, DAYS).optional(),
});

/** Where everything of this installation lies: /var/lib/weir as root, else ~/.local/share/weir; WEIR_DATA_DIR overrides. */
export function dataDirectory(env: Environment = process.env): string {
  if (env["WEIR_DATA_DIR"] !== undefined && env["WEIR_DATA_DIR"] !== "") return env["WEIR_DATA_DIR"];
  return process.getuid?.() === 0 ? "/var/lib/weir" : join(homedir(), ".local", "share", "weir");
}

/** The store's settings from `env`. Throws StoreError that names the variable. */
export function storeConfig(env: Environment = process.env): StoreConfig {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = Settings.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new StoreError({
      code: "bad-setting",
      where: String(issue.path[0]),
      what: `"${given[String(issue.path[0])] ?? ""}" does not fit`,
      expected: issue.message,
    });
  }
  const set = parsed.data;
  const embedded = set.WEIR_CLICKHOUSE_URL === undefined;
  const at = parseUrl(set.WEIR_CLICKHOUSE_URL ?? `http://127.0.0.1:${set.WEIR_STORE_PORT}`);
  return {
    url: at.url,
    user: set.WEIR_CLICKHOUSE_USER ?? at.user ?? "default",
    password: set.WEIR_CLICKHOUSE_PASSWORD ?? at.password ?? "",
    database: set.WEIR_CLICKHOUSE_DATABASE ?? at.database ?? "weir",
    cluster: set.WEIR_CLICKHOUSE_CLUSTER,
    retention: {
      ...DEFAULT_RETENTION,
      ...(set.WEIR_KEEP_FLOWS_DAYS !== undefined && { flows: set.WEIR_KEEP_FLOWS_DAYS }),
      ...(set.WEIR_KEEP_MINUTES_DAYS !== undefined && {
        edges_1m: set.WEIR_KEEP_MINUTES_DAYS,
        edges_5m: set.WEIR_KEEP_MINUTES_DAYS,
        drops_1m: set.WEIR_KEEP_MINUTES_DAYS,
      }),
      ...(set.WEIR_KEEP_HOURS_DAYS !== undefined && {
        edges_1h: set.WEIR_KEEP_HOURS_DAYS,
        books: set.WEIR_KEEP_HOURS_DAYS,
      }),
      ...(set.WEIR_KEEP_TUPLES_DAYS !== undefined && { tuples_1h: set.WEIR_KEEP_TUPLES_DAYS }),
      ...(set.WEIR_KEEP_DNS_DAYS !== undefined && { dns_answers: set.WEIR_KEEP_DNS_DAYS }),
    },
    embedded,
    dataDir: dataDirectory(env),
    storePort: set.WEIR_STORE_PORT,
    engineMemory: set.WEIR_STORE_MEMORY,
  };
}

function parseUrl(text: string): { url: string; user?: string; password?: string; database?: string } {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new StoreError({
      code: "store-bad-url",
      where: "WEIR_CLICKHOUSE_URL",
      what: `"${text.replace(/\/\/.*@/, "//…@")}" is not a URL`, // a password stays where it is
      expected: "http://HOST:8123 or https://HOST:8443",
      cause,
    });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new StoreError({
      code: "store-bad-url",
      where: "WEIR_CLICKHOUSE_URL",
      what: `${url.protocol}// is not spoken here`,
      expected: "http:// or https:// (ClickHouse's HTTP port, 8123 or 8443)",
    });
  }
  const database = url.searchParams.get("database") ?? decodeURIComponent(url.pathname.replace(/^\//, ""));
  if (database !== "" && !/^[A-Za-z_]\w{0,62}$/.test(database)) {
    throw new StoreError({
      code: "store-bad-url",
      where: "WEIR_CLICKHOUSE_URL",
      what: `"${database}" is no database name`,
      expected: "letters, digits and _",
    });
  }
  return {
    url: url.origin,
    ...(url.username !== "" && { user: decodeURIComponent(url.username) }),
    ...(url.password !== "" && { password: decodeURIComponent(url.password) }),
    ...(database !== "" && { database }),
  };
}
