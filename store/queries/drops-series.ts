/** Dropped packets per step and reason. Answered by drops_1m, or by flows for steps below a minute. */
import { z } from "zod";
import type { DropsSeries } from "../../model/wire/answers/drops.ts";
import type { StoreReader } from "../reader.ts";
import { withDropRows } from "./drop-rows.ts";
import { answered, count, ms, stepSeconds, type RangeQuestion } from "./question.ts";

export const DROPS_SERIES_SQL = `
SELECT
  toUnixTimestamp(toStartOfInterval(d.at, INTERVAL {bucket:UInt32} SECOND)) * 1000 AS moment,
  reason,
  sum(d.drops) AS n
FROM /* drops */ AS d
GROUP BY moment, reason
ORDER BY moment, reason
LIMIT {limit:UInt32}`;

const Row = z.object({ moment: ms, reason: z.string(), n: count });

/** Points of at most `buckets` steps, oldest first, and the reasons, most frequent first. Throws StoreError. */
export async function dropsSeries(
  store: StoreReader,
  question: RangeQuestion & { readonly buckets: number },
  signal: AbortSignal,
): Promise<DropsSeries> {
  const bucket = stepSeconds(question.range, question.buckets);
  const rows = withDropRows(DROPS_SERIES_SQL, question, bucket);
  const limit = 50_000;
  const points = await store.rows({ sql: rows.sql, row: Row }, { ...rows.params, limit }, signal);
  const byReason = new Map<string, number>();
  for (const { reason, n } of points) byReason.set(reason, n + (byReason.get(reason) ?? 0));
  const reasons = [...byReason].map(([reason, drops]) => ({ reason, drops })).toSorted((a, b) => b.drops - a.drops);
  return {
    answered: answered(rows.range, rows.by, points.length === limit),
    bucketMs: bucket * 1000,
    reasons,
    points: points.map(({ moment, reason, n }) => ({ at: moment, reason, drops: n })),
  };
}
