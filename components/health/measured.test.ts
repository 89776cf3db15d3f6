import { expect, test } from "vitest";
import type { HealthSeries } from "../../model/wire/answers/health.ts";
import { highest, lossesByCpuAndType, riseOf, stepsOf, sumOf } from "./measured.ts";

const at = (step: number): number => 1_000_000 + step * 10_000;

function answer(
  ...series: readonly [node: string, metric: string, label: string, values: readonly (number | null)[]][]
) {
  return {
    answered: { from: at(0), to: at(6), by: "collector_health", truncated: false },
    bucketMs: 10_000,
    series: series.map(([node, metric, label, values]) => ({
      node,
      metric,
      label,
      newest: 0,
      text: "",
      points: values.flatMap((value, i) => (value === null ? [] : [{ at: at(i), value }])),
    })),
  } as unknown as HealthSeries;
}

test("a gap in what was measured stays a gap, and of several nodes the highest or the sum is shown", () => {
  const two = answer(
    ["a", "insert_lag_seconds", "", [1, null, 3, 4, 1, 1]],
    ["b", "insert_lag_seconds", "", [2, null, null, 9, 0, 0]],
  );
  expect(stepsOf(two)).toMatchObject({ stepMs: 10_000, length: 6 });
  expect(highest(two, "insert_lag_seconds")).toEqual([2, null, 3, 9, 1, 1]);
  expect(sumOf(two, "insert_lag_seconds")).toEqual([3, null, 3, 13, 1, 1]);
});

test("a total becomes its rise a second; one that falls began anew", () => {
  const one = answer(["a", "spool_shed_rows_total", "", [100, 100, 150, 20, 20, null]]);
  expect(riseOf(one, "spool_shed_rows_total")).toEqual([null, 0, 5, 2, 0, null]);
});

test("losses come by CPU and type, most first, and one that appears in the range began at nothing", () => {
  const losses = lossesByCpuAndType(
    answer(
      ["a", "lost_events_total", "0/open", [5, 5, 5, 5, 5, 5]],
      ["a", "lost_events_total", "1/drop", [null, null, 40, 40, 90, 90]],
      ["b", "lost_events_total", "65535/alive", [0, 10, 10, 10, 10, 10]],
    ),
  );
  expect(losses.map(({ name, total }) => [name, total])).toEqual([
    ["CPU 1, drop", 90],
    ["no ring, alive", 10],
  ]);
  expect(losses[0]!.values).toEqual([null, null, 4, 0, 5, 0]);
});
