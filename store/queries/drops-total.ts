/** How many packets were dropped in a range: the number beside "Drops" on every page. Answered by drops_1m, or by flows. */
import { z } from "zod";
import type { Answered } from "../../model/wire/answers/parts.ts";
import type { StoreReader } from "../reader.ts";
import { withDropRows, type DropQuestion } from "./drop-rows.ts";
import { answered, count } from "./question.ts";

export const DROPS_TOTAL_SQL = `
SELECT sum(d.drops) AS total
FROM /* drops */ AS d
LIMIT 1`;

const Total = z.object({ total: count });

/** Packets, and the range that they are of: whole minutes where the roll-up answers. Throws StoreError. */
export async function dropsTotal(
  store: StoreReader,
  question: DropQuestion,
  signal: AbortSignal,
): Promise<{ readonly drops: number; readonly answered: Answered }> {
  const rows = withDropRows(DROPS_TOTAL_SQL, question);
  const [sum] = await store.rows({ sql: rows.sql, row: Total }, rows.params, signal);
  return { drops: sum?.total ?? 0, answered: answered(rows.range, rows.by, false) };
}
