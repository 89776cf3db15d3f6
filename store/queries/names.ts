/** Names of identities for an answer. Answered by `identities` and `endpoints`: small tables, by key. */
import { z } from "zod";
import type { TimeRange } from "../../model/time.ts";
import type { Named } from "../../model/wire/answers/parts.ts";
import type { StoreReader } from "../reader.ts";
import { count, rangeParams } from "./question.ts";

const SQL = `
SELECT
  toString(i.id) AS id,
  i.kind AS kind, i.shape AS shape, i.namespace AS namespace, i.workload AS workload, i.labels AS labels,
  e.endpoints AS endpoints
FROM
(
  SELECT id, anyLast(identities.kind) AS kind, anyLast(identities.shape) AS shape, anyLast(identities.namespace) AS namespace,
    anyLast(identities.workload) AS workload, anyLast(identities.labels) AS labels
  FROM identities
  WHERE id IN {ids:Array(UInt64)}
  GROUP BY id
) AS i
LEFT JOIN
(
  SELECT identity, uniqExact(if(endpoint = '', toString(address), endpoint)) AS endpoints
  FROM endpoints FINAL
  WHERE identity IN {ids:Array(UInt64)} AND valid_from < {to:DateTime64(3, 'UTC')} AND valid_to >= {from:DateTime64(3, 'UTC')}
  GROUP BY identity
) AS e ON e.identity = i.id
ORDER BY id
LIMIT 100000`;

const Row = z.object({
  id: z.string(),
  kind: z.string(),
  shape: z.string(),
  namespace: z.string(),
  workload: z.string(),
  labels: z.record(z.string(), z.string()),
  endpoints: count,
});
export type NamedIdentity = z.infer<typeof Row>;

/** A look-up for the names of `ids`; one that the store does not know is named by its number, kind "unknown". */
export async function namesOf(
  store: StoreReader,
  ids: readonly string[],
  range: TimeRange,
  signal: AbortSignal,
): Promise<(id: string) => NamedIdentity> {
  const rows =
    ids.length === 0
      ? []
      : await store.rows({ sql: SQL, row: Row }, { ids: ids.map(BigInt), ...rangeParams(range) }, signal);
  const known = new Map(rows.map((row) => [row.id, row]));
  return (id) =>
    known.get(id) ?? {
      id,
      kind: "unknown",
      shape: "",
      namespace: "",
      workload: `identity ${id}`,
      labels: {},
      endpoints: 0,
    };
}

/** The names alone, without labels. */
export function bare({ id, kind, shape, namespace, workload }: NamedIdentity): Named {
  return { id, kind, shape, namespace, workload };
}

/** `storefront/web`, or the workload alone where there is no namespace: what `src:` and `dst:` of the filter take. */
export function nameLabel(identity: Pick<Named, "namespace" | "workload">): string {
  return identity.namespace === "" ? identity.workload : `${identity.namespace}/${identity.workload}`;
}
