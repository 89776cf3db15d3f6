/** Traffic over time of one pair, one node or everything that the filter lets through. Answered by the roll-ups, or by flows for steps below a minute. */
import { z } from "zod";
import type { SeriesAnswer } from "../../model/wire/answers/map.ts";
import type { StoreReader } from "../reader.ts";
import { withEdgeRows } from "./edge-rows.ts";
import { answered, count, latencyRow, ms, stepSeconds, type RangeQuestion } from "./question.ts";

export const EDGE_SERIES_SQL = `
SELECT
  toUnixTimestamp(toStartOfInterval(at, INTERVAL {bucket:UInt32} SECOND)) * 1000 AS moment,
  sum(e.opened) AS opened,
  sum(e.closed) AS closed,
  sum(e.failed) AS failed,
  sum(e.drops) AS drops,
  sum(e.bytes_to_server) AS bytesToServer,
  sum(e.bytes_to_client) AS bytesToClient,
  sum(e.packets_to_server) AS packetsToServer,
  sum(e.packets_to_client) AS packetsToClient,
  sum(e.retransmits) AS retransmits,
  quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(e.rtt) AS rtt,
  quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(e.connect) AS connect
FROM /* edges */ AS e
GROUP BY moment
ORDER BY moment
LIMIT {limit:UInt32}`;

const Row = z.object({
  moment: ms,
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
});

/** Points of at most `buckets` steps, oldest first; steps without traffic are left out. Throws StoreError. */
export async function edgeSeries(
  store: StoreReader,
  question: RangeQuestion & { readonly buckets: number },
  signal: AbortSignal,
): Promise<SeriesAnswer> {
  const bucket = stepSeconds(question.range, question.buckets);
  const rows = withEdgeRows(EDGE_SERIES_SQL, question, { bucketSeconds: bucket });
  const points = await store.rows({ sql: rows.sql, row: Row }, { ...rows.params, limit: 5000 }, signal);
  return {
    answered: answered(rows.range, rows.by, points.length === 5000),
    bucketMs: bucket * 1000,
    points: points.map(({ moment, ...rest }) => ({ at: moment, ...rest })),
  };
}
