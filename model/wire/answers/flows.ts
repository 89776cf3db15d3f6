import { z } from "zod";
import { DIRECTIONS, FLOW_KINDS, PASSAGES, REPORTERS, TOWARDS, type Flow } from "../../flow.ts";
import type { IdentityId } from "../../identity.ts";
import { Answered, Count, Counted, Ms, Named, VerdictName } from "./parts.ts";

const FlowEndSchema = z.object({
  id: z.string().transform((id) => id as IdentityId),
  namespace: z.string(),
  workload: z.string(),
  endpoint: z.string(),
  address: z.string(),
  port: z.number(),
  name: z.string(),
});

/** model/flow.ts, checked where it crosses a process. */
export const FlowSchema = z.object({
  rowId: z.string(),
  time: z.string(),
  node: z.string(),
  kind: z.enum(FLOW_KINDS),
  verdict: VerdictName,
  reason: z.string(),
  reporter: z.enum(REPORTERS),
  direction: z.enum(DIRECTIONS),
  protocol: z.number(),
  source: FlowEndSchema,
  destination: FlowEndSchema,
  serviceAddress: z.string(),
  servicePort: z.number(),
  service: z.string(),
  process: z.string(),
  pid: z.number(),
  opened: Count,
  closed: Count,
  failed: Count,
  drops: Count,
  bytesToServer: Count,
  bytesToClient: Count,
  packetsToServer: Count,
  packetsToClient: Count,
  retransmits: Count,
  rttUs: Count,
  minRttUs: Count,
  connectUs: Count,
  durationUs: Count,
  location: z.string(),
  device: z.string(),
  netns: z.number(),
  icmpType: z.number(),
  icmpCode: z.number(),
  tcpFlags: z.number(),
  hook: z.string(),
  passage: z.enum(PASSAGES),
  toward: z.enum(TOWARDS),
  socket: z.string(),
}) satisfies z.ZodType<Flow, unknown>;

/** A page of rows, newest first. `next` asks for the rows before it: hand it back as `before`; null at the end of the range. */
export const FlowsPage = z.object({ answered: Answered, flows: z.array(FlowSchema), next: z.string().nullable() });
export type FlowsPage = z.infer<typeof FlowsPage>;

/** All reports of one connection, oldest first: both ends, drops with the same addresses and ports, and the service it went through. */
export const ConnectionLife = z.object({ answered: Answered, flows: z.array(FlowSchema) });
export type ConnectionLife = z.infer<typeof ConnectionLife>;

/** Values that exist in the range for a key of the filter, most frequent first. */
export const Completions = z.object({ answered: Answered, key: z.string(), values: z.array(Counted) });
export type Completions = z.infer<typeof Completions>;

export const IdentitiesAnswer = z.object({
  answered: Answered,
  identities: z.array(Named.extend({ labels: z.record(z.string(), z.string()), firstSeen: Ms, lastSeen: Ms })),
});
export type IdentitiesAnswer = z.infer<typeof IdentitiesAnswer>;

/**
 * Unique traffic with counts: what a policy is tried on. Addresses are "" where the identity says who it is, and where an outside
 * end's was not kept (hours recorded before migration 11).
 */
export const Tuple = z.object({
  source: z.string(),
  destination: z.string(),
  sourceAddress: z.string(),
  destinationAddress: z.string(),
  destinationName: z.string(),
  protocol: z.number(),
  port: z.number(),
  icmpType: z.number(),
  /** IP version, 4 or 6; 0 = not recorded. */
  family: z.union([z.literal(0), z.literal(4), z.literal(6)]).default(0),
  direction: z.enum(DIRECTIONS),
  opened: Count,
  failed: Count,
  drops: Count,
  bytes: Count,
  firstSeen: Ms,
  lastSeen: Ms,
  sampleRow: z.string(),
});
export type Tuple = z.infer<typeof Tuple>;
export const TuplesAnswer = z.object({ answered: Answered, tuples: z.array(Tuple) });
export type TuplesAnswer = z.infer<typeof TuplesAnswer>;

/** Names that were looked up: who asked how often, and how it went. */
export const DnsNames = z.object({
  answered: Answered,
  names: z.array(
    z.object({
      name: z.string(),
      qtype: z.string(),
      answers: Count,
      /** Answers other than NOERROR, and questions without one. */
      failed: Count,
      rcodes: z.array(Counted),
      addresses: z.array(z.string()),
      clients: Count,
      p50Us: z.number().nullable(),
      p99Us: z.number().nullable(),
      lastSeen: Ms,
    }),
  ),
});
export type DnsNames = z.infer<typeof DnsNames>;
