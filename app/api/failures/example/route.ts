import { z } from "zod";
import { Id } from "../../../../model/wire/answers/parts.ts";
import { rangedRoute } from "../../answering.ts";
import { exampleOf, narrowed } from "../../drops/example.ts";

const Question = z.object({
  reason: z.string().max(128).default(""), // "" = the kernel told none
  src: Id,
  dst: Id,
  port: z.coerce.number().int().min(0).max(65535),
  protocol: z.coerce.number().int().min(0).max(255),
});

/** The newest attempt of an edge that failed with the error `reason`, with all that was reported of it. */
export const GET = rangedRoute(Question, (asked, context) =>
  exampleOf(
    narrowed(asked, [
      { on: "verdict", value: "failed" },
      { on: "reason", value: asked.reason },
    ]),
    context,
  ),
);
