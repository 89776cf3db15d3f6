/** The books line by line: a node and a minute, what was produced and what became of it; with `count`, the rows that really are in the store. */
import { z } from "zod";
import type { TimeRange } from "../../model/time.ts";
import type { StoreReader } from "../reader.ts";
import { LOSSES_SQL } from "./books-in-range.ts";
import { count, ms, secondsText, wholeMinutes } from "./question.ts";

export const BOOKS_BY_MINUTE_SQL = `
SELECT
  node, toUnixTimestamp(minute) * 1000 AS moment,
  sum(b.produced) AS produced, sum(b.stored) AS stored,
  ${LOSSES_SQL},
  sum(b.shed) AS shed, sum(b.quarantined) AS quarantined, sum(b.filtered) AS filtered
FROM books AS b
WHERE minute >= {from:DateTime('UTC')} AND minute < {to:DateTime('UTC')} AND ({node:String} = '' OR node = {node:String})
GROUP BY node, minute
ORDER BY node, minute
LIMIT 200000`;

export const ROWS_BY_MINUTE_SQL = `
SELECT node, toUnixTimestamp(toStartOfMinute(toDateTime(ts, 'UTC'))) * 1000 AS moment, count() AS rows
FROM (
  SELECT node, ts FROM flows
  WHERE ts >= {from:DateTime('UTC')} AND ts < {to:DateTime('UTC')} AND ({node:String} = '' OR node = {node:String})
  UNION ALL
  SELECT node, ts FROM dns_answers
  WHERE ts >= {from:DateTime('UTC')} AND ts < {to:DateTime('UTC')} AND ({node:String} = '' OR node = {node:String})
)
GROUP BY node, moment
ORDER BY node, moment
LIMIT 200000`;

const Line = z.object({
  node: z.string(),
  moment: ms,
  produced: count,
  stored: count,
  lost: count,
  crashed: count,
  unseen: count,
  shed: count,
  quarantined: count,
  filtered: count,
});
const Rows = z.object({ node: z.string(), moment: ms, rows: count });

/** One node in one minute. `difference` = produced − all that is accounted for: 0 when the books balance. */
export interface BooksLine extends z.infer<typeof Line> {
  readonly difference: number;
  /** Rows in flows and dns_answers, where they were counted: equal to `stored` as long as they are kept. */
  readonly rows: number | undefined;
}

/** What was not seen, however it was lost. */
export const goneOf = (line: z.infer<typeof Line>): number =>
  line.lost + line.crashed + line.unseen + line.shed + line.quarantined;

/** Lines by node and minute of `range`; `node` "" = all. Throws StoreError. */
export async function booksByMinute(
  store: StoreReader,
  { range, node, countRows }: { readonly range: TimeRange; readonly node: string; readonly countRows: boolean },
  signal: AbortSignal,
): Promise<BooksLine[]> {
  const whole = wholeMinutes(range);
  const params = { from: secondsText(whole.from), to: secondsText(whole.to), node };
  const lines = await store.rows({ sql: BOOKS_BY_MINUTE_SQL, row: Line }, params, signal);
  // rows come before their books, so they are counted after them
  const rows = countRows ? await store.rows({ sql: ROWS_BY_MINUTE_SQL, row: Rows }, params, signal) : [];
  const found = new Map(rows.map((each) => [`${each.moment} ${each.node}`, each.rows]));
  return lines.map((line) => ({
    ...line,
    difference: line.produced - line.stored - goneOf(line) - line.filtered,
    rows: countRows ? (found.get(`${line.moment} ${line.node}`) ?? 0) : undefined,
  }));
}
