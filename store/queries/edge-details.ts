/** Everything about one pair in a range: the panel beside the map. Sums from the roll-ups; ports, failures, processes and talkers from raw rows. */
import { z } from "zod";
import type { EdgeDetails } from "../../model/wire/answers/map.ts";
import { VerdictName } from "../../model/wire/answers/parts.ts";
import type { Params, StoreReader } from "../reader.ts";
import { withEdgeRows } from "./edge-rows.ts";
import { bare, namesOf } from "./names.ts";
import { answered, count, IN_RANGE, latencyRow, ms, rangeParams, type RangeQuestion } from "./question.ts";
import { compileWhere, withFilter } from "./where.ts";

export const EDGE_TOTAL_SQL = `
SELECT
  sum(e.opened) AS opened, sum(e.closed) AS closed, sum(e.failed) AS failed, sum(e.drops) AS drops,
  sum(e.bytes_to_server) AS bytesToServer, sum(e.bytes_to_client) AS bytesToClient,
  sum(e.packets_to_server) AS packetsToServer, sum(e.packets_to_client) AS packetsToClient,
  sum(e.retransmits) AS retransmits,
  quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(e.rtt) AS rtt,
  quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(e.connect) AS connect,
  count() AS rows,
  toUnixTimestamp64Milli(min(e.first_seen)) AS firstSeen,
  toUnixTimestamp64Milli(max(e.last_seen)) AS lastSeen
FROM /* edges */ AS e
LIMIT 1`;

/** v6: the addresses are no mapped IPv4 ones. */
export const EDGE_PORTS_SQL = `
SELECT
  dst_port AS port, protocol,
  dst_addr < toIPv6('::ffff:0.0.0.0') OR dst_addr > toIPv6('::ffff:255.255.255.255') AS v6,
  sumIf(toUInt64(f.opened), counted = 1) AS opened,
  sumIf(toUInt64(f.failed), counted = 1) AS failed
FROM flows AS f
WHERE ${IN_RANGE} /* filter */
GROUP BY port, protocol, v6
HAVING opened + failed > 0
ORDER BY opened + failed DESC, port
LIMIT 50`;

export const EDGE_FAILURES_SQL = `
SELECT
  reason, count() AS n,
  if(countIf(connect_us > 0) = 0, NULL, quantileExactIf(0.5)(connect_us, connect_us > 0)) AS medianWaitUs,
  toUnixTimestamp64Milli(max(ts)) AS lastAt
FROM flows
WHERE ${IN_RANGE} AND failed > 0 AND counted = 1 /* filter */
GROUP BY reason
ORDER BY n DESC, reason
LIMIT 20`;

export const EDGE_DROPS_SQL = `
SELECT
  reason, location, toString(node) AS node, verdict, sum(toUInt64(f.drops)) AS drops, toUnixTimestamp64Milli(max(ts)) AS lastAt
FROM flows AS f
WHERE ${IN_RANGE} AND kind = 'drop' /* filter */
GROUP BY reason, location, node, verdict
ORDER BY drops DESC, reason, location
LIMIT 50`;

export const EDGE_PROCESSES_SQL = `
SELECT
  toString(reporter) AS side, process,
  sum(toUInt64(f.opened)) AS opened,
  uniqExact(if(reporter = 'client', src_endpoint, dst_endpoint)) AS endpoints
FROM flows AS f
WHERE ${IN_RANGE} AND process != '' AND reporter IN ('client', 'server') /* filter */
GROUP BY side, process
ORDER BY side, opened DESC, process
LIMIT 20`;

export const EDGE_TALKERS_SQL = `
SELECT
  src_endpoint AS source, dst_endpoint AS destination, toString(src_addr) AS sourceAddress, toString(dst_addr) AS destinationAddress,
  sumIf(toUInt64(f.opened), counted = 1) AS opened,
  sumIf(toUInt64(f.failed), counted = 1) AS failed,
  sumIf(bytes_to_server + bytes_to_client, counted = 1) AS bytes,
  sum(toUInt64(f.retransmits)) AS retransmits
FROM flows AS f
WHERE ${IN_RANGE} /* filter */
GROUP BY source, destination, sourceAddress, destinationAddress
ORDER BY opened + failed DESC, source, destination
LIMIT 50`;

export const EDGE_SERVICES_SQL = `
SELECT
  service, toString(service_addr) AS address, service_port AS port, sumIf(toUInt64(f.opened), counted = 1) AS opened
FROM flows AS f
WHERE ${IN_RANGE} AND service_port > 0 /* filter */
GROUP BY service, address, port
ORDER BY opened DESC, service
LIMIT 20`;

export const TotalRow = z.object({
  opened: count,
  closed: count,
  failed: count,
  drops: count,
  bytesToServer: count,
  bytesToClient: count,
  packetsToServer: count,
  packetsToClient: count,
  retransmits: count,
  rtt: latencyRow,
  connect: latencyRow,
  rows: count,
  firstSeen: ms,
  lastSeen: ms,
});
const PortRow = z.object({
  port: z.number(),
  protocol: z.number(),
  v6: z.coerce.boolean(),
  opened: count,
  failed: count,
});
const FailureRow = z.object({ reason: z.string(), n: count, medianWaitUs: z.coerce.number().nullable(), lastAt: ms });
const DropRow = z.object({
  reason: z.string(),
  location: z.string(),
  node: z.string(),
  verdict: VerdictName,
  drops: count,
  lastAt: ms,
});
const ProcessRow = z.object({
  side: z.enum(["client", "server"]),
  process: z.string(),
  opened: count,
  endpoints: count,
});
const TalkerRow = z.object({
  source: z.string(),
  destination: z.string(),
  sourceAddress: address(),
  destinationAddress: address(),
  opened: count,
  failed: count,
  bytes: count,
  retransmits: count,
});
const ServiceRow = z.object({ service: z.string(), address: address(), port: z.number(), opened: count });

/** An address as people write it: the store's ::ffff: of IPv4 goes. */
export function address() {
  return z.string().transform((text) => text.replace(/^::ffff:(?=\d+\.)/, ""));
}

export interface EdgeQuestion extends RangeQuestion {
  /** Identities behind either end, one at least; the first names it. */
  readonly source: readonly string[];
  readonly destination: readonly string[];
}

/** The pair's numbers, ports, failures, drops, processes, talkers and services. Throws StoreError. */
export async function edgeDetails(
  store: StoreReader,
  question: EdgeQuestion,
  signal: AbortSignal,
): Promise<EdgeDetails> {
  const own = { ...question, ends: { source: question.source, destination: question.destination } };
  const total = withEdgeRows(EDGE_TOTAL_SQL, own);
  const where = compileWhere(own.filter, own.scope, "flows", own.ends);
  const params: Params = { ...rangeParams(total.range), ...where.params };
  const raw = <Row>(sql: string, row: z.ZodType<Row>) =>
    store.rows({ sql: withFilter(sql, where), row }, params, signal);
  const [sums, ports, failures, drops, processes, talkers, services, names] = await Promise.all([
    store.rows({ sql: total.sql, row: TotalRow }, total.params, signal),
    raw(EDGE_PORTS_SQL, PortRow),
    raw(EDGE_FAILURES_SQL, FailureRow),
    raw(EDGE_DROPS_SQL, DropRow),
    raw(EDGE_PROCESSES_SQL, ProcessRow),
    raw(EDGE_TALKERS_SQL, TalkerRow),
    raw(EDGE_SERVICES_SQL, ServiceRow),
    namesOf(store, [question.source[0]!, question.destination[0]!], total.range, signal),
  ]);
  const { rtt, connect, firstSeen, lastSeen, rows, ...traffic } = sums[0]!; // a sum over nothing still is one row
  return {
    answered: answered(total.range, total.by, false),
    source: bare(names(question.source[0]!)),
    destination: bare(names(question.destination[0]!)),
    total: traffic,
    rtt,
    connect,
    firstSeen: rows === 0 ? null : firstSeen,
    lastSeen: rows === 0 ? null : lastSeen,
    ports,
    failures: failures.map(({ n, ...rest }) => ({ ...rest, count: n })),
    drops,
    processes,
    talkers,
    services,
  };
}
