/** Connections, failures, drops and bytes per step: the bars of the scrubber. Answered by the roll-ups, or by flows for steps below a minute. */
import { z } from "zod";
import type { TimelineAnswer } from "../../model/wire/answers/map.ts";
import type { StoreReader } from "../reader.ts";
import { withEdgeRows } from "./edge-rows.ts";
import { answered, count, ms, stepSeconds, type RangeQuestion } from "./question.ts";

export const TIMELINE_SQL = `
SELECT
  toUnixTimestamp(toStartOfInterval(at, INTERVAL {bucket:UInt32} SECOND)) * 1000 AS moment,
  sum(e.opened) AS opened,
  sum(e.failed) AS failed,
  sum(e.drops) AS drops,
  sum(e.bytes_to_server + e.bytes_to_client) AS bytes
FROM /* edges */ AS e
GROUP BY moment
ORDER BY moment
LIMIT {limit:UInt32}`;

const Row = z.object({ moment: ms, opened: count, failed: count, drops: count, bytes: count });

/** Points of at most `buckets` steps, oldest first; steps without traffic are left out. Throws StoreError. */
export async function timeline(
  store: StoreReader,
  question: RangeQuestion & { readonly buckets: number },
  signal: AbortSignal,
): Promise<TimelineAnswer> {
  const bucket = stepSeconds(question.range, question.buckets);
  const rows = withEdgeRows(TIMELINE_SQL, question, { bucketSeconds: bucket, sumsOnly: true });
  const points = await store.rows({ sql: rows.sql, row: Row }, { ...rows.params, limit: 5000 }, signal);
  return {
    answered: answered(rows.range, rows.by, points.length === 5000),
    bucketMs: bucket * 1000,
    points: points.map(({ moment, ...rest }) => ({ at: moment, ...rest })),
  };
}
