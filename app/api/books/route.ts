import { z } from "zod";
import { booksInRange } from "../../../store/queries/books-in-range.ts";
import { rangedRoute } from "../answering.ts";

/** The balance of the range: in all, by node and type, and over time. */
export const GET = rangedRoute(z.object({}), ({ range }, { store, signal }) => booksInRange(store, range, signal));
