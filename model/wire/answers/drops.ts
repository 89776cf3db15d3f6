import { z } from "zod";
import { PASSAGES, TOWARDS } from "../../flow.ts";
import { FlowSchema } from "./flows.ts";
import { Answered, Count, Ms, Named, VerdictName } from "./parts.ts";

/** Dropped packets per bucket and reason; buckets without drops are left out. */
export const DropsSeries = z.object({
  answered: Answered,
  bucketMs: Ms,
  /** Reasons of the range, most frequent first. */
  reasons: z.array(z.object({ reason: z.string(), drops: Count })),
  points: z.array(z.object({ at: Ms, reason: z.string(), drops: Count })),
});
export type DropsSeries = z.infer<typeof DropsSeries>;

/** One value of a facet. `term` is what the filter field takes to ask for it alone. */
export const FacetValue = z.object({ label: z.string(), term: z.string(), drops: Count });
export type FacetValue = z.infer<typeof FacetValue>;

/** The same drops counted by one property at a time; each list most frequent first, at most 50. */
export const DropsFacets = z.object({
  answered: Answered,
  total: Count,
  reason: z.array(FacetValue),
  source: z.array(FacetValue),
  destination: z.array(FacetValue),
  port: z.array(FacetValue),
  location: z.array(FacetValue),
  node: z.array(FacetValue),
  verdict: z.array(FacetValue),
});
export type DropsFacets = z.infer<typeof DropsFacets>;

/** Drops that are normal by the rules of the texts, and left out unless they are asked for. */
export const HiddenDrops = z.object({ reason: z.string(), title: z.string(), location: z.string(), drops: Count });
export type HiddenDrops = z.infer<typeof HiddenDrops>;

/**
 * `GET /api/drops/facets`. Each list is counted without the filter's own terms on that property, so that the other values can
 * be chosen too; `total` is within the whole filter.
 */
export const DropsFacetsAnswer = DropsFacets.extend({ hidden: z.array(HiddenDrops) });
export type DropsFacetsAnswer = z.infer<typeof DropsFacetsAnswer>;

/** Reason and edge together: a line of the table of causes. */
export const DropCause = z.object({
  reason: z.string(),
  location: z.string(),
  verdict: VerdictName,
  source: Named,
  destination: Named,
  port: z.number(),
  protocol: z.number(),
  node: z.string(),
  device: z.string(),
  /** Hook that decided, "" when the kernel does not tell; where the packets were at the device; to which end they were going. */
  hook: z.string(),
  passage: z.enum(PASSAGES),
  toward: z.enum(TOWARDS),
  drops: Count,
  firstSeen: Ms,
  lastSeen: Ms,
  /** Drops in equal parts of the range, oldest first: a small chart. */
  spark: z.array(Count),
});
export type DropCause = z.infer<typeof DropCause>;
export const DropCauses = z.object({ answered: Answered, causes: z.array(DropCause) });
export type DropCauses = z.infer<typeof DropCauses>;

/** Failed attempts of an edge, by the error that the program got, joined to the drops that match by address, port and time. */
export const FailedEdge = z.object({
  reason: z.string(),
  source: Named,
  destination: Named,
  port: z.number(),
  protocol: z.number(),
  failed: Count,
  /** Attempts of the same edge, port and protocol that were opened. */
  opened: Count,
  medianWaitUs: z.number().nullable(),
  firstSeen: Ms,
  lastSeen: Ms,
  /** Drop reasons on the same five-tuples from 0.1 s before the first SYN to 0.1 s after the failure; `failures` of the attempts had one. */
  causes: z.array(
    z.object({
      reason: z.string(),
      location: z.string(),
      node: z.string(),
      drops: Count,
      failures: Count,
      reversed: z.boolean(),
    }),
  ),
});
export type FailedEdge = z.infer<typeof FailedEdge>;
export const FailuresAnswer = z.object({ answered: Answered, total: Count, failures: z.array(FailedEdge) });
export type FailuresAnswer = z.infer<typeof FailuresAnswer>;

/** One real case: the newest row that fits, and all reports of its connection, oldest first. Null: no raw row is left of it. */
export const ExampleAnswer = z.object({ flow: FlowSchema.nullable(), life: z.array(FlowSchema) });
export type ExampleAnswer = z.infer<typeof ExampleAnswer>;
