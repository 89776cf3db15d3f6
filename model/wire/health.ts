import { z } from "zod";

/** One hook as the collector found it. */
export const HookHealth = z.object({
  name: z.string(),
  state: z.enum(["loaded", "refused", "not attached"]),
  why: z.string().optional(),
  dark: z.string().optional(),
  events: z.number().optional(),
});

/** Loss of one event type on one CPU since the collector began; `shed` = left out on purpose, to hold the limit of CPU. `cpu` 65535 = not from a ring. */
export const LossRow = z.object({
  cpu: z.int(),
  type: z.string(),
  produced: z.number(),
  lost: z.number(),
  shed: z.number().default(0),
});

/** The balance of all that this run produced. `inFlight` is in rings and memory; `difference` is 0 when the books balance. */
export const BooksTotals = z.object({
  produced: z.number(),
  stored: z.number(),
  lost: z.number(),
  /** Part of `lost`: packets that went by while the kernel ran no program. */
  unseen: z.number().default(0),
  shed: z.number(),
  quarantined: z.number(),
  filtered: z.number(),
  inFlight: z.number(),
  difference: z.number(),
});
export type BooksTotals = z.infer<typeof BooksTotals>;

/** Something that is not as it should be, in words, with what to do. */
export const HealthNote = z.object({
  level: z.enum(["info", "warning", "error"]),
  message: z.string(),
  next: z.string().optional(),
  /** Which of the snapshot's own figures it puts into words: a screen that tells of those by itself leaves it out. */
  about: z.enum(["hooks", "rings", "store", "spool", "quarantine"]).optional(),
});

/**
 * `GET /health` on the collector's socket: all that the Health page shows of a node. A field that is added has a default, so
 * that an app can read a collector of one version back (docs/guarantees.md, Upgrades).
 */
export const HealthSnapshot = z.object({
  at: z.number(),
  node: z.string(),
  boot: z.string(),
  generation: z.int(),
  version: z.string(),
  kernel: z.string(),
  startedMs: z.number(),
  /** `ebpf` = this machine's own traffic; `replay` = a recorded sample: the screen must say so. */
  source: z.enum(["ebpf", "replay"]),
  /** Why it is a replay, or what part is missing; "" when all is seen. */
  sourceNote: z.string(),
  hooks: z.array(HookHealth),
  eventsPerSecond: z.number(),
  rowsPerSecond: z.number(),
  ringUse: z.number(),
  decodeNs: z.number(),
  malformed: z.number(),
  /** Milliseconds since events were read from the rings while some waited; 0 when none did. */
  stalledMs: z.number().default(0),
  /** What the kernel programs could not count: calls that the kernel skipped, packets and connections for which a map had no room. */
  uncounted: z
    .object({ calls: z.number(), packets: z.number(), connections: z.number() })
    .default({ calls: 0, packets: 0, connections: 0 }),
  loss: z.array(LossRow),
  /** How much of all connections the kernel tells of; below 1, the others are shed to hold the limit of CPU. Undefined: no limit. */
  sampling: z.object({ share: z.number(), cores: z.number(), limit: z.number(), packetsShed: z.number() }).optional(),
  books: BooksTotals,
  spool: z.object({
    segments: z.int(),
    bytes: z.number(),
    budgetBytes: z.number(),
    pendingBytes: z.number(),
    /** Age of the oldest segment that the store does not have yet; 0 when none waits. */
    oldestMs: z.number(),
    quarantined: z.int(),
    shedRows: z.number(),
    failures: z.int(),
    lastFailure: z.string(),
    /** True while the newest write failed. */
    isFailing: z.boolean().default(false),
  }),
  store: z.object({
    state: z.enum(["waiting", "ok", "failing"]),
    /** From a segment's last row to the store's answer, ms. */
    lagMs: z.number(),
    insertMs: z.number(),
    insertedRows: z.number(),
    insertedSegments: z.number(),
    failures: z.number(),
    lastFailure: z.string(),
    retryInMs: z.number(),
  }),
  identities: z.object({ parties: z.int(), names: z.int(), sockets: z.int(), inventory: z.string() }),
  live: z.object({ clients: z.int(), subscriptions: z.int(), missed: z.number() }),
  process: z.object({ rssBytes: z.number(), cpuSeconds: z.number() }),
  notes: z.array(HealthNote),
});
export type HealthSnapshot = z.infer<typeof HealthSnapshot>;
