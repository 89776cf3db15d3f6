/** Which drops of a range are normal by the texts' rules, so that screens can hide them and say how many. Answered by drops_1m, or by flows. */
import { z } from "zod";
import { describeDrop, isNoise } from "../../model/reasons/lookup.ts";
import type { HiddenDrops } from "../../model/wire/answers/drops.ts";
import type { StoreReader } from "../reader.ts";
import { dropKindKey, withDropRows, type DropQuestion } from "./drop-rows.ts";
import { count } from "./question.ts";

export const DROP_KINDS_SQL = `
SELECT reason, location, protocol, sum(d.drops) AS drops
FROM /* drops */ AS d
GROUP BY reason, location, protocol
ORDER BY drops DESC, reason, location, protocol
LIMIT 5000`;

const Row = z.object({ reason: z.string(), location: z.string(), protocol: z.number(), drops: count });

/** Keys for `DropQuestion.hidden`, and what they hide, most packets first. Throws StoreError. */
export async function normalDrops(
  store: StoreReader,
  question: DropQuestion,
  signal: AbortSignal,
): Promise<{ readonly keys: readonly string[]; readonly hidden: HiddenDrops[] }> {
  const rows = withDropRows(DROP_KINDS_SQL, question);
  const kinds = await store.rows({ sql: rows.sql, row: Row }, rows.params, signal);
  const normal = kinds.filter(({ reason, location, protocol }) => isNoise({ reason, location, protocol }));
  return {
    keys: normal.map(({ reason, location, protocol }) => dropKindKey(reason, location, protocol)),
    hidden: normal.map(({ reason, location, drops }) => {
      const { showAs, title } = describeDrop({ reason, location });
      return { reason: showAs, title, location, drops };
    }),
  };
}
