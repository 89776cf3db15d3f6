import { expect, test } from "vitest";
import { dragWindow } from "./scrub.ts";

const LIMITS = { from: 0, to: 100_000 };
const WINDOW = { from: 40_000, to: 60_000 };

test("the whole keeps its length and stops at the ends", () => {
  expect(dragWindow(WINDOW, "whole", 10_000, LIMITS)).toEqual({ from: 50_000, to: 70_000 });
  expect(dragWindow(WINDOW, "whole", -90_000, LIMITS)).toEqual({ from: 0, to: 20_000 });
  expect(dragWindow(WINDOW, "whole", 90_000, LIMITS)).toEqual({ from: 80_000, to: 100_000 });
});

test("a handle stretches and never passes the other", () => {
  expect(dragWindow(WINDOW, "start", -5_000, LIMITS)).toEqual({ from: 35_000, to: 60_000 });
  expect(dragWindow(WINDOW, "end", 90_000, LIMITS)).toEqual({ from: 40_000, to: 100_000 });
  const { from, to } = dragWindow(WINDOW, "start", 50_000, LIMITS);
  expect(from).toBeLessThan(to);
});
