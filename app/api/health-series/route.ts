import { z } from "zod";
import { healthSeries } from "../../../store/queries/health-series.ts";
import { rangedRoute } from "../answering.ts";

const Question = z.object({ buckets: z.coerce.number().int().min(1).max(1000).default(120) });

/** What the collectors measured of themselves over the range. */
export const GET = rangedRoute(Question, ({ buckets, range }, { store, signal }) =>
  healthSeries(store, { range, buckets }, signal),
);
