import { z } from "zod";
import { Answered, Count, Ms } from "./parts.ts";

/** produced = stored + lost + shed + quarantined + filtered, unless rows are still on their way (`pending`). */
export const Balance = z.object({
  produced: Count,
  stored: Count,
  lost: Count,
  shed: Count,
  quarantined: Count,
  filtered: Count,
  /** produced − the rest; what has been seen but not booked yet. */
  pending: z.number(),
});
export type Balance = z.infer<typeof Balance>;

/** A balance whose losses are told apart. */
export const RangeBalance = Balance.extend({
  /** Part of `lost`: in the memory of a collector that was killed. */
  crashed: Count.default(0),
  /** Part of `lost`: packets that went by while the kernel ran no program (docs/guarantees.md). */
  unseen: Count.default(0),
});
export type RangeBalance = z.infer<typeof RangeBalance>;

/** A node's minute in which something was not seen, and by what it was lost. */
export const WorstMinute = z.object({
  node: z.string(),
  at: Ms,
  /** No room in the ring. */
  lost: Count,
  /** In the memory of a collector that was killed. */
  crashed: Count,
  /** Went by while the kernel ran no program. */
  unseen: Count.default(0),
  shed: Count,
  quarantined: Count,
});
export type WorstMinute = z.infer<typeof WorstMinute>;

export const BooksAnswer = z.object({
  answered: Answered,
  total: RangeBalance,
  /** Share of what was worth storing that was seen: 1 − (lost + shed + quarantined) ÷ (produced − filtered); null when nothing was produced. */
  seen: z.number().nullable(),
  nodes: z.array(Balance.extend({ node: z.string(), type: z.string() })),
  minutes: z.array(Balance.extend({ at: Ms })),
  /** The node-minutes in which most was not seen, most first; at most five. */
  worst: z.array(WorstMinute).default([]),
  /** Events of closed minutes that nobody can account for: 0 when the books balance. */
  unbalanced: z.number().default(0),
});
export type BooksAnswer = z.infer<typeof BooksAnswer>;

/** The line at the foot of every page. */
export const StatusAnswer = z.object({
  now: Ms,
  /** Time of the newest row, null in an empty store. */
  newestRow: Ms.nullable(),
  /** Rows a second over the last minute before the newest row. */
  rowsPerSecond: z.number(),
  nodes: z.array(
    z.object({ node: z.string(), newestRow: Ms, rowsPerSecond: z.number(), kernel: z.string(), agent: z.string() }),
  ),
  storeVersion: z.string(),
  schemaVersion: z.number(),
});
export type StatusAnswer = z.infer<typeof StatusAnswer>;

export const SizesAnswer = z.object({
  schemaVersion: z.number(),
  storeVersion: z.string(),
  tables: z.array(
    z.object({
      table: z.string(),
      rows: Count,
      bytesOnDisk: Count,
      bytesPerRow: z.number().nullable(),
      oldest: Ms.nullable(),
      newest: Ms.nullable(),
      parts: Count,
      /** The table's TTL as the store has it: `toDateTime(ts) + toIntervalDay(7)`; "" = kept for ever. */
      ttl: z.string(),
    }),
  ),
});
export type SizesAnswer = z.infer<typeof SizesAnswer>;

/** Measurements of the collectors: name with unit, what it is of, newest value and its course over the range. */
export const HealthSeries = z.object({
  answered: Answered,
  bucketMs: Ms,
  series: z.array(
    z.object({
      node: z.string(),
      metric: z.string(),
      label: z.string(),
      newest: z.number(),
      text: z.string(),
      points: z.array(z.object({ at: Ms, value: z.number() })),
    }),
  ),
});
export type HealthSeries = z.infer<typeof HealthSeries>;
