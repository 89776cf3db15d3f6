/** What every question has in common: a range, a filter, a scope; and how times go to the store and come back. */
import { z } from "zod";
import type { Filter } from "../../model/filter/ast.ts";
import { bucketSeconds } from "../../model/time-range.ts";
import { clickhouseTime, milliseconds, type Milliseconds, type TimeRange } from "../../model/time.ts";
import type { Answered } from "../../model/wire/answers/parts.ts";
import type { Params } from "../reader.ts";
import type { Ends, Scope } from "./where.ts";

export interface RangeQuestion {
  readonly range: TimeRange;
  readonly filter: Filter;
  readonly scope: Scope;
  readonly ends?: Ends;
}

/** `from` and `to` as DateTime64(3) parameters. */
export function rangeParams(range: TimeRange): Params {
  return { from: clickhouseTime(range.from), to: clickhouseTime(range.to) };
}

/**
 * Rows of `flows` in the range of `rangeParams`. `ts` is also the last part of the sort key, so the engine does not see by itself that a
 * range of it is a range of slots, the key's first part: without the hint a question reads every slot of the day.
 */
export const IN_RANGE = `ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')}
  AND indexHint(toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({from:DateTime64(3, 'UTC')}) AND toStartOfFiveMinutes(ts) <= toStartOfFiveMinutes({to:DateTime64(3, 'UTC')}))`;

/** The whole minutes that a range touches: what a roll-up can answer. The end is not put beyond now. */
export function wholeMinutes(range: TimeRange, now: number = Date.now()): TimeRange {
  const minute = 60_000;
  const to = Math.ceil(range.to / minute) * minute;
  return {
    from: milliseconds(Math.floor(range.from / minute) * minute),
    to: milliseconds(Math.max(range.to, Math.min(to, now))),
  };
}

/** Longest range for which time steps below a minute are worth reading raw rows. */
const FINE_STEPS_MS = 15 * 60_000;

/** Width of time steps, seconds: at most `buckets` of them, and whole minutes, which the roll-ups can answer, for all but short ranges. */
export function stepSeconds(range: TimeRange, buckets: number): number {
  const step = bucketSeconds(range, buckets);
  return range.to - range.from > FINE_STEPS_MS ? Math.max(60, step) : step;
}

/** Seconds as a DateTime parameter, rounded up to whole ones. */
export function secondsText(at: number): string {
  return clickhouseTime(milliseconds(Math.ceil(at / 1000) * 1000)).slice(0, 19);
}

export function answered(range: TimeRange, by: Answered["by"], truncated: boolean): Answered {
  return { from: range.from, to: range.to, by, truncated };
}

/** Counts: UInt64 may come as text, by setting. */
export const count = z.coerce.number();
/** Milliseconds from `toUnixTimestamp64Milli(…)`. */
export const ms = z.coerce.number().transform((value): Milliseconds => milliseconds(value));
/** [p50, p95, p99] of quantilesDDMerge; of nothing it is nan, which comes as null. */
export const latencyRow = z
  .array(z.number().nullable())
  .length(3)
  .transform(([p50, p95, p99]) => ({ p50: rounded(p50), p95: rounded(p95), p99: rounded(p99) }));

function rounded(value: number | null | undefined): number | null {
  return value === null || value === undefined ? null : Math.round(value);
}
