import { z } from "zod";
import { milliseconds } from "../../../model/time.ts";
import { connectionLife } from "../../../store/queries/connection-life.ts";
import { rangedRoute } from "../answering.ts";

const Question = z.object({ row: z.string().min(1).max(400), at: z.coerce.number() });

/** Everything that was reported of the connection that a row belongs to. */
export const GET = rangedRoute(Question, ({ row, at, scope }, { store, signal }) =>
  connectionLife(store, { rowId: row, at: milliseconds(at), scope }, signal),
);
