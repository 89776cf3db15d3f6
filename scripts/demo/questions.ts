import { z } from "zod";
import type { StoreReader } from "../../store/reader.ts";
import type { StoreSays } from "./store-says.ts";

/** Whole numbers arrive as text where they may pass 2^53. */
const Count = z.coerce.number();

const CONNECTIONS = {
  sql: `
SELECT
    toString(src_addr) AS source, toString(dst_addr) AS destination, dst_port AS port,
    toString(service_addr) AS service, service_port AS servicePort, toString(reason) AS reason,
    sum(flows.opened) AS opened, sum(flows.closed) AS closed, sum(flows.failed) AS failed
FROM flows
WHERE protocol = 6 AND counted = 1 AND kind IN ('open', 'close', 'fail')
GROUP BY source, destination, port, service, servicePort, reason`,
  row: z.object({
    source: z.string(),
    destination: z.string(),
    port: z.number(),
    service: z.string(),
    servicePort: z.number(),
    reason: z.string(),
    opened: Count,
    closed: Count,
    failed: Count,
  }),
};

const BYTES = {
  sql: `
SELECT
    toString(src_addr) AS source, toString(dst_addr) AS destination, dst_port AS port,
    toString(service_addr) AS service, service_port AS servicePort,
    sum(bytes_to_server) AS up, sum(bytes_to_client) AS down
FROM flows
WHERE protocol = 6 AND counted = 1 AND kind IN ('open', 'close', 'alive')
GROUP BY source, destination, port, service, servicePort`,
  row: z.object({
    source: z.string(),
    destination: z.string(),
    port: z.number(),
    service: z.string(),
    servicePort: z.number(),
    up: Count,
    down: Count,
  }),
};

const DROPS = {
  sql: `
SELECT toString(src_addr) AS source, toString(dst_addr) AS destination, dst_port AS port, protocol, toString(reason) AS reason, toString(location) AS location, sum(drops) AS packets
FROM flows
WHERE kind = 'drop'
GROUP BY source, destination, port, protocol, reason, location`,
  row: z.object({
    source: z.string(),
    destination: z.string(),
    port: z.number(),
    protocol: z.number(),
    reason: z.string(),
    location: z.string(),
    packets: Count,
  }),
};

const RETRANSMITS = {
  sql: `
SELECT toString(src_addr) AS source, toString(dst_addr) AS destination, toString(reporter) AS reporter, sum(retransmits) AS segments
FROM flows
WHERE protocol = 6 AND reporter IN ('client', 'server') AND retransmits > 0
GROUP BY source, destination, reporter`,
  row: z.object({
    source: z.string(),
    destination: z.string(),
    reporter: z.enum(["client", "server"]),
    segments: Count,
  }),
};

const LOOKUPS = {
  sql: `SELECT name, toString(qtype) AS type, toString(rcode) AS rcode, count() AS count FROM dns_answers GROUP BY name, type, rcode`,
  row: z.object({ name: z.string(), type: z.string(), rcode: z.string(), count: Count }),
};

const DATAGRAMS = {
  sql: `
SELECT toString(src_addr) AS source, toString(dst_addr) AS destination, dst_port AS port, sum(opened) AS count
FROM flows
WHERE protocol = 17 AND counted = 1 AND opened > 0
GROUP BY source, destination, port`,
  row: z.object({ source: z.string(), destination: z.string(), port: z.number(), count: Count }),
};

const NAMES = {
  sql: `
SELECT address, namespace, workload, sum(count) AS reports
FROM
(
    SELECT toString(src_addr) AS address, toString(src_ns) AS namespace, toString(src_workload) AS workload, count() AS count FROM flows GROUP BY address, namespace, workload
    UNION ALL
    SELECT toString(dst_addr) AS address, toString(dst_ns) AS namespace, toString(dst_workload) AS workload, count() AS count FROM flows GROUP BY address, namespace, workload
)
GROUP BY address, namespace, workload`,
  row: z.object({ address: z.string(), namespace: z.string(), workload: z.string(), reports: Count }),
};

const BOOKS = {
  sql: `
SELECT toString(books.type) AS type, sum(books.produced) AS produced, sum(books.stored) AS stored, sum(books.lost) AS lost,
    sum(books.shed) AS shed, sum(books.quarantined) AS quarantined, sum(books.filtered) AS filtered
FROM books
GROUP BY type
ORDER BY type`,
  row: z.object({
    type: z.string(),
    produced: Count,
    stored: Count,
    lost: Count,
    shed: Count,
    quarantined: Count,
    filtered: Count,
  }),
};

/** All that the check asks the store: sums over everything in it, so the store must hold this world's traffic only. */
export async function askStore(reader: StoreReader, signal: AbortSignal): Promise<StoreSays> {
  return {
    connections: await reader.rows(CONNECTIONS, {}, signal),
    bytes: await reader.rows(BYTES, {}, signal),
    drops: await reader.rows(DROPS, {}, signal),
    retransmits: await reader.rows(RETRANSMITS, {}, signal),
    lookups: await reader.rows(LOOKUPS, {}, signal),
    datagrams: await reader.rows(DATAGRAMS, {}, signal),
    names: await reader.rows(NAMES, {}, signal),
    books: await reader.rows(BOOKS, {}, signal),
  };
}
