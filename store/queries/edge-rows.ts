/**
 * Rows of edges for a range: from the roll-ups where they can answer, from raw rows where a filter asks for more or the buckets are
 * finer than a minute. All sources give the same columns, so that a question's SQL is written once, with a marker where they go.
 *
 *   raw │ minutes │ five minutes │      hours      │ five minutes │ minutes │ raw
 *
 * Each source answers the widest stretch that its steps fit, those beside it the ragged ends. Raw ends only where sums must be exact.
 */
import { clickhouseTime, milliseconds, type TimeRange } from "../../model/time.ts";
import type { Params } from "../reader.ts";
import { secondsText, wholeMinutes, type RangeQuestion } from "./question.ts";
import { compileWhere, termsBeyond, withFilter } from "./where.ts";

const COLUMNS = `src_id, dst_id, dst_port, protocol, verdict, reason, reports, opened, closed, failed, drops,
    bytes_to_server, bytes_to_client, packets_to_server, packets_to_client, retransmits, rtt, connect, first_seen, last_seen`;

const HOURS = `
  SELECT hour AS at, ${COLUMNS}
  FROM edges_1h
  WHERE hour >= {hour_from:DateTime('UTC')} AND hour < {hour_to:DateTime('UTC')} /* filter */`;

/** A store that is older than edges_5m has its earlier time in the minutes only (0008_five_minutes.sql). */
const BEGINS = `(SELECT max(begins) FROM roll_ups WHERE roll_up = 'edges_5m')`;

const FIVE_MINUTES = `
  SELECT slot AS at, ${COLUMNS}
  FROM edges_5m
  WHERE slot >= {five_from:DateTime('UTC')} AND slot < {five_to:DateTime('UTC')} AND slot >= ${BEGINS}
    AND (slot < {hour_from:DateTime('UTC')} OR slot >= {hour_to:DateTime('UTC')}) /* filter */`;

const MINUTES = `
  SELECT minute AS at, ${COLUMNS}
  FROM edges_1m
  WHERE minute >= {minute_from:DateTime('UTC')} AND minute < {minute_to:DateTime('UTC')}
    AND (minute < {hour_from:DateTime('UTC')} OR minute >= {hour_to:DateTime('UTC')})
    AND (minute < {five_from:DateTime('UTC')} OR minute >= {five_to:DateTime('UTC')} OR minute < ${BEGINS}) /* filter */`;

/** Rows of up to two stretches of time. The hints are those of IN_RANGE. */
const RAW_FROM = `
  FROM flows
  WHERE (ts >= {head_from:DateTime64(3, 'UTC')} AND ts < {head_to:DateTime64(3, 'UTC')} OR ts >= {tail_from:DateTime64(3, 'UTC')} AND ts < {tail_to:DateTime64(3, 'UTC')})
    AND indexHint(
      toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({head_from:DateTime64(3, 'UTC')}) AND toStartOfFiveMinutes(ts) <= toStartOfFiveMinutes({head_to:DateTime64(3, 'UTC')})
      OR toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({tail_from:DateTime64(3, 'UTC')}) AND toStartOfFiveMinutes(ts) <= toStartOfFiveMinutes({tail_to:DateTime64(3, 'UTC')})) /* filter */`;

/** The view of 0002_edges.sql, in buckets of the question's own. */
const RAW = `
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
    max(ts) AS last_seen${RAW_FROM}
  GROUP BY at, src_id, dst_id, dst_port, protocol, verdict, reason`;

/** The same numbers row by row, for a question that only adds them up: no edges are told apart that it does not ask for. */
const RAW_SINGLE = `
  SELECT
    toStartOfInterval(toDateTime(ts, 'UTC'), INTERVAL {bucket:UInt32} SECOND) AS at,
    toUInt64(if(counted = 1, flows.opened, 0)) AS opened,
    toUInt64(if(counted = 1, flows.failed, 0)) AS failed,
    toUInt64(flows.drops) AS drops,
    if(counted = 1, flows.bytes_to_server, 0) AS bytes_to_server,
    if(counted = 1, flows.bytes_to_client, 0) AS bytes_to_client${RAW_FROM}`;

const MARKER = "/* edges */";

const MINUTE = 60_000;
const FIVE = 300_000;
const HOUR = 3_600_000;
/** Below this, a range of whole minutes would be too coarse: raw rows at its ends make the answer exact to the millisecond. */
const EXACT_BELOW_MS = 3 * MINUTE;
/** From here on whole hours are taken from edges_1h, where the question's buckets allow it. */
const HOURS_FROM_MS = 3 * HOUR;

export interface EdgeRows {
  /** The question's SQL with the rows in place. */
  readonly sql: string;
  readonly params: Params;
  /** The coarsest table of those that answer. */
  readonly by: "flows" | "edges_1m" | "edges_1h";
  /** The range that is really answered: whole minutes from roll-ups, unless the answer is exact. */
  readonly range: TimeRange;
}

export interface EdgeRowsOptions {
  /** Width of the question's time steps, seconds; undefined for one sum. */
  readonly bucketSeconds?: number | undefined;
  /** True: exact to the millisecond for ranges of any length. */
  readonly exact?: boolean;
  /** True: the question adds up connections, failures, drops and bytes, and takes no other column. */
  readonly sumsOnly?: boolean;
}

/** Puts the rows of `question` into `sql` at its marker. */
export function withEdgeRows(sql: string, question: RangeQuestion, options: EdgeRowsOptions = {}): EdgeRows {
  if (!sql.includes(MARKER)) throw new Error("the question's SQL has no marker for edge rows");
  const { bucketSeconds } = options;
  const { range, filter, scope, ends } = question;
  const rolledUp = (bucketSeconds ?? 60) % 60 === 0 && termsBeyond(filter, "edges").length === 0;
  const exact = options.exact === true || range.to - range.from < EXACT_BELOW_MS;
  const { head, whole, fives, hours, tail } = rolledUp ? divided(range, exact, bucketSeconds) : undivided(range);
  const parts: string[] = [];
  let params: Params = { bucket: bucketSeconds ?? 400 * 86_400 }; // one step for all
  if (lasts(whole)) {
    const where = compileWhere(filter, scope, "edges", ends);
    const sources = [...(lasts(hours) ? [HOURS] : []), ...(lasts(fives) ? [FIVE_MINUTES] : []), MINUTES];
    parts.push(...sources.map((source) => withFilter(source, where)));
    params = {
      ...params,
      ...bounds("minute", whole),
      ...bounds("five", fives),
      ...bounds("hour", hours),
      ...where.params,
    };
  }
  if (lasts(head) || lasts(tail)) {
    const where = compileWhere(filter, scope, "flows", ends, "r");
    const raw = options.sumsOnly === true && !lasts(whole) ? RAW_SINGLE : RAW;
    parts.push(withFilter(raw, where));
    const [first, last] = [lasts(head) ? head : tail, lasts(tail) ? tail : head];
    params = { ...params, ...preciseBounds("head", first), ...preciseBounds("tail", last), ...where.params };
  }
  return {
    sql: sql.replaceAll(MARKER, () => `(${parts.join("\n  UNION ALL")}\n)`),
    params,
    by: !lasts(whole) ? "flows" : lasts(hours) ? "edges_1h" : "edges_1m",
    range: !rolledUp || exact ? range : whole,
  };
}

interface Stretches {
  readonly head: TimeRange;
  /** What roll-ups answer; the minutes those parts of it that are in neither of the next two. */
  readonly whole: TimeRange;
  readonly fives: TimeRange;
  readonly hours: TimeRange;
  readonly tail: TimeRange;
}

function undivided(range: TimeRange): Stretches {
  const none = { from: range.to, to: range.to };
  return { head: range, whole: none, fives: none, hours: none, tail: none };
}

function divided(range: TimeRange, exact: boolean, bucketSeconds: number | undefined): Stretches {
  const whole = exact ? inside(range, MINUTE) : wholeMinutes(range);
  if (!lasts(whole)) return undivided(range);
  const fits = (step: number) => bucketSeconds === undefined || (bucketSeconds * 1000) % step === 0;
  const none = { from: whole.from, to: whole.from };
  return {
    head: exact ? { from: range.from, to: whole.from } : none,
    whole,
    fives: fits(FIVE) ? inside(whole, FIVE) : none,
    hours: fits(HOUR) && range.to - range.from >= HOURS_FROM_MS ? inside(whole, HOUR) : none,
    tail: exact ? { from: whole.to, to: range.to } : none,
  };
}

/** The whole steps in a range; an empty range when there is none. */
function inside({ from, to }: TimeRange, step: number): TimeRange {
  const first = Math.ceil(from / step) * step;
  return { from: milliseconds(first), to: milliseconds(Math.max(first, Math.floor(to / step) * step)) };
}

function lasts(range: TimeRange): boolean {
  return range.to > range.from;
}

function bounds(name: string, range: TimeRange): Params {
  return { [`${name}_from`]: secondsText(range.from), [`${name}_to`]: secondsText(range.to) };
}

function preciseBounds(name: string, range: TimeRange): Params {
  return { [`${name}_from`]: clickhouseTime(range.from), [`${name}_to`]: clickhouseTime(range.to) };
}

/** The same question over the time before its range, `times` its length: what "new" and "gone" compare with. */
export function contextBefore(question: RangeQuestion, times: number): RangeQuestion {
  const { from, to } = question.range;
  return { ...question, range: { from: milliseconds(from - (to - from) * times), to: from } };
}
