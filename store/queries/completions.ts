/** Values that exist in the range for a key of the filter: what the filter field offers. Answered by flows, labels by `identities`. */
import { z } from "zod";
import type { FilterKey } from "../../model/filter/ast.ts";
import { PROTOCOLS } from "../../model/flow.ts";
import type { Completions } from "../../model/wire/answers/flows.ts";
import type { StoreReader } from "../reader.ts";
import { answered, count, IN_RANGE, rangeParams, type RangeQuestion } from "./question.ts";
import { compileWhere, withFilter } from "./where.ts";

/** Values of a row for each key. Fixed texts: the key picks one, nothing of the caller's gets into the SQL. */
const VALUES: Readonly<Record<Exclude<FilterKey, "label">, string>> = {
  src: "if(src_ns = '', toString(src_workload), concat(src_ns, '/', src_workload))",
  dst: "if(dst_ns = '', toString(dst_workload), concat(dst_ns, '/', dst_workload))",
  ns: "arrayJoin(arrayDistinct([toString(src_ns), toString(dst_ns)]))",
  workload:
    "arrayJoin(arrayDistinct([if(src_ns = '', toString(src_workload), concat(src_ns, '/', src_workload)), if(dst_ns = '', toString(dst_workload), concat(dst_ns, '/', dst_workload))]))",
  ip: "replaceOne(toString(arrayJoin(arrayDistinct([src_addr, dst_addr]))), '::ffff:', '')",
  name: "arrayJoin(arrayDistinct([toString(src_name), toString(dst_name)]))",
  port: "toString(dst_port)",
  proto: "toString(protocol)",
  verdict: "toString(verdict)",
  reason: "toString(reason)",
  kind: "toString(kind)",
  reporter: "toString(reporter)",
  process: "toString(process)",
  service: "toString(service)",
  node: "toString(node)",
  location: "toString(location)",
  hook: "toString(hook)",
  toward: "if(kind = 'drop', toString(toward), '')",
};

const FLOWS_SQL = `
SELECT v AS value, count() AS n
FROM
(
  SELECT /* value */ AS v
  FROM flows
  WHERE ${IN_RANGE} /* filter */
)
WHERE v != '' AND v != '0' AND positionCaseInsensitiveUTF8(v, {part:String}) > 0
GROUP BY v
ORDER BY startsWith(lowerUTF8(v), lowerUTF8({part:String})) DESC, n DESC, v
LIMIT {limit:UInt32}`;

export const LABELS_SQL = `
SELECT v AS value, count() AS n
FROM
(
  SELECT arrayJoin(arrayMap((k, x) -> if(x = '', k, concat(k, '=', x)), mapKeys(all), mapValues(all))) AS v
  FROM (SELECT id, anyLast(labels) AS all, max(last_seen) AS seen, min(first_seen) AS since FROM identities GROUP BY id)
  WHERE seen >= {from:DateTime64(3, 'UTC')} AND since < {to:DateTime64(3, 'UTC')}
)
WHERE positionCaseInsensitiveUTF8(v, {part:String}) > 0
GROUP BY v
ORDER BY startsWith(lowerUTF8(v), lowerUTF8({part:String})) DESC, n DESC, v
LIMIT {limit:UInt32}`;

/** The SQL for a key. */
export function completionSql(key: FilterKey): string {
  return key === "label" ? LABELS_SQL : FLOWS_SQL.replace("/* value */", () => VALUES[key]);
}

const Row = z.object({ value: z.string(), n: count });

/** Values with how many rows have them (identities, for labels); those that begin with `part` first. Throws StoreError. */
export async function completions(
  store: StoreReader,
  question: RangeQuestion & { readonly key: FilterKey; readonly part: string; readonly limit: number },
  signal: AbortSignal,
): Promise<Completions> {
  const { key, range, part, limit } = question;
  const where = compileWhere(question.filter, question.scope, "flows");
  const sql = key === "label" ? completionSql(key) : withFilter(completionSql(key), where);
  const params = {
    ...rangeParams(range),
    part: key === "proto" ? "" : part,
    limit: limit + 1,
    ...(key !== "label" && where.params),
  };
  const rows = await store.rows({ sql, row: Row }, params, signal);
  const named =
    key !== "proto"
      ? rows
      : rows
          .map((row) => ({ ...row, value: (PROTOCOLS[Number(row.value)] ?? row.value).toLowerCase() }))
          .filter((row) => row.value.includes(part.toLowerCase()));
  return {
    answered: answered(range, key === "label" ? "identities" : "flows", rows.length > limit),
    key,
    values: named.slice(0, limit).map(({ value, n }) => ({ value, count: n })),
  };
}
