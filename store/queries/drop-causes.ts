/** Reason and edge together, most packets first: the table of causes. Answered by drops_1m, or by flows. */
import { z } from "zod";
import { PASSAGES, TOWARDS } from "../../model/flow.ts";
import type { DropCauses } from "../../model/wire/answers/drops.ts";
import { VerdictName } from "../../model/wire/answers/parts.ts";
import type { StoreReader } from "../reader.ts";
import { withDropRows, type DropQuestion } from "./drop-rows.ts";
import { bare, namesOf } from "./names.ts";
import { answered, count, ms } from "./question.ts";

export const DROP_CAUSES_SQL = `
SELECT
  reason, location, verdict, toString(src_id) AS source, toString(dst_id) AS destination, dst_port AS port, protocol, node, device, hook, passage, toward,
  sum(d.drops) AS n,
  toUnixTimestamp64Milli(min(d.first_seen)) AS firstSeen,
  toUnixTimestamp64Milli(max(d.last_seen)) AS lastSeen,
  sumMap([intDiv(toUnixTimestamp(d.at) - {begin:UInt32}, {step:UInt32})], [d.drops]) AS parts
FROM /* drops */ AS d
GROUP BY reason, location, verdict, src_id, dst_id, dst_port, protocol, node, device, hook, passage, toward
ORDER BY n DESC, reason, source, destination, port
LIMIT {limit:UInt32}`;

const Row = z.object({
  reason: z.string(),
  location: z.string(),
  verdict: VerdictName,
  source: z.string(),
  destination: z.string(),
  port: z.number(),
  protocol: z.number(),
  node: z.string(),
  device: z.string(),
  hook: z.string(),
  passage: z.enum(PASSAGES),
  toward: z.enum(TOWARDS),
  n: count,
  firstSeen: ms,
  lastSeen: ms,
  parts: z.tuple([z.array(z.coerce.number()), z.array(count)]),
});

/** Bars of the small chart in a line. */
const SPARK_BARS = 45;

/** Lines of the table, at most `limit`. Throws StoreError. */
export async function dropCauses(
  store: StoreReader,
  question: DropQuestion & { readonly limit: number },
  signal: AbortSignal,
): Promise<DropCauses> {
  const rows = withDropRows(DROP_CAUSES_SQL, question);
  const begin = Math.floor(rows.range.from / 1000);
  const step = Math.max(rows.by === "drops_1m" ? 60 : 1, Math.ceil((rows.range.to / 1000 - begin) / SPARK_BARS));
  const lines = await store.rows(
    { sql: rows.sql, row: Row },
    { ...rows.params, begin, step, limit: question.limit + 1 },
    signal,
  );
  const kept = lines.slice(0, question.limit);
  const names = await namesOf(
    store,
    [...new Set(kept.flatMap((line) => [line.source, line.destination]))],
    rows.range,
    signal,
  );
  const bars = Math.ceil((rows.range.to / 1000 - begin) / step);
  return {
    answered: answered(rows.range, rows.by, lines.length > question.limit),
    causes: kept.map(({ parts: [places, counts], source, destination, n, ...rest }) => {
      const spark = Array.from({ length: bars }, () => 0);
      places.forEach((place, i) => {
        if (place >= 0 && place < bars) spark[place] = counts[i]!;
      });
      return { ...rest, drops: n, source: bare(names(source)), destination: bare(names(destination)), spark };
    }),
  };
}
