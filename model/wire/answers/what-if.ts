/** What the policy editor judges its drafts on: the unique traffic of a range, who took part, and what was lost of it. */
import { z } from "zod";
import { IdentitiesAnswer, TuplesAnswer } from "./flows.ts";
import { Count } from "./parts.ts";

/** `GET /api/tuples`: at most this many, those with the most traffic first; `answered.truncated` says that there were more. */
export const MOST_TUPLES = 200_000;

export const TrafficAnswer = z.object({
  tuples: TuplesAnswer,
  identities: IdentitiesAnswer,
  /** Names that were looked up in the range, with the addresses that were told. */
  names: z.array(z.object({ name: z.string(), addresses: z.array(z.string()) })),
  /** Addresses that the traffic's identities had in the range: blocks in policies match by them. */
  addresses: z.array(z.object({ id: z.string(), addresses: z.array(z.string()) })).default([]),
  /** Port names of the traffic's identities, for policies that name ports. */
  ports: z
    .array(
      z.object({
        id: z.string(),
        ports: z.array(z.object({ name: z.string(), port: z.number(), protocol: z.string() })),
      }),
    )
    .default([]),
  /** The books of the range, in events. */
  books: z.object({ produced: Count, lost: Count }),
});
export type TrafficAnswer = z.infer<typeof TrafficAnswer>;
