import { z } from "zod";

/** `GET /api/timeline`: connections, failures and drops per step over a range, for scrubber and small histograms. */
export const TimelineAnswer = z.object({
  stepMs: z.number().positive(),
  /** Start of the first step, ms. */
  fromMs: z.number(),
  points: z.array(
    z.object({
      atMs: z.number(),
      opened: z.number().nonnegative(),
      failed: z.number().nonnegative(),
      drops: z.number().nonnegative(),
      bytes: z.number().nonnegative(),
    }),
  ),
});
export type TimelineAnswer = z.infer<typeof TimelineAnswer>;
