import type { Brand } from "./brand.ts";

/** Nanoseconds since 1970 UTC, as a bigint: a double rounds them to 256 ns. For single values, never per event. */
export type Nanoseconds = Brand<bigint, "Nanoseconds">;

/** Milliseconds since 1970 UTC, as `Date.now()` gives them: what screens and URLs work with. */
export type Milliseconds = Brand<number, "Milliseconds">;

/** Half open: `from` belongs to it, `to` does not. */
export interface TimeRange {
  readonly from: Milliseconds;
  readonly to: Milliseconds;
}

export function nanoseconds(value: bigint): Nanoseconds {
  return value as Nanoseconds;
}

export function milliseconds(value: number): Milliseconds {
  if (!Number.isFinite(value)) throw new RangeError(`not a time: ${value}`);
  return Math.round(value) as Milliseconds;
}

/** The two halves of an event's clock as milliseconds; loses what is finer. */
export function millisecondsOf(low: number, high: number): Milliseconds {
  return Math.floor((high * 4294967296 + low) / 1e6) as Milliseconds;
}

/** ClickHouse's text for a DateTime64(3) or (9) parameter in UTC: `2026-11-24 23:07:04.123`. */
export function clickhouseTime(at: Milliseconds): string {
  return new Date(at).toISOString().replace("T", " ").replace("Z", "");
}
