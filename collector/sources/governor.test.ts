import { expect, test } from "vitest";
import { Governor } from "./governor.ts";

/** A collector whose CPU is `idle` plus what the kept share of `offered` events costs. */
function driven(limit: number) {
  const shares: number[] = [];
  let nowMs = 0;
  let cpuSeconds = 0;
  let lost = 0;
  const governor = new Governor(limit, { nowMs, cpuSeconds, lost }, (share) => shares.push(share));
  const run = (seconds: number, coresAtAll: number, lostPerTick = 0) => {
    for (let i = 0; i < seconds * 2; i++) {
      nowMs += 500;
      cpuSeconds += 0.5 * (0.03 + coresAtAll * governor.share);
      lost += lostPerTick;
      governor.tick({ nowMs, cpuSeconds, lost });
    }
  };
  return { governor, shares, run };
}

test("under the limit nothing is left out, and a hot start is no reason either", () => {
  const { shares, run } = driven(0.5);
  run(4, 2);
  run(60, 0.4);
  expect(shares).toEqual([]);
});

test("over the limit it keeps what fits, holds there, and keeps all again when the load is gone", () => {
  const { governor, run } = driven(0.5);
  run(10, 0.1);
  run(30, 4);
  expect(governor.cores).toBeLessThan(0.55);
  expect(governor.cores).toBeGreaterThan(0.3);
  expect(governor.share).toBeLessThan(0.15);
  run(60, 0.2);
  expect(governor.share).toBe(1);
});

test("rings that go on overflowing are relieved, one overflow is not", () => {
  const { governor, run } = driven(4);
  run(10, 0.5);
  run(0.5, 0.5, 100);
  run(5, 0.5);
  expect(governor.share).toBe(1);
  run(3, 0.5, 100);
  expect(governor.share).toBeLessThan(0.3);
});

test("a limit below what an idle collector needs leaves a little in", () => {
  const { governor, run } = driven(0.01);
  run(120, 1);
  expect(governor.share).toBeGreaterThan(0.0002);
});
