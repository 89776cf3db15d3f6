/** Names that were looked up in a range and how it went. Answered by dns_answers. */
import { z } from "zod";
import type { TimeRange } from "../../model/time.ts";
import type { DnsNames } from "../../model/wire/answers/flows.ts";
import type { StoreReader } from "../reader.ts";
import { address } from "./edge-details.ts";
import { answered, count, ms, rangeParams } from "./question.ts";
import type { Scope } from "./where.ts";

export const DNS_NAMES_SQL = `
SELECT
  name, toString(qtype) AS qtype_,
  count() AS answers,
  countIf(rcode != 'NOERROR') AS failed,
  sumMap(map(toString(rcode), toUInt64(1))) AS rcodes,
  arraySlice(arraySort(groupUniqArrayArray(20)(addresses)), 1, 20) AS ips,
  uniqExact(client_id, client_addr) AS clients,
  if(countIf(latency_us > 0) = 0, NULL, quantileExactIf(0.5)(latency_us, latency_us > 0)) AS p50Us,
  if(countIf(latency_us > 0) = 0, NULL, quantileExactIf(0.99)(latency_us, latency_us > 0)) AS p99Us,
  toUnixTimestamp64Milli(max(ts)) AS lastSeen
FROM dns_answers
WHERE ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')}
  AND positionCaseInsensitiveUTF8(name, {part:String}) > 0
  AND (empty({scope:Array(String)}) OR client_id GLOBAL IN (SELECT id FROM identities WHERE namespace IN {scope:Array(String)}))
GROUP BY name, qtype_
ORDER BY failed DESC, answers DESC, name, qtype_
LIMIT {limit:UInt32}`;

const Row = z.object({
  name: z.string(),
  qtype_: z.string(),
  answers: count,
  failed: count,
  rcodes: z.record(z.string(), count),
  ips: z.array(address()),
  clients: count,
  p50Us: z.coerce.number().nullable(),
  p99Us: z.coerce.number().nullable(),
  lastSeen: ms,
});

/** Names that contain `part` (all for ""), failing ones first. Throws StoreError. */
export async function dnsNames(
  store: StoreReader,
  {
    range,
    scope,
    part,
    limit,
  }: { readonly range: TimeRange; readonly scope: Scope; readonly part: string; readonly limit: number },
  signal: AbortSignal,
): Promise<DnsNames> {
  const rows = await store.rows(
    { sql: DNS_NAMES_SQL, row: Row },
    { ...rangeParams(range), scope, part, limit: limit + 1 },
    signal,
  );
  return {
    answered: answered(range, "dns_answers", rows.length > limit),
    names: rows.slice(0, limit).map(({ qtype_, rcodes, ips, ...rest }) => ({
      ...rest,
      qtype: qtype_,
      rcodes: Object.entries(rcodes)
        .map(([value, n]) => ({ value, count: n }))
        .toSorted((a, b) => b.count - a.count),
      addresses: ips,
    })),
  };
}
