import { z } from "zod";
import { mapEdges } from "../../../store/queries/map-edges.ts";
import { rangedRoute } from "../answering.ts";

/** More edges than this are an aggregate's work: the answer says that it was cut. */
const MOST_EDGES = 6000;

const Question = z.object({
  limit: z.coerce.number().int().min(1).max(MOST_EDGES).default(MOST_EDGES),
  /** 1: with round-trip times, which cost more than all the rest. */
  latency: z.enum(["0", "1"]).default("0"),
});

/** Who talks to whom in the range. */
export const GET = rangedRoute(Question, ({ limit, latency, range, filter, scope }, { store, signal }) =>
  mapEdges(store, { range, filter, scope, limit, latency: latency === "1" }, signal),
);
