import { milliseconds, type Milliseconds, type TimeRange } from "./time.ts";

/** A range as it stands in a URL or on a command line: `now-15m` … `now`, or ISO times. */
export interface TimeRangeText {
  readonly from: string;
  readonly to: string;
}

export const LAST_15_MINUTES: TimeRangeText = { from: "now-15m", to: "now" };

/** Longer ranges are refused: the store keeps less. */
export const MAX_RANGE_DAYS = 400;

export type RangeAnswer = { readonly range: TimeRange } | { readonly problem: string };

/** The range that a text means at `now`, or one sentence on what is wrong with it. Never throws. */
export function parseTimeRange(text: TimeRangeText, now: Milliseconds): RangeAnswer {
  const from = parseTime(text.from, now);
  if (from === undefined)
    return { problem: `“${text.from}” is no time; expected now, now-15m, now-2h, now-7d or 2026-11-24T14:00:00Z` };
  const to = parseTime(text.to, now);
  if (to === undefined)
    return { problem: `“${text.to}” is no time; expected now, now-15m, now-2h, now-7d or 2026-11-24T14:00:00Z` };
  if (from >= to) return { problem: `the range is backwards: it begins at ${iso(from)} and ends at ${iso(to)}` };
  if (to - from > MAX_RANGE_DAYS * 86_400_000) return { problem: `a range has at most ${MAX_RANGE_DAYS} days` };
  return { range: { from, to } };
}

/** One time: `now`, `now-90s|15m|6h|7d|2w`, milliseconds since 1970, or ISO 8601 (without a zone: UTC). */
export function parseTime(text: string, now: Milliseconds): Milliseconds | undefined {
  const relative = /^now(?:\s*-\s*(\d{1,6})\s*(ms|s|m|h|d|w))?$/.exec(text.trim());
  if (relative !== null)
    return milliseconds(now - (relative[1] === undefined ? 0 : Number(relative[1]) * UNIT_MS[relative[2]!]!));
  if (/^\d{12,14}$/.test(text)) return milliseconds(Number(text));
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(text)) return undefined;
  const zoned = /(Z|[+-]\d{2}:?\d{2})$/.test(text.slice(10)) ? text : `${text.length === 10 ? `${text}T00:00` : text}Z`;
  const at = Date.parse(zoned.replace(" ", "T"));
  return Number.isNaN(at) ? undefined : milliseconds(at);
}

/** A length as on a command line (`15m`, `7d`) in milliseconds, or undefined. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d|w)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * UNIT_MS[match[2]!]!;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Finest step, in seconds, that keeps a range under `buckets` steps; steps are ones that people read (1, 5, 10, 30 s, 1 min …). */
export function bucketSeconds(range: TimeRange, buckets: number): number {
  const wanted = (range.to - range.from) / 1000 / buckets;
  return STEPS.find((step) => step >= wanted) ?? 86_400;
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400] as const;

function iso(at: Milliseconds): string {
  return new Date(at).toISOString();
}
