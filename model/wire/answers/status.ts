import { z } from "zod";

const count = z.number().nonnegative();

/** `GET /api/status`: what the status line, the rail and the frame's states show. Never an error because a part is down. */
export const StatusAnswer = z.object({
  /** Sums of the range over the nodes of `books`; null while the store does not answer. */
  books: z
    .object({ produced: count, stored: count, lost: count, shed: count, quarantined: count, filtered: count })
    .nullable(),
  /** Dropped packets a second in the range, within scope and filter. */
  dropsPerSecond: count,
  nodes: z.object({ reporting: z.int(), known: z.int() }),
  /** Time of the newest row of all, ms; null when the store holds none. */
  newestMs: z.number().nullable(),
  /** Rows in the store, of any time; 0 tells "never" from "not in this range". */
  rowsEver: count,
  store: z.object({ state: z.enum(["ok", "unreachable"]), message: z.string(), next: z.string(), url: z.string() }),
  collector: z.object({
    state: z.enum(["running", "not running", "no answer"]),
    /** Where the app looked, or why there was no answer. */
    message: z.string(),
    source: z.enum(["ebpf", "replay"]).nullable(),
    sourceNote: z.string(),
    eventsPerSecond: count,
    rowsPerSecond: count,
    waitingSegments: z.int(),
    storeState: z.enum(["waiting", "ok", "failing"]).nullable(),
    storeFailure: z.string(),
    kernel: z.string(),
  }),
  /** What the app can see by itself of the machine it runs on. */
  machine: z.object({ kernel: z.string(), btf: z.boolean(), uid: z.int(), node: z.string() }),
  version: z.string(),
  checkedMs: z.number(),
});
export type StatusAnswer = z.infer<typeof StatusAnswer>;
