/** Dropped packets per step and reason, source or node. Answered by drops_1m, or by flows for steps below a minute. */
import { z } from "zod";
import type { DropsSeries } from "../../model/wire/answers/drops.ts";
import type { StoreReader } from "../reader.ts";
import { withDropRows, type DropQuestion } from "./drop-rows.ts";
import { nameLabel, namesOf } from "./names.ts";
import { answered, count, ms, stepSeconds } from "./question.ts";

export const DROPS_SERIES_SQL = `
SELECT
  toUnixTimestamp(toStartOfInterval(d.at, INTERVAL {bucket:UInt32} SECOND)) * 1000 AS moment,
  multiIf({by:String} = 'source', toString(d.src_id), {by:String} = 'node', toString(d.node), toString(d.reason)) AS value,
  sum(d.drops) AS n
FROM /* drops */ AS d
GROUP BY moment, value
ORDER BY moment, value
LIMIT {limit:UInt32}`;

const Row = z.object({ moment: ms, value: z.string(), n: count });

/** What a chart of drops is stacked by. */
export const SERIES_BY = ["reason", "source", "node"] as const;
export type SeriesBy = (typeof SERIES_BY)[number];

/**
 * Points of at most `buckets` steps, oldest first, and the reasons, most frequent first; with `by` the names of sources or nodes in their
 * place. Throws StoreError.
 */
export async function dropsSeries(
  store: StoreReader,
  question: DropQuestion & { readonly buckets: number; readonly by?: SeriesBy },
  signal: AbortSignal,
): Promise<DropsSeries> {
  const bucket = stepSeconds(question.range, question.buckets);
  const rows = withDropRows(DROPS_SERIES_SQL, question, bucket);
  const limit = 50_000;
  const by = question.by ?? "reason";
  const found = await store.rows({ sql: rows.sql, row: Row }, { ...rows.params, by, limit }, signal);
  const ids = by === "source" ? [...new Set(found.map((point) => point.value))] : [];
  const names = await namesOf(store, ids, rows.range, signal);
  const points = found.map(({ moment, value, n }) => ({
    moment,
    reason: by === "source" ? nameLabel(names(value)) : value,
    n,
  }));
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
