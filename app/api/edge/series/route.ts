import { z } from "zod";
import { edgeSeries } from "../../../../store/queries/edge-series.ts";
import { rangedRoute } from "../../answering.ts";
import { IdentityList } from "../../identities.ts";

const Question = z.object({
  src: IdentityList,
  dst: IdentityList,
  buckets: z.coerce.number().int().min(1).max(500).default(90),
});

/** The traffic between two ends over time. */
export const GET = rangedRoute(Question, ({ src, dst, buckets, range, filter, scope }, { store, signal }) =>
  edgeSeries(store, { range, filter, scope, buckets, ends: { source: src, destination: dst } }, signal),
);
