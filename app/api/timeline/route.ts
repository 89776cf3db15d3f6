import { z } from "zod";
import { timeline } from "../../../store/queries/timeline.ts";
import { rangedRoute } from "../answering.ts";

const Question = z.object({ buckets: z.coerce.number().int().min(1).max(2000).default(180) });

/** Connections, failures, drops and bytes over the range, in at most `buckets` steps. */
export const GET = rangedRoute(Question, ({ buckets, range, filter, scope }, { store, signal }) =>
  timeline(store, { range, filter, scope, buckets }, signal),
);
