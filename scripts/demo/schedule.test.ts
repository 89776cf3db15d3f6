import { describe, expect, test } from "vitest";
import { WORKLOADS } from "./shop.ts";
import { TRAFFIC } from "./traffic.ts";
import { actionsIn, burstFactor, flapOf, planOf, type Action } from "./schedule.ts";

const REPLICAS = WORKLOADS.flatMap((workload) => workload.replicas.map((replica) => replica.name));
const all = (seed: number, seconds: number): Action[] => {
  const plan = planOf(seed, true);
  return REPLICAS.flatMap((replica) =>
    Array.from({ length: seconds }, (_, second) => actionsIn(plan, replica, second)).flat(),
  );
};
const traffic = (action: Action): string => (action.kind === "lookup" ? "lookup" : action.traffic);

describe("the schedule", () => {
  test("is the same for the same seed and another for another seed", () => {
    expect(all(7, 20)).toEqual(all(7, 20));
    expect(all(7, 20)).not.toEqual(all(8, 20));
  });

  test("does not depend on which second is asked for first", () => {
    const plan = planOf(3, true);
    const late = actionsIn(plan, "ledger-0", 17);
    for (let second = 0; second < 17; second++) actionsIn(plan, "ledger-0", second);
    expect(actionsIn(plan, "ledger-0", 17)).toEqual(late);
  });

  test.each([1, 2, 3, 99, 123456])("has every edge within 30 seconds, for seed %i", (seed) => {
    const seen = new Set(all(seed, 30).map(traffic));
    expect([...seen].toSorted()).toEqual([...TRAFFIC.map((one) => one.id), "lookup"].toSorted());
  });

  test("puts each action into the second it was asked for", () => {
    const plan = planOf(5, true);
    for (const replica of REPLICAS) {
      for (const action of actionsIn(plan, replica, 9)) expect(Math.floor(action.atMs / 1000)).toBe(9);
    }
  });

  test("starts the new edge and ends the gone one when the plan says so", () => {
    const plan = planOf(11, true);
    const of = (id: string) => all(11, 25).filter((action) => traffic(action) === id);
    expect(Math.min(...of("book").map((action) => action.atMs))).toBeGreaterThanOrEqual(plan.newFromSeconds * 1000);
    expect(Math.max(...of("session-cache").map((action) => action.atMs))).toBeLessThan(plan.goneFromSeconds * 1000);
  });

  test("keeps to a pool's size: no slot opens a connection before its last one ended", () => {
    const open = all(4, 40).filter((action) => action.kind === "connect" && action.traffic === "entries");
    const at = (ms: number) =>
      open.filter((action) => action.kind === "connect" && action.atMs <= ms && ms < action.atMs + action.closeAfterMs)
        .length;
    for (let ms = 1000; ms < 35_000; ms += 250) expect(at(ms)).toBeLessThanOrEqual(4);
    expect(at(20_000)).toBeGreaterThanOrEqual(3);
  });

  test("makes bursts of three seconds in every period of a bursty edge and none in a steady one", () => {
    const plan = planOf(2, true);
    const front = TRAFFIC.find((one) => one.id === "front")!;
    const steady = TRAFFIC.find((one) => one.id === "basket")!;
    const seconds = Array.from({ length: 21 }, (_, second) => second);
    expect(seconds.filter((second) => burstFactor(plan, front, second) > 1)).toHaveLength(3);
    expect(seconds.filter((second) => burstFactor(plan, steady, second) > 1)).toHaveLength(0);
  });

  test("lets only one replica of payments flap, within each quarter of a minute", () => {
    const plan = planOf(2, true);
    expect(flapOf(plan, "payments-0", 0)).toBeUndefined();
    const flap = flapOf(plan, "payments-1", 3)!;
    expect(flap.fromMs).toBeGreaterThanOrEqual(45_000);
    expect(flap.toMs).toBeLessThan(60_000);
  });
});
