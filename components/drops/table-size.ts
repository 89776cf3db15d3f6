/** How much of a row a table has room for: two lines, the most important columns, or all. */
export type TableSize = "compact" | "medium" | "wide";

/** By the width of the tables' own place in CSS pixels (0 = not measured yet). */
export function tableSize(width: number): TableSize {
  if (width > 0 && width < 640) return "compact";
  return width < 860 ? "medium" : "wide";
}
