import { z } from "zod";
import { dropsSeries, SERIES_BY } from "../../../store/queries/drops-series.ts";
import { rangedRoute } from "../answering.ts";
import { BUCKETS, DropParams, dropQuestion } from "./question.ts";

const Question = DropParams.extend({
  by: z.enum(SERIES_BY).default("reason"),
  buckets: z.coerce.number().int().min(1).max(500).default(BUCKETS),
});

/** Dropped packets over the range by reason, source or node. */
export const GET = rangedRoute(Question, async (asked, context) => {
  const { question } = await dropQuestion(asked, context);
  return dropsSeries(context.store, { ...question, buckets: asked.buckets, by: asked.by }, context.signal);
});
