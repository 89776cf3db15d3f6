/**
 * The only importer of @clickhouse/client: one connection to the store, embedded or not, and its failures as sentences.
 * Reading and writing are built on it in reader.ts and writer.ts.
 */
import { createClient, ClickHouseError, type ClickHouseClient, type ClickHouseSettings } from "@clickhouse/client";
import { systemCode } from "../model/errors.ts";
import type { StoreConfig } from "./config.ts";
import { StoreError } from "./errors.ts";

export type StoreClient = ClickHouseClient;
export type StoreSettings = ClickHouseSettings;

/** Milliseconds that a request may take; the store's own limits end a query earlier. */
const REQUEST_TIMEOUT_MS = 120_000;

/** A client of the store as `config.user`. Inert: nothing is sent. */
export function createStoreClient(config: Pick<StoreConfig, "url" | "user" | "password" | "database">): StoreClient {
  return createClient({
    url: config.url,
    username: config.user,
    password: config.password,
    database: config.database,
    application: "weir",
    request_timeout: REQUEST_TIMEOUT_MS,
    max_open_connections: 16,
    compression: { response: false, request: false }, // loopback mostly; bytes cost less than gzip
    log: { level: 127 }, // OFF: its failures come back as exceptions
    use_multipart_params_auto: true, // lists of identities do not fit into a URL
    keep_alive: { enabled: true, idle_socket_ttl: 2500 },
  });
}

/** Says in one sentence why the store did not answer. Anything that is no known failure of a store is given back as it is: a bug. */
export function storeFailure(
  thrown: unknown,
  config: Pick<StoreConfig, "url" | "user" | "database" | "embedded">,
): unknown {
  if (thrown instanceof StoreError) return thrown;
  if (thrown instanceof ClickHouseError) return exceptionFailure(thrown, config);
  const where = config.url;
  const setting = config.embedded
    ? "start it with weir store serve, or set WEIR_CLICKHOUSE_URL"
    : "check WEIR_CLICKHOUSE_URL and that the server runs";
  const code = systemCode(thrown);
  if (code === "ECONNREFUSED")
    return new StoreError({
      code: "store-unreachable",
      where,
      what: "nothing listens there",
      next: setting,
      cause: thrown,
    });
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return new StoreError({
      code: "store-unreachable",
      where,
      what: "its name has no address",
      next: "check the host in WEIR_CLICKHOUSE_URL",
      cause: thrown,
    });
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH" || code === "ETIMEDOUT")
    return new StoreError({
      code: "store-unreachable",
      where,
      what: "it cannot be reached over the network",
      next: setting,
      cause: thrown,
    });
  if (code === "ECONNRESET" || code === "EPIPE")
    return new StoreError({
      code: "store-gone",
      where,
      what: "the connection was lost while it worked",
      next: "ask again",
      cause: thrown,
    });
  if (code === "EPROTO" || /^(ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_VERIFY|CERT_)/.test(code ?? ""))
    return new StoreError({
      code: "store-tls",
      where,
      what: `TLS failed (${code})`,
      next: "check http:// against https:// in WEIR_CLICKHOUSE_URL, and the certificate",
      cause: thrown,
    });
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (/timeout error/i.test(message))
    return new StoreError({
      code: "store-timeout",
      where,
      what: `no answer within ${REQUEST_TIMEOUT_MS / 1000} s`,
      next: "choose a shorter range",
      cause: thrown,
    });
  if (
    code?.startsWith("HPE_") === true ||
    /^<(!doctype|html)|Not Found|Cannot (GET|POST)|Bad Request/i.test(message.trim()) ||
    message.trim() === ""
  )
    return notClickHouse(where, thrown);
  return thrown;
}

/** What is at `where` speaks HTTP but no ClickHouse. */
export function notClickHouse(where: string, cause?: unknown): StoreError {
  return new StoreError({
    code: "store-not-clickhouse",
    where,
    what: "what answers there is not a ClickHouse server",
    expected: "its HTTP port, 8123 or 8443",
    next: "check WEIR_CLICKHOUSE_URL",
    cause,
  });
}

function exceptionFailure(thrown: ClickHouseError, config: Pick<StoreConfig, "url" | "user" | "database">): unknown {
  const where = config.url;
  const first = thrown.message
    .split("\n")[0]!
    .replace(/ *\(version [^)]*\)/g, "")
    .trim();
  switch (thrown.code) {
    case "516":
    case "193":
    case "192":
    case "194":
      return new StoreError({
        code: "store-password",
        where,
        what: `user "${config.user}" or its password is wrong`,
        next: "check WEIR_CLICKHOUSE_USER and WEIR_CLICKHOUSE_PASSWORD",
        cause: thrown,
      });
    case "497":
    case "164":
      return new StoreError({
        code: "store-refused",
        where,
        what: `user "${config.user}" may not do this: ${first}`,
        cause: thrown,
      });
    case "81":
    case "60":
      return new StoreError({
        code: "store-no-schema",
        where,
        what: `the database "${config.database}" has no tables of Weir (${first})`,
        next: "run weir store migrate, or start the collector once",
        cause: thrown,
      });
    case "159":
      return new StoreError({
        code: "store-too-slow",
        where,
        what: "the question took longer than its limit",
        next: "choose a shorter range or a narrower filter",
        cause: thrown,
      });
    case "241":
    case "173":
      return new StoreError({
        code: "store-memory",
        where,
        what: "the question needs more memory than its limit",
        next: "choose a shorter range or a narrower filter",
        cause: thrown,
      });
    case "396":
    case "158":
    case "307":
      return new StoreError({
        code: "store-too-much",
        where,
        what: "the question has more rows than its limit",
        next: "choose a shorter range or a narrower filter",
        cause: thrown,
      });
    case "202":
      return new StoreError({
        code: "store-busy",
        where,
        what: "too many questions at once",
        next: "ask again",
        cause: thrown,
      });
    case "243":
      return new StoreError({
        code: "store-full",
        where,
        what: "its disk is full",
        next: "make room or shorten how long rows are kept (WEIR_KEEP_FLOWS_DAYS)",
        cause: thrown,
      });
    default:
      return thrown;
  }
}

/** Whoever says 200 to everything is no store: a page without a line feed would read as an answer without rows. */
export function isClickHouse(headers: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(headers).some((name) => name.startsWith("x-clickhouse-"));
}
