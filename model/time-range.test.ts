import { describe, expect, it } from "vitest";
import { bucketSeconds, parseTime, parseTimeRange } from "./time-range.ts";
import { milliseconds } from "./time.ts";

const NOW = milliseconds(Date.UTC(2026, 10, 24, 12));

describe("time ranges", () => {
  it.each([
    ["now", 0],
    ["now-15m", 900_000],
    ["now - 2h", 7_200_000],
    ["2026-11-24T11:00:00Z", 3_600_000],
    ["2026-11-24T13:00:00+02:00", 3_600_000],
    ["2026-11-24 11:00", 3_600_000],
    ["2026-11-24", 43_200_000],
  ])("reads %s", (text, before) => {
    expect(parseTime(text, NOW)).toBe(NOW - before);
  });

  it.each(["", "yesterday", "now+5m", "now-5y", "2026-13-01", "1e9", "NaN", "now-99999999999m"])(
    "refuses “%s”",
    (text) => {
      expect(parseTime(text, NOW)).toBeUndefined();
    },
  );

  it("says that a range is backwards", () => {
    expect(parseTimeRange({ from: "now", to: "now-1h" }, NOW)).toEqual({
      problem: expect.stringContaining("backwards"),
    });
  });

  it("keeps charts under the wanted number of steps", () => {
    expect(bucketSeconds({ from: milliseconds(0), to: milliseconds(900_000) }, 180)).toBe(5);
  });
});
