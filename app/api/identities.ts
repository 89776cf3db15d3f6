import { z } from "zod";

/** A node of the map stands for few identities; a folded namespace for some hundred. */
const MOST = 2000;

/** A list of identities in a URL: decimal numbers with commas between, one at least. */
export const IdentityList = z
  .string()
  .max(42_000)
  .regex(/^\d{1,20}(,\d{1,20})*$/, "expected identities: 4711,4712")
  .transform((text) => text.split(","))
  .refine((list) => list.length <= MOST, `expected at most ${MOST} identities`);
