import { z } from "zod";
import { MOST_TUPLES } from "../../../model/wire/answers/what-if.ts";
import { trafficInRange } from "../../../store/queries/tuples-traffic.ts";
import { rangedRoute } from "../answering.ts";

const Question = z.object({ limit: z.coerce.number().int().min(1).max(MOST_TUPLES).default(MOST_TUPLES) });

/** The unique traffic of the range with the identities that it names and its books: what a policy is tried on. */
export const GET = rangedRoute(Question, ({ range, filter, scope, limit }, { store, signal }) =>
  trafficInRange(store, { range, filter, scope, limit }, signal),
);
