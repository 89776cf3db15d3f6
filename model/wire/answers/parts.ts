/**
 * What the answers of all questions are built from. Times are milliseconds since 1970 UTC (`at`, `from`, `firstSeen`), identities are
 * decimal text, counts are plain numbers of the range asked for (divide by its length for a rate), latencies are microseconds.
 */
import { z } from "zod";
import { VERDICTS } from "../../flow.ts";

export const Ms = z.number();
export const Id = z.string().regex(/^\d{1,20}$/);
export const Count = z.number().nonnegative();
export const VerdictName = z.enum(VERDICTS);

/** The range that was answered, half open, and what it was answered from. */
export const Answered = z.object({
  from: Ms,
  to: Ms,
  /** Table: roll-ups know no single addresses, ports of clients or processes; `flows` knows all, for as long as rows are kept. */
  by: z.enum([
    "flows",
    "edges_1m",
    "edges_1h",
    "drops_1m",
    "tuples_1h",
    "dns_answers",
    "identities",
    "books",
    "collector_health",
  ]),
  /** True: there was more than the limit; what is missing is the least. */
  truncated: z.boolean(),
});
export type Answered = z.infer<typeof Answered>;

/** An identity by its names. `shape`: form on the map; "" when only the kind is known. */
export const Named = z.object({
  id: Id,
  kind: z.string(),
  shape: z.string(),
  namespace: z.string(),
  workload: z.string(),
});
export type Named = z.infer<typeof Named>;

/** Percentiles in microseconds, relative error 1 %; null = nothing was measured. */
export const Latency = z.object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() });
export type Latency = z.infer<typeof Latency>;

/** Sums of traffic between two ends: connections, failures and drops are counts, bytes are payload. */
export const Traffic = z.object({
  /** Connections established and datagram conversations begun. */
  opened: Count,
  closed: Count,
  /** Attempts that failed: refused, timed out, unreachable, given up. */
  failed: Count,
  /** Packets that a kernel discarded. */
  drops: Count,
  bytesToServer: Count,
  bytesToClient: Count,
  packetsToServer: Count,
  packetsToClient: Count,
  /** Segments sent again, by both ends. */
  retransmits: Count,
});
export type Traffic = z.infer<typeof Traffic>;

/** A value and how often it occurred. */
export const Counted = z.object({ value: z.string(), count: Count });
export type Counted = z.infer<typeof Counted>;

/** What every error answer of a route holds. */
export const ErrorAnswer = z.object({
  error: z.object({ code: z.string(), message: z.string(), where: z.string().optional(), next: z.string().optional() }),
});
export type ErrorAnswer = z.infer<typeof ErrorAnswer>;
