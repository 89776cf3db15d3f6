/** What goes over the live stream: collector socket → app gateway → browser. One shape on both stretches. */
import { z } from "zod";
import { DIRECTIONS, FLOW_KINDS, PASSAGES, REPORTERS, TOWARDS, VERDICTS, type Flow } from "../flow.ts";
import { identityId, type IdentityId } from "../identity.ts";

export const MAX_SUBSCRIPTIONS = 16;
export const MAX_CLIENT_MESSAGE_BYTES = 16 * 1024;

/** What a client may ask. `filter` is the text of model/filter; "" is everything. */
export const LiveRequest = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("subscribe"),
    id: z.string().min(1).max(64),
    filter: z.string().max(4096).default(""),
    kinds: z.array(z.enum(FLOW_KINDS)).max(FLOW_KINDS.length).optional(),
  }),
  z.strictObject({ type: z.literal("unsubscribe"), id: z.string().min(1).max(64) }),
  z.strictObject({ type: z.literal("pause"), id: z.string().min(1).max(64) }),
  z.strictObject({ type: z.literal("resume"), id: z.string().min(1).max(64) }),
]);
export type LiveRequest = z.infer<typeof LiveRequest>;

const count = z.number().nonnegative();
const Identifier = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform((id): IdentityId => identityId(id));

const End = z.object({
  id: Identifier,
  namespace: z.string(),
  workload: z.string(),
  endpoint: z.string(),
  address: z.string(),
  port: z.int(),
  name: z.string(),
});

/** A Flow (model/flow.ts) that comes from outside of this process. */
export const WireFlow: z.ZodType<Flow> = z.object({
  rowId: z.string(),
  time: z.string(),
  node: z.string(),
  kind: z.enum(FLOW_KINDS),
  verdict: z.enum(VERDICTS),
  reason: z.string(),
  reporter: z.enum(REPORTERS),
  direction: z.enum(DIRECTIONS),
  protocol: z.int(),
  source: End,
  destination: End,
  serviceAddress: z.string(),
  servicePort: z.int(),
  service: z.string(),
  process: z.string(),
  pid: z.int(),
  opened: count,
  closed: count,
  failed: count,
  drops: count,
  bytesToServer: count,
  bytesToClient: count,
  packetsToServer: count,
  packetsToClient: count,
  retransmits: count,
  rttUs: count,
  minRttUs: count,
  connectUs: count,
  durationUs: count,
  location: z.string(),
  device: z.string(),
  netns: z.int(),
  icmpType: z.int(),
  icmpCode: z.int(),
  tcpFlags: z.int(),
  // a collector of the version before does not send these
  hook: z.string().default(""),
  passage: z.enum(PASSAGES).default("unknown"),
  toward: z.enum(TOWARDS).default("unknown"),
  socket: z.string(),
});

/** An edge of the live map over the last second, as the counted reports saw it; rates are per second. */
export const PulseEdge = z.object({
  source: z.object({ id: z.string(), namespace: z.string(), workload: z.string(), kind: z.string() }),
  destination: z.object({ id: z.string(), namespace: z.string(), workload: z.string(), kind: z.string() }),
  port: z.int(),
  protocol: z.int(),
  opened: count,
  failed: count,
  drops: count,
  bytes: count,
  retransmits: count,
  rttUs: count,
});
export type PulseEdge = z.infer<typeof PulseEdge>;

/** What the collector says. `missed` counts matching flows that were not sent since the last message of this subscription. */
export const LiveMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("flows"), id: z.string(), flows: z.array(WireFlow), missed: count }),
  z.object({
    type: z.literal("pulse"),
    at: z.number(),
    node: z.string(),
    source: z.enum(["ebpf", "replay"]),
    eventsPerSecond: count,
    lost: count,
    edges: z.array(PulseEdge),
    /** Edges beyond those listed (busiest first), 0 when all are there. */
    edgesLeftOut: count,
  }),
  z.object({ type: z.literal("problem"), id: z.string().optional(), message: z.string() }),
]);
export type LiveMessage = z.infer<typeof LiveMessage>;
