import { z } from "zod";

/** `GET /api/complete?key=&prefix=`: what exists in the range, most frequent first. */
export const CompleteAnswer = z.object({
  values: z.array(z.object({ value: z.string(), count: z.number().nonnegative() })),
  /** More exist than are listed. */
  truncated: z.boolean(),
});
export type CompleteAnswer = z.infer<typeof CompleteAnswer>;
