/**
 * Rows of edges for a range: from the roll-ups where they can answer, from raw rows where a filter asks for more or the buckets are
 * finer than a minute. Both sources give the same columns, so that a question's SQL is written once, with a marker where they go.
 */
import { milliseconds, type TimeRange } from "../../model/time.ts";
import type { Params } from "../reader.ts";
import { rangeParams, secondsText, wholeMinutes, type RangeQuestion } from "./question.ts";
import { compileWhere, termsBeyond, withFilter } from "./where.ts";

/** Whole hours in the middle, minutes at the ragged ends (or minutes only: hour_from = hour_to). */
const ROLLED_UP = `(
  SELECT
    hour AS at, src_id, dst_id, dst_port, protocol, verdict, reason, reports, opened, closed, failed, drops,
    bytes_to_server, bytes_to_client, packets_to_server, packets_to_client, retransmits, rtt, connect, first_seen, last_seen
  FROM edges_1h
  WHERE hour >= {hour_from:DateTime('UTC')} AND hour < {hour_to:DateTime('UTC')} /* filter */
  UNION ALL
  SELECT
    minute AS at, src_id, dst_id, dst_port, protocol, verdict, reason, reports, opened, closed, failed, drops,
    bytes_to_server, bytes_to_client, packets_to_server, packets_to_client, retransmits, rtt, connect, first_seen, last_seen
  FROM edges_1m
  WHERE minute >= {minute_from:DateTime('UTC')} AND minute < {minute_to:DateTime('UTC')}
    AND (minute < {hour_from:DateTime('UTC')} OR minute >= {hour_to:DateTime('UTC')}) /* filter */
)`;

/** The view of 0002_edges.sql over the rows of the range, in buckets of the question's own. */
const RAW = `(
  SELECT
    toStartOfInterval(toDateTime(ts, 'UTC'), INTERVAL {bucket:UInt32} SECOND) AS at,
    src_id, dst_id, dst_port, protocol, verdict, reason,
    count() AS reports,
    sumIf(toUInt64(flows.opened), counted = 1) AS opened,
    sumIf(toUInt64(flows.closed), counted = 1) AS closed,
    sumIf(toUInt64(flows.failed), counted = 1) AS failed,
    sum(toUInt64(flows.drops)) AS drops,
    sumIf(flows.bytes_to_server, counted = 1) AS bytes_to_server,
    sumIf(flows.bytes_to_client, counted = 1) AS bytes_to_client,
    sumIf(flows.packets_to_server, counted = 1) AS packets_to_server,
    sumIf(flows.packets_to_client, counted = 1) AS packets_to_client,
    sum(toUInt64(flows.retransmits)) AS retransmits,
    quantilesDDStateIf(0.01, 0.5, 0.95, 0.99)(rtt_us, counted = 1 AND rtt_us > 0) AS rtt,
    quantilesDDStateIf(0.01, 0.5, 0.95, 0.99)(connect_us, counted = 1 AND connect_us > 0) AS connect,
    min(ts) AS first_seen,
    max(ts) AS last_seen
  FROM flows
  WHERE ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')} /* filter */
  GROUP BY at, src_id, dst_id, dst_port, protocol, verdict, reason
)`;

const MARKER = "/* edges */";

/** Below this, a range of whole minutes would be too coarse: raw rows answer to the millisecond. */
const RAW_BELOW_MS = 10 * 60_000;
/** From here on whole hours are taken from edges_1h, where the question's buckets allow it. */
const HOURS_FROM_MS = 3 * 3_600_000;

export interface EdgeRows {
  /** The question's SQL with the rows in place. */
  readonly sql: string;
  readonly params: Params;
  readonly by: "flows" | "edges_1m" | "edges_1h";
  /** The range that is really answered: whole minutes from roll-ups. */
  readonly range: TimeRange;
}

/** Puts the rows of `question` into `sql` at its marker. `bucketSeconds`: width of the question's time steps, or undefined for one sum. */
export function withEdgeRows(sql: string, question: RangeQuestion, bucketSeconds?: number, forceRaw = false): EdgeRows {
  if (!sql.includes(MARKER)) throw new Error("the question's SQL has no marker for edge rows");
  const { range, filter, scope, ends } = question;
  const length = range.to - range.from;
  const raw =
    forceRaw ||
    length < RAW_BELOW_MS ||
    (bucketSeconds !== undefined && bucketSeconds < 60) ||
    termsBeyond(filter, "edges").length > 0;
  if (raw) {
    const where = compileWhere(filter, scope, "flows", ends);
    const bucket = bucketSeconds ?? 86_400 * 400; // one step for all
    return {
      sql: sql.replaceAll(MARKER, () => withFilter(RAW, where)),
      params: { ...rangeParams(range), bucket, ...where.params },
      by: "flows",
      range,
    };
  }
  const where = compileWhere(filter, scope, "edges", ends);
  const whole = wholeMinutes(range);
  const hours = length >= HOURS_FROM_MS && (bucketSeconds === undefined || bucketSeconds % 3600 === 0);
  const params = {
    ...rollUpParams(whole, hours),
    ...(bucketSeconds !== undefined && { bucket: bucketSeconds }),
    ...where.params,
  };
  return {
    sql: sql.replaceAll(MARKER, () => withFilter(ROLLED_UP, where)),
    params,
    by: hours ? "edges_1h" : "edges_1m",
    range: whole,
  };
}

function rollUpParams(range: TimeRange, hours: boolean): Params {
  const hour = 3_600_000;
  const from = hours ? Math.ceil(range.from / hour) * hour : range.from;
  const to = hours ? Math.max(from, Math.floor(range.to / hour) * hour) : range.from;
  return {
    minute_from: secondsText(range.from),
    minute_to: secondsText(range.to),
    hour_from: secondsText(from),
    hour_to: secondsText(to),
  };
}

/** The same question over the time before its range, `times` its length: what "new" and "gone" compare with. */
export function contextBefore(question: RangeQuestion, times: number): RangeQuestion {
  const { from, to } = question.range;
  return { ...question, range: { from: milliseconds(from - (to - from) * times), to: from } };
}
