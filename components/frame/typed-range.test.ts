import { expect, test } from "vitest";
import { readTypedRange } from "./typed-range.ts";

/** A Tuesday, 14:17 in whatever zone the test runs. */
const NOW = new Date(2026, 10, 24, 14, 17, 0).getTime();
const local = (day: number, hour: number, minute = 0): string => new Date(2026, 10, day, hour, minute).toISOString();

test.each([
  ["6h", "now-6h", "now"],
  ["last 15 min", "now-15m", "now"],
  ["Last 2 days", "now-2d", "now"],
  ["now-6h", "now-6h", "now"],
  ["now-2h to now-1h", "now-2h", "now-1h"],
  ["now - 90m – now", "now-90m", "now"],
  ["14:00", local(24, 14), "now"],
  ["16:00 – 16:30", local(23, 16), local(23, 16, 30)],
  ["Tue 14:00 – 14:30", local(24, 14), local(24, 14, 30)],
  ["Mon 23:30 – 00:15", local(23, 23, 30), local(24, 0, 15)],
  ["yesterday 9:05 to now", local(23, 9, 5), "now"],
  ["2026-11-20 14:00 – 15:00", local(20, 14), local(20, 15)],
  ["2026-11-20T14:00:00Z / 2026-11-20T15:00:00Z", "2026-11-20T14:00:00.000Z", "2026-11-20T15:00:00.000Z"],
])("%s is read as %s until %s", (typed, from, to) => {
  expect(readTypedRange(typed, NOW)).toEqual({ range: { from, to } });
});

test.each([
  ["", "type a range"],
  ["soon", "is no time"],
  ["25:00 – 26:00", "is no time"],
  ["now-1h to now-2h", "backwards"],
  ["1 to 2 to 3", "two ends"],
  ["14:00 – later", "“later” is no time"],
])("“%s” is refused with words", (typed, words) => {
  expect(readTypedRange(typed, NOW)).toEqual({ problem: expect.stringContaining(words) });
});
