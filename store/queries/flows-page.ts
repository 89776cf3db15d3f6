/** Single rows, newest first, a page at a time. Answered by flows. Paging is by key (time, row id), so that new rows shift nothing. */
import { WeirError } from "../../model/errors.ts";
import { milliseconds, type TimeRange } from "../../model/time.ts";
import type { Flow } from "../../model/flow.ts";
import type { FlowsPage } from "../../model/wire/answers/flows.ts";
import type { StoreReader } from "../reader.ts";
import { FLOW_SELECT, FlowRow } from "./flow-row.ts";
import { answered, IN_RANGE, rangeParams, type RangeQuestion } from "./question.ts";
import { compileWhere, withFilter, type Conditions } from "./where.ts";

export const FLOWS_PAGE_SQL = `
SELECT ${FLOW_SELECT}
FROM flows
WHERE ${IN_RANGE}/* before */ /* filter */
ORDER BY ts DESC, row_id DESC
LIMIT {limit:UInt32}`;

/** Only where a page follows another: to compare row ids makes the engine read more. */
const BEFORE = `
  AND (ts < {before_ts:DateTime64(9, 'UTC')} OR (ts = {before_ts:DateTime64(9, 'UTC')} AND row_id < {before_row:String}))`;

export interface FlowsQuestion extends RangeQuestion {
  /** Rows of a page, 1–1,000. */
  readonly limit: number;
  /** `next` of the page before, or undefined for the newest rows. */
  readonly before?: string | undefined;
  /** Only reports of packets that a kernel discarded: examples for the drops page. */
  readonly dropsOnly?: boolean;
}

/** First look at so much of the end of the range; grows tenfold until the page is full. Most pages end in the first step. */
const FIRST_STEP_MS = 60_000;

/** A page of at most `limit` rows. Throws StoreError, WeirError on a malformed `before`. */
export async function flowsPage(store: StoreReader, question: FlowsQuestion, signal: AbortSignal): Promise<FlowsPage> {
  const { range, filter, scope, ends, limit } = question;
  const own = compileWhere(filter, scope, "flows", ends);
  const where: Conditions =
    question.dropsOnly === true ? { sql: `${own.sql} AND kind = 'drop'`, params: own.params } : own;
  const cursor = question.before === undefined ? undefined : parseCursor(question.before);
  const sql = withFilter(FLOWS_PAGE_SQL.replace("/* before */", cursor === undefined ? "" : BEFORE), where);
  const flows: Flow[] = [];
  let end = Math.min(range.to, cursor?.at ?? range.to);
  for (let step = FIRST_STEP_MS; end > range.from && flows.length <= limit; step *= 10) {
    const part: TimeRange = { from: milliseconds(Math.max(range.from, end - step)), to: milliseconds(end) };
    const params = {
      ...rangeParams(part),
      ...(cursor !== undefined && { before_ts: cursor.ts, before_row: cursor.row }),
      limit: limit + 1 - flows.length,
      ...where.params,
    };
    flows.push(...(await store.rows({ sql, row: FlowRow }, params, signal)));
    end = part.from;
  }
  const page = flows.slice(0, limit);
  const last = page.at(-1);
  const more = flows.length > limit && last !== undefined;
  return { answered: answered(range, "flows", more), flows: page, next: more ? `${last.time}~${last.rowId}` : null };
}

function parseCursor(text: string): { ts: string; row: string; at: number } {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{9})Z~([^~]{1,400})$/.exec(text);
  const at = match === null ? Number.NaN : Date.parse(`${match[1]!.slice(0, 23)}Z`);
  if (match === null || Number.isNaN(at))
    throw new WeirError({
      code: "bad-cursor",
      where: "before",
      what: "this is no place in a list of flows",
      expected: "the `next` of a page before",
    });
  return { ts: match[1]!.replace("T", " "), row: match[2]!, at: at + 1 };
}
