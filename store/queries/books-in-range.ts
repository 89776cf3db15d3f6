/** What was produced in a range and what became of it. Answered by books: additive rows, so sums. */
import { z } from "zod";
import { CRASH_MARK, UNSEEN } from "../../model/book-types.ts";
import type { TimeRange } from "../../model/time.ts";
import type { Balance, BooksAnswer, RangeBalance, WorstMinute } from "../../model/wire/answers/health.ts";
import type { StoreReader } from "../reader.ts";
import { answered, count, ms, secondsText, wholeMinutes } from "./question.ts";

export const BOOKS_NODES_SQL = `
SELECT
  node, type, sum(b.produced) AS produced, sum(b.stored) AS stored, sum(b.lost) AS lost, sum(b.shed) AS shed, sum(b.quarantined) AS quarantined, sum(b.filtered) AS filtered
FROM books AS b
WHERE minute >= {from:DateTime('UTC')} AND minute < {to:DateTime('UTC')}
GROUP BY node, type
ORDER BY node, type
LIMIT 10000`;

export const BOOKS_MINUTES_SQL = `
SELECT
  toUnixTimestamp(toStartOfInterval(minute, INTERVAL {bucket:UInt32} SECOND)) * 1000 AS moment,
  sum(b.produced) AS produced, sum(b.stored) AS stored, sum(b.lost) AS lost, sum(b.shed) AS shed, sum(b.quarantined) AS quarantined, sum(b.filtered) AS filtered
FROM books AS b
WHERE minute >= {from:DateTime('UTC')} AND minute < {to:DateTime('UTC')}
GROUP BY moment
ORDER BY moment
LIMIT 5000`;

/** Losses of `books AS b` by how they came: no room in the ring, a killed collector, no program that ran. */
export const LOSSES_SQL = `sumIf(b.lost, NOT endsWith(b.type, '${CRASH_MARK}') AND b.type != '${UNSEEN}') AS lost,
  sumIf(b.lost, endsWith(b.type, '${CRASH_MARK}')) AS crashed, sumIf(b.lost, b.type = '${UNSEEN}') AS unseen`;

export const BOOKS_WORST_SQL = `
SELECT
  node, toUnixTimestamp(minute) * 1000 AS moment,
  ${LOSSES_SQL},
  sum(b.shed) AS shed, sum(b.quarantined) AS quarantined
FROM books AS b
WHERE minute >= {from:DateTime('UTC')} AND minute < {to:DateTime('UTC')}
GROUP BY node, minute
HAVING lost + crashed + unseen + shed + quarantined > 0
ORDER BY lost + crashed + unseen + shed + quarantined DESC, minute DESC
LIMIT 5`;

export const BOOKS_UNBALANCED_SQL = `
SELECT sum(abs(difference)) AS events
FROM (
  SELECT toInt64(sum(b.produced)) - toInt64(sum(b.stored) + sum(b.lost) + sum(b.shed) + sum(b.quarantined) + sum(b.filtered)) AS difference
  FROM books AS b
  WHERE minute >= {from:DateTime('UTC')} AND minute < least({to:DateTime('UTC')}, now('UTC') - INTERVAL 2 MINUTE)
  GROUP BY node, minute
)
LIMIT 1`;

const Sums = { produced: count, stored: count, lost: count, shed: count, quarantined: count, filtered: count };
const NodeRow = z.object({ node: z.string(), type: z.string(), ...Sums });
const MinuteRow = z.object({ moment: ms, ...Sums });
const WorstRow = z
  .object({ node: z.string(), moment: ms, lost: count, crashed: count, unseen: count, shed: count, quarantined: count })
  .transform(({ moment, ...row }): WorstMinute => ({ ...row, at: moment }));
type Sum = Omit<Balance, "pending">;

/** Balance of the whole range, by node and type, and over time (at most 180 steps of whole minutes). Throws StoreError. */
export async function booksInRange(store: StoreReader, range: TimeRange, signal: AbortSignal): Promise<BooksAnswer> {
  const whole = wholeMinutes(range);
  const bucket = Math.max(1, Math.ceil((whole.to - whole.from) / 60_000 / 180)) * 60;
  const params = { from: secondsText(whole.from), to: secondsText(whole.to) };
  const [nodes, minutes, worst, unbalanced] = await Promise.all([
    store.rows({ sql: BOOKS_NODES_SQL, row: NodeRow }, params, signal),
    store.rows({ sql: BOOKS_MINUTES_SQL, row: MinuteRow }, { ...params, bucket }, signal),
    store.rows({ sql: BOOKS_WORST_SQL, row: WorstRow }, params, signal),
    store.rows({ sql: BOOKS_UNBALANCED_SQL, row: z.object({ events: count }) }, params, signal),
  ]);
  const total = nodes.reduce<Sum>(add, { produced: 0, stored: 0, lost: 0, shed: 0, quarantined: 0, filtered: 0 });
  const wanted = total.produced - total.filtered;
  return {
    answered: answered(whole, "books", false),
    total: { ...balanced(total), ...lossesOf(nodes) },
    seen: wanted <= 0 ? null : 1 - (total.lost + total.shed + total.quarantined) / wanted,
    nodes: nodes.map(({ node, type, ...sums }) => ({ node, type, ...balanced(sums) })),
    worst,
    unbalanced: unbalanced[0]?.events ?? 0,
    minutes: minutes.map(({ moment, ...sums }) => ({ at: moment, ...balanced(sums) })),
  };
}

function lossesOf(nodes: readonly z.infer<typeof NodeRow>[]): Pick<RangeBalance, "crashed" | "unseen"> {
  const lost = (is: (type: string) => boolean) => nodes.reduce((sum, node) => sum + (is(node.type) ? node.lost : 0), 0);
  return { crashed: lost((type) => type.endsWith(CRASH_MARK)), unseen: lost((type) => type === UNSEEN) };
}

function add(a: Sum, b: Sum): Sum {
  return {
    produced: a.produced + b.produced,
    stored: a.stored + b.stored,
    lost: a.lost + b.lost,
    shed: a.shed + b.shed,
    quarantined: a.quarantined + b.quarantined,
    filtered: a.filtered + b.filtered,
  };
}

function balanced(sums: Sum): Balance {
  return { ...sums, pending: sums.produced - sums.stored - sums.lost - sums.shed - sums.quarantined - sums.filtered };
}
