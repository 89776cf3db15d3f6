import type { HealthSeries } from "../../model/wire/answers/health.ts";

type Stored = HealthSeries["series"][number];
type Values = readonly (number | null)[];

/** Steps of an answer as positions in arrays: from `from`, `stepMs` apart. */
export interface Steps {
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
  readonly length: number;
}

export function stepsOf({ answered, bucketMs }: HealthSeries): Steps {
  const start = Math.floor(answered.from / bucketMs) * bucketMs;
  const { from, to } = answered;
  return { from, to, stepMs: bucketMs, length: Math.max(1, Math.ceil((to - start) / bucketMs)) };
}

/** The highest of all nodes at each step; null where none measured. */
export function highest(answer: HealthSeries, metric: string): Values {
  return joined(answer, metric, (a, b) => Math.max(a, b));
}

/** The sum over all nodes at each step; null where none measured. */
export function sumOf(answer: HealthSeries, metric: string): Values {
  return joined(answer, metric, (a, b) => a + b);
}

/** A running total as its rise a second, summed over nodes. A total that falls began anew, and counts from 0. */
export function riseOf(answer: HealthSeries, metric: string): Values {
  return addUp(
    stepsOf(answer),
    answer.series.filter((one) => one.metric === metric),
  );
}

/** Losses a second by `CPU n, type`, all nodes, most first; those that nothing was lost of are left out. */
export function lossesByCpuAndType(
  answer: HealthSeries,
): readonly { readonly name: string; readonly total: number; readonly values: Values }[] {
  const steps = stepsOf(answer);
  const byLabel = new Map<string, Stored[]>();
  for (const one of answer.series.filter((each) => each.metric === "lost_events_total"))
    byLabel.set(one.label, [...(byLabel.get(one.label) ?? []), one]);
  return [...byLabel]
    .map(([label, all]) => {
      const values = addUp(steps, all);
      const total = values.reduce<number>((sum, value) => sum + (value ?? 0) * (steps.stepMs / 1000), 0);
      const [cpu, type] = label.split("/");
      return { name: `${cpu === "65535" ? "no ring" : `CPU ${cpu}`}, ${type ?? ""}`, total, values };
    })
    .filter(({ total }) => total > 0)
    .toSorted((a, b) => b.total - a.total);
}

function addUp(steps: Steps, all: readonly Stored[]): Values {
  const sums = Array.from<number | null>({ length: steps.length }).fill(null);
  for (const one of all)
    rises(steps, one.points).forEach((rise, at) => {
      if (rise !== null) sums[at] = (sums[at] ?? 0) + rise;
    });
  return sums;
}

/** A total that appears inside of the range was 0 before: it is only written once something was lost. */
function rises(steps: Steps, points: Stored["points"]): Values {
  const values = Array.from<number | null>({ length: steps.length }).fill(null);
  let before: { readonly at: number; readonly value: number } | undefined;
  for (const point of points) {
    const at = indexOf(steps, point.at);
    if (at < 0 || at >= steps.length) continue;
    if (before === undefined && at > 1) before = { at: point.at - steps.stepMs, value: 0 };
    if (before !== undefined) {
      const rise = point.value >= before.value ? point.value - before.value : point.value;
      values[at] = rise / ((point.at - before.at) / 1000);
    }
    before = point;
  }
  return values;
}

function joined(answer: HealthSeries, metric: string, join: (a: number, b: number) => number): Values {
  const steps = stepsOf(answer);
  const values = Array.from<number | null>({ length: steps.length }).fill(null);
  for (const one of answer.series.filter((each) => each.metric === metric)) {
    for (const { at, value } of one.points) {
      const index = indexOf(steps, at);
      if (index < 0 || index >= steps.length) continue;
      const known = values[index];
      values[index] = known === null || known === undefined ? value : join(known, value);
    }
  }
  return values;
}

function indexOf({ from, stepMs }: Steps, at: number): number {
  return Math.floor((at - Math.floor(from / stepMs) * stepMs) / stepMs);
}
