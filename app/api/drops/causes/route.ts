import { z } from "zod";
import { dropCauses } from "../../../../store/queries/drop-causes.ts";
import { rangedRoute } from "../../answering.ts";
import { DropParams, dropQuestion } from "../question.ts";

const Question = DropParams.extend({ limit: z.coerce.number().int().min(1).max(1000).default(200) });

/** Reason and edge together, most packets first. */
export const GET = rangedRoute(Question, async (asked, context) => {
  const { question } = await dropQuestion(asked, context);
  return dropCauses(context.store, { ...question, limit: asked.limit }, context.signal);
});
