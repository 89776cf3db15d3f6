import { z } from "zod";
import { bucketSeconds } from "../../../model/time-range.ts";
import type { DropQuestion } from "../../../store/queries/drop-rows.ts";
import { normalDrops } from "../../../store/queries/normal-drops.ts";
import type { HiddenDrops } from "../../../model/wire/answers/drops.ts";
import type { RouteContext } from "../answering.ts";
import type { RangedQuestion } from "../question.ts";
import { sharedAnswer } from "./shared.ts";

/** Bars of the chart at most: 10 s each in a quarter of an hour. */
export const BUCKETS = 90;

/** What the questions about drops have in common beside the range: `noise=1` shows what is normal, too. */
export const DropParams = z.object({ noise: z.enum(["0", "1"]).default("0") });

/**
 * The question as the store takes it, without the normal drops unless they are asked for. All questions of the page read the
 * same rows: where the chart's bars are finer than a minute, sums are exact, too.
 */
export async function dropQuestion(
  question: RangedQuestion & z.infer<typeof DropParams>,
  { store }: RouteContext,
): Promise<{ readonly question: DropQuestion; readonly hidden: HiddenDrops[] }> {
  const { range, filter, scope } = question;
  const exact = bucketSeconds(range, BUCKETS) < 60;
  const whole: DropQuestion = { range, filter, scope, exact };
  const key = JSON.stringify(["normal-drops", range, scope, exact, filter.terms]);
  const normal = await sharedAnswer(key, (signal) => normalDrops(store, whole, signal));
  return { question: question.noise === "1" ? whole : { ...whole, hidden: normal.keys }, hidden: normal.hidden };
}
