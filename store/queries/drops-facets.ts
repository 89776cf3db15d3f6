/** The drops of a range counted by one property at a time. Answered by drops_1m in one pass, or by flows. */
import { z } from "zod";
import { protocolName } from "../../model/flow.ts";
import { quoteFilterValue } from "../../model/filter/parse.ts";
import type { DropsFacets, FacetValue } from "../../model/wire/answers/drops.ts";
import type { StoreReader } from "../reader.ts";
import { withDropRows, type DropQuestion } from "./drop-rows.ts";
import { nameLabel, namesOf } from "./names.ts";
import { answered, count } from "./question.ts";

export const DROPS_FACETS_SQL = `
SELECT
  facet, value, sum(n) AS drops
FROM
(
  SELECT
    arrayJoin([
      ('reason', toString(d.reason)), ('source', toString(d.src_id)), ('destination', toString(d.dst_id)),
      ('port', concat(toString(d.protocol), '/', toString(d.dst_port))), ('location', toString(d.location)), ('node', toString(d.node)), ('verdict', toString(d.verdict))
    ]) AS pair,
    pair.1 AS facet, pair.2 AS value, n
  FROM
  (
    SELECT reason, src_id, dst_id, protocol, dst_port, location, node, verdict, sum(r.drops) AS n
    FROM /* drops */ AS r
    GROUP BY reason, src_id, dst_id, protocol, dst_port, location, node, verdict
  ) AS d
)
GROUP BY facet, value
ORDER BY facet, drops DESC, value
LIMIT 50 BY facet
LIMIT 1000`;

const Row = z.object({
  facet: z.enum(["reason", "source", "destination", "port", "location", "node", "verdict"]),
  value: z.string(),
  drops: count,
});

/** Facets, each most frequent first and at most 50 values, with the filter term that asks for a value alone. Throws StoreError. */
export async function dropsFacets(
  store: StoreReader,
  question: DropQuestion,
  signal: AbortSignal,
): Promise<DropsFacets> {
  const facets = withDropRows(DROPS_FACETS_SQL, question);
  const rows = await store.rows({ sql: facets.sql, row: Row }, facets.params, signal);
  const ids = rows.filter((row) => row.facet === "source" || row.facet === "destination").map((row) => row.value);
  const names = await namesOf(store, [...new Set(ids)], facets.range, signal);
  const of = (
    facet: z.infer<typeof Row>["facet"],
    shape: (value: string) => { label: string; term: string },
  ): FacetValue[] =>
    rows.filter((row) => row.facet === facet).map((row) => ({ ...shape(row.value), drops: row.drops }));
  const plain = (key: string) => (value: string) => ({ label: value, term: `${key}:${quoteFilterValue(value)}` });
  return {
    answered: answered(facets.range, facets.by, false),
    // There are five verdicts at most, so none is cut off.
    total: rows.reduce((sum, row) => (row.facet === "verdict" ? sum + row.drops : sum), 0),
    reason: of("reason", plain("reason")),
    source: of("source", (id) => ({
      label: nameLabel(names(id)),
      term: `src:${quoteFilterValue(nameLabel(names(id)))}`,
    })),
    destination: of("destination", (id) => ({
      label: nameLabel(names(id)),
      term: `dst:${quoteFilterValue(nameLabel(names(id)))}`,
    })),
    port: of("port", (value) => {
      const [protocol, port] = value.split("/");
      return { label: `${protocolName(Number(protocol))} ${port}`, term: `port:${port}` };
    }),
    location: of("location", plain("location")),
    node: of("node", plain("node")),
    verdict: of("verdict", plain("verdict")),
  };
}
