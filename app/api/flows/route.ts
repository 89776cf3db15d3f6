import { z } from "zod";
import { flowsPage } from "../../../store/queries/flows-page.ts";
import { rangedRoute } from "../answering.ts";

const Question = z.object({
  before: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
});

/** Single rows of the range, newest first, a page at a time. */
export const GET = rangedRoute(Question, ({ before, limit, range, filter, scope }, { store, signal }) =>
  flowsPage(store, { range, filter, scope, limit, before }, signal),
);
