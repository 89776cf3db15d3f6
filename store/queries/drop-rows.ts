/** Rows of drops for a range, from drops_1m or from raw rows, with the same columns: as edge-rows.ts does for edges. */
import type { TimeRange } from "../../model/time.ts";
import type { Params } from "../reader.ts";
import { rangeParams, secondsText, wholeMinutes, type RangeQuestion } from "./question.ts";
import { compileWhere, termsBeyond, withFilter } from "./where.ts";

const ROLLED_UP = `(
  SELECT minute AS at, reason, location, src_id, dst_id, dst_port, protocol, verdict, node, device, drops, first_seen, last_seen
  FROM drops_1m
  WHERE minute >= {minute_from:DateTime('UTC')} AND minute < {minute_to:DateTime('UTC')} /* filter */
)`;

const RAW = `(
  SELECT toDateTime(ts, 'UTC') AS at, reason, location, src_id, dst_id, dst_port, protocol, verdict, node, device, toUInt64(flows.drops) AS drops, ts AS first_seen, ts AS last_seen
  FROM flows
  WHERE ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')} AND kind = 'drop' /* filter */
)`;

const MARKER = "/* drops */";
const RAW_BELOW_MS = 10 * 60_000;

export interface DropRows {
  readonly sql: string;
  readonly params: Params;
  readonly by: "flows" | "drops_1m";
  readonly range: TimeRange;
}

/** Puts the rows of `question` into `sql` at its marker. `bucketSeconds`: width of the question's time steps, if it has any. */
export function withDropRows(sql: string, question: RangeQuestion, bucketSeconds?: number): DropRows {
  if (!sql.includes(MARKER)) throw new Error("the question's SQL has no marker for drop rows");
  const { range, filter, scope, ends } = question;
  const raw =
    range.to - range.from < RAW_BELOW_MS ||
    (bucketSeconds !== undefined && bucketSeconds < 60) ||
    termsBeyond(filter, "drops").length > 0;
  const bucket: Params = bucketSeconds === undefined ? {} : { bucket: bucketSeconds };
  if (raw) {
    const where = compileWhere(filter, scope, "flows", ends);
    return {
      sql: sql.replaceAll(MARKER, () => withFilter(RAW, where)),
      params: { ...rangeParams(range), ...bucket, ...where.params },
      by: "flows",
      range,
    };
  }
  const where = compileWhere(filter, scope, "drops", ends);
  const whole = wholeMinutes(range);
  const params = { minute_from: secondsText(whole.from), minute_to: secondsText(whole.to), ...bucket, ...where.params };
  return { sql: sql.replaceAll(MARKER, () => withFilter(ROLLED_UP, where)), params, by: "drops_1m", range: whole };
}
