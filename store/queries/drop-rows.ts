/** Rows of drops for a range, from drops_1m or from raw rows, with the same columns: as edge-rows.ts does for edges. */
import type { TimeRange } from "../../model/time.ts";
import type { Params } from "../reader.ts";
import { IN_RANGE, rangeParams, secondsText, wholeMinutes, type RangeQuestion } from "./question.ts";
import { compileWhere, termsBeyond, withFilter } from "./where.ts";

const ROLLED_UP = `(
  SELECT minute AS at, reason, location, src_id, dst_id, dst_port, protocol, verdict, node, device, hook, passage, toward, drops, first_seen, last_seen
  FROM drops_1m
  WHERE minute >= {minute_from:DateTime('UTC')} AND minute < {minute_to:DateTime('UTC')}
    AND NOT has({hidden:Array(String)}, concat(reason, ' ', location, ' ', toString(protocol))) /* filter */
)`;

const RAW = `(
  SELECT toDateTime(ts, 'UTC') AS at, reason, location, src_id, dst_id, dst_port, protocol, verdict, node, device, hook, passage, toward, toUInt64(flows.drops) AS drops, ts AS first_seen, ts AS last_seen
  FROM flows
  WHERE ${IN_RANGE} AND kind = 'drop'
    AND NOT has({hidden:Array(String)}, concat(reason, ' ', location, ' ', toString(protocol))) /* filter */
)`;

const MARKER = "/* drops */";
const RAW_BELOW_MS = 10 * 60_000;

/** A question about drops. */
export interface DropQuestion extends RangeQuestion {
  /** Keys of `dropKindKey` that are left out: what is normal and not asked for. */
  readonly hidden?: readonly string[];
  /** Answer to the millisecond from raw rows, so that sums fit a chart whose steps are finer than a minute. */
  readonly exact?: boolean;
}

/** What tells one kind of drop from another when it is judged as normal. */
export function dropKindKey(reason: string, location: string, protocol: number): string {
  return `${reason} ${location} ${protocol}`;
}

export interface DropRows {
  readonly sql: string;
  readonly params: Params;
  readonly by: "flows" | "drops_1m";
  readonly range: TimeRange;
}

/** Puts the rows of `question` into `sql` at its marker. `bucketSeconds`: width of the question's time steps, if it has any. */
export function withDropRows(sql: string, question: DropQuestion, bucketSeconds?: number): DropRows {
  if (!sql.includes(MARKER)) throw new Error("the question's SQL has no marker for drop rows");
  const { range, filter, scope, ends } = question;
  const raw =
    question.exact === true ||
    range.to - range.from < RAW_BELOW_MS ||
    (bucketSeconds !== undefined && bucketSeconds < 60) ||
    termsBeyond(filter, "drops").length > 0;
  const hidden = question.hidden ?? [];
  const bucket: Params = bucketSeconds === undefined ? { hidden } : { bucket: bucketSeconds, hidden };
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
