/** Identities that were known in a range, with labels: what selectors and label filters choose from. Answered by identities. */
import { z } from "zod";
import type { TimeRange } from "../../model/time.ts";
import type { IdentitiesAnswer } from "../../model/wire/answers/flows.ts";
import type { StoreReader } from "../reader.ts";
import { answered, ms, rangeParams } from "./question.ts";
import type { Scope } from "./where.ts";

export const IDENTITIES_SQL = `
SELECT
  toString(i.id) AS id, i.kind_ AS kind, i.shape_ AS shape, i.namespace_ AS namespace, i.workload_ AS workload, i.labels_ AS labels,
  toUnixTimestamp64Milli(i.since) AS firstSeen, toUnixTimestamp64Milli(i.until) AS lastSeen
FROM
(
  SELECT id, anyLast(kind) AS kind_, anyLast(shape) AS shape_, anyLast(namespace) AS namespace_, anyLast(workload) AS workload_, anyLast(labels) AS labels_,
    min(first_seen) AS since, max(last_seen) AS until
  FROM identities
  GROUP BY id
) AS i
WHERE (i.id < 256 OR (until >= {from:DateTime64(3, 'UTC')} AND since < {to:DateTime64(3, 'UTC')}))
  AND (empty({scope:Array(String)}) OR namespace IN {scope:Array(String)} OR namespace = '')
ORDER BY namespace, workload, i.id
LIMIT {limit:UInt32}`;

const Row = z.object({
  id: z.string(),
  kind: z.string(),
  shape: z.string(),
  namespace: z.string(),
  workload: z.string(),
  labels: z.record(z.string(), z.string()),
  firstSeen: ms,
  lastSeen: ms,
});

/** Identities of the scope's namespaces, and those of none; reserved ones always. Throws StoreError. */
export async function identitiesInRange(
  store: StoreReader,
  { range, scope, limit }: { readonly range: TimeRange; readonly scope: Scope; readonly limit: number },
  signal: AbortSignal,
): Promise<IdentitiesAnswer> {
  const identities = await store.rows(
    { sql: IDENTITIES_SQL, row: Row },
    { ...rangeParams(range), scope, limit: limit + 1 },
    signal,
  );
  return { answered: answered(range, "identities", identities.length > limit), identities: identities.slice(0, limit) };
}
