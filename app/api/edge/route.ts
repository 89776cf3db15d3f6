import { z } from "zod";
import { edgeDetails } from "../../../store/queries/edge-details.ts";
import { rangedRoute } from "../answering.ts";
import { IdentityList } from "../identities.ts";

const Question = z.object({ src: IdentityList, dst: IdentityList });

/** What passed between two ends in the range: ports, failures, drops, processes, talkers, services. */
export const GET = rangedRoute(Question, ({ src, dst, range, filter, scope }, { store, signal }) =>
  edgeDetails(store, { range, filter, scope, source: src, destination: dst }, signal),
);
