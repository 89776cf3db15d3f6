/**
 * Failed attempts by edge and error, with the drops that match them by address, port and time. Answered by flows, of which few rows are
 * failures (reading the roll-ups' latency states would cost more); what went well on these edges by the roll-ups (edge-rows.ts).
 */
import { z } from "zod";
import type { FailuresAnswer } from "../../model/wire/answers/drops.ts";
import type { StoreReader } from "../reader.ts";
import { withEdgeRows } from "./edge-rows.ts";
import { bare, namesOf } from "./names.ts";
import { answered, count, IN_RANGE, ms, rangeParams, type RangeQuestion } from "./question.ts";
import { compileWhere, withFilter, type Ends } from "./where.ts";

export const FAILURES_SQL = `
SELECT
  reason_ AS reason, toString(src_id) AS source, toString(dst_id) AS destination, dst_port AS port, protocol,
  sum(toUInt64(f.failed)) AS failed,
  if(countIf(connect_us > 0) = 0, NULL, quantileExactIf(0.5)(connect_us, connect_us > 0)) AS medianWaitUs,
  toUnixTimestamp64Milli(min(ts)) AS firstSeen,
  toUnixTimestamp64Milli(max(ts)) AS lastSeen
FROM
(
  SELECT ts, toString(reason) AS reason_, src_id, dst_id, dst_port, protocol, failed, connect_us
  FROM flows
  WHERE ${IN_RANGE} AND failed > 0 AND counted = 1 /* filter */
) AS f
GROUP BY reason_, src_id, dst_id, dst_port, protocol
ORDER BY failed DESC, reason, source, destination, port
LIMIT {limit:UInt32}`;

/** Attempts that went well on the edges that had failures. */
export const OPENED_SQL = `
SELECT
  toString(src_id) AS source, toString(dst_id) AS destination, dst_port AS port, protocol, sum(e.opened) AS n
FROM /* edges */ AS e
GROUP BY src_id, dst_id, dst_port, protocol
HAVING n > 0 AND sum(e.failed) > 0
LIMIT 10000`;

/**
 * Joined by the client's address and port and the protocol; the port of the server or of the service must be the same too. SYNs of one
 * try share the source port, so all of its drops join. Window: 0.1 s before the first SYN (time of the failure − wait) to 0.1 s after it.
 * reversed: the answer was lost, not the request.
 */
export const CAUSES_SQL = `
SELECT
  f.reason_ AS failure, toString(f.src_id) AS source, toString(f.dst_id) AS destination, f.dst_port AS port, f.protocol AS protocol,
  d.reason_ AS reason, d.location_ AS location, d.node_ AS node, d.reversed AS reversed,
  sum(d.drops) AS drops,
  uniqExact(f.src_addr, f.src_port, f.ts) AS failures
FROM
(
  SELECT ts, toString(reason) AS reason_, src_id, dst_id, dst_port, service_port, protocol, src_addr, src_port, connect_us
  FROM flows
  WHERE ${IN_RANGE} AND failed > 0 AND counted = 1 AND src_port > 0 /* filter */
  LIMIT 200000
) AS f
INNER JOIN
(
  SELECT ts, toString(flows.reason) AS reason_, toString(flows.location) AS location_, toString(flows.node) AS node_, dst_port, protocol, src_addr, src_port, toUInt64(flows.drops) AS drops,
    (reporter = 'client' AND direction = 'ingress') OR (reporter = 'server' AND direction = 'egress') AS reversed
  FROM flows
  WHERE ts >= {from:DateTime64(3, 'UTC')} - INTERVAL 150 SECOND AND ts < {to:DateTime64(3, 'UTC')}
    AND indexHint(toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({from:DateTime64(3, 'UTC')} - INTERVAL 150 SECOND) AND toStartOfFiveMinutes(ts) <= toStartOfFiveMinutes({to:DateTime64(3, 'UTC')}))
    AND kind = 'drop' AND src_port > 0
  LIMIT 1000000
) AS d ON d.src_addr = f.src_addr AND d.src_port = f.src_port AND d.protocol = f.protocol
WHERE (d.dst_port = f.dst_port OR d.dst_port = f.service_port)
  AND d.ts >= f.ts - toIntervalMicrosecond(f.connect_us) - toIntervalMillisecond(100)
  AND d.ts <= f.ts + toIntervalMillisecond(100)
GROUP BY failure, f.src_id, f.dst_id, port, protocol, reason, location, node, reversed
ORDER BY failures DESC, reason
LIMIT 10000`;

const EdgeKey = { source: z.string(), destination: z.string(), port: z.number(), protocol: z.number() };
const FailureRow = z.object({
  ...EdgeKey,
  reason: z.string(),
  failed: count,
  medianWaitUs: z.coerce.number().nullable(),
  firstSeen: ms,
  lastSeen: ms,
});
const OpenedRow = z.object({ ...EdgeKey, n: count });
const CauseRow = z.object({
  ...EdgeKey,
  failure: z.string(),
  reason: z.string(),
  location: z.string(),
  node: z.string(),
  reversed: z.coerce.boolean(),
  drops: count,
  failures: count,
});

/** Only the ends that failures have are asked for: they are few, and rows lie by who was called. */
async function openedOn(
  store: StoreReader,
  question: RangeQuestion,
  ends: Ends,
  signal: AbortSignal,
): Promise<z.infer<typeof OpenedRow>[]> {
  if (ends.source?.length === 0) return [];
  const edges = withEdgeRows(OPENED_SQL, { ...question, ends }, { exact: true });
  return store.rows({ sql: edges.sql, row: OpenedRow }, edges.params, signal);
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)];
}

/** Lines by edge and error, most first, at most `limit`. Throws StoreError. */
export async function failures(
  store: StoreReader,
  question: RangeQuestion & { readonly limit: number },
  signal: AbortSignal,
): Promise<FailuresAnswer> {
  const where = compileWhere(question.filter, question.scope, "flows", question.ends);
  const params = { ...rangeParams(question.range), ...where.params };
  const [rows, causes] = await Promise.all([
    store.rows(
      { sql: withFilter(FAILURES_SQL, where), row: FailureRow },
      { ...params, limit: question.limit + 1 },
      signal,
    ),
    store.rows({ sql: withFilter(CAUSES_SQL, where), row: CauseRow }, params, signal),
  ]);
  const kept = rows.slice(0, question.limit);
  const [sources, destinations] = [unique(kept.map((row) => row.source)), unique(kept.map((row) => row.destination))];
  const [opened, names] = await Promise.all([
    openedOn(store, question, { source: sources, destination: destinations }, signal),
    namesOf(store, unique([...sources, ...destinations]), question.range, signal),
  ]);
  const key = (row: { source: string; destination: string; port: number; protocol: number }) =>
    `${row.source} ${row.destination} ${row.port} ${row.protocol}`;
  const openedBy = new Map(opened.map((row) => [key(row), row.n]));
  return {
    answered: answered(question.range, "flows", rows.length > question.limit),
    total: rows.reduce((sum, row) => sum + row.failed, 0),
    failures: kept.map((row) => ({
      ...row,
      source: bare(names(row.source)),
      destination: bare(names(row.destination)),
      opened: openedBy.get(key(row)) ?? 0,
      causes: causes
        .filter((cause) => cause.failure === row.reason && key(cause) === key(row))
        .map(({ reason, location, node, drops, failures: n, reversed }) => ({
          reason,
          location,
          node,
          drops,
          failures: n,
          reversed,
        })),
    })),
  };
}
