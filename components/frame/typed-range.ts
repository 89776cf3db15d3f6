import { milliseconds, type Milliseconds } from "../../model/time.ts";
import { parseDuration, parseTime, parseTimeRange, type TimeRangeText } from "../../model/time-range.ts";

/**
 * What a person types for a range, in the browser's own zone: `6h`, `last 15 min`, `now-2h to now-1h`, `14:00`,
 * `Tue 14:00 – 14:30`, `2026-11-24 14:00 – 15:00`, two ISO times. Absolute ends become ISO times, for the URL.
 */
export type TypedRange = { readonly range: TimeRangeText } | { readonly problem: string };

const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** The range that `typed` means at `now`, or one sentence on what is wrong with it. */
export function readTypedRange(typed: string, now: number): TypedRange {
  const text = typed.trim().replaceAll(/now\s*-\s*(?=\d)/gi, "now-");
  if (text === "") return { problem: "type a range: now-6h, or Tue 14:00 – 14:30" };
  const length = lengthOf(text);
  if (length !== undefined) return checked({ from: `now-${length}`, to: "now" }, now);
  const ends = text.split(/\s+to\s+|\s*[–—]\s*|\s+-\s+|\s*\/\s*|\.\./i);
  if (ends.length > 2) return { problem: "a range has two ends: from – to" };
  const from = readTime(ends[0]!, now);
  if (from === undefined)
    return { problem: `“${ends[0]}” is no time; now-6h, 14:00, Tue 14:00 and 2026-11-24 14:00 are` };
  if (ends[1] === undefined) return checked({ from: written(ends[0]!, from), to: "now" }, now);
  const to = clockOnDayOf(from, ends[1]) ?? readTime(ends[1], now);
  if (to === undefined) return { problem: `“${ends[1]}” is no time; now, 14:30 and 2026-11-24 14:30 are` };
  return checked({ from: written(ends[0]!, from), to: written(ends[1], to) }, now);
}

function checked(range: TimeRangeText, now: number): TypedRange {
  const answer = parseTimeRange(range, milliseconds(now));
  return "problem" in answer ? answer : { range };
}

/** `6h`, `15 min`, `last 2 days` as the URL writes it: `6h`, `15m`, `2d`. */
function lengthOf(text: string): string | undefined {
  const found = /^(?:last\s+)?(\d{1,6})\s*(s|m|h|d|w)(?:ec|econd|in|inute|our|ay|eek)?s?$/i.exec(text);
  if (found === null) return undefined;
  const length = `${found[1]}${found[2]!.toLowerCase()}`;
  return parseDuration(length) === undefined ? undefined : length;
}

function written(text: string, at: Milliseconds): string {
  const plain = text.trim().toLowerCase();
  return plain.startsWith("now") ? plain.replaceAll(/\s/g, "") : new Date(at).toISOString();
}

function readTime(text: string, now: number): Milliseconds | undefined {
  const plain = text.trim().toLowerCase();
  return (
    readClock(plain, now) ??
    readLocalDate(plain) ??
    parseTime(
      plain
        .toUpperCase()
        .replace(/NOW/, "now")
        .replace(/(\d)([SMHDW])$/, lower),
      milliseconds(now),
    )
  );
}

function lower(_whole: string, digit: string, unit: string): string {
  return digit + unit.toLowerCase();
}

/** `14:00`, `tue 14:00`, `yesterday 14:00`: the newest such time that is not after `now`. */
function readClock(text: string, now: number): Milliseconds | undefined {
  const found = /^(?:(sun|mon|tue|wed|thu|fri|sat|today|yesterday)[a-z]*\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(
    text,
  );
  if (found === null || !isClock(found[2]!, found[3]!, found[4])) return undefined;
  const at = new Date(now);
  at.setHours(Number(found[2]), Number(found[3]), Number(found[4] ?? 0), 0);
  const day = found[1];
  if (day === "yesterday") at.setDate(at.getDate() - 1);
  const weekday = day === undefined ? -1 : WEEKDAYS.indexOf(day);
  if (weekday >= 0) at.setDate(at.getDate() - ((at.getDay() - weekday + 7) % 7));
  if (at.getTime() > now && day !== "today") at.setDate(at.getDate() - (weekday >= 0 ? 7 : 1));
  return milliseconds(at.getTime());
}

/** A date or date with time that names no zone is the browser's: `2026-11-24 14:00`. */
function readLocalDate(text: string): Milliseconds | undefined {
  const found = /^(\d{4}-\d{2}-\d{2})(?:[t ](\d{2}:\d{2}(?::\d{2})?))?$/.exec(text);
  if (found === null) return undefined;
  const at = Date.parse(`${found[1]}T${found[2] ?? "00:00"}`);
  return Number.isNaN(at) ? undefined : milliseconds(at);
}

/** `14:30` on the day of `from`; the day after when that would be before it. */
function clockOnDayOf(from: number, text: string): Milliseconds | undefined {
  const found = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text.trim());
  if (found === null || !isClock(found[1]!, found[2]!, found[3])) return undefined;
  const at = new Date(from);
  at.setHours(Number(found[1]), Number(found[2]), Number(found[3] ?? 0), 0);
  if (at.getTime() <= from) at.setDate(at.getDate() + 1);
  return milliseconds(at.getTime());
}

function isClock(hour: string, minute: string, second: string | undefined): boolean {
  return Number(hour) < 24 && Number(minute) < 60 && Number(second ?? 0) < 60;
}
