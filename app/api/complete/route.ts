import { z } from "zod";
import { FILTER_KEYS } from "../../../model/filter/ast.ts";
import { completions } from "../../../store/queries/completions.ts";
import { rangedRoute } from "../answering.ts";

const Question = z.object({
  key: z.enum(FILTER_KEYS),
  prefix: z.string().max(256).default(""),
  limit: z.coerce.number().int().min(1).max(200).default(20),
});

/** Values of a filter key that exist in the range, with counts. */
export const GET = rangedRoute(Question, ({ key, prefix, limit, range, filter, scope }, { store, signal }) =>
  completions(store, { key, part: prefix, limit, range, filter, scope }, signal),
);
