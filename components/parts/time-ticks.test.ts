import { scaleTime } from "d3";
import { expect, test } from "vitest";
import { timeTicks } from "./time-ticks.ts";

const MINUTE = 60_000;
const FROM = Date.UTC(2026, 10, 17, 14, 2, 20);

const textsOf = (lengthMs: number, width: number): string[] =>
  timeTicks(scaleTime([FROM, FROM + lengthMs], [0, width]), width).map((tick) => tick.text);

test("times of an axis differ from each other, are apart, and none is cut off, whatever the range and the width", () => {
  for (const minutes of [0.5, 1, 5, 7, 15, 60, 180, 6 * 60, 24 * 60, 3 * 1440, 14 * 1440, 90 * 1440]) {
    for (const width of [150, 340, 620, 1000, 1400]) {
      const length = minutes * MINUTE;
      const x = scaleTime([FROM, FROM + length], [0, width]);
      const ticks = timeTicks(x, width);
      const where = `${minutes} min on ${width} px: ${ticks.map((tick) => tick.text).join(" ")}`;
      const days = ticks.filter((tick) => /[a-z]/i.test(tick.text));
      expect(new Set(days.map((tick) => tick.text)).size, where).toBe(days.length);
      let end = 0;
      for (const [i, { at, text }] of ticks.entries()) {
        expect(text, where).not.toBe(ticks[i - 1]?.text);
        const half = text.length * 3;
        expect(x(new Date(at)) - half, where).toBeGreaterThanOrEqual(end);
        end = x(new Date(at)) + half;
      }
      expect(end, where).toBeLessThanOrEqual(width);
    }
  }
});

test("half minutes have their seconds, a small chart has more than one time", () => {
  expect(textsOf(5 * MINUTE, 1000).every((text) => /^\d\d:\d\d:(00|30)$/.test(text))).toBe(true);
  expect(textsOf(5 * MINUTE, 130).length).toBe(2);
});
