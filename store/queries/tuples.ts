/** The unique traffic of a range with counts: what a policy is tried on. Answered by tuples_1h to the hour, or by flows where a filter asks for more. */
import { z } from "zod";
import { DIRECTIONS } from "../../model/flow.ts";
import { milliseconds, type TimeRange } from "../../model/time.ts";
import type { TuplesAnswer } from "../../model/wire/answers/flows.ts";
import type { StoreReader } from "../reader.ts";
import { answered, count, IN_RANGE, ms, rangeParams, secondsText, type RangeQuestion } from "./question.ts";
import { compileWhere, termsBeyond, withFilter } from "./where.ts";

export const TUPLES_SQL = `
SELECT
  toString(src_id) AS source, toString(dst_id) AS destination,
  toString(src_addr) AS sourceAddress, toString(dst_addr) AS destinationAddress,
  dst_name AS destinationName, protocol, dst_port AS port, icmp_type AS icmpType, family, direction,
  sum(t.opened) AS opened, sum(t.failed) AS failed, sum(t.drops) AS drops, sum(t.bytes) AS bytes,
  toUnixTimestamp64Milli(min(t.first_seen)) AS firstSeen, toUnixTimestamp64Milli(max(t.last_seen)) AS lastSeen,
  any(sample_row) AS sampleRow
FROM tuples_1h AS t
WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')} /* filter */
GROUP BY src_id, dst_id, src_addr, dst_addr, dst_name, protocol, dst_port, icmp_type, family, direction
ORDER BY opened + failed + drops DESC, source, destination, port
LIMIT {limit:UInt32}`;

export const RAW_TUPLES_SQL = `
SELECT
  toString(src_id) AS source, toString(dst_id) AS destination,
  if(src_id < 256 OR src_ns = '' OR src_name != '', toString(src_addr), '') AS sourceAddress,
  if(dst_id < 256 OR dst_ns = '' OR dst_name != '', toString(dst_addr), '') AS destinationAddress,
  dst_name AS destinationName, protocol, dst_port AS port, if(protocol IN (1, 58), f.icmp_type, 0) AS icmpType,
  if(startsWith(toString(f.dst_addr), '::ffff:'), 4, 6) AS family, direction,
  sumIf(toUInt64(f.opened), counted = 1) AS opened, sumIf(toUInt64(f.failed), counted = 1) AS failed, sum(toUInt64(f.drops)) AS drops,
  sumIf(f.bytes_to_server + f.bytes_to_client, counted = 1) AS bytes,
  toUnixTimestamp64Milli(min(ts)) AS firstSeen, toUnixTimestamp64Milli(max(ts)) AS lastSeen,
  any(row_id) AS sampleRow
FROM flows AS f
WHERE ${IN_RANGE} /* filter */
GROUP BY src_id, dst_id, sourceAddress, destinationAddress, dst_name, protocol, dst_port, icmpType, family, direction
ORDER BY opened + failed + drops DESC, source, destination, port
LIMIT {limit:UInt32}`;

const Address = z.string().transform((text) => (text === "::" ? "" : text.replace(/^::ffff:(?=\d+\.)/, "")));
const Row = z.object({
  source: z.string(),
  destination: z.string(),
  sourceAddress: Address,
  destinationAddress: Address,
  destinationName: z.string(),
  protocol: z.number(),
  port: z.number(),
  icmpType: z.coerce.number(),
  family: z.union([z.literal(0), z.literal(4), z.literal(6)]),
  direction: z.enum(DIRECTIONS),
  opened: count,
  failed: count,
  drops: count,
  bytes: count,
  firstSeen: ms,
  lastSeen: ms,
  sampleRow: z.string(),
});

const HOUR_MS = 3_600_000;

/** Tuples, most traffic first. From tuples_1h the range is widened to whole hours, as `answered` says. Throws StoreError. */
export async function tuples(
  store: StoreReader,
  question: RangeQuestion & { readonly limit: number },
  signal: AbortSignal,
): Promise<TuplesAnswer> {
  const { range, filter, scope, ends, limit } = question;
  const raw = range.to - range.from < HOUR_MS || termsBeyond(filter, "tuples").length > 0;
  const where = compileWhere(filter, scope, raw ? "flows" : "tuples", ends);
  const hours: TimeRange = { from: milliseconds(Math.floor(range.from / HOUR_MS) * HOUR_MS), to: range.to };
  const times = raw ? rangeParams(range) : { from: secondsText(hours.from), to: secondsText(hours.to) };
  const rows = await store.rows(
    { sql: withFilter(raw ? RAW_TUPLES_SQL : TUPLES_SQL, where), row: Row },
    { ...times, limit: limit + 1, ...where.params },
    signal,
  );
  return {
    answered: answered(raw ? range : hours, raw ? "flows" : "tuples_1h", rows.length > limit),
    tuples: rows.slice(0, limit),
  };
}
