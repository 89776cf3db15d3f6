import { z } from "zod";
import { Answered, Count, Counted, Id, Latency, Ms, Named, Traffic, VerdictName } from "./parts.ts";

/** A node of the map: one identity that talked in the range (or before it, see `MapEdge.news`). */
export const MapNode = Named.extend({
  labels: z.record(z.string(), z.string()),
  /** Pods, containers or addresses known for it in the range; 0 = unknown. */
  endpoints: Count,
  /** As server: connections opened and failed towards it. */
  opened: Count,
  failed: Count,
  /** Packets dropped on their way to it. */
  drops: Count,
  firstSeen: Ms,
  lastSeen: Ms,
});
export type MapNode = z.infer<typeof MapNode>;

export const PortShare = z.object({ port: z.number(), protocol: z.number(), opened: Count, failed: Count });
export type PortShare = z.infer<typeof PortShare>;

/** All traffic of a pair in one direction of calling: client → server. */
export const MapEdge = Traffic.extend({
  source: Id,
  destination: Id,
  /** Most used first, at most eight. */
  ports: z.array(PortShare),
  /** Why attempts failed and packets died, most frequent first, at most five; errno names and drop reasons. */
  reasons: z.array(Counted),
  /** Packets that a policy is known to have refused, part of `drops`. */
  denied: Count,
  /** Nulls when nothing was measured, or when the question did not ask for it (`latency=1`). */
  rtt: Latency,
  firstSeen: Ms,
  lastSeen: Ms,
  /** new: not in the context before the range; gone: only there; steady: in both, or the context holds no rows at all. */
  news: z.enum(["steady", "new", "gone"]),
});
export type MapEdge = z.infer<typeof MapEdge>;

export const MapAnswer = z.object({
  answered: Answered,
  /** Start of the context that `news` compares with; it ends where the range begins. */
  contextFrom: Ms,
  nodes: z.array(MapNode),
  edges: z.array(MapEdge),
});
export type MapAnswer = z.infer<typeof MapAnswer>;

/** Time series of one pair, or of one identity; buckets without traffic are left out. */
export const SeriesPoint = Traffic.extend({ at: Ms, rtt: Latency, connect: Latency });
export type SeriesPoint = z.infer<typeof SeriesPoint>;

export const SeriesAnswer = z.object({ answered: Answered, bucketMs: Ms, points: z.array(SeriesPoint) });
export type SeriesAnswer = z.infer<typeof SeriesAnswer>;

/** Who takes part on either side, from raw rows. */
export const Talker = z.object({
  source: z.string(),
  destination: z.string(),
  sourceAddress: z.string(),
  destinationAddress: z.string(),
  opened: Count,
  failed: Count,
  bytes: Count,
  retransmits: Count,
});
export type Talker = z.infer<typeof Talker>;

/** A way in which attempts failed on an edge. */
export const FailureLine = z.object({
  reason: z.string(),
  count: Count,
  /** Median wait from the attempt to the failure, microseconds; null when not measured. */
  medianWaitUs: z.number().nullable(),
  lastAt: Ms,
});
export type FailureLine = z.infer<typeof FailureLine>;

export const EdgeDetails = z.object({
  answered: Answered,
  source: Named,
  destination: Named,
  total: Traffic,
  rtt: Latency,
  connect: Latency,
  firstSeen: Ms.nullable(),
  lastSeen: Ms.nullable(),
  ports: z.array(PortShare.extend({ v6: z.boolean() })),
  failures: z.array(FailureLine),
  drops: z.array(
    z.object({
      reason: z.string(),
      location: z.string(),
      node: z.string(),
      verdict: VerdictName,
      drops: Count,
      lastAt: Ms,
    }),
  ),
  processes: z.array(
    z.object({ side: z.enum(["client", "server"]), process: z.string(), opened: Count, endpoints: Count }),
  ),
  talkers: z.array(Talker),
  services: z.array(z.object({ service: z.string(), address: z.string(), port: z.number(), opened: Count })),
});
export type EdgeDetails = z.infer<typeof EdgeDetails>;

export const NodeDetails = z.object({
  answered: Answered,
  node: Named.extend({ labels: z.record(z.string(), z.string()) }),
  /** As server and as client. */
  inbound: Traffic,
  outbound: Traffic,
  peers: z.array(Traffic.extend({ peer: Named, direction: z.enum(["inbound", "outbound"]) })),
  endpoints: z.array(
    z.object({
      endpoint: z.string(),
      address: z.string(),
      node: z.string(),
      process: z.string(),
      from: Ms,
      to: Ms.nullable(),
    }),
  ),
  reasons: z.array(Counted),
});
export type NodeDetails = z.infer<typeof NodeDetails>;

/** Bars of the scrubber. */
export const TimelineAnswer = z.object({
  answered: Answered,
  bucketMs: Ms,
  points: z.array(z.object({ at: Ms, opened: Count, failed: Count, drops: Count, bytes: Count })),
});
export type TimelineAnswer = z.infer<typeof TimelineAnswer>;
