/** Roles that a mark, a line or a chart may take. Categories c1…c6 are for drop reasons and the like, most frequent first. */
const MARK_COLORS = [
  "allowed",
  "quiet",
  "denied",
  "degraded",
  "will-allow",
  "fresh",
  "gone",
  "text-2",
  "text-3",
  "c1",
  "c2",
  "c3",
  "c4",
  "c5",
  "c6",
] as const;
export type MarkColor = (typeof MARK_COLORS)[number];

/** What a word or badge says about traffic. */
export type Tone = "allowed" | "denied" | "degraded" | "will-allow" | "fresh" | "gone";

/** The colour of the nth category of one chart; a seventh and later share c6, which is "other". */
export function categoryColor(index: number): MarkColor {
  return MARK_COLORS[9 + Math.min(Math.max(index, 0), 5)]!;
}
