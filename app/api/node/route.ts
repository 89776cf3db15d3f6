import { z } from "zod";
import { nodeDetails } from "../../../store/queries/node-details.ts";
import { rangedRoute } from "../answering.ts";
import { IdentityList } from "../identities.ts";

const Question = z.object({ id: IdentityList });

/** Who a workload is, who it talks to, and what went wrong with it in the range. */
export const GET = rangedRoute(Question, ({ id, range, filter, scope }, { store, signal }) =>
  nodeDetails(store, { range, filter, scope, node: id }, signal),
);
