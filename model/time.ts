import type { Brand } from "./brand.ts";

/** Milliseconds since 1970 UTC, as `Date.now()` gives them: what screens and URLs work with. */
export type Milliseconds = Brand<number, "Milliseconds">;

/** Half open: `from` belongs to it, `to` does not. */
export interface TimeRange {
  readonly from: Milliseconds;
  readonly to: Milliseconds;
}

export function milliseconds(value: number): Milliseconds {
  if (!Number.isFinite(value)) throw new RangeError(`not a time: ${value}`);
  return Math.round(value) as Milliseconds;
}

/** ClickHouse's text for a DateTime64(3) or (9) parameter in UTC: `2026-11-24 23:07:04.123`. */
export function clickhouseTime(at: Milliseconds): string {
  return new Date(at).toISOString().replace("T", " ").replace("Z", "");
}
