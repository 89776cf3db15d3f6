/** Measurements of the collectors over a range. Answered by collector_health. */
import { z } from "zod";
import type { TimeRange } from "../../model/time.ts";
import { bucketSeconds } from "../../model/time-range.ts";
import type { HealthSeries } from "../../model/wire/answers/health.ts";
import type { StoreReader } from "../reader.ts";
import { answered, ms, rangeParams } from "./question.ts";

export const HEALTH_SERIES_SQL = `
SELECT
  node, metric, label,
  toUnixTimestamp(toStartOfInterval(toDateTime(ts, 'UTC'), INTERVAL {bucket:UInt32} SECOND)) * 1000 AS moment,
  avg(h.value) AS mean, argMax(h.value, ts) AS newest, argMax(h.text, ts) AS words
FROM collector_health AS h
WHERE ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')}
GROUP BY node, metric, label, moment
ORDER BY node, metric, label, moment
LIMIT 100000`;

const Row = z.object({
  node: z.string(),
  metric: z.string(),
  label: z.string(),
  moment: ms,
  mean: z.number().nullable(),
  newest: z.number().nullable(),
  words: z.string(),
});

/** A series a node, metric and label; steps hold the mean, `newest` the last value. Throws StoreError. */
export async function healthSeries(
  store: StoreReader,
  { range, buckets }: { readonly range: TimeRange; readonly buckets: number },
  signal: AbortSignal,
): Promise<HealthSeries> {
  const bucket = bucketSeconds(range, buckets);
  const rows = await store.rows({ sql: HEALTH_SERIES_SQL, row: Row }, { ...rangeParams(range), bucket }, signal);
  const series: HealthSeries["series"] = [];
  for (const row of rows) {
    let last = series.at(-1);
    if (last === undefined || last.node !== row.node || last.metric !== row.metric || last.label !== row.label) {
      last = { node: row.node, metric: row.metric, label: row.label, newest: 0, text: "", points: [] };
      series.push(last);
    }
    last.newest = row.newest ?? 0;
    last.text = row.words;
    last.points.push({ at: row.moment, value: row.mean ?? 0 });
  }
  return { answered: answered(range, "collector_health", rows.length === 100_000), bucketMs: bucket * 1000, series };
}
