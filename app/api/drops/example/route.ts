import { z } from "zod";
import { Id } from "../../../../model/wire/answers/parts.ts";
import { rangedRoute } from "../../answering.ts";
import { exampleOf, narrowed } from "../example.ts";

const Question = z.object({
  reason: z.string().min(1).max(128),
  location: z.string().max(256).default(""),
  src: Id.optional(),
  dst: Id.optional(),
  port: z.coerce.number().int().min(0).max(65535).optional(),
  protocol: z.coerce.number().int().min(0).max(255).optional(),
});

/** The newest packet that was dropped for `reason` (at `location`, on an edge), with its connection. */
export const GET = rangedRoute(Question, (asked, context) =>
  exampleOf(
    narrowed(asked, [
      { on: "kind", value: "drop" },
      { on: "reason", value: asked.reason },
      ...(asked.location === "" ? [] : [{ on: "location" as const, value: asked.location }]),
    ]),
    context,
  ),
);
