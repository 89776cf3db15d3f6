import {
  timeDay,
  timeFormat,
  timeHour,
  timeMinute,
  timeMonth,
  timeSecond,
  timeWeek,
  timeYear,
  type ScaleTime,
  type TimeInterval,
} from "d3";

const SECONDS = timeFormat("%H:%M:%S");
const MINUTES = timeFormat("%H:%M");
const DAYS = timeFormat("%-d %b");

/** Steps that clocks have; d3's own leave out those between one minute and five, where small charts need one. */
const STEPS: readonly (TimeInterval | null)[] = [
  ...[1, 2, 5, 10, 15, 30].map((n) => timeSecond.every(n)),
  ...[1, 2, 5, 10, 15, 30].map((n) => timeMinute.every(n)),
  ...[1, 2, 3, 6, 12].map((n) => timeHour.every(n)),
  timeDay,
  timeWeek,
  timeMonth,
  timeYear,
];
/** From one time of an axis to the next, at least. */
const USUAL_GAP_PX = 90;
/** The same on a small chart, beside the text itself. */
const LEAST_SPACE_PX = 16;
/** Of an axis. */
const DIGIT_PX = 6;

/**
 * Times for an axis: the finest step that leaves room, with seconds where two stand in one minute, and the day at midnight.
 * Those that would be cut off at an end are left out.
 */
export function timeTicks(
  x: ScaleTime<number, number>,
  width: number,
): readonly { readonly at: number; readonly text: string }[] {
  const [from, to] = x.domain() as [Date, Date];
  const px = (at: Date): number => x(at) - x(from);
  const perMs = width / (to.getTime() - from.getTime());
  const isFine = (step: TimeInterval): boolean => lengthMs(step, from) < 60_000;
  const hasRoom = (step: TimeInterval): boolean => {
    const text = (isFine(step) ? "00:00:00" : "00:00").length * DIGIT_PX;
    return lengthMs(step, from) * perMs >= Math.max(text + LEAST_SPACE_PX, Math.min(USUAL_GAP_PX, width / 4));
  };
  const step = STEPS.find((one) => one !== null && hasRoom(one)) ?? timeYear;
  return x.ticks(step).flatMap((at) => {
    const text = isFine(step) ? SECONDS(at) : MINUTES(at) === "00:00" ? DAYS(at) : MINUTES(at);
    const half = (text.length * DIGIT_PX) / 2;
    return px(at) < half || px(at) > width - half ? [] : [{ at: at.getTime(), text }];
  });
}

function lengthMs(step: TimeInterval, from: Date): number {
  const start = step.floor(from);
  return step.offset(start, 1).getTime() - start.getTime();
}
